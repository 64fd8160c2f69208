"""A target whose session says how far it is: decently, without end, or with nonsense."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from daybreak.plugin.contracts import Verdict
from daybreak.records import Sample

FLOOD = 100_000


class Odd:
    """Cannot be shown, nor counted."""

    def __str__(self) -> str:
        raise ValueError("no text")

    def __float__(self) -> float:
        raise TypeError("no number")


class Target:
    def benchmarks(self) -> list[Any]:
        return []

    def define(self, name: str, options: Mapping[str, Any]) -> Any:
        return SimpleNamespace(name=name, options=options)

    def check(self) -> list[Any]:
        return []

    def open(self, benchmark: Any) -> Session:
        return Session()


class Session:
    """`progress` is an attribute, as it should be, and by itself it counts."""

    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}

    def __init__(self) -> None:
        self.progress: Callable[..., None] = self.count
        self.counted = 0
        self.how = ""

    def count(self, *_: Any) -> None:
        self.counted += 1

    def __enter__(self) -> Session:
        self.progress(None, "opening")
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Mapping[str, Any]) -> Any:
        self.how = configuration["how"]
        getattr(self, self.how)()
        return SimpleNamespace(facts={"counted": self.counted})

    def verify(self, artifact: Any) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: Any, protocol: Any) -> Iterator[Sample]:
        if self.how == "measuring":
            self.progress(0.5, "running")
            time.sleep(1.3)
        for i in range(3000 if self.how == "threads" else 2):
            yield Sample("time", 1.0, i)

    def measuring(self) -> None: ...

    def steps(self) -> None:
        self.progress(None, "generating")
        until_heard("generating")
        for i in range(100):
            self.progress(i / 100, f"pass {i}")
        self.progress(1, "pass 100")
        until_heard("pass 100")

    def once(self) -> None:
        self.progress(0.25, "waiting")
        until_heard("waiting")

    def noticed(self) -> None:
        """Go on as soon as anything at all was heard, which need not be what was said last."""
        self.progress(0.25, "waiting")
        until(lambda text: text != "")

    def long(self) -> None:
        self.progress(None, "thinking")
        time.sleep(2.2)

    def flood(self) -> None:
        for i in range(FLOOD):
            self.progress(i / FLOOD, f"step {i}")

    def nonsense(self) -> None:
        self.progress()
        self.progress(Odd(), Odd())
        self.progress(float("nan"), "no share")
        self.progress(57, b"bytes")
        self.progress(10**400, "a\ud800b\x1b[2J\u202e\n\tc" + "x" * 10_000_000)
        self.progress(True, None, 3, 4, more=5)
        self.progress("half", {"what": Odd})
        self.progress(0.5, "sane")
        until_heard("sane")

    def forks(self) -> None:
        pid = os.fork()
        if pid == 0:
            for i in range(1000):
                self.progress(None, f"child {i}")
            os._exit(0)
        os.waitpid(pid, 0)
        self.progress(None, "parent")
        until_heard("parent")

    def threads(self) -> None:
        """Leave threads behind that talk on, after the trial has ended."""
        for number in range(4):
            threading.Thread(target=self.talk, args=(number,), daemon=True).start()

    def talk(self, number: int) -> None:
        end = time.monotonic() + 2.0
        i = 0
        while time.monotonic() < end:
            i += 1
            self.progress(None, f"thread {number} {i}")
            time.sleep(0.001)


def until_heard(words: str) -> None:
    """Wait for the test to say that it was told so, in a file."""
    until(lambda text: words in text.splitlines())


def until(heard: Callable[[str], bool]) -> None:
    """Wait for what the test wrote, not for ever."""
    file = Path(os.environ["DAYBREAK_HEARD"])
    end = time.monotonic() + 15.0
    while time.monotonic() < end and not heard(file.read_text()):
        time.sleep(0.01)
