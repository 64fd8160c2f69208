"""Would another threshold say the same? Time to target over a grid of thresholds, and whose order
of entries agrees with whose.

Entries are tuned to stop just beyond the published threshold, so a verdict at one threshold is one
verdict of many. Orders are compared by Kendall's tau-b, where equals count half (M. G. Kendall,
"The treatment of ties in ranking problems", Biometrika 33, 1945).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.queries import open_index
from daybreak.analysis.resampling import (
    DRAWS,
    Interval,
    affordable,
    bootstrap,
    percentile_interval,
)
from daybreak.analysis.summary import find_run
from daybreak.analysis.training.runs import COUNTS, TIMES, fits
from daybreak.analysis.training.times import expected_times, medians, missing_runs
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "AtThreshold",
    "CurvePoints",
    "RankAgreement",
    "kendall_tau",
    "load_points",
    "rank_stability",
    "read_points",
    "threshold_grid",
    "times_at",
]

#: thresholds of a grid
_GRID = 9
_CLOCKS = {"train_s": "train_s", "wall_s": "wall_s", "epochs": "epoch", "steps": "step"}

_POINTS = """
    SELECT c.benchmark, c.entry, c.trial_id, c.seq, c.value,
           CASE WHEN c.failure_kind = 'wrong_result' THEN false ELSE isfinite(c.value) END AS valid,
           c.train_s, c.wall_s, c.epoch, c.step::DOUBLE AS step
    FROM curves c
    JOIN progress_metrics p
      ON p.run_id = c.run_id AND p.benchmark = c.benchmark AND p.metric = c.metric
    JOIN training_repeats k ON k.trial_id = c.trial_id AND k.kept
    WHERE c.run_id = ?
    ORDER BY c.benchmark, c.entry, c.trial_id, c.seq
"""
_METRICS = """
    SELECT benchmark, metric, unit, direction FROM progress_metrics WHERE run_id = ?
    ORDER BY benchmark
"""
_TARGETS = """
    SELECT DISTINCT w.benchmark, w.target_name, w.threshold
    FROM curve_targets w
    JOIN progress_metrics p
      ON p.run_id = w.run_id AND p.benchmark = w.benchmark AND p.metric = w.metric
    WHERE w.run_id = ? AND w.threshold IS NOT NULL
    ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class CurvePoints:
    """All looks at the progress metric on one benchmark of a run, flat, run after run.

    Attributes:
        benchmark: full name.
        metric: the progress metric.
        unit: its unit.
        direction: minimize or maximize.
        entries: the entry of each training run, shape (runs,).
        starts: where each run's looks begin, shape (runs + 1,).
        best: best value so far at each look, shape (looks,), negated where more is better; inf
            before the first finite one.
        clocks: each look's reading by clock, shape (looks,); NaN where it was not recorded.
        targets: thresholds of the suite or the benchmark, by name.
    """

    benchmark: str
    metric: str
    unit: str | None
    direction: str
    entries: tuple[str, ...]
    starts: NDArray[np.int64]
    best: NDArray[np.float64]
    clocks: Mapping[str, NDArray[np.float64]]
    targets: Mapping[str, float]

    @property
    def sign(self) -> float:
        """1 if the metric is minimized, -1 if it is maximized."""
        return -1.0 if self.direction == "maximize" else 1.0

    def clock(self, wanted: str | None = None) -> str:
        """Return `wanted`, or the usual clock if None.

        Raises:
            UserError: no run recorded it.
        """
        import numpy as np

        known = [c for c in (*TIMES, *COUNTS) if c in self.clocks]
        known = [c for c in known if not np.isnan(self.clocks[c]).all()]
        if wanted is None:
            return known[0]
        if wanted not in known:
            raise UserError(
                f"no run on '{self.benchmark}' recorded the clock '{wanted}'",
                expected=f"one of {', '.join(known)}",
                nearest=nearest(wanted, known),
            )
        return wanted

    def reaching(
        self, thresholds: Sequence[float], clock: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when each run first reached each threshold, (runs, thresholds), inf if it did not,
        and where each run ended, (runs,); NaN for runs that did not record the clock.
        """
        import numpy as np

        clocks, wanted = self.clocks[clock], self.sign * np.asarray(thresholds, dtype=np.float64)
        slack = 1e-9 * np.abs(wanted)
        runs = len(self.entries)
        when, ends = np.full((runs, len(wanted)), np.inf), np.zeros(runs)
        for i in range(runs):
            part = slice(int(self.starts[i]), int(self.starts[i + 1]))
            own = clocks[part]
            if np.isnan(own).all():
                when[i], ends[i] = np.nan, np.nan
                continue
            # the best so far never gets worse, so the first look is found by halving
            first = np.searchsorted(-self.best[part], -(wanted + slack), side="left")
            when[i] = np.concatenate([_filled(own), [np.inf]])[first]
            ends[i] = np.nanmax(own)
        return when, ends


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


def load_points(
    results: str | Path = "results", run: str | None = None, benchmark: str | None = None
) -> list[CurvePoints]:
    """Read all looks at the progress metrics of a run; arguments as for `load_timings`.

    Raises:
        StoreError: there is no such run, or no results at all.
        UserError: no training run streamed anything.
    """
    results = Path(results)
    with open_index(results) as index:
        return read_points(index, find_run(index, results, run).run_id, benchmark)


def read_points(
    index: duckdb.DuckDBPyConnection, run_id: str, benchmark: str | None = None
) -> list[CurvePoints]:
    """Read the points of run `run_id` from an open index; otherwise as `load_points`."""
    import numpy as np

    told = index.execute(_METRICS, [run_id]).fetchall()
    told = [row for row in told if fits(row[0], benchmark)]
    if not told:
        raise UserError(
            f"no training run of '{run_id}' streamed a progress curve"
            + (f" on a benchmark '{benchmark}'" if benchmark else ""),
            expected="benchmarks with a curve, e.g. those of the target `train`, or imported logs",
        )
    targets: dict[str, dict[str, float]] = {}
    for name, target, threshold in index.execute(_TARGETS, [run_id]).fetchall():
        targets.setdefault(name, {})[target] = threshold
    columns = {
        name: np.ma.filled(column.astype(np.float64), np.nan)
        if np.ma.isMaskedArray(column)
        else np.asarray(column)
        for name, column in index.execute(_POINTS, [run_id]).fetchnumpy().items()
    }
    names = columns["benchmark"].astype(str)
    return [
        _points(columns, names == name, name, metric, unit, direction, targets.get(name, {}))
        for name, metric, unit, direction in told
    ]


def _points(
    columns: Mapping[str, NDArray[Any]],
    rows: NDArray[np.bool_],
    name: str,
    metric: str,
    unit: str | None,
    direction: str,
    targets: Mapping[str, float],
) -> CurvePoints:
    import numpy as np

    trial, value = columns["trial_id"][rows], columns["value"][rows].astype(np.float64)
    valid = columns["valid"][rows].astype(bool)
    first = np.flatnonzero(np.concatenate([[True], trial[1:] != trial[:-1]]))
    starts = np.concatenate([first, [len(trial)]]).astype(np.int64)
    loss = np.where(valid, -value if direction == "maximize" else value, np.inf)
    best = np.concatenate([np.minimum.accumulate(loss[a:b]) for a, b in itertools.pairwise(starts)])
    looks = np.concatenate([np.arange(1.0, b - a + 1) for a, b in itertools.pairwise(starts)])
    clocks = {name: columns[column][rows].astype(float) for name, column in _CLOCKS.items()}
    return CurvePoints(
        benchmark=name,
        metric=metric,
        unit=unit,
        direction=direction,
        entries=tuple(columns["entry"][rows][first].astype(str).tolist()),
        starts=starts,
        best=best,
        clocks={**clocks, "evaluations": looks},
        targets=targets,
    )


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
        given = float(points.best[points.starts[:-1]].max())
        found = {x for x in found if points.sign * x < given}
    for named in points.targets.values():
        found = {x for x in found if abs(x - named) > 1e-9 * abs(named)} | {named}
    return sorted(found, key=lambda x: points.sign * x, reverse=True)


def _eased(loss: float) -> float:
    """Return `loss` rounded up to four digits."""
    if loss == 0 or not math.isfinite(loss):
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
    for entry, rows in _by_entry(points, ends).items():
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
                of_median, of_expected = (percentile_interval(drawn[:, i], level) for i in range(2))
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


def _by_entry(points: CurvePoints, ends: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    """Return the runs of every entry that recorded the clock."""
    import numpy as np

    entries, clocked = np.asarray(points.entries), ~np.isnan(ends)
    return {
        str(name): np.flatnonzero((entries == name) & clocked)
        for name in np.unique(entries[clocked])
    }


def _filled(clock: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a clock with what is missing taken from the next look that recorded it."""
    import numpy as np

    if not np.isnan(clock).any():
        return clock
    back = np.where(np.isnan(clock), np.inf, clock)[::-1]
    found: NDArray[np.float64] = np.minimum.accumulate(back)[::-1]
    return np.where(np.isinf(found), np.nanmax(clock), found)


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
    when, ends = points.reaching(grid, clock)
    groups = _by_entry(points, ends)
    names = list(groups)

    def expected(picked: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return expected times, shape (entries, thresholds), of the runs picked."""
        return np.stack(
            [
                expected_times(when[rows].T, np.broadcast_to(ends[rows], (len(grid), len(rows))))
                for rows in picked.values()
            ]
        )

    times = expected(groups)
    base = _base(points, grid, times, against)
    if base >= len(grid):  # asked for, but not in the grid
        return rank_stability(
            points, [*grid, float(against or 0.0)], clock, against=against, level=level, draws=draws
        )
    missing = missing_runs(min(len(rows) for rows in groups.values()))
    taus = np.full((0, len(grid)), np.nan)
    if not missing and len(names) > 1:
        rng = np.random.default_rng(0)
        taus = np.stack(
            [
                _taus(
                    expected({n: r[rng.integers(0, len(r), len(r))] for n, r in groups.items()}),
                    base,
                )
                for _ in range(affordable(sum(len(r) for r in groups.values()), draws))
            ]
        )
    found = []
    for t, threshold in enumerate(grid):
        order = sorted(range(len(names)), key=lambda i: (times[i, t], names[i]))
        # draws in which everything ties say nothing of an order
        known = taus[:, t][~np.isnan(taus[:, t])]
        interval = Interval(None, None)
        if len(known) > len(taus) / 2:
            interval = percentile_interval(known, level)
        found.append(
            RankAgreement(
                benchmark=points.benchmark,
                threshold=threshold,
                against=grid[base],
                clock=clock,
                order=tuple(names[i] for i in order),
                never=int(np.isinf(times[:, t]).sum()),
                tau=kendall_tau(times[:, t], times[:, base]),
                interval=interval,
                swapped=tuple(
                    (names[i], names[j])
                    for i in range(len(names))
                    for j in range(i + 1, len(names))
                    if _sign(times[i, t], times[j, t]) * _sign(times[i, base], times[j, base]) < 0
                ),
                missing=missing,
            )
        )
    return found


def _base(
    points: CurvePoints, grid: Sequence[float], times: NDArray[np.float64], against: float | None
) -> int:
    import numpy as np

    named = points.targets
    wanted = against
    if wanted is None and named:
        hardest = min(named.values(), key=lambda x: points.sign * x)
        wanted = named.get("target", hardest)
    if wanted is not None:
        close = [i for i, x in enumerate(grid) if abs(x - wanted) <= 1e-9 * abs(wanted)]
        if close:
            return close[0]
        if against is not None:
            return len(grid)
    everyone = np.flatnonzero(np.isfinite(times).all(axis=0))
    if not len(everyone):
        return 0
    return int(min(everyone, key=lambda i: points.sign * grid[int(i)]))


def _taus(times: NDArray[np.float64], base: int) -> NDArray[np.float64]:
    """Return tau-b of every column with the column `base`, NaN where all are equal in either."""
    import numpy as np

    i, j = np.triu_indices(len(times), 1)
    signs = np.sign((times[i] > times[j]).astype(int) - (times[i] < times[j]).astype(int))
    counts = np.abs(signs).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = (signs * signs[:, base : base + 1]).sum(axis=0) / np.sqrt(
            counts * counts[base]
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
