"""Cutoffs of an optimizer, asked where a progress curve is read."""

from __future__ import annotations

import math

from daybreak.records import Cutoff, Direction, Event

__all__ = ["PendingCutoff"]


class PendingCutoff:
    """A cutoff that has not been asked yet."""

    __slots__ = ("_asked", "_best", "_sign", "_value", "cutoff")

    def __init__(self, cutoff: Cutoff, direction: Direction) -> None:
        self.cutoff = cutoff
        self._sign = 1.0 if direction is Direction.MAXIMIZE else -1.0
        self._value = self._sign * cutoff.value
        self._best = -math.inf
        self._asked = False

    def cuts(self, event: Event) -> bool:
        """Take one event of the cutoff's metric; whether to give the curve up there."""
        if self._asked:
            return False
        value = self._sign * event.value
        if value > self._best:  # never NaN
            self._best = value
        cutoff = self.cutoff
        due = (
            (cutoff.epoch is not None and event.epoch is not None and event.epoch >= cutoff.epoch)
            or (cutoff.step is not None and event.step is not None and event.step >= cutoff.step)
            or (
                cutoff.train_s is not None
                and event.train_s is not None
                and event.train_s >= cutoff.train_s
            )
        )
        if not due:
            return False
        self._asked = True
        return self._best < self._value
