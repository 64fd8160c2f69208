"""Training runs as they were timed: one `Timing` per run and target, on every clock.

What is timed is a *run*: a training run (a trial with a progress curve; see the view
`trial_time_to_target`), or a whole tuning study (see the view `time_to_target`), where each
evaluation is a look at the best so far. All statistics of this package take either.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.queries import open_index
from daybreak.analysis.summary import find_run
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "BY",
    "CLOCKS",
    "COUNTS",
    "OF",
    "TIMES",
    "Timing",
    "Timings",
    "fits",
    "labels",
    "load_timings",
    "read_timings",
]

#: What may be timed: training runs, or tuning studies.
OF = ("runs", "studies")
#: What may be an entry: a label, or each configuration by itself.
BY = ("label", "configuration")
#: Clocks in seconds, the usual ones first.
TIMES = ("train_s", "wall_s", "seconds")
#: Clocks that count progress, whatever the speed.
COUNTS = ("epochs", "steps", "evaluations")
#: All clocks.
CLOCKS = (*TIMES, *COUNTS, "dollars", "joules")

_RUNS = """
    SELECT v.benchmark, v.entry, v.target_name, any_value(v.metric), any_value(v.threshold),
           v.trial_id::VARCHAR, v.study_id, any_value(v.seed), any_value(v.number),
           any_value(t.configuration)::VARCHAR, any_value(t.facts)::VARCHAR,
           bool_or(v.reached), list(v.clock), list(v.lower), list(v.upper), list(v.spent),
           any_value(v.margin), any_value(v.later), any_value(v.falls_back), any_value(v.ended)
    FROM trial_time_to_target v
    JOIN trials t ON t.trial_id = v.trial_id
    JOIN training_repeats k ON k.trial_id = v.trial_id AND k.kept
    WHERE v.run_id = ? AND v.reached IS NOT NULL
    GROUP BY v.benchmark, v.entry, v.target_name, v.trial_id, v.study_id
    ORDER BY v.benchmark, v.target_name, v.entry, any_value(v.seed), v.trial_id
"""
_REPEATS = "SELECT benchmark FROM training_repeats WHERE run_id = ? AND NOT kept"
_STUDIES = """
    SELECT v.benchmark, v.optimizer, v.target_name, any_value(v.metric), any_value(v.threshold),
           v.study_id, v.study_id, any_value(v.seed), 0, NULL, NULL, bool_or(v.reached),
           list(v.clock), list(v.lower), list(v.upper), list(coalesce(v.upper, v.lower)),
           NULL, NULL, NULL, any_value(s.status)
    FROM time_to_target v
    JOIN studies s ON s.study_id = v.study_id
    WHERE v.run_id = ? AND v.reached IS NOT NULL AND s.status NOT IN ('running', 'pending', 'interrupted')
    GROUP BY v.benchmark, v.optimizer, v.target_name, v.study_id
    ORDER BY v.benchmark, v.target_name, v.optimizer, any_value(v.seed), v.study_id
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one run took to one target.

    Attributes:
        benchmark: full name.
        entry: what is compared: a label, a reference's name, an imported entry.
        target: name of the threshold.
        metric: the metric that is watched.
        threshold: the value to reach, in the metric's unit.
        run: id of the trial or the study.
        study: id of the study.
        seed: the study's seed.
        number: the trial's number in the study; 0 for a study.
        configuration: of the trial; empty for a study.
        facts: about the trial's artifact.
        reached: whether it got there.
        lower: by clock, the last look that found it short of the target; 0 if there is none.
        upper: by clock, the first look that found it there; inf if there is none.
        spent: by clock, `upper`, or all that was spent without getting there.
        margin: how far beyond the threshold it was then; None if unknown.
        later: looks after that; None if unknown.
        falls_back: whether any of them found it short again; None if there is none.
        ended: how the run ended.
    """

    benchmark: str
    entry: str
    target: str
    metric: str
    threshold: float
    run: str
    study: str
    seed: int
    number: int
    configuration: Mapping[str, Any]
    facts: Mapping[str, Any]
    reached: bool
    lower: Mapping[str, float]
    upper: Mapping[str, float]
    spent: Mapping[str, float]
    margin: float | None = None
    later: int | None = None
    falls_back: bool | None = None
    ended: str = "ok"

    def count(self) -> str | None:
        """Return the clock that counts this run's progress: epochs, steps or evaluations."""
        for clock in COUNTS:
            if clock in self.spent and (not self.reached or self.upper[clock] > 0):
                return clock
        return None


@dataclass(frozen=True, slots=True)
class Timings:
    """All timings of a run of a suite (or an import).

    Attributes:
        run_id: the run.
        suite: its suite.
        of: one of `OF`: what was timed.
        rows: by benchmark, target and entry.
        mixed: (benchmark, entry) whose runs have several configurations, with how many.
        repeats: runs left out since they train the very same as another (see `training_repeats`).
    """

    run_id: str
    suite: str
    of: str
    rows: tuple[Timing, ...]
    mixed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    repeats: int = 0

    def clock(self, wanted: str | None = None) -> str:
        """Return `wanted`, or the usual clock if None: training time, else wall time, else epochs.

        Raises:
            UserError: no run recorded it.
        """
        known = {clock for one in self.rows for clock in one.spent}
        if wanted is None:
            # one that all runs have, if there is one
            everywhere = known.intersection(*(one.spent for one in self.rows))
            for clock in (*TIMES, *COUNTS):
                if clock in (everywhere or known):
                    return clock
        if wanted is None or wanted not in known:
            raise UserError(
                f"no run of '{self.run_id}' recorded the clock '{wanted}'",
                expected=f"one of {', '.join(c for c in CLOCKS if c in known)}",
                nearest=nearest(wanted or "", known),
                remedy="dollars need a price in the suite, joules a machine with energy counters"
                if wanted in ("dollars", "joules")
                else None,
            )
        return wanted

    def on(self, clock: str) -> Timings:
        """Return the runs alone that recorded `clock`; see `without`."""
        return replace(self, rows=tuple(one for one in self.rows if clock in one.spent))

    def without(self, clock: str) -> int:
        """Return how many runs did not record `clock`, so that nothing is known of them on it."""
        return len({one.run for one in self.rows if clock not in one.spent})

    def problems(self) -> dict[tuple[str, str], dict[str, list[Timing]]]:
        """Return the timings by (benchmark, target), then by entry."""
        found: dict[tuple[str, str], dict[str, list[Timing]]] = {}
        for one in self.rows:
            found.setdefault((one.benchmark, one.target), {}).setdefault(one.entry, []).append(one)
        return found


def load_timings(
    results: str | Path = "results",
    run: str | None = None,
    benchmark: str | None = None,
    *,
    targets: Sequence[str] = (),
    of: str | None = None,
    by: str = "label",
) -> Timings:
    """Read how long the runs of a suite took to their targets.

    Args:
        results: the results folder.
        run: a run's id, the beginning of just one, or a suite's name; the newest run if None.
        benchmark: a full name or a shell pattern; all benchmarks if None.
        targets: names of targets; all if empty.
        of: one of `OF`; None: training runs if there are any, else studies.
        by: one of `BY`.

    Raises:
        StoreError: there is no such run, or no results at all.
        UserError: nothing was timed, or a benchmark or target is unknown.
    """
    results = Path(results)
    with open_index(results) as index:
        chosen = find_run(index, results, run)
        return read_timings(
            index, chosen.run_id, chosen.suite, benchmark, targets=targets, of=of, by=by
        )


def read_timings(
    index: duckdb.DuckDBPyConnection,
    run_id: str,
    suite: str,
    benchmark: str | None = None,
    *,
    targets: Sequence[str] = (),
    of: str | None = None,
    by: str = "label",
) -> Timings:
    """Read the timings of run `run_id` from an open index; otherwise as `load_timings`."""
    for name, value, known in (("of", of, OF), ("by", by, BY)):
        if value is not None and value not in known:
            raise UserError(
                f"'{value}' is nothing to be timed {name}",
                expected=f"one of {', '.join(known)}",
                nearest=nearest(value, known),
            )
    rows: list[tuple[Any, ...]] = []
    chosen = of or "runs"
    if of != "studies":
        rows = index.execute(_RUNS, [run_id]).fetchall()
    if of == "studies" or (of is None and not rows):
        chosen = "studies"
        rows = index.execute(_STUDIES, [run_id]).fetchall()
    if not rows:
        raise UserError(
            f"nothing in run '{run_id}' was timed to a target",
            expected="training runs whose benchmark has a target, or a suite with targets",
            remedy="give the suite targets, e.g. targets: {accuracy-90: {metric: accuracy, at: 0.9}}",
        )
    found = [_timing(row) for row in rows]
    found = _chosen(found, "benchmark", [benchmark] if benchmark else [], run_id)
    found = _chosen(found, "target", targets, run_id)
    mixed = _mixed(found)
    if by == "configuration":
        names = labels(found)
        found = [replace(one, entry=names[one.run]) for one in found]
        found.sort(key=lambda one: (one.benchmark, one.target, one.entry))
        mixed = {}
    repeats = index.execute(_REPEATS, [run_id]).fetchall() if chosen == "runs" else []
    timed = {one.benchmark for one in found}
    left_out = sum(name in timed for (name,) in repeats)
    return Timings(run_id, suite, chosen, tuple(found), mixed, left_out)


def fits(name: str, pattern: str | None) -> bool:
    """Return whether a full name fits a name or shell pattern; None fits all."""
    return pattern is None or name == pattern or fnmatch.fnmatchcase(name, pattern)


def labels(timings: Iterable[Timing], without: str | None = None) -> dict[str, str]:
    """Return by run the entry with those parameters that differ among the benchmark's runs.

    Args:
        timings: runs of any benchmarks.
        without: a parameter to leave out.
    """
    rows = list(timings)
    values: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        for name, value in one.configuration.items():
            values.setdefault((one.benchmark, name), set()).add(json.dumps(value))
    found = {}
    for one in rows:
        parts = [
            f"{name}={value}"
            for name, value in one.configuration.items()
            if name != without and len(values[one.benchmark, name]) > 1
        ]
        found[one.run] = f"{one.entry} ({', '.join(parts)})" if parts else one.entry
    return found


def _timing(row: Sequence[Any]) -> Timing:
    (
        benchmark, entry, target, metric, threshold, run, study, seed, number, configuration,
        facts, reached, clocks, lower, upper, spent, margin, later, falls_back, ended,
    ) = row  # fmt: skip
    kept = [i for i, value in enumerate(spent) if value is not None]
    return Timing(
        benchmark=benchmark,
        entry=entry,
        target=target,
        metric=metric,
        threshold=float(threshold),
        run=run,
        study=study,
        seed=int(seed or 0),
        number=int(number),
        configuration=json.loads(configuration) if configuration else {},
        facts=json.loads(facts) if facts else {},
        reached=bool(reached),
        lower={clocks[i]: float(lower[i]) for i in kept},
        upper={clocks[i]: float("inf") if upper[i] is None else float(upper[i]) for i in kept},
        spent={clocks[i]: float(spent[i]) for i in kept},
        margin=margin,
        later=later,
        falls_back=falls_back,
        ended=ended,
    )


def _chosen(rows: list[Timing], name: str, wanted: Sequence[str], run_id: str) -> list[Timing]:
    if not wanted:
        return rows
    known = sorted({getattr(one, name) for one in rows})
    for pattern in wanted:
        if not any(fits(value, pattern) for value in known):
            raise UserError(
                f"nothing in run '{run_id}' was timed with the {name} '{pattern}'",
                expected=f"one of {', '.join(known)}",
                nearest=nearest(pattern, known),
            )
    return [one for one in rows if any(fits(getattr(one, name), p) for p in wanted)]


def _mixed(rows: Iterable[Timing]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        key = (one.benchmark, one.entry)
        found.setdefault(key, set()).add(json.dumps(one.configuration, sort_keys=True))
    return {key: len(values) for key, values in found.items() if len(values) > 1}
