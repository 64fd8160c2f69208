"""What the optimizer cannot work on, said before anything runs."""

from __future__ import annotations

from typing import Any

from daybreak import Benchmark, UserError

__all__ = ["accepts"]


def accepts(benchmark: Benchmark, _options: dict[str, Any]) -> None:
    """Check that `benchmark` streams a progress curve.

    Raises:
        UserError: it does not: there is nothing by which to give a trial up early.
    """
    if benchmark.curve is None:
        raise UserError(
            f"'halving' gives trials up by their progress curve, and '{benchmark.name}' has none",
            expected="a benchmark that is a training job",
            remedy="use random, which draws the same way and measures every trial in full",
        )
