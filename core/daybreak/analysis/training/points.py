"""Every look at the progress metrics of a run, and when training runs reached any value of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.queries import open_index
from daybreak.analysis.summary import find_run
from daybreak.analysis.training.runs import COUNTS, TIMES, fits
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CurvePoints", "load_points", "read_points"]

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
    ORDER BY c.benchmark, c.entry, c.seed, c.trial_id, c.seq
"""
# runs that ended before their first look: misses like any other
_BLIND = """
    SELECT s.benchmark, coalesce(t.reference, s.optimizer) AS entry, t.measure_s
    FROM trials t
    JOIN studies s ON s.study_id = t.study_id
    JOIN progress_metrics p ON p.run_id = s.run_id AND p.benchmark = s.benchmark
    JOIN training_repeats k ON k.trial_id = t.trial_id AND k.kept
    WHERE s.run_id = ?
      AND NOT EXISTS (SELECT 1 FROM events v WHERE v.trial_id = t.trial_id AND v.metric = p.metric)
    ORDER BY s.benchmark, entry, s.seed, t.trial_id
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
        blind_s: seconds that a run without any look was measured, shape (runs,); NaN for the others
            and where it is not known.
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
    blind_s: NDArray[np.float64]
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

        A run without any look reached nothing and cost its measuring time.
        """
        import numpy as np

        clocks, wanted = self.clocks[clock], self.sign * np.asarray(thresholds, dtype=np.float64)
        slack = 1e-9 * np.abs(wanted)
        runs = len(self.entries)
        when, ends = np.full((runs, len(wanted)), np.inf), np.zeros(runs)
        for i in range(runs):
            part = slice(int(self.starts[i]), int(self.starts[i + 1]))
            own = clocks[part]
            if not len(own):
                ends[i] = self.blind_s[i] if clock in TIMES else 0.0
                when[i] = np.nan if np.isnan(ends[i]) else np.inf
                continue
            if np.isnan(own).all():
                when[i], ends[i] = np.nan, np.nan
                continue
            # the best so far never gets worse, so the first look is found by halving
            first = np.searchsorted(-self.best[part], -(wanted + slack), side="left")
            when[i] = np.concatenate([_filled(own), [np.inf]])[first]
            ends[i] = np.nanmax(own)
        return when, ends

    def by_entry(self, ends: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
        """Return by entry the places of its runs that recorded the clock; `ends` by `reaching`."""
        import numpy as np

        entries, clocked = np.asarray(self.entries), ~np.isnan(ends)
        return {
            str(name): np.flatnonzero((entries == name) & clocked)
            for name in np.unique(entries[clocked])
        }


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
    blind: dict[str, list[tuple[str, float]]] = {}
    for name, entry, seconds in index.execute(_BLIND, [run_id]).fetchall():
        blind.setdefault(name, []).append((entry, float("nan") if seconds is None else seconds))
    names = columns["benchmark"].astype(str)
    return [
        _points(
            columns, names == name, blind.get(name, ()), targets.get(name, {}),
            benchmark=name, metric=metric, unit=unit, direction=direction,
        )
        for name, metric, unit, direction in told
    ]  # fmt: skip


def _points(
    columns: Mapping[str, NDArray[Any]],
    rows: NDArray[np.bool_],
    blind: Sequence[tuple[str, float]],
    targets: Mapping[str, float],
    *,
    benchmark: str,
    metric: str,
    unit: str | None,
    direction: str,
) -> CurvePoints:
    import numpy as np

    trial, value = columns["trial_id"][rows], columns["value"][rows].astype(np.float64)
    valid = columns["valid"][rows].astype(bool)
    first = np.flatnonzero(np.concatenate([[True], trial[1:] != trial[:-1]])[: len(trial)])
    starts = np.concatenate([first, np.full(1 + len(blind), len(trial))]).astype(np.int64)
    loss = np.where(valid, -value if direction == "maximize" else value, np.inf)
    cuts = list(itertools.pairwise(starts))
    none = np.empty(0)
    best = np.concatenate([none, *(np.minimum.accumulate(loss[a:b]) for a, b in cuts)])
    looks = np.concatenate([none, *(np.arange(1.0, b - a + 1) for a, b in cuts)])
    clocks = {name: columns[column][rows].astype(float) for name, column in _CLOCKS.items()}
    return CurvePoints(
        benchmark=benchmark,
        metric=metric,
        unit=unit,
        direction=direction,
        entries=(
            *columns["entry"][rows][first].astype(str).tolist(),
            *(entry for entry, _ in blind),
        ),
        starts=starts,
        best=best,
        clocks={**clocks, "evaluations": looks},
        blind_s=np.concatenate([np.full(len(first), np.nan), [seconds for _, seconds in blind]]),
        targets=targets,
    )


def _filled(clock: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a clock with what is missing taken from the next look that recorded it."""
    import numpy as np

    if not np.isnan(clock).any():
        return clock
    back = np.where(np.isnan(clock), np.inf, clock)[::-1]
    found: NDArray[np.float64] = np.minimum.accumulate(back)[::-1]
    return np.where(np.isinf(found), np.nanmax(clock), found)
