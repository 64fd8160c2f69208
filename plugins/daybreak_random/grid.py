"""Exhaustive search, or an even sample of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from daybreak import Configuration, Problem, Trial

__all__ = ["Grid"]


class Grid:
    """Proposes the feasible configurations in the space's own order.

    With ``order: spread`` and a budget of n evaluations below the number m of feasible
    configurations it takes the middle one of each of n equal stretches of the grid: number
    ``(2 k + 1) m // (2 n)`` for k = 0 .. n - 1.
    """

    def __init__(self, problem: Problem, options: dict[str, Any]) -> None:
        evaluations, count = problem.budget.evaluations, problem.space.count()
        self._left: Iterator[Configuration]
        if options.get("order", "spread") == "spread" and evaluations and count:
            n = min(evaluations, count)
            self._left = (problem.space.at((2 * k + 1) * count // (2 * n)) for k in range(n))
        else:
            self._left = problem.space.grid()

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose the next `n` configurations; fewer at the end of the grid."""
        return list(islice(self._left, n))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results; they change nothing."""
