"""What is known of whole spaces: asked once per run and benchmark, condensed for the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from daybreak.measure.expectation import expected_best
from daybreak.records import Direction

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Landscape

__all__ = ["LEAST_BASELINE", "Surveys"]

#: Random search is calculated for so many evaluations at least, or for all that there are.
LEAST_BASELINE = 1000


class Surveys:
    """Which benchmarks' spaces are known by now.

    Args:
        recorded: rows by benchmark that an earlier attempt at the run recorded.
    """

    def __init__(self, recorded: Mapping[str, Mapping[str, Any]]) -> None:
        self._known: dict[str, int | None] = {
            name: _covered(row["configurations"], len(row.get("expected") or ()))
            for name, row in recorded.items()
        }

    def covers(self, benchmark: str, evaluations: int) -> bool:
        """Whether there is nothing to ask: it was asked, and answered for so many evaluations."""
        if benchmark not in self._known:
            return False
        known = self._known[benchmark]
        return known is None or known >= evaluations

    def row(
        self,
        benchmark: str,
        ask: Callable[[], Landscape | None],
        direction: Direction,
        evaluations: int,
    ) -> dict[str, Any] | None:
        """Return what `RunWriter.landscape` takes; None: the session does not know its space.

        Either way the benchmark counts as asked, also if this raises. What `ask` raises goes
        through.

        Raises:
            ValueError: a value is not finite, or a number is negative.
        """
        self._known[benchmark] = None
        landscape = ask()
        if landscape is None:
            return None
        import numpy as np

        values = np.asarray(landscape.values, dtype=np.float64).ravel()
        failures, total = int(landscape.failures), values.size + int(landscape.failures)
        mean = None if landscape.seconds is None else float(landscape.seconds)
        if failures < 0 or (mean is not None and not 0.0 <= mean < np.inf):
            raise ValueError(f"{failures} failures, {mean} seconds per evaluation")
        row: dict[str, Any] = {
            "benchmark": benchmark,
            "configurations": total,
            "failures": failures,
            "seconds_mean": mean,
        }
        if values.size:
            maximize = direction is Direction.MAXIMIZE
            count = min(max(LEAST_BASELINE, evaluations), total)
            expected = expected_best(values, failures, count, maximize=maximize)
            best, worst = float(values.min()), float(values.max())
            row |= {
                "optimum": worst if maximize else best,
                "median": float(np.median(values)),
                "worst": best if maximize else worst,
                "expected": expected.tolist(),
            }
            self._known[benchmark] = _covered(total, count)
        return row


def _covered(configurations: int, evaluations: int) -> int | None:
    """Return for how many evaluations random search is known; None: for all that there are."""
    return None if evaluations in (0, configurations) else evaluations
