"""Many curves put together into bands, by order statistics, so that "never" counts as a value.

A curve is a step function of a clock, which holds a point's value until the next, or its points are
joined by straight lines. At every moment a `Band` says where the median of the curves lies, the distribution-free 95 %
confidence interval of that median (as `daybreak.measure.statistics` has it: the smallest and the
largest of fewer than six curves), and the range of eight curves out of ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.measure.statistics import interval_ranks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BAND_COLUMNS",
    "MOMENTS",
    "SINGLES",
    "Band",
    "at_moments",
    "band",
    "band_rows",
    "moments",
    "split",
    "turned",
]

#: moments at which curves are put together
MOMENTS = 160
#: the most curves of one label that are drawn one by one
SINGLES = 12
#: headings of `band_rows` behind the moment
BAND_COLUMNS = ("median", "low", "high", "one of ten below", "one of ten above", "curves")


@dataclass(frozen=True, slots=True)
class Band:
    """What several curves of one label have in common, arrays of shape (moments,).

    Attributes:
        label: whose curves they are.
        x: the moments.
        middle: median.
        low: lower end of the interval of the median.
        high: upper end.
        outer_low: nine curves of ten are above.
        outer_high: nine curves of ten are below.
        count: curves that are known, and go on, at each moment.
        singles: the curves themselves, (x, y) each, where they are few enough to be drawn.
    """

    label: str
    x: NDArray[np.float64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    outer_low: NDArray[np.float64]
    outer_high: NDArray[np.float64]
    count: NDArray[np.int64]
    singles: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...] = ()


def moments(
    curves: Sequence[NDArray[np.float64]], *, log: bool = False, most: int = MOMENTS
) -> NDArray[np.float64]:
    """Return at most `most` moments that cover all points of the clocks `curves`, in order.

    Evenly spaced, or in a constant ratio with `log`; the points themselves where they are few.
    """
    import numpy as np

    known = np.concatenate([*curves, np.empty(0)]) if len(curves) else np.empty(0)
    known = np.unique(known[np.isfinite(known)])
    if len(known) <= most:
        return np.asarray(known, dtype=np.float64)
    first, last = float(known[0]), float(known[-1])
    if log:
        positive = known[known > 0]
        grid = np.geomspace(positive[0], last, most)
        grid[-1] = last  # rounding must not lose the last point
        return np.unique(np.append(grid, first)) if first <= 0 else np.asarray(grid)
    return np.asarray(np.linspace(first, last, most), dtype=np.float64)


def at_moments(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    at: NDArray[np.float64],
    *,
    held: bool = False,
    before: float = float("nan"),
    joined: bool = False,
) -> NDArray[np.float64]:
    """Return a curve's values at moments; NaN beyond its last point.

    Args:
        x: its points, in ascending order.
        y: the values from there on, until the next point.
        at: the moments.
        held: whether its last value holds for ever.
        before: its value before the first point.
        joined: points are joined by straight lines instead.
    """
    import numpy as np

    if joined and len(x):
        end = float(y[-1]) if held else np.nan
        return np.asarray(np.interp(at, x, y, left=before, right=end), dtype=np.float64)
    place = np.searchsorted(x, at, side="right") - 1
    values = np.where(place >= 0, np.asarray(y, dtype=np.float64)[np.maximum(place, 0)], before)
    if not held and len(x):
        values[at > x[-1]] = np.nan
    return values


def band(
    label: str,
    at: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    level: float = 0.95,
    singles: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]] = (),
    running: NDArray[np.bool_] | None = None,
) -> Band:
    """Put curves together.

    Where curves end at different moments, hand in their last values to the end, and say with
    `running` how long they went on: a median over those alone that still go on would jump with
    every one that ends, and in the end be that of the slowest.

    Args:
        label: whose they are.
        at: moments, shape (m,).
        values: shape (curves, m); NaN where a curve is not known, an infinity where it stands for
            "worse than any number".
        level: confidence of the interval.
        singles: the curves; kept where there are at most `SINGLES` of them.
        running: shape (curves, m), whether a curve still goes on; None: where it is known.

    Returns:
        The band; NaN at moments at which fewer than half of the curves are known, or still go on.
        Its counts are of those that do.
    """
    import numpy as np

    ordered = np.sort(values, axis=0)  # NaN last
    known = (~np.isnan(values)).sum(axis=0)
    count = known if running is None else (running & ~np.isnan(values)).sum(axis=0)
    ended = 2 * count < len(values)
    parts = np.full((5, len(at)), np.nan)
    for n in np.unique(known):
        if n == 0 or 2 * n < len(values):
            continue
        rank, _ = interval_ranks(int(n), level)
        tenth = int(n // 10) if n >= 10 else 0
        half = (int(n) - 1) // 2, int(n) // 2
        columns = np.flatnonzero((known == n) & ~ended)
        taken = ordered[:, columns]
        equal = taken[half[0]] == taken[half[1]]  # of two infinities too
        with np.errstate(invalid="ignore"):
            middle = np.where(equal, taken[half[0]], (taken[half[0]] + taken[half[1]]) / 2)
        parts[:, columns] = (
            middle, taken[rank - 1], taken[n - rank], taken[tenth], taken[n - 1 - tenth],
        )  # fmt: skip
    middle, low, high, outer_low, outer_high = parts
    kept = tuple(singles) if len(singles) <= SINGLES else ()
    return Band(label, at, middle, low, high, outer_low, outer_high, count, kept)


def split(
    keys: NDArray[np.int64], *columns: NDArray[np.float64]
) -> list[tuple[int, tuple[NDArray[np.float64], ...]]]:
    """Return the columns cut where `keys`, which is in order, changes; with each part's key."""
    import numpy as np

    if not len(keys):
        return []
    cuts = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    starts = [0, *cuts.tolist()]
    parts = [np.split(column, cuts) for column in columns]
    return [(int(keys[start]), tuple(part[i] for part in parts)) for i, start in enumerate(starts)]


def turned(one: Band, sign: float) -> Band:
    """Return a band of losses as one of values: negated where more is better.

    An infinite median is NaN, and so is an interval that nothing is known of at either end; one that
    is open at an end keeps its infinity.
    """
    import numpy as np

    def ends(low: Any, high: Any) -> tuple[Any, Any]:
        found = [np.where(np.isinf(low), np.nan, values * sign) for values in (low, high)]
        return (found[0], found[1]) if sign > 0 else (found[1], found[0])

    middle = np.where(np.isfinite(one.middle), one.middle * sign, np.nan)
    low, high = ends(one.low, one.high)
    outer_low, outer_high = ends(one.outer_low, one.outer_high)
    return Band(one.label, one.x, middle, low, high, outer_low, outer_high, one.count, one.singles)


def band_rows(lines: Sequence[Band], first: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return rows: `first`, label, moment, and `BAND_COLUMNS`; unknown values are None."""
    rows = []
    for line in lines:
        columns = (
            line.x, line.middle, line.low, line.high, line.outer_low, line.outer_high, line.count,
        )  # fmt: skip
        rows += [
            (*first, line.label, *(None if math.isnan(value) else value for value in row))
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ]
    return rows
