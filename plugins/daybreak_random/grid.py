"""Exhaustive search, or an even sample of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from daybreak import Configuration, Problem, Trial

__all__ = ["Grid"]


class Grid:
    """Proposes the feasible configurations in the space's own order.

    With ``order: spread`` and a budget of `n` evaluations it takes every k-th of the `m` feasible
    configurations, k = m // n, so that the proposals cover the whole grid.
    """

    def __init__(self, problem: Problem, options: dict[str, Any]) -> None:
        self._left: Iterator[Configuration] = problem.space.grid()
        evaluations = problem.budget.evaluations
        count = problem.space.count()
        if options.get("order", "spread") == "spread" and evaluations and count:
            step = max(1, count // evaluations)
            self._left = islice(self._left, 0, None, step)

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose the next `n` configurations; fewer at the end of the grid."""
        return list(islice(self._left, n))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results; they change nothing."""
