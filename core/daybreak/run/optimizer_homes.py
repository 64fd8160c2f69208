"""Daybreak's side of the processes that fork optimizers: started when needed, ended with the run.

See `daybreak.run.optimizer_host` for what these processes do.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daybreak.errors import DaybreakError, RequirementError
from daybreak.measure.folders import ScratchFolder, remove_folder
from daybreak.measure.launch import starter
from daybreak.measure.wire import GarbledError
from daybreak.plugin import Component
from daybreak.run.optimizer_link import Link, LinkLostError, open_ends
from daybreak.run.optimizer_loop import OptimizerSetting
from daybreak.run.study import Cancelled
from daybreak.space import Space

__all__ = ["Home", "OptimizerHomes", "describe_end", "host_environment", "quoted"]

#: Threads that an optimizer's numerical libraries may use; one if it is not set.
THREADS = "DAYBREAK_OPTIMIZER_THREADS"
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
#: Search spaces that a home keeps, with their trees.
_MOST_SPACES = 8
#: How often a home gives way to one that has imported more.
_MOST_GENERATIONS = 4
#: Seconds in which the host must have ended everything below it.
_PATIENCE_S = 5.0


class Home:
    """A process that forks others; may be used by several threads."""

    def __init__(self, link: Link, *, generation: int = _MOST_GENERATIONS) -> None:
        self.link = link
        self.generation = generation
        self._late: dict[str, None] = {}
        self._noted: set[str] = set()
        self._lock = threading.RLock()
        self._spaces: OrderedDict[int, tuple[Space, str]] = OrderedDict()
        self._keys = itertools.count(1)

    def fork(self, operation: str, argument: Any, register: Callable[[Link], None]) -> Link:
        """Fork a process and return the link to it; `register` is told of it at once.

        Raises:
            Cancelled: the run was interrupted.
            LinkLostError: this home is gone, or could not fork.
        """
        link, theirs, output = open_ends()
        try:
            with self._lock:
                answer = self.link.call(operation, argument, fds=(theirs.fileno(), output))
                if "pid" not in answer:
                    raise LinkLostError(str(answer.get("error")))
                link.attend(int(answer["pid"]))
            register(link)
        except BaseException:
            link.close()
            raise
        finally:
            theirs.close()
            os.close(output)
        return link

    def remember_imports(self, modules: Any) -> None:
        """Note what an optimizer imported late: a new home has it imported."""
        if self.generation < _MOST_GENERATIONS and isinstance(modules, list):
            names = [name for name in modules if isinstance(name, str) and "__" not in name]
            with self._lock:
                # each once: what could not be imported beforehand is not tried again
                self._late.update((name, None) for name in names if name not in self._noted)
                self._noted.update(names)

    def late_imports(self) -> list[str]:
        """Return what was noted since this was last called."""
        with self._lock:
            late, self._late = list(self._late), {}
        return late

    def key_of(self, space: Space) -> str:
        """Return the key under which processes forked from now on know `space`."""
        with self._lock:
            known = self._spaces.get(id(space))
            if known is not None:
                self._spaces.move_to_end(id(space))
                return known[1]
            key = f"space-{next(self._keys)}"
            forgotten = None
            if len(self._spaces) >= _MOST_SPACES:
                forgotten = self._spaces.popitem(last=False)[1][1]
            answer = self.link.call("space", (key, pickle.dumps(space), forgotten))
            if "error" in answer:
                raise LinkLostError(str(answer["error"]))
            # the space itself is kept, lest another one gets its identity
            self._spaces[id(space)] = (space, key)
            return key

    def reap(self, link: Link, patience: float) -> tuple[int | None, bool]:
        """Wait `patience` seconds for the end of a process forked here, then kill it.

        Returns its exit status as `subprocess` gives it (None if this home is gone), and whether it
        had to be killed.
        """
        pid = link.pid
        if pid is None:
            return None, False
        try:
            with self._lock:
                answer = self.link.call("reap", (pid, patience))
                link.pid = None
            return int(answer["status"]), bool(answer["killed"])
        except (Cancelled, DaybreakError, GarbledError, KeyError, TypeError, ValueError):
            return None, False


class OptimizerHomes:
    """The homes of a run: one for each module that holds the factory of an optimizer."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._starting: dict[str, threading.RLock] = {}
        self._host: subprocess.Popen[bytes] | None = None
        self._root: Home | None = None
        self._homes: dict[str, Home] = {}
        self._links: set[Link] = set()
        self._scratch: ScratchFolder | None = None
        self._folders = itertools.count(1)
        self._cancelled = False

    def cancel(self) -> None:
        """Kill every process, from any thread or a signal handler; no new one will start."""
        self._cancelled = True
        root = self._root
        for link in list(self._links):
            # the host ends by itself, and takes with it what ran away from an optimizer's process
            if root is not None and link is root.link:
                link.cancelled = True
                link.hang_up()
            else:
                link.cancel()

    def close(self) -> None:
        """End every process, for good."""
        self.cancel()
        with self._lock:
            host, self._host = self._host, None
            if host is not None:
                try:
                    host.wait(_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    host.kill()
                    host.wait()
            for link in list(self._links):
                link.close()
            self._links.clear()
            if self._scratch is not None:
                self._scratch.remove()
                self._scratch = None

    def home(self, component: Component) -> Home:
        """Return the home that has imported the component's factory, started if need be.

        When optimizers have imported more since, a newer home forked from it takes its place; the
        older one stays for those that live there. Where importing starts threads, nothing is
        gained, since forks of a process with threads may hang: studies then import for themselves.

        Raises:
            Cancelled: the run was interrupted.
            LinkLostError: importing the factory ended the process that tried.
        """
        module = component.spec.factory.partition(":")[0]
        with self._lock:
            starting = self._starting.setdefault(module, threading.RLock())
        with starting:
            home = self._homes.get(module)
            if home is None or home.link.lost:
                root = self._started()
                home = self._homes[module] = self._template(root, [module], 0) or root
            elif late := home.late_imports():
                newer = self._template(home, late, home.generation + 1)
                home = self._homes[module] = newer or home
            return home

    def fork(self, home: Home, setting: OptimizerSetting) -> Link:
        """Fork a process for one optimizer; see `Home.fork`."""
        return home.fork("study", setting, self._register)

    def folder(self) -> Path:
        """Return a new folder for an optimizer's temporary files."""
        with self._lock:
            if self._scratch is None:
                self._scratch = ScratchFolder()
            path = self._scratch.path / f"optimizer-{next(self._folders)}"
        path.mkdir()
        return path

    def end(self, home: Home, link: Link, folder: Path, patience: float) -> tuple[int | None, bool]:
        """End a forked process and free what it held; return how it ended, see `Home.reap`."""
        link.hang_up()
        ended = home.reap(link, patience)
        self._links.discard(link)
        link.close()
        remove_folder(folder)
        return ended

    def _register(self, link: Link) -> None:
        self._links.add(link)
        if self._cancelled:
            link.cancel()
            raise Cancelled

    def _template(self, home: Home, modules: list[str], generation: int) -> Home | None:
        """Fork a home that has imported `modules`; None if it must not be forked in turn.

        Raises:
            LinkLostError: the first of these imports ended the process.
        """
        link = home.fork("template", modules, self._register)
        try:
            ready = link.answer(0)
            if int(ready["threads"]) == 1 or not _single_threaded():
                return Home(link, generation=generation)
            died = False
        except (LinkLostError, GarbledError, KeyError, TypeError, ValueError):
            died = True
        said = link.last_lines
        status, _ = home.reap(link, _PATIENCE_S if died else 0.0)
        self._links.discard(link)
        link.close()
        if died and generation == 0:
            raise LinkLostError(describe_end(status) + quoted(said))
        return None

    def _started(self) -> Home:
        with self._lock:
            if self._cancelled:
                raise Cancelled
            if self._root is None or self._root.link.lost:
                self._root = self._start()
            return self._root

    def _start(self) -> Home:
        link, theirs, output = open_ends()
        try:
            # see `daybreak.measure.launch`: a process may be told to die with the thread that
            # started it
            self._host = (
                starter()
                .submit(
                    subprocess.Popen,
                    [
                        *(sys.executable, "-P", "-m", "daybreak.run.optimizer_host"),
                        str(theirs.fileno()),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(theirs.fileno(),),
                    env=host_environment(),
                    start_new_session=True,
                )
                .result()
            )
            link.attend(self._host.pid)
            self._register(link)
        except BaseException:
            link.close()
            raise
        finally:
            theirs.close()
            os.close(output)
        try:
            link.answer(0)
        except (DaybreakError, GarbledError) as error:
            raise RequirementError(
                f"the process for optimizers cannot be started: {error}{quoted(link.last_lines)}"
            ) from error
        return Home(link)


def host_environment() -> dict[str, str]:
    """Return the environment of the optimizers' processes.

    It is this process's own, with one thread for numerical libraries unless
    `DAYBREAK_OPTIMIZER_THREADS` says how many, and hashes of text that are the same in every run:
    a library that walks through sets of text proposes the same under the same seed.
    """
    threads = os.environ.get(THREADS, "").strip() or "1"
    return {
        **os.environ,
        **dict.fromkeys(_THREAD_VARIABLES, threads),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry or os.getcwd()) for entry in sys.path),
    }


def _single_threaded() -> bool:
    return (os.environ.get(THREADS, "").strip() or "1") == "1"


def describe_end(status: int | None) -> str:
    """Return in words how a process ended, given its exit status as `subprocess` gives it."""
    if status is None:
        return "its process is gone"
    if status >= 0:
        return f"its process ended with exit status {status}"
    name = f"signal {-status}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-status).name
    return f"its process was killed by {name}"


def quoted(lines: str) -> str:
    """Return what a process printed last, as the end of a message."""
    return "\n  it printed last:\n    " + lines.replace("\n", "\n    ") if lines else ""
