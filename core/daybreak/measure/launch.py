"""Starting a worker process and ending it for good."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from daybreak.measure.folders import remove_folder
from daybreak.measure.processes import kill_marked
from daybreak.measure.sandbox import MARK, Sandbox, worker_environment, wrap
from daybreak.measure.watch import OutputTail
from daybreak.measure.wire import FrameReader, write_frame

__all__ = ["WorkerProcess", "launch", "starter"]


class WorkerProcess:
    """A running worker: its channel, its output, its process."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        channel: socket.socket,
        output: int,
        sandbox: Sandbox,
        scratch: Path,
        mark: str,
    ) -> None:
        self._process = process
        self._channel = channel
        self._sandbox = sandbox
        self._scratch = scratch
        self._mark = mark
        self._dead = False
        self.reader = FrameReader(channel.fileno())
        self.output = OutputTail(output)
        self.alive_fd: int | None = None
        with contextlib.suppress(AttributeError, OSError):
            self.alive_fd = os.pidfd_open(process.pid)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a request; a worker that is gone is noticed when its answer is awaited."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            write_frame(self._channel.fileno(), message)

    def exit_code(self, patience: float) -> int | None:
        """Wait `patience` seconds; the exit status as `subprocess` gives it, or None if it runs on."""
        try:
            code = self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            return None
        # A wrapping program reports its child's signal as 128 more.
        if self._sandbox is not Sandbox.LIMITS and code > 128:
            return 128 - code
        return code

    def signal_group(self) -> None:
        """Kill the process group; safe from any thread, and the cleaning up is left to `kill`."""
        if not self._dead and self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def say_goodbye(self, patience: float = 2.0) -> None:
        """Ask the worker to close its session and end, and wait for it a little."""
        self.send({"op": "close"})
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=patience)

    def kill(self) -> None:
        """End the worker and everything that it started, and free what it held."""
        if self._dead:
            return
        self.signal_group()
        self._dead = True
        self._process.wait()
        if self._sandbox is Sandbox.LIMITS:
            # Elsewhere the end of the first process of its namespace has ended all of them.
            kill_marked(MARK, self._mark)
        self.output.drain(self.output.total + (1 << 20))
        self._channel.close()
        os.close(self.output.fd)
        if self.alive_fd is not None:
            os.close(self.alive_fd)
        remove_folder(self._scratch)


def launch(
    sandbox: Sandbox, scratch: Path, *, mark: str, gpu: bool, caches: Sequence[Path] = ()
) -> WorkerProcess:
    """Start a worker inside `sandbox`, in a session of its own, so that Ctrl-C does not reach it.

    It may write to `scratch` and to `caches`, which must be there.
    """
    ours, theirs = socket.socketpair()
    output_read, output_write = os.pipe()
    try:
        command = [sys.executable, "-P", "-m", "daybreak.measure.worker", str(theirs.fileno())]
        # A process started by a thread may be told to die with that *thread*. All workers are
        # therefore started by one thread that lives as long as this process.
        process = (
            starter()
            .submit(
                subprocess.Popen,
                wrap(sandbox, command, scratch, gpu=gpu, caches=caches),
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                pass_fds=(theirs.fileno(),),
                env=worker_environment(scratch, mark),
                cwd=scratch,
                start_new_session=True,
            )
            .result()
        )
    except BaseException:
        ours.close()
        os.close(output_read)
        raise
    finally:
        theirs.close()
        os.close(output_write)
    ours.setblocking(False)
    os.set_blocking(output_read, False)
    return WorkerProcess(process, ours, output_read, sandbox, scratch, mark)


@lru_cache(maxsize=1)
def starter() -> ThreadPoolExecutor:
    """Return the one thread that starts processes; it lives as long as this process."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="daybreak-worker-starter")


# A forked copy of this process has no such thread: it must make its own.
os.register_at_fork(after_in_child=starter.cache_clear)
