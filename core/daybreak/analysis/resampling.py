"""Intervals by the bootstrap, with what was drawn said plainly.

Two questions need two intervals. *How well are these benchmarks known?* Seeds are drawn anew within
each benchmark; all optimizers get the same draw, since they ran with the same seeds. *What would
another set of benchmarks say?* Benchmarks are drawn anew too, and seeds within each. The first is
narrow with many seeds; the second only with many benchmarks, however many seeds there are.
(B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13.)

Percentiles of the bootstrap of a mean are too narrow for few runs: of five, the interval that is
called 95 % covers little more than 80 %, since resampling knows the spread of the sample alone, and
the normal distribution where Student's t belongs. `expanded` says at which level to ask for them
instead.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.studentt import t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "DRAWS",
    "FEWEST_SEEDS",
    "Interval",
    "affordable",
    "bootstrap",
    "expanded",
    "percentile_interval",
    "resampled",
]

#: bootstrap draws
DRAWS = 2000
#: with fewer seeds the percentiles of a bootstrap say next to nothing
FEWEST_SEEDS = 5

#: numbers held in memory at a time, and drawn in all before fewer draws are made
_HELD, _DRAWN = 2_000_000, 10_000_000
#: as few draws as that leaves an interval
_FEWEST_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper end; None where it is unbounded or not known."""

    low: float | None
    high: float | None


def resampled(
    values: NDArray[np.float64],
    *,
    statistic: str = "mean",
    benchmarks: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return bootstrap draws of every optimizer's statistic on every benchmark.

    Args:
        values: shape (optimizers, benchmarks, seeds); NaN where there is no study.
        statistic: `mean` or `median` over seeds; studies that are missing are left out.
        benchmarks: draw benchmarks with replacement too.
        draws: number of draws.
        seed: of the random generator.

    Returns:
        Shape (draws, optimizers, benchmarks); NaN where an optimizer has no study in a draw. With
        `benchmarks` the last axis holds the benchmarks that were drawn.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    optimizers, count, _ = values.shape
    picked = np.broadcast_to(np.arange(count), (draws, count))
    if benchmarks:
        picked = rng.integers(0, count, size=(draws, count))
    found = np.empty((draws, optimizers, count))
    for b in range(count):
        # only seeds that any optimizer ran on this benchmark are drawn
        known = [np.flatnonzero(~np.isnan(values[:, k]).all(axis=0)) for k in range(count)]
        for k in np.unique(picked[:, b]):
            rows = np.flatnonzero(picked[:, b] == k)
            if not len(known[k]):
                found[rows, :, b] = np.nan
                continue
            drawn = known[k][rng.integers(0, len(known[k]), size=(len(rows), len(known[k])))]
            taken = values[:, k][:, drawn]  # optimizers, rows, seeds
            found[rows, :, b] = _over_seeds(taken, statistic).T
    return found


def _over_seeds(values: NDArray[np.float64], statistic: str) -> NDArray[np.float64]:
    import warnings

    import numpy as np

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a slice without any study: NaN it is
        summary = np.nanmedian if statistic == "median" else np.nanmean
        found: NDArray[np.float64] = np.asarray(summary(values, axis=-1), dtype=np.float64)
    return found


def affordable(size: int, draws: int = DRAWS) -> int:
    """Return how many draws of samples of `size` are made: fewer of very large ones."""
    return min(draws, max(_FEWEST_DRAWS, _DRAWN // max(size, 1)))


def bootstrap(
    size: int,
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return `statistic` of samples drawn anew, some of them at a time.

    Args:
        size: size of the sample.
        statistic: takes places in the sample, shape (some, size), and returns (some, ...).
        draws: number of draws, as they are; see `affordable`.
        seed: of the random generator.

    Returns:
        Shape (draws, ...).
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    some = max(1, _HELD // max(size, 1))
    parts = [
        statistic(rng.integers(0, size, size=(min(some, draws - done), size)))
        for done in range(0, draws, some)
    ]
    return np.concatenate(parts)


@functools.lru_cache(maxsize=256)
def expanded(level: float, runs: int) -> float:
    """Return the level at which percentiles of a mean of `runs` values hold `level`, or nearly so.

    The expanded percentile interval: ``2 Phi(-sqrt(n / (n - 1)) t)``, t Student's quantile at
    ``1 - level / 2`` with n - 1 degrees of freedom (T. Hesterberg, "What teachers should know about
    the bootstrap", The American Statistician 69, 2015). Statistics that are no means,
    the median above all, need none of it.
    """
    if runs < 2:
        return level
    t = t_quantile(1 - level / 2, runs - 1)
    return 2 * statistics.NormalDist().cdf(-math.sqrt(runs / (runs - 1)) * t)


def percentile_interval(draws: NDArray[np.float64], level: float = 0.05) -> Interval:
    """Return the percentile interval at confidence ``1 - level`` of draws, shape (draws,).

    Infinite draws count (a statistic that is unbounded); an end that falls on one is None, and so
    are both if any draw is NaN.
    """
    import numpy as np

    if not len(draws) or bool(np.isnan(draws).any()):
        return Interval(None, None)
    # order statistics rather than interpolation, which fails between infinities
    ordered = np.sort(draws)
    last = len(ordered) - 1
    low, high = ordered[int(last * level / 2)], ordered[last - int(last * level / 2)]
    return Interval(*(float(x) if np.isfinite(x) else None for x in (low, high)))
