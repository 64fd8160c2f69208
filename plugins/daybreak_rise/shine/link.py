"""The process that runs Shine, and the line to it: lines with deadlines, and an end to everything."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from daybreak import TrialFailed
from daybreak_rise.shine import standin
from daybreak_rise.shine.protocol import END

__all__ = ["ShineLink"]

#: more than an answer may have before its end: something else speaks there
_MOST_BYTES = 1 << 20
_TAIL_BYTES = 4000
_GOODBYE_SECONDS = 2.0


class ShineLink:
    """One running Shine. Not running until `start`; `stop` ends it and all that it started.

    Args:
        command: as a person types it; nothing of it goes through a shell.
        folder: where it runs; None: here.
        spawns: whether it starts the tuner itself. Then a stand-in is put where Shine looks for
            HyperMapper: ``.local/bin`` of the home folder, the search path, and $HYPERMAPPER.
        seconds: that it may take to start, and for each line.
    """

    def __init__(self, command: str, folder: str | None, *, spawns: bool, seconds: float) -> None:
        self._command = shlex.split(command)
        self._folder = folder
        self._spawns = spawns
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._log: Any = None
        self._connection: socket.socket | None = None
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether a process is there that has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the command, and wait until it asks for configurations.

        Raises:
            TrialFailed: it does not start, ends, or takes too long.
        """
        self.stop()
        self._scratch = tempfile.TemporaryDirectory(prefix="daybreak-shine-")
        folder = Path(self._scratch.name)
        self._log = (folder / "log").open("w+b")
        environment = dict(os.environ)
        listening = None
        if self._spawns:
            listening = self._listen(folder, environment)
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL if self._spawns else subprocess.PIPE,
                stdout=self._log if self._spawns else subprocess.PIPE,
                stderr=self._log,
                start_new_session=True,
            )
        except OSError as error:
            self.stop()
            raise TrialFailed(f"Shine does not start: {error}", kind="crash") from None
        if listening is not None:
            self._accept(listening)

    def _listen(self, folder: Path, environment: dict[str, str]) -> socket.socket:
        programs = folder / ".local" / "bin"
        programs.mkdir(parents=True)
        program = programs / "hypermapper"
        source = Path(standin.__file__).read_text(encoding="utf-8")
        program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
        program.chmod(0o700)
        path = folder / "socket"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        listening.listen(1)
        environment[standin.SOCKET] = str(path)
        environment["HYPERMAPPER"] = str(program)
        environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
        environment["HOME"] = str(folder)
        # a JVM asks the password file for the home folder unless it is told
        told = environment.get("JAVA_TOOL_OPTIONS", "")
        environment["JAVA_TOOL_OPTIONS"] = f"{told} -Duser.home={folder}".strip()
        return listening

    def _accept(self, listening: socket.socket) -> None:
        listening.settimeout(0.1)
        deadline = time.monotonic() + self._seconds
        with listening:
            while time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    self._connection, _ = listening.accept()
                    return
                if not self.running:
                    raise self._broken("ended before it started the tuner")
        raise self._broken(f"did not start the tuner within {self._seconds:g} s", "timeout")

    def send(self, text: str) -> None:
        """Send text.

        Raises:
            TrialFailed: nobody takes it.
        """
        try:
            if self._connection is not None:
                self._connection.settimeout(self._seconds)
                self._connection.sendall(text.encode())
            elif self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(text.encode())
                self._process.stdin.flush()
        except OSError as error:
            raise self._broken(f"takes no request: {error}") from None

    def read_line(self, deadline: float) -> str:
        """Return the next line; `deadline` is a time of the monotonic clock.

        Raises:
            TrialFailed: there is none in time, the process ended, or a line has no end.
        """
        source: Any = self._connection
        if source is None and self._process is not None:
            source = self._process.stdout
        if source is None:
            raise self._broken("is not running")
        read: Callable[[], bytes] = lambda: os.read(source.fileno(), 65536)  # noqa: E731
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if len(self._buffer) > _MOST_BYTES:
                    raise self._broken("sends a line without an end")
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise self._broken(f"gave no answer within {self._seconds:g} s", "timeout")
                try:
                    chunk = read()
                except OSError:
                    chunk = b""
                if not chunk:
                    raise self._broken("ended without an answer")
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace")

    def _broken(self, what: str, kind: str = "crash") -> TrialFailed:
        """Return the failure, with the end of what the process printed; it is stopped."""
        detail = self._tail()
        self.stop(goodbye=False)
        return TrialFailed(f"Shine {what}", detail=detail or None, kind=kind)

    def _tail(self) -> str:
        if self._log is None:
            return ""
        self._log.flush()
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        return str(self._log.read().decode(errors="replace"))

    def stop(self, *, goodbye: bool = True) -> None:
        """End the process and all in its group, after a goodbye if it still listens.

        Safe to call twice.
        """
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                if self._connection is not None:
                    self._connection.settimeout(_GOODBYE_SECONDS)
                    self._connection.sendall(END.encode())
                    self._connection.shutdown(socket.SHUT_WR)
                elif process.stdin is not None:
                    process.stdin.write(END.encode())
                    process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GOODBYE_SECONDS if goodbye else 0)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch.name, ignore_errors=True)
            self._scratch.cleanup()
            self._scratch = None
        self._buffer = b""
