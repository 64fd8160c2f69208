"""Which results of two optimizers belong together, and what their comparison says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.analysis.comparison import Comparison, compare_differences, compare_pairs
from daybreak.analysis.hypervolume import coverages, several_objectives
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["ALL", "ALL_FRONTS", "ALL_SINGLES", "METRICS", "PairedComparison", "compare"]

#: Stands for all benchmarks of a run together.
ALL = "(all)"
#: Stand for all benchmarks with one objective, and with several, where a run has both.
ALL_SINGLES = "(all with one objective)"
ALL_FRONTS = "(all with several objectives)"
_TOGETHER = frozenset({ALL, ALL_SINGLES, ALL_FRONTS})
#: What may be compared.
METRICS = ("best", "hypervolume", "score", "evaluations-to-target")

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

    `metric` says what was compared: ratios of `best` and `evaluations-to-target`, differences of
    `score` and `hypervolume`. `objectives` names them where a benchmark has several: by another
    metric than `hypervolume` it is compared by the first one alone.

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
    objectives: tuple[str, ...] = ()


def compare(
    a: str,
    b: str,
    results: str | Path = "results",
    *,
    run: str | None = None,
    level: float = 0.05,
    at: int | None = None,
    metric: str | None = None,
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
        metric: `best` compares the best results (ratios; with several objectives those of the
            first one alone), `hypervolume` the shares of the joint front's hypervolume
            (differences; benchmarks with several objectives), `score` the scores (differences; the
            landscape must be known), `evaluations-to-target` the evaluations until `target` was
            reached (ratios). None: `hypervolume` where there are several objectives, else `best`.
        target: a target of the view `ecdf` or a threshold of the suite.

    Returns:
        One item per benchmark, then one for all benchmarks together (`ALL`); where some are
        compared by `best` and some by `hypervolume`, one for each kind (`ALL_SINGLES`,
        `ALL_FRONTS`) of which there are two.

    Raises:
        UserError: an optimizer's label, the metric or the target is unknown, no run has both, or
            none of their benchmarks has several objectives where hypervolumes are asked for.
    """
    from daybreak.analysis.queries import open_index

    if a == b:
        raise UserError(f"'{a}' cannot be compared with itself", expected="two labels")
    kind = metric or "best"
    sql = _sql("best" if kind == "hypervolume" else kind, at)
    with open_index(Path(results)) as index:
        frame = index.execute(sql).df()
        if kind == "evaluations-to-target":
            frame = _of_target(frame, target)
        frame = _of_run(frame, a, b, results, run, kind)
        chosen = str(frame["run_id"].iloc[0])
        several = several_objectives(index, chosen)
        if metric == "hypervolume":
            frame = _fronts_only(frame, several, chosen)
        fronts = set(several) if metric in (None, "hypervolume") else set()
        if fronts:
            frame = _with_shares(frame, fronts, _shares(index, chosen, fronts, at))
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
    found = []
    for name in names:
        own = [row for row in rows if row.benchmark == name]
        one = _compared(name, own, level, "hypervolume" if name in fronts else kind)
        found.append(replace(one, objectives=several.get(name, ())))
    if len(names) == 1:
        return found
    return [*found, *_together(rows, fronts, level, kind)]


def _together(
    rows: Sequence[_Pair], fronts: set[str], level: float, kind: str
) -> list[PairedComparison]:
    """Return what is said of all benchmarks, ratios and differences of shares apart."""
    of_fronts = [row for row in rows if row.benchmark in fronts]
    others = [row for row in rows if row.benchmark not in fronts]
    if not of_fronts:
        return [_compared(ALL, others, level, kind)]
    if not others:
        return [_compared(ALL, of_fronts, level, "hypervolume")]
    return [
        _compared(name, own, level, of)
        for name, own, of in (
            (ALL_SINGLES, others, kind),
            (ALL_FRONTS, of_fronts, "hypervolume"),
        )
        if len({row.benchmark for row in own}) > 1
    ]


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


def _fronts_only(
    frame: pd.DataFrame, several: Mapping[str, tuple[str, ...]], run: str
) -> pd.DataFrame:
    kept = frame[frame["benchmark"].isin(several)]
    if kept.empty:
        raise UserError(
            f"no benchmark of run '{run}' has several objectives, so there is no hypervolume",
            expected=f"one of {', '.join(name for name in METRICS if name != 'hypervolume')}",
        )
    return kept


def _shares(
    index: duckdb.DuckDBPyConnection, run: str, fronts: set[str], at: int | None
) -> dict[tuple[str, str, int], float]:
    """Return the share of the joint front by benchmark, optimizer and seed."""
    found = {}
    for one in coverages(index, run, sorted(fronts)):
        for study in one.studies:
            share = study.at(len(study.share) if at is None else at)
            if share is not None:
                found[one.benchmark, study.optimizer, study.seed] = share
    return found


def _with_shares(
    frame: pd.DataFrame, fronts: set[str], shares: Mapping[tuple[str, str, int], float]
) -> pd.DataFrame:
    """Return `frame` with shares in the place of the best results where there are such."""
    keys = zip(frame["benchmark"], frame["optimizer"], frame["seed"], strict=True)
    told = [shares.get((str(n), str(o), int(s))) for n, o, s in keys]
    concerned = frame["benchmark"].isin(fronts)
    values = [
        (math.nan if share is None else share) if front else value
        for share, front, value in zip(told, concerned, frame["value"], strict=True)
    ]
    directions = frame["direction"].where(~concerned, "maximize")
    return frame.assign(value=values, direction=directions)


def _compared(name: str, rows: Sequence[_Pair], level: float, metric: str) -> PairedComparison:
    if metric in ("score", "hypervolume"):
        return _by_difference(name, rows, level, metric)
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
    if name not in _TOGETHER:
        return PairedComparison(name, comparison, missing_a, missing_b, metric)
    logs: dict[str, list[float]] = {}
    for stratum, one, other in kept:
        logs.setdefault(stratum, []).append(math.log(other) - math.log(one))
    means = [math.exp(sum(values) / len(values)) for values in logs.values()]
    elsewhere = compare_pairs([1.0] * len(means), means, level=level, what="benchmarks")
    return PairedComparison(name, comparison, missing_a, missing_b, metric, elsewhere)


def _by_difference(name: str, rows: Sequence[_Pair], level: float, metric: str) -> PairedComparison:
    kept = [row for row in rows if math.isfinite(row.a) and math.isfinite(row.b)]
    comparison = compare_differences(
        [row.a - row.b for row in kept], level=level, strata=[row.benchmark for row in kept]
    )
    missing_a = sum(math.isnan(row.a) and not math.isnan(row.b) for row in rows)
    missing_b = sum(math.isnan(row.b) and not math.isnan(row.a) for row in rows)
    if name not in _TOGETHER:
        return PairedComparison(name, comparison, missing_a, missing_b, metric)
    differences: dict[str, list[float]] = {}
    for row in kept:
        differences.setdefault(row.benchmark, []).append(row.a - row.b)
    means = [sum(values) / len(values) for values in differences.values()]
    elsewhere = compare_differences(means, level=level, what="benchmarks")
    return PairedComparison(name, comparison, missing_a, missing_b, metric, elsewhere)
