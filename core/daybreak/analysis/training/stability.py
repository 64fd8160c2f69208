"""Is the order of entries the same at other thresholds?

Entries are tuned to stop just beyond the published threshold, so an order at one threshold is one
of many. Orders are compared by Kendall's tau-b, where equals count half (M. G. Kendall, "The
treatment of ties in ranking problems", Biometrika 33, 1945).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.resampling import Interval, affordable, percentile_interval
from daybreak.analysis.training.points import CurvePoints
from daybreak.analysis.training.thresholds import threshold_grid
from daybreak.analysis.training.times import expected_times, missing_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RankAgreement", "kendall_tau", "rank_stability"]


@dataclass(frozen=True, slots=True)
class RankAgreement:
    """How the order of entries at a threshold agrees with that at the benchmark's own.

    Attributes:
        benchmark: full name.
        threshold: the threshold.
        against: the threshold that it is compared with.
        clock: the clock.
        order: entries by expected running time, the quickest first; those that never got there
            last.
        never: how many never got there.
        tau: Kendall's tau-b, 1: the same order, -1: the reverse; None with fewer than two entries or
            if all are equal at either.
        interval: by the bootstrap over runs.
        swapped: pairs of entries whose order is the reverse.
        missing: runs that the entry with the fewest lacks for an interval.
    """

    benchmark: str
    threshold: float
    against: float
    clock: str
    order: tuple[str, ...]
    never: int
    tau: float | None
    interval: Interval
    swapped: tuple[tuple[str, str], ...]
    missing: int


def rank_stability(
    points: CurvePoints,
    thresholds: Sequence[float] = (),
    clock: str | None = None,
    *,
    against: float | None = None,
    level: float = 0.05,
    draws: int = 500,
) -> list[RankAgreement]:
    """Return how entries are ordered at every threshold, and how that agrees with `against`.

    Args:
        points: from `load_points`.
        thresholds: values of the progress metric; those of `threshold_grid` if empty.
        clock: as for `times_at`.
        against: the threshold to compare with; None: that at which training counts as done, else the
            hardest that is named, else the hardest that every entry reached, else the easiest.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run recorded the clock.
    """
    import numpy as np

    clock = points.clock(clock)
    grid = list(thresholds) or threshold_grid(points)
    if not grid:
        return []
    base = _own(points) if against is None else against
    # the threshold that others are compared with is the last column; none is named: found below
    columns = [*grid, grid[0] if base is None else base]
    when, ends = points.reaching(columns, clock)
    groups = points.by_entry(ends)
    names = list(groups)

    def expected(picked: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return expected times, shape (entries, columns), of the runs picked."""
        shape = len(columns)
        return np.stack(
            [
                expected_times(when[rows].T, np.broadcast_to(ends[rows], (shape, len(rows))))
                for rows in picked.values()
            ]
        )

    times = expected(groups)
    if base is None:
        place = _hardest(points, grid, times)
        base = grid[place]
        when[:, -1], times[:, -1] = when[:, place], times[:, place]
    missing = missing_runs(min(len(rows) for rows in groups.values()))
    taus = np.full((0, len(columns)), np.nan)
    if not missing and len(names) > 1:
        rng = np.random.default_rng(0)
        taus = np.stack(
            [
                _taus(expected({n: r[rng.integers(0, len(r), len(r))] for n, r in groups.items()}))
                for _ in range(affordable(sum(len(r) for r in groups.values()), draws))
            ]
        )
    return [
        RankAgreement(
            benchmark=points.benchmark,
            threshold=threshold,
            against=base,
            clock=clock,
            order=tuple(name for _, name in sorted(zip(times[:, t].tolist(), names, strict=True))),
            never=int(np.isinf(times[:, t]).sum()),
            tau=kendall_tau(times[:, t], times[:, -1]),
            interval=_interval(taus[:, t], level),
            swapped=_swapped(names, times[:, t], times[:, -1]),
            missing=missing,
        )
        for t, threshold in enumerate(grid)
    ]


def _own(points: CurvePoints) -> float | None:
    """Return the value at which training counts as done, else the hardest that has a name."""
    named = points.targets
    hardest = min(named.values(), key=lambda x: points.sign * x, default=None)
    return named.get("target", hardest)


def _hardest(points: CurvePoints, grid: Sequence[float], times: NDArray[np.float64]) -> int:
    """Return the place of the hardest threshold that every entry reached, else of the easiest."""
    import numpy as np

    everyone = np.flatnonzero(np.isfinite(times[:, :-1]).all(axis=0)).tolist()
    places = everyone or [max(range(len(grid)), key=lambda i: points.sign * grid[i])]
    return int(min(places, key=lambda i: points.sign * grid[i]))


def _interval(taus: NDArray[np.float64], level: float) -> Interval:
    import numpy as np

    # draws in which everything ties say nothing of an order
    known = taus[~np.isnan(taus)]
    return percentile_interval(known, level) if len(known) > len(taus) / 2 else Interval(None, None)


def _swapped(
    names: Sequence[str], here: NDArray[np.float64], there: NDArray[np.float64]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (names[i], names[j])
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if _sign(here[i], here[j]) * _sign(there[i], there[j]) < 0
    )


def _taus(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return tau-b of every column with the last, NaN where all are equal in either."""
    import numpy as np

    i, j = np.triu_indices(len(times), 1)
    signs = (times[i] > times[j]).astype(int) - (times[i] < times[j]).astype(int)
    counts = np.abs(signs).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = (signs * signs[:, -1:]).sum(axis=0) / np.sqrt(
            counts * counts[-1]
        )
    return found


def _sign(a: float, b: float) -> int:
    return int(a > b) - int(a < b)


def kendall_tau(
    a: Sequence[float] | NDArray[np.float64], b: Sequence[float] | NDArray[np.float64]
) -> float | None:
    """Return Kendall's tau-b of paired values; infinite ones are equal to each other.

    None with fewer than two pairs, or if all values of one side are equal.
    """
    score = left = right = 0
    for i in range(len(a)):
        for j in range(i + 1, len(a)):
            x, y = _sign(float(a[i]), float(a[j])), _sign(float(b[i]), float(b[j]))
            score += x * y
            left += x != 0
            right += y != 0
    if not left or not right:
        return None
    return score / math.sqrt(left * right)
