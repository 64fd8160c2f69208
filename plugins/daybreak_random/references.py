"""An optimizer that measures the references and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice, repeat
from typing import Any

from daybreak import Configuration, Problem, Trial

__all__ = ["References"]


class References:
    """Proposes each reference in turn, `rounds` times."""

    def __init__(self, problem: Problem, options: dict[str, Any]) -> None:
        configurations = [reference.configuration for reference in problem.references]
        rounds = options.get("rounds", 1)
        turns = repeat(configurations) if rounds is None else repeat(configurations, rounds)
        self._left = chain.from_iterable(turns if configurations else ())

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose the next `n` references."""
        return list(islice(self._left, n))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results; they change nothing."""
