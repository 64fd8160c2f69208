"""Would another threshold say the same? Time to target over a grid of thresholds.

Entries are tuned to stop just beyond the published threshold, so a verdict at one threshold is one
verdict of many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.resampling import (
    DRAWS,
    Interval,
    affordable,
    bootstrap,
    expanded,
    percentile_interval,
)
from daybreak.analysis.training.points import CurvePoints
from daybreak.analysis.training.times import expected_times, medians, missing_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AtThreshold", "threshold_grid", "times_at"]

#: thresholds of a grid
_GRID = 9


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """The time that an entry takes to one threshold of the grid.

    `named` is the name of the suite's or benchmark's threshold that it is, else None; the other
    attributes are those of `TimeToTarget`.
    """

    benchmark: str
    entry: str
    metric: str
    threshold: float
    named: str | None
    clock: str
    runs: int
    reached: int
    median: float | None
    median_interval: Interval
    expected: float | None
    expected_interval: Interval
    missing: int


def threshold_grid(points: CurvePoints, count: int = _GRID) -> list[float]:
    """Return thresholds that tell curves apart, from the easiest to the hardest.

    They lie where the curves spend their looks: at quantiles of the best value so far, of which
    the hardest is reached by one run at least. The suite's thresholds are among them.
    """
    import numpy as np

    best = points.best[np.isfinite(points.best)]
    found: set[float] = set()
    if len(best):
        quantiles = np.quantile(best, np.linspace(0.9, 0.0, count), method="inverted_cdf")
        # four digits, on the side that is easier to reach
        found = {points.sign * _eased(float(x)) for x in quantiles}
        # what every run has from the first look on is no distance to go
        begun = points.starts[:-1][np.diff(points.starts) > 0]
        given = float(points.best[begun].max())
        found = {x for x in found if points.sign * x < given}
    for named in points.targets.values():
        found = {x for x in found if abs(x - named) > 1e-9 * abs(named)} | {named}
    return sorted(found, key=lambda x: points.sign * x, reverse=True)


def _eased(loss: float) -> float:
    """Return `loss` rounded up to four digits."""
    if not 1e-290 < abs(loss) < math.inf:
        return loss
    scale = 10.0 ** (3 - math.floor(math.log10(abs(loss))))
    return math.ceil(loss * scale - 1e-9) / scale


def times_at(
    points: CurvePoints,
    thresholds: Sequence[float] = (),
    clock: str | None = None,
    *,
    level: float = 0.05,
    draws: int = DRAWS,
) -> list[AtThreshold]:
    """Return the time that every entry takes to every threshold.

    Args:
        points: from `load_points`.
        thresholds: values of the progress metric; those of `threshold_grid` if empty.
        clock: train_s, wall_s, epochs, steps or evaluations; the usual one if None.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run recorded the clock.
    """
    import numpy as np

    clock = points.clock(clock)
    grid = list(thresholds) or threshold_grid(points)
    when, ends = points.reaching(grid, clock)
    found = []
    for entry, rows in points.by_entry(ends).items():
        missing = missing_runs(len(rows))
        spent = np.broadcast_to(ends[rows][:, None], (len(rows), len(grid)))
        for t, threshold in enumerate(grid):
            both = np.stack([when[rows, t], spent[:, t]])
            median, expected = (float(x) for x in _summaries(both, np.arange(len(rows))[None])[0])
            of_median = of_expected = Interval(None, None)
            if not missing:
                drawn = bootstrap(
                    len(rows),
                    lambda picked, both=both: _summaries(both, picked),  # type: ignore[misc]
                    draws=affordable(len(rows), draws),
                )
                of_median = percentile_interval(drawn[:, 0], level)
                of_expected = percentile_interval(drawn[:, 1], expanded(level, len(rows)))
            named = [n for n, x in points.targets.items() if abs(x - threshold) <= 1e-9 * abs(x)]
            found.append(
                AtThreshold(
                    benchmark=points.benchmark,
                    entry=entry,
                    metric=points.metric,
                    threshold=threshold,
                    named=named[0] if named else None,
                    clock=clock,
                    runs=len(rows),
                    reached=int(np.isfinite(both[0]).sum()),
                    median=median if math.isfinite(median) else None,
                    median_interval=of_median,
                    expected=expected if math.isfinite(expected) else None,
                    expected_interval=of_expected,
                    missing=missing,
                )
            )
    return found


def _summaries(both: NDArray[np.float64], picked: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return medians and expected times, (draws, 2), of times and what was spent, (2, runs)."""
    import numpy as np

    upper, spent = both[0][picked], both[1][picked]
    return np.stack([medians(upper), expected_times(upper, spent)], axis=1)
