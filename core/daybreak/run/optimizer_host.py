"""The processes that fork optimizers: imports are paid once, and a fork is cheap.

Daybreak starts one *host* for a run, as ``python -P -m daybreak.run.optimizer_host FD``. For every
module that holds an optimizer's factory the host forks a *template*, which imports that module (and
with it the library behind it); the template forks a process for each study. All of them do the same
thing: take requests (`daybreak.run.optimizer_crossing`), fork, and reap when told to.

* ``template`` (modules, descriptors) -> ``{"pid": p}``; the template then says ``{"id": 0, "threads":
  n}``; a template forks one, too, that has also imported what optimizers imported late
* ``study`` (`OptimizerSetting`, descriptors) -> ``{"pid": p}``; see `daybreak.run.optimizer_loop`
* ``space`` (key, pickled space, key to forget) -> ``{}``: studies forked later have it, trees built
* ``reap`` (pid, patience) -> ``{"status": s, "killed": b}``: kills what has not ended by then

A closed channel, also by the death of whoever held its other end, ends a process and all below it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError
from daybreak.measure.processes import become_reaper, die_with_parent, reap_strays
from daybreak.measure.wire import write_frame
from daybreak.run.optimizer_crossing import Request, RequestReader
from daybreak.run.optimizer_loop import live, prepare_process, redirect

if TYPE_CHECKING:
    from daybreak.space import Space

__all__ = ["main"]

#: What every optimizer uses and imports late: paid once, for all that are forked.
_PRELOADED = (
    "numpy.random",
    "daybreak.space.encoding",
    "daybreak.space.neighbours",
    "daybreak.space.quantities",
    "daybreak.space.restrict",
    "daybreak.space.sampling",
    "daybreak.space.vector",
)
#: Seconds between two looks at a process that is about to end.
_SLICE = 0.0005


def main(argv: list[str]) -> int:
    """Serve requests on descriptor ``argv[0]`` until it is closed; return the exit status."""
    channel = socket.socket(fileno=int(argv[0]))
    channel.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    become_reaper()
    _preload(_PRELOADED)
    write_frame(channel.fileno(), {"id": 0, "threads": _threads()})
    try:
        _Host(channel).serve()
    finally:
        reap_strays()
    return 0


class _Host:
    """Forks, remembers spaces, reaps."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._spaces: dict[str, Space] = {}
        self._requests = RequestReader(channel, self._spaces)

    def serve(self) -> None:
        """Answer requests until the channel is closed."""
        while (request := self._requests.receive()) is not None:
            try:
                answer = self._answer(request)
            except Exception as error:
                traceback.print_exception(error)
                answer = {"error": f"{type(error).__name__}: {error}"}
            finally:
                for fd in request.fds:
                    with contextlib.suppress(OSError):
                        os.close(fd)
            try:
                write_frame(self._channel.fileno(), {"id": request.number, **answer})
            except OSError:
                return

    def _answer(self, request: Request) -> dict[str, Any]:
        if request.operation == "reap":
            pid, patience = request.argument
            return _reap(pid, patience)
        if request.operation == "space":
            self._remember(*request.argument)
            return {}
        channel, output = request.fds
        if request.operation == "template":
            return {"pid": self._fork(lambda: _template(channel, output, request.argument))}
        return {"pid": self._fork(lambda: self._study(channel, output, request.argument))}

    def _study(self, channel: int, output: int, setting: Any) -> None:
        prepare_process(output, setting)
        live(socket.socket(fileno=channel), self._spaces)

    def _remember(self, key: str, pickled: bytes, forgotten: str | None) -> None:
        if forgotten is not None:
            self._spaces.pop(forgotten, None)
        space: Space = pickle.loads(pickled)  # noqa: S301 - written by Daybreak, see the crossing
        # once for all studies; an empty space is told by whoever draws from it
        with contextlib.suppress(SpaceError):
            _ = space.parts
        gc.freeze()
        self._spaces[key] = space

    def _fork(self, child: Callable[[], None]) -> int:
        parent = os.getpid()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            os.setsid()
            die_with_parent()
            self._channel.close()
            if os.getppid() == parent:
                child()
                code = 0
        except BaseException as error:  # nothing may leave a forked process upwards
            with contextlib.suppress(BaseException):
                traceback.print_exception(error)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(BaseException):
                    stream.flush()
            os._exit(code)


def _template(channel: int, output: int, modules: list[str]) -> None:
    redirect(output)
    held = socket.socket(fileno=channel)
    _preload(modules)
    write_frame(held.fileno(), {"id": 0, "threads": _threads()})
    _Host(held).serve()


def _preload(modules: Iterable[str]) -> None:
    """Import what can be imported of `modules`, and make forks cheap.

    What is loaded now is never looked at again by the garbage collector.
    """
    for module in modules:
        # A library that is missing is told by whoever makes the optimizer: `Component.create` knows
        # more. A module that a library made up as it went cannot be imported by name: no matter.
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()


def _threads() -> int:
    """Return how many threads this process has: with more than one, its forks may hang.

    Not counted are those of jemalloc (Arrow has one), which is made to be forked.
    """
    try:
        names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    except OSError:
        return threading.active_count()
    return sum(not name.startswith("jemalloc") for name in names)


def _reap(pid: int, patience: float) -> dict[str, Any]:
    until = time.monotonic() + patience
    killed = False
    # looked at without being waited for: until then nobody else gets its number
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= until:
            killed = True
            break
        time.sleep(_SLICE)
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return {"status": os.waitstatus_to_exitcode(status), "killed": killed}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
