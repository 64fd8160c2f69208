"""What a rewriting did, kept while somebody asks for it: rule, place, before and after.

Off, it costs a look at one attribute per rule applied and per level descended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from daybreak_rise.expr import Expr

__all__ = ["RECORDER", "Applied", "Recorder", "descend"]

_R = TypeVar("_R")


class Applied(NamedTuple):
    """A rule applied at a place.

    Attributes:
        rule: its name with its parameters.
        place: the way from the root: "function", "argument" or "body", one a level.
        before: the expression at the place.
        after: what stands there now.
    """

    rule: str
    place: tuple[str, ...]
    before: Expr
    after: Expr


class Recorder:
    """The steps of one rewriting; what a failing strategy did is taken back."""

    def __init__(self) -> None:
        self.steps: list[Applied] = []
        self.place: list[str] = []

    def step(self, rule: str, before: Expr, after: Expr) -> None:
        """Note that `rule` was applied at the present place."""
        self.steps.append(Applied(rule, tuple(self.place), before, after))

    def mark(self) -> int:
        """Return what `back` needs to forget all later steps."""
        return len(self.steps)

    def back(self, mark: int) -> None:
        """Forget the steps since `mark`."""
        del self.steps[mark:]


class _Active(threading.local):
    active: Recorder | None = None


RECORDER = _Active()


def descend(place: str, run: Callable[[Expr], _R], expression: Expr) -> _R:
    """Return `run(expression)`, telling the recorder that it happens one level down at `place`."""
    recorder = RECORDER.active
    if recorder is None:
        return run(expression)
    recorder.place.append(place)
    try:
        return run(expression)
    finally:
        recorder.place.pop()
