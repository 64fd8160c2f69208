"""The two clocks of a training job: the training clock, which can be paused, and the wall's."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from daybreak import Event

__all__ = ["TrainingClock"]


class TrainingClock:
    """Counts the seconds spent training: those inside ``with clock:`` and no others.

    Both clocks stand at zero when it is made. What judges the model (loss over all data, held-out
    accuracy) and what a real job would not do while training stays outside the ``with``; whatever
    the update rule itself needs (a full gradient, re-centring, a random generator) belongs inside.

    Args:
        now: seconds, monotonic; replaced in tests.
    """

    __slots__ = ("_began", "_entered", "_now", "_trained")

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._trained = 0.0
        self._entered: float | None = None
        self._began = now()

    def __enter__(self) -> Self:
        """Let the training clock run.

        Raises:
            RuntimeError: it runs already.
        """
        if self._entered is not None:
            raise RuntimeError("the training clock runs already")
        self._entered = self._now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Pause the training clock."""
        if self._entered is not None:
            self._trained += self._now() - self._entered
            self._entered = None

    @property
    def train_s(self) -> float:
        """Seconds of training so far, the stretch in progress included."""
        running = 0.0 if self._entered is None else self._now() - self._entered
        return self._trained + running

    @property
    def wall_s(self) -> float:
        """Seconds since the clock was made."""
        return self._now() - self._began

    def event(
        self, metric: str, value: float, *, step: int | None = None, epoch: float | None = None
    ) -> Event:
        """Return an event that carries what both clocks show now.

        Events of one look at the model are made one after another with the clock paused, the
        progress metric last: at its target the harness ends the job, and what follows is not seen.
        """
        train_s = self.train_s
        # two readings: the wall's clock is read last, so that it is never behind
        return Event(
            metric, float(value), step=step, epoch=epoch, train_s=train_s, wall_s=self.wall_s
        )
