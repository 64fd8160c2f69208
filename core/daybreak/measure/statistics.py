"""Distribution-free statistics of repeated measurements, in plain Python.

Run times are neither normal nor free of outliers, so a trial is summed up by its median and by the
interval between two of its own order statistics. For independent samples of any continuous
distribution the number of samples below the true median is binomial(n, 1/2); hence the interval
from the `l`-th smallest to the `l`-th largest sample holds the median with probability
``1 - 2 P(B <= l - 1)`` (David and Nagaraja, *Order Statistics*, 3rd ed., section 7.1; Conover,
*Practical Nonparametric Statistics*, section 3.2). The largest `l` whose probability is at least
the wanted level is taken. Six samples are the fewest that allow 95 %; with fewer the interval is
from the smallest to the largest, and `interval_coverage` says what that is worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

__all__ = [
    "interval_coverage",
    "interval_ranks",
    "is_stable",
    "median",
    "median_interval",
    "relative_half_width",
    "sorted_interval",
]


def median(values: Iterable[float]) -> float:
    """Return the median; the mean of the middle two for an even number of values.

    Raises:
        ValueError: there are no values, or one is not a number.
    """
    ordered = _ordered(values)
    return _middle(ordered)


def median_interval(values: Iterable[float], level: float = 0.95) -> tuple[float, float, float]:
    """Return the median and the bounds of its confidence interval, in the unit of `values`.

    `level` is the probability that the interval holds the true median. Below six values (at 95 %)
    the bounds are the smallest and the largest value and the real probability is
    ``interval_coverage(n, level)``.

    Raises:
        ValueError: there are no values, one is not a number, or `level` is outside (0, 1).
    """
    return sorted_interval(_ordered(values), level)


def sorted_interval(ordered: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Return what `median_interval` returns for values that are already in ascending order."""
    rank, _ = interval_ranks(len(ordered), level)
    return _middle(ordered), ordered[rank - 1], ordered[-rank]


def interval_coverage(n: int, level: float = 0.95) -> float:
    """Return the probability with which the interval of `n` samples holds the true median.

    At least `level` where that can be had; ``1 - 2**(1 - n)`` for fewer samples than that.
    """
    return interval_ranks(n, level)[1]


@lru_cache(maxsize=4096)
def interval_ranks(n: int, level: float = 0.95) -> tuple[int, float]:
    """Return the 1-based rank `l` of the lower bound (the upper is the `l`-th largest) and its level.

    Raises:
        ValueError: `n` is below one or `level` is outside (0, 1).
    """
    if n < 1:
        raise ValueError("an interval needs at least one value")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    tail = 0.0
    rank, coverage = 1, max(0.0, 1.0 - 2.0 ** (1 - n))
    # Eight standard deviations below the middle the binomial tail is under 1e-15: start there.
    start = max(0, int(n / 2 - 4 * math.sqrt(n)))
    log_half = n * math.log(2.0)
    for below in range(start, n // 2 + 1):
        tail += math.exp(
            math.lgamma(n + 1) - math.lgamma(below + 1) - math.lgamma(n - below + 1) - log_half
        )
        held = 1.0 - 2.0 * tail
        if held < level:
            break
        rank, coverage = below + 1, held
    return rank, coverage


def relative_half_width(values: Iterable[float], level: float = 0.95) -> float:
    """Return half the width of the median's interval over the absolute median.

    Zero when all values are equal, infinite when the median is zero and they are not.
    """
    middle, low, high = median_interval(values, level)
    return _relative(middle, low, high)


def is_stable(values: Sequence[float], *, window: int = 3, tolerance: float = 0.05) -> bool:
    """Whether a series has settled, i.e. warm-up may end.

    Either the last `window` values lie within `tolerance` of their median (largest minus smallest,
    relative), or, for a series too noisy for that, the medians of the last two windows do: then
    what is left is noise and no trend.
    """
    if len(values) < window:
        return False
    last = sorted(values[-window:])
    level = _middle(last)
    if last[-1] - last[0] <= tolerance * abs(level):
        return True
    if len(values) < 2 * window:
        return False
    before = _middle(sorted(values[-2 * window : -window]))
    return abs(level - before) <= tolerance * abs(level)


def _relative(middle: float, low: float, high: float) -> float:
    width = high - low
    if width == 0.0:
        return 0.0
    return width / 2.0 / abs(middle) if middle else math.inf


def _ordered(values: Iterable[float]) -> list[float]:
    ordered = sorted(values)
    if not ordered:
        raise ValueError("a median needs at least one value")
    # Not-a-number compares false with everything, so that it may stand anywhere after sorting.
    if any(value != value for value in ordered):
        raise ValueError("a median needs numbers, not NaN")
    return ordered


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    low, high = ordered[half - 1], ordered[half]
    # low + (high - low) / 2 keeps to the range and does not overflow where low + high would.
    return low if low == high else low + (high - low) / 2.0
