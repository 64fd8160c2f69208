"""Optimizers that misbehave in the process of their own, by the option `how`."""

from __future__ import annotations

import ctypes
import importlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from daybreak import Configuration, Problem, SpaceError, Trial


class Plain:
    """Draws from its own generator; says in its explanation where it lives."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.problem = problem
        self.space = problem.space
        self.options = options
        self.rng = np.random.default_rng(problem.seed)
        self.told: list[Trial] = []

    def ask(self, n: int = 1) -> list[Configuration]:
        return list(self.space.sample(n, self.rng))

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials


class Witness(Plain):
    """Explains its proposals with what it sees of its process."""

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {
            "pid": os.getpid(),
            "session": os.getsid(0),
            "parent": os.getppid(),
            "threads": len(os.listdir("/proc/self/task")),
            "fds": sorted(
                (int(name), os.readlink(f"/proc/self/fd/{name}"))
                for name in os.listdir("/proc/self/fd")
                if os.path.exists(f"/proc/self/fd/{name}")
            ),
            "environment": dict(os.environ),
            "random": [random.random(), float(np.random.random())],
            "hash": hash("daybreak"),
            "told": [repr(trial) for trial in self.told],
            "configuration": repr(configuration),
            "space": repr(self.problem.references),
            "interrupt": str(signal.getsignal(signal.SIGINT)),
        }


class Busy(Plain):
    """Computes in `ask`, in this thread, and says when."""

    def ask(self, n: int = 1) -> list[Configuration]:
        self.began = time.monotonic()
        total = 0
        for i in range(400_000):
            total += i * i
        self.ended = time.monotonic()
        return super().ask(n)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {"pid": os.getpid(), "began": self.began, "ended": self.ended}


class Global(Plain):
    """Draws from the global generators only, as some libraries do."""

    def ask(self, n: int = 1) -> list[Configuration]:
        random.random()
        seed = int(np.random.randint(2**31)) ^ random.getrandbits(31)
        return list(self.space.sample(n, seed))


class Spender(Plain):
    """Spends, or says something else when asked for it."""

    def spent(self) -> Mapping[str, float]:
        if self.options.get("how") == "text":
            return {"dollars": "a lot"}  # type: ignore[dict-item]
        if self.options.get("how") == "raise":
            raise RuntimeError("the bill is lost")
        return {"dollars": 0.5 * len(self.told)}


class SpendsAndExplains(Spender):
    """Both."""

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {("a", 1): np.float64(2.5), "many": {np.int64(3): (1, 2)}, "nan": float("nan")}


class Odd(Plain):
    """Misbehaves at the third ask (`when: ask`), in `tell` or while it is made."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.asked = 0
        self._maybe("create")

    def ask(self, n: int = 1) -> list[Configuration]:
        self.asked += 1
        if self.asked > 2:
            found = self._maybe("ask")
            if found is not None:
                return found
        return super().ask(n)

    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        if len(self.told) > 2:
            self._maybe("tell")

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        found: Any = self._maybe("explain")
        return {} if found is None else found

    def _maybe(self, when: str) -> Any:
        if self.options.get("when", "ask") != when:
            return None
        how = self.options.get("how")
        return getattr(self, f"_{how}")() if how else None

    def _raise(self) -> None:
        print("fitting the model")  # noqa: T201 - to be captured
        raise ZeroDivisionError("the model has no rank")

    def _user(self) -> None:
        raise SpaceError("the prior names 'c'", file="suite.yaml", line=3, nearest="b")

    def _memory(self) -> None:
        raise MemoryError

    def _exit(self) -> None:
        sys.exit("licence expired")

    def _kill(self) -> None:
        print("about to die", end="")  # noqa: T201 - to be captured
        os.kill(os.getpid(), signal.SIGKILL)

    def _quit(self) -> None:
        os.write(2, b"quitting\n")
        os._exit(7)

    def _segfault(self) -> None:
        ctypes.string_at(0)

    def _hang(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, signal.NSIG)))
        Path(self.options["note"]).write_text(str(os.getpid()))
        while True:
            time.sleep(60)

    def _spin(self) -> None:
        Path(self.options["note"]).write_text(str(os.getpid()))
        while True:
            pass

    def _flood(self) -> None:
        line = b"\r\x1b[32m" + b"." * 1000 + b"\x1b[0m"
        for _ in range(int(self.options["megabytes"]) * 1000):
            os.write(1, line)
        print("\nflooded")  # noqa: T201 - to be captured

    def _channel(self) -> int:
        (fd,) = (fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}"))
        return fd

    def _close_channel(self) -> None:
        socket.socket(fileno=self._channel()).shutdown(socket.SHUT_RDWR)
        signal.pause()

    def _garbage(self) -> None:
        os.write(self._channel(), os.urandom(100_000))
        time.sleep(60)

    def _forge(self) -> None:
        body = b'{"id":99,"proposed":[]}'
        os.write(self._channel(), b"DBK1" + len(body).to_bytes(4) + body)
        time.sleep(60)

    def _nonsense(self) -> Any:
        return 7

    def _list_of_text(self) -> Any:
        return [{"a": "x", "b": None}]

    def _outside(self) -> Any:
        return [{"a": 32, "b": 32}]

    def _too_many(self) -> Any:
        return list(self.space.sample(5, 1))

    def _children(self) -> None:
        """Leave a process of the same group, and one that ran away, and die."""
        for away in (False, True):
            child = subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(600)"],
                start_new_session=away,
            )
            with Path(self.options["note"]).open("a") as file:
                file.write(f"{child.pid}\n")
        os._exit(0)

    def _keep_channel_open(self) -> None:
        """Die while a forked child still holds the channel."""
        child = os.fork()
        if child == 0:
            time.sleep(600)
            os._exit(0)
        # by the parent: whoever sees it dead finds the note complete
        Path(self.options["note"]).write_text(str(child))
        os._exit(9)

    def _thread(self) -> None:
        threading.Thread(target=_print_for_ever, daemon=True).start()


def _print_for_ever() -> None:
    while True:
        os.write(1, b"x" * 4096)


class Litter(Plain):
    """Writes a temporary file and says where."""

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        import tempfile

        descriptor, path = tempfile.mkstemp()
        os.close(descriptor)
        return {"path": path}


class Late(Plain):
    """Imports a module when it is made, another in `ask`; says which were there before."""

    module = "wave"

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.before = {name: name in sys.modules for name in (self.module, "colorsys")}
        importlib.import_module(self.module)

    def ask(self, n: int = 1) -> list[Configuration]:
        importlib.import_module("colorsys")
        return super().ask(n)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {"before": self.before, "parent": os.getppid()}


class LateThreads(Late):
    """Imports a module that starts a thread."""

    module = "isolated_threaded_import"


class LateDeath(Late):
    """Imports a module that ends the interpreter unless this class imports it."""

    module = "isolated_jealous_import"
