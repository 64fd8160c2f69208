"""Which results of two optimizers belong together, and what their comparison says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.analysis.comparison import Comparison, compare_differences, compare_pairs
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALL", "METRICS", "PairedComparison", "compare"]

#: Stands for all benchmarks of a run together.
ALL = "(all)"
#: What may be compared.
METRICS = ("best", "score", "evaluations-to-target")

# one row per study. Only studies that ended: a half-done one is no pair. Where a number of
# evaluations is asked for, a study that ended early, exhausted or broken down, keeps its best.
_BESTS = """
    SELECT s.run_id, s.benchmark, s.seed, s.optimizer, any_value(s.direction) AS direction,
           CASE WHEN any_value(s.direction) = 'maximize' THEN max(b.best) ELSE min(b.best) END
               AS value,
           true AS reached
    FROM studies s LEFT JOIN best_so_far b ON b.study_id = s.study_id {until}
    WHERE s.role = 'optimizer' AND s.status IN ('finished', 'exhausted', 'failed') {long_enough}
    GROUP BY s.study_id, s.run_id, s.benchmark, s.seed, s.optimizer ORDER BY ALL
"""
_UNTIL = "AND b.evaluation <= {at}"
_LONG_ENOUGH = """
    AND (s.status <> 'finished'
         OR s.study_id IN (SELECT study_id FROM best_so_far WHERE evaluation = {at}))
"""
_SCORES = """
    SELECT s.run_id, s.benchmark, s.seed, s.optimizer, 'maximize' AS direction,
           arg_max(q.score, q.evaluation) AS value, true AS reached
    FROM studies s JOIN score q ON q.study_id = s.study_id
    WHERE s.role = 'optimizer' AND s.status IN ('finished', 'exhausted', 'failed') {at}
    GROUP BY s.study_id, s.run_id, s.benchmark, s.seed, s.optimizer ORDER BY ALL
"""
# a target that was not reached counts as what the study spent: a lower bound
_TARGETS = """
    SELECT run_id, benchmark, seed, optimizer, 'minimize' AS direction,
           coalesce(evaluation, evaluations)::DOUBLE AS value, reached, target_name
    FROM ecdf
    UNION ALL
    SELECT run_id, benchmark, seed, optimizer, 'minimize', coalesce(upper, lower), reached,
           target_name
    FROM time_to_target
    WHERE clock = 'evaluations' AND reached IS NOT NULL
      AND (run_id, target_name) NOT IN (SELECT DISTINCT run_id, target_name FROM ecdf)
    ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """The comparison of two optimizers on one benchmark, or on all of them together.

    `missing_a` and `missing_b` count pairs in which that side alone has no valid result, or alone
    did not reach the target. Without a result they are left out, and must be read beside the
    outcome; a target not reached counts as reached at the study's end, a lower bound.

    `comparison` is about these benchmarks: on the line `ALL` each counts alike, and signs are
    flipped within benchmarks. `elsewhere`, on that line only, is about other benchmarks: the test
    has one value per benchmark, since pairs from one benchmark tell nothing of others.
    """

    benchmark: str
    comparison: Comparison
    missing_a: int
    missing_b: int
    metric: str = "best"
    elsewhere: Comparison | None = None


def compare(
    a: str,
    b: str,
    results: str | Path = "results",
    *,
    run: str | None = None,
    level: float = 0.05,
    at: int | None = None,
    metric: str = "best",
    target: str = "gap-0.9",
) -> list[PairedComparison]:
    """Compare optimizers `a` and `b`, paired by benchmark and seed.

    Args:
        a: label of an optimizer.
        b: label of another.
        results: the results folder.
        run: a run's id; the newest run that has both, if None.
        level: significance level, and 1 minus the confidence of the intervals.
        at: compare after so many evaluations; at the studies' ends if None.
        metric: `best` compares the best results (ratios), `score` the scores (differences; the
            landscape must be known), `evaluations-to-target` the evaluations until `target` was
            reached (ratios).
        target: a target of the view `ecdf` or a threshold of the suite.

    Returns:
        One item per benchmark, then one for all benchmarks together (`ALL`).

    Raises:
        UserError: an optimizer's label, the metric or the target is unknown, or no run has both.
    """
    from daybreak.analysis.queries import query

    if a == b:
        raise UserError(f"'{a}' cannot be compared with itself", expected="two labels")
    frame = query(_sql(metric, at), results)
    if metric == "evaluations-to-target":
        frame = _of_target(frame, target)
    frame = _of_run(frame, a, b, results, run, metric)
    pairs = frame[frame["optimizer"] == a].merge(
        frame[frame["optimizer"] == b], on=["benchmark", "seed", "direction"], suffixes=("_a", "_b")
    )
    rows = [
        _Pair(str(n), str(d), float(x), float(y), bool(p), bool(q))
        for n, d, x, y, p, q in zip(
            *(
                pairs[name].tolist()
                for name in (
                    "benchmark", "direction", "value_a", "value_b", "reached_a", "reached_b",
                )
            ),
            strict=True,
        )
    ]  # fmt: skip
    names = sorted({row.benchmark for row in rows})
    found = [
        _compared(n, [row for row in rows if row.benchmark == n], level, metric) for n in names
    ]
    return [*found, _compared(ALL, rows, level, metric)] if len(names) != 1 else found


@dataclass(frozen=True, slots=True)
class _Pair:
    benchmark: str
    direction: str
    a: float
    b: float
    reached_a: bool
    reached_b: bool


def _sql(metric: str, at: int | None) -> str:
    if metric not in METRICS:
        raise UserError(
            f"there is no metric '{metric}' to compare by",
            expected=f"one of {', '.join(METRICS)}",
            nearest=nearest(metric, METRICS),
        )
    if at is not None and at < 1:
        raise UserError(f"{at} is no number of evaluations", expected="1 or more")
    if metric == "evaluations-to-target":
        if at is not None:
            raise UserError(
                "evaluations to a target are counted over whole studies",
                remedy="leave --at out, or compare by best or score",
            )
        return _TARGETS
    # an integer: nothing to be quoted
    if metric == "score":
        return _SCORES.format(at="" if at is None else f"AND q.evaluation = {at}")
    if at is None:
        return _BESTS.format(until="", long_enough="")
    return _BESTS.format(until=_UNTIL.format(at=at), long_enough=_LONG_ENOUGH.format(at=at))


def _of_target(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    known = sorted(set(frame["target_name"]))
    if target not in known:
        raise UserError(
            f"no study has a target '{target}'",
            expected=f"one of {', '.join(known)}" if known else "a known landscape, or thresholds",
            nearest=nearest(target, known),
            remedy=None if known else "give the suite thresholds: targets: {expert: 1.0}",
        )
    return frame[frame["target_name"] == target]


def _of_run(
    frame: pd.DataFrame, a: str, b: str, results: str | Path, run: str | None, metric: str
) -> pd.DataFrame:
    """Return the rows of `run`, or of the newest run that has both optimizers."""
    known = sorted(set(frame["optimizer"]))
    for name in (a, b):
        if name not in known:
            lacking = "" if metric == "best" else f" with a {metric.replace('-', ' ')}"
            raise UserError(
                f"no study of optimizer '{name}'{lacking} has ended in {results}",
                expected=f"one of {', '.join(known)}" if known else "results of a run",
                nearest=nearest(name, known),
                remedy='daybreak sql "SELECT DISTINCT optimizer FROM studies"',
            )
    if run is not None and run not in set(frame["run_id"]):
        raise UserError(
            f"there is no run '{run}' with ended studies in {results}",
            nearest=nearest(run, set(frame["run_id"])),
            remedy="daybreak runs list",
        )
    runs = frame.groupby("run_id")["optimizer"].agg(lambda names: {a, b} <= set(names))
    both = sorted(str(name) for name in runs.index[runs])
    if run is not None:
        both = [name for name in both if name == run]
    if not both:
        where = f"run '{run}'" if run else f"no run in {results}"
        raise UserError(
            f"{where} has no ended studies of both '{a}' and '{b}'"
            if run
            else f"{where} has ended studies of both '{a}' and '{b}'",
            expected="results that were measured in one run, on one machine, taking turns",
        )
    return frame[frame["run_id"] == both[-1]]


def _compared(name: str, rows: Sequence[_Pair], level: float, metric: str) -> PairedComparison:
    if metric == "score":
        return _by_difference(name, rows, level)
    kept: list[tuple[str, float, float]] = []
    missing_a = missing_b = 0
    for row in rows:
        there_a, there_b = (math.isfinite(x) and x > 0 for x in (row.a, row.b))
        if there_a and there_b:
            # oriented so that smaller is better, whatever the benchmark's direction
            flip = row.direction == "maximize"
            kept.append((row.benchmark, 1 / row.a if flip else row.a, 1 / row.b if flip else row.b))
        missing_a += (there_b and not there_a) or (row.reached_b and not row.reached_a)
        missing_b += (there_a and not there_b) or (row.reached_a and not row.reached_b)
    strata, a, b = ([row[i] for row in kept] for i in range(3))
    comparison = compare_pairs(
        [float(x) for x in a], [float(x) for x in b], level=level, strata=[str(x) for x in strata]
    )
    if name != ALL:
        return PairedComparison(name, comparison, missing_a, missing_b, metric)
    logs: dict[str, list[float]] = {}
    for stratum, one, other in kept:
        logs.setdefault(stratum, []).append(math.log(other) - math.log(one))
    means = [math.exp(sum(values) / len(values)) for values in logs.values()]
    elsewhere = compare_pairs([1.0] * len(means), means, level=level, what="benchmarks")
    return PairedComparison(name, comparison, missing_a, missing_b, metric, elsewhere)


def _by_difference(name: str, rows: Sequence[_Pair], level: float) -> PairedComparison:
    kept = [row for row in rows if math.isfinite(row.a) and math.isfinite(row.b)]
    comparison = compare_differences(
        [row.a - row.b for row in kept], level=level, strata=[row.benchmark for row in kept]
    )
    missing_a = sum(math.isnan(row.a) and not math.isnan(row.b) for row in rows)
    missing_b = sum(math.isnan(row.b) and not math.isnan(row.a) for row in rows)
    if name != ALL:
        return PairedComparison(name, comparison, missing_a, missing_b, "score")
    differences: dict[str, list[float]] = {}
    for row in kept:
        differences.setdefault(row.benchmark, []).append(row.a - row.b)
    means = [sum(values) / len(values) for values in differences.values()]
    elsewhere = compare_differences(means, level=level, what="benchmarks")
    return PairedComparison(name, comparison, missing_a, missing_b, "score", elsewhere)
