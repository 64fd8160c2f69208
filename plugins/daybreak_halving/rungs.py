"""Rungs: what curves had reached at fixed points of the clock, and who goes on from there.

The stopping form of asynchronous successive halving: a trial is compared at each rung with the
trials that were there before it, and goes on if it is among the best 1/eta of them and itself.
Nothing waits for a rung to fill, and nothing is paused and resumed. K. Jamieson and A. Talwalkar,
"Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016 (successive
halving); L. Li and others, "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020,
section 3 (ASHA); there promoted trials resume, here unpromoted ones stop.

Values are losses here: smaller is better.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Ladder", "Point", "Rung"]

#: Where the rungs have no end, none beyond so many.
_MOST = 64


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve: where the clock was, and the loss there; not finite: it diverged."""

    clock: float
    loss: float


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung as it stands: `cutoff` is the loss to be reached there, None while all go on.

    `trials` have been there, of which and the next one `keep` go on.
    """

    at: float
    trials: int
    keep: int
    cutoff: float | None


class Ladder:
    """The losses at every rung.

    Args:
        eta: one in so many goes on.
        first: the first rung, in units of the clock; the others at ``first * eta**k``.
        last: no rung lies beyond; None: there is no end.
        rungs: ascending, in place of `first` and `last`.
    """

    def __init__(
        self,
        eta: int,
        *,
        first: float = 1.0,
        last: float | None = None,
        rungs: Sequence[float] | None = None,
    ) -> None:
        self._eta = eta
        if rungs is None:
            bound = math.inf if last is None else last * (1.0 + 1e-12)
            powers = (first * float(eta) ** k for k in range(_MOST))
            rungs = [rung for rung in powers if rung <= bound]
        self._at = tuple(rungs)
        self._losses: list[list[float]] = [[] for _ in self._at]

    def add(self, points: Iterable[Point], *, reached: bool, broken: bool) -> None:
        """Take in a trial's whole curve.

        At each rung that it came to counts its best loss up to and with the first point at or past
        the rung.

        Args:
            points: the curve, in order.
            reached: it ended at its target; then it counts with its best at all later rungs too,
                for it needed no more than that.
            broken: it diverged or failed on its way; then it counts as the worst at the next rung.
        """
        best = math.inf
        k = 0
        for point in points:
            if not math.isfinite(point.loss):
                reached, broken = False, True
                break
            best = min(best, point.loss)
            while k < len(self._at) and point.clock >= self._at[k]:
                insort(self._losses[k], best)
                k += 1
        if reached:
            for losses in self._losses[k:]:
                insort(losses, best)
        elif broken and k < len(self._at):
            insort(self._losses[k], math.inf)

    def rungs(self) -> Iterator[Rung]:
        """Yield the rungs up to the first where all go on, which is the last that matters."""
        for at, losses in zip(self._at, self._losses, strict=True):
            keep = (len(losses) + 1) // self._eta
            cutoff = losses[keep - 1] if keep else None
            yield Rung(at, len(losses), keep, cutoff)
            if cutoff is None:
                return
