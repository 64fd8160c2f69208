"""How long and how surely: success rate, median with infinity, expected running time.

A run that misses its target is a result. Its time is infinite where times are ranked (the median,
rank tests) and all that it spent where they are added up: the expected running time is everything
that all runs spent until they got there or ended, over the runs that got there, which is what
training costs on average if it is begun anew after each miss (N. Hansen and others, "COCO: a
platform for comparing continuous optimizers in a black-box setting", Optimization Methods and
Software 36, 2021, section 3.1). A mean over successes alone would be too short.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.resampling import (
    DRAWS,
    FEWEST_SEEDS,
    Interval,
    affordable,
    bootstrap,
    expanded,
    percentile_interval,
)
from daybreak.analysis.training.runs import Timing, Timings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TimeToTarget", "expected_times", "medians", "missing_runs", "times_to_target", "wilson"]


@dataclass(frozen=True, slots=True)
class TimeToTarget:
    """What is known of the time that an entry takes to a target.

    Attributes:
        benchmark: full name.
        target: name of the threshold.
        entry: what is compared.
        clock: the clock of all times here.
        runs: how many runs tried.
        reached: how many got there.
        success: Wilson's interval of the share that gets there.
        median: the median, misses counted as infinite; None: most missed.
        median_interval: by the bootstrap over runs; an end is None where it is infinite, both where
            there are too few runs.
        expected: the expected running time; None if no run got there.
        expected_interval: likewise.
        spread: standard deviation over mean (n - 1 in the denominator) of the runs that got there;
            None with fewer than two.
        grid: median width of a run's interval between two looks, over its upper end: no spread
            below it means anything.
        margin: median of how far beyond the threshold runs were when they got there.
        later: runs that went on after the target and looked again.
        fallen: how many of them found themselves short of it again.
        missing: runs that are missing for intervals; 0 if there are enough.
    """

    benchmark: str
    target: str
    entry: str
    clock: str
    runs: int
    reached: int
    success: Interval
    median: float | None
    median_interval: Interval
    expected: float | None
    expected_interval: Interval
    spread: float | None
    grid: float | None
    margin: float | None
    later: int
    fallen: int
    missing: int


def times_to_target(
    timings: Timings, clock: str | None = None, *, level: float = 0.05, draws: int = DRAWS
) -> list[TimeToTarget]:
    """Return the times of every entry to every target, the quickest first.

    Args:
        timings: from `load_timings`.
        clock: one of `CLOCKS`; the usual one if None.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run recorded the clock.
    """
    clock = timings.clock(clock)
    found = [
        _summary(rows, clock, level, draws)
        for entries in timings.on(clock).problems().values()
        for rows in entries.values()
    ]
    return sorted(
        found,
        key=lambda one: (
            one.benchmark,
            one.target,
            math.inf if one.expected is None else one.expected,
            one.entry,
        ),
    )


def _summary(rows: Sequence[Timing], clock: str, level: float, draws: int) -> TimeToTarget:
    import numpy as np

    upper = np.asarray([one.upper[clock] for one in rows])
    spent = np.asarray([one.spent[clock] for one in rows])
    there = upper[np.isfinite(upper)]
    missing = missing_runs(len(rows))
    of_median = of_expected = Interval(None, None)
    if not missing:
        both = bootstrap(
            len(rows),
            lambda p: np.stack([medians(upper[p]), expected_times(upper[p], spent[p])], axis=1),
            draws=affordable(len(rows), draws),
        )
        of_median = percentile_interval(both[:, 0], level)
        of_expected = percentile_interval(both[:, 1], expanded(level, len(rows)))
    median = float(medians(upper[None])[0])
    expected = float(expected_times(upper[None], spent[None])[0])
    margins = [one.margin for one in rows if one.margin is not None]
    widths = [
        (one.upper[clock] - one.lower[clock]) / one.upper[clock]
        for one in rows
        if one.reached and one.upper[clock] > 0
    ]
    first = rows[0]
    return TimeToTarget(
        benchmark=first.benchmark,
        target=first.target,
        entry=first.entry,
        clock=clock,
        runs=len(rows),
        reached=len(there),
        success=wilson(len(there), len(rows), level),
        median=median if math.isfinite(median) else None,
        median_interval=of_median,
        expected=expected if math.isfinite(expected) else None,
        expected_interval=of_expected,
        spread=float(np.std(there, ddof=1) / np.mean(there))
        if len(there) > 1 and np.mean(there) > 0
        else None,
        grid=statistics.median(widths) if widths else None,
        margin=statistics.median(margins) if margins else None,
        later=sum(bool(one.later) for one in rows),
        fallen=sum(bool(one.falls_back) for one in rows),
        missing=missing,
    )


def missing_runs(runs: int, fewest: int = FEWEST_SEEDS) -> int:
    """Return how many runs are missing for an interval."""
    return max(0, fewest - runs)


def medians(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return medians over the last axis; infinite times are larger than all others.

    Between a finite and an infinite middle the median is infinite: half of the runs did not get
    there.
    """
    import numpy as np

    ordered = np.sort(times, axis=-1)
    n = ordered.shape[-1]
    low, high = ordered[..., (n - 1) // 2], ordered[..., n // 2]
    with np.errstate(invalid="ignore"):
        middle = low + (high - low) / 2
    found: NDArray[np.float64] = np.where(np.isinf(high), np.inf, middle)
    return found


def expected_times(upper: NDArray[np.float64], spent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return expected running times over the last axis, inf where no run got there.

    Args:
        upper: when each run got there; inf if it did not.
        spent: what a run spent that did not get there.
    """
    import numpy as np

    there = np.isfinite(upper)
    total = np.where(there, upper, spent).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(
            there.any(axis=-1), total / there.sum(axis=-1), np.inf
        )
    return found


def wilson(successes: int, runs: int, level: float = 0.05) -> Interval:
    """Return Wilson's score interval of a proportion.

    (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22,
    1927; it holds its confidence for few runs, where the usual one collapses at 0 and 1.)
    """
    if runs < 1:
        return Interval(None, None)
    z = statistics.NormalDist().inv_cdf(1 - level / 2)
    share, square = successes / runs, z * z
    middle = (share + square / (2 * runs)) / (1 + square / runs)
    half = (
        z / (1 + square / runs) * math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    )
    return Interval(max(0.0, middle - half), min(1.0, middle + half))
