"""What `daybreak show` says about a run: per benchmark, references and optimizers side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.hypervolume import coverages, several_objectives
from daybreak.analysis.queries import open_index
from daybreak.errors import StoreError, nearest

if TYPE_CHECKING:
    import duckdb

    from daybreak.analysis.hypervolume import Coverage

__all__ = [
    "BenchmarkSummary",
    "OptimizerSummary",
    "ReferenceSummary",
    "RunOverview",
    "RunSummaryRow",
    "TargetSummary",
    "find_run",
    "list_run_rows",
    "summarize_benchmarks",
    "summarize_run",
]


@dataclass(frozen=True, slots=True)
class RunSummaryRow:
    """A run in a list: counts are over its optimizers' studies and evaluations.

    `missed` of the `failures` trained without reaching their target.
    """

    run_id: str
    suite: str
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    machine_id: str | None
    studies: int
    evaluations: int
    failures: int
    missed: int = 0

    @property
    def counts(self) -> str:
        """The counts in words; a target that was not reached is no failure to measure."""
        words = f"{self.studies} stud{'y' if self.studies == 1 else 'ies'}"
        words += f", {self.evaluations} evaluation{'' if self.evaluations == 1 else 's'}"
        words += f", {self.failures - self.missed} failed"
        return words + (f", {self.missed} not reached" if self.missed else "")


@dataclass(frozen=True, slots=True)
class ReferenceSummary:
    """A reference as it was measured in the run; `median` is None if it never succeeded.

    With several objectives `median`, `lowest` and `highest` are of the first one; `share` is the
    hypervolume of this one point as a share of the joint front's, and `beaten` says whether a trial
    is nowhere worse and somewhere better. None where that is not known.
    """

    name: str
    trials: int
    failures: int
    median: float | None
    lowest: float | None
    highest: float | None
    share: float | None = None
    beaten: bool | None = None


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """How soon an optimizer reached a threshold.

    `evaluations` is the median over studies of the evaluation that reached it, where a study that
    did not counts as later than all others; None if most did not.
    """

    name: str
    threshold: float | None
    studies: int
    reached: int
    evaluations: float | None


@dataclass(frozen=True, slots=True)
class OptimizerSummary:
    """An optimizer on a benchmark; see the view `leaderboard` for the columns.

    `beats` counts, by the name of a reference, the studies with a trial that dominates it; with one
    objective it is empty.
    """

    optimizer: str
    studies: int
    evaluations: int
    best_median: float | None
    best_low: float | None
    best_high: float | None
    versus_expert: float | None
    versus_default: float | None
    failed_studies: int
    open_studies: int
    failures: dict[str, int]
    targets: tuple[TargetSummary, ...]
    share_median: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    beats: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BenchmarkSummary:
    """A benchmark of a run: references, and optimizers from best to worst.

    With several `objectives` they are ordered by the share of the joint front's hypervolume that
    their studies covered at their ends, else by the best result. `front` is then the number of
    points on the joint front; 0: no evaluation gave all objectives, or there is only one.
    """

    benchmark: str
    objective: str | None
    unit: str | None
    direction: str
    references: tuple[ReferenceSummary, ...]
    optimizers: tuple[OptimizerSummary, ...]
    objectives: tuple[str, ...] = ()
    front: int = 0


@dataclass(frozen=True, slots=True)
class RunOverview:
    """All that `daybreak show` prints of a run."""

    run: RunSummaryRow
    benchmarks: tuple[BenchmarkSummary, ...]
    warnings: tuple[str, ...]


def list_run_rows(results: Path) -> list[RunSummaryRow]:
    """Return all runs, newest first.

    Raises:
        StoreError: there is no results folder, or it is damaged.
    """
    with open_index(Path(results)) as index:
        return _runs(index)


def summarize_run(results: Path, run: str | None = None) -> RunOverview:
    """Return the overview of a run.

    Args:
        results: the results folder.
        run: a run's id, the beginning of just one, or a suite's name (its newest run); None: the
            newest run.

    Raises:
        StoreError: there is no such run, or no results at all.
    """
    results = Path(results)
    with open_index(results) as index:
        chosen = find_run(index, results, run)
        return RunOverview(
            chosen, summarize_benchmarks(index, chosen.run_id), _warnings(index, chosen)
        )


def find_run(
    index: duckdb.DuckDBPyConnection, results: Path, run: str | None = None
) -> RunSummaryRow:
    """Return the run that `run` means, with an open index of `results`; see `summarize_run`.

    Raises:
        StoreError: there is no such run, or it is ambiguous.
    """
    runs = _runs(index)
    if run is None:
        # what measured a machine has no studies to show
        machines = {row[0] for row in index.execute("SELECT run_id FROM ceilings").fetchall()}
        runs = [one for one in runs if one.run_id not in machines] or runs
    return _choose(runs, run, results)


def _runs(index: duckdb.DuckDBPyConnection) -> list[RunSummaryRow]:
    rows = index.execute(
        """
        SELECT r.run_id, r.suite, r.status, r.started_at, r.finished_at, r.machine_id,
               (SELECT count(*) FROM studies s
                WHERE s.run_id = r.run_id AND s.role = 'optimizer') AS studies,
               coalesce(e.evaluations, 0), coalesce(e.failures, 0), coalesce(e.missed, 0)
        FROM runs r
        LEFT JOIN (SELECT run_id, count(*) AS evaluations,
                          count(*) FILTER (status = 'failed') AS failures,
                          count(*) FILTER (failure_kind = 'not_reached') AS missed
                   FROM evaluations GROUP BY run_id) e ON e.run_id = r.run_id
        ORDER BY r.started_at DESC NULLS LAST, r.run_id DESC
        """
    ).fetchall()
    return [RunSummaryRow(*row) for row in rows]


def _choose(runs: list[RunSummaryRow], wanted: str | None, results: Path) -> RunSummaryRow:
    if not runs:
        raise StoreError(
            "there are no runs yet", file=results, remedy="run a suite: daybreak run quickstart"
        )
    if wanted is None:
        return runs[0]
    for matches in (
        [run for run in runs if run.run_id == wanted],
        [run for run in runs if run.suite == wanted][:1],
        [run for run in runs if run.run_id.startswith(wanted)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise StoreError(
                f"'{wanted}' is the beginning of {len(matches)} runs",
                file=results,
                expected=", ".join(run.run_id for run in matches[:5]),
                remedy="give more of the id; list them: daybreak runs list",
            )
    names = [run.run_id for run in runs] + [run.suite for run in runs if run.suite]
    raise StoreError(
        f"there is no run '{wanted}'",
        file=results,
        nearest=nearest(wanted, names),
        remedy="list them: daybreak runs list",
    )


def summarize_benchmarks(
    index: duckdb.DuckDBPyConnection, run_id: str
) -> tuple[BenchmarkSummary, ...]:
    """Return the benchmarks of run `run_id` in an open index."""
    rows = index.execute(
        "SELECT benchmark, any_value(objective), any_value(objective_unit), any_value(direction) "
        "FROM studies WHERE run_id = ? GROUP BY benchmark ORDER BY benchmark",
        [run_id],
    ).fetchall()
    references = _references(index, run_id)
    optimizers = _optimizers(index, run_id)
    several = several_objectives(index, run_id)
    found = {
        name: BenchmarkSummary(
            benchmark=name,
            objective=objective,
            unit=unit,
            direction=direction,
            references=tuple(references.get(name, ())),
            optimizers=tuple(optimizers.get(name, ())),
            objectives=several.get(name, () if objective is None else (objective,)),
        )
        for name, objective, unit, direction in rows
    }
    for one in coverages(index, run_id, list(several)) if several else ():
        if one.benchmark in found:
            found[one.benchmark] = _with_front(found[one.benchmark], one)
    return tuple(found.values())


def _with_front(benchmark: BenchmarkSummary, coverage: Coverage) -> BenchmarkSummary:
    """Return the summary of a benchmark with several objectives with what its joint front says."""
    standings = {one.name: one for one in coverage.references}
    return replace(
        benchmark,
        front=coverage.front,
        references=tuple(
            replace(one, share=standings[one.name].share, beaten=standings[one.name].beaten)
            if one.name in standings
            else one
            for one in benchmark.references
        ),
        optimizers=tuple(
            replace(
                one,
                beats={
                    name: sum(
                        study.optimizer == one.optimizer and name in study.beats
                        for study in coverage.studies
                    )
                    for name in standings
                },
            )
            for one in benchmark.optimizers
        ),
    )


def _references(index: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, list[ReferenceSummary]]:
    rows = index.execute(
        """
        SELECT v.benchmark, v.reference, v.trials, v.failures, v.median, v.lowest, v.highest
        FROM reference_values v
        JOIN (SELECT DISTINCT benchmark, objective FROM studies WHERE run_id = $run) s
          ON s.benchmark = v.benchmark AND s.objective = v.metric
        WHERE v.run_id = $run
        ORDER BY v.benchmark, v.reference = 'default' DESC, v.reference
        """,
        {"run": run_id},
    ).fetchall()
    found: dict[str, list[ReferenceSummary]] = {}
    for benchmark, *columns in rows:
        found.setdefault(benchmark, []).append(ReferenceSummary(*columns))
    return found


def _optimizers(index: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, list[OptimizerSummary]]:
    failures: dict[tuple[str, str], dict[str, int]] = {}
    for benchmark, optimizer, kind, count in index.execute(
        "SELECT benchmark, optimizer, failure_kind, failures FROM failures WHERE run_id = ? "
        "ORDER BY failures DESC, failure_kind",
        [run_id],
    ).fetchall():
        failures.setdefault((benchmark, optimizer), {})[kind or "unknown"] = count
    targets = _targets(index, run_id)
    found: dict[str, list[OptimizerSummary]] = {}
    for benchmark, optimizer, *columns in index.execute(
        """
        SELECT benchmark, optimizer, studies, evaluations, best_median, best_low, best_high,
               versus_expert, versus_default, failed_studies, open_studies,
               share_median, share_low, share_high
        FROM leaderboard_all
        WHERE run_id = ?
        ORDER BY benchmark, -share_median NULLS LAST,
                 CASE WHEN direction = 'maximize' THEN -best_median ELSE best_median END
                     NULLS LAST,
                 optimizer
        """,
        [run_id],
    ).fetchall():
        key = (benchmark, optimizer)
        (
            studies, evaluations, best_median, best_low, best_high,
            versus_expert, versus_default, failed_studies, open_studies,
            share_median, share_low, share_high,
        ) = columns  # fmt: skip
        found.setdefault(benchmark, []).append(
            OptimizerSummary(
                optimizer=optimizer,
                studies=studies,
                evaluations=evaluations,
                best_median=best_median,
                best_low=best_low,
                best_high=best_high,
                versus_expert=versus_expert,
                versus_default=versus_default,
                failed_studies=failed_studies,
                open_studies=open_studies,
                failures=failures.get(key, {}),
                targets=tuple(targets.get(key, ())),
                share_median=share_median,
                share_low=share_low,
                share_high=share_high,
            )
        )
    return found


def _targets(
    index: duckdb.DuckDBPyConnection, run_id: str
) -> dict[tuple[str, str], list[TargetSummary]]:
    rows: list[tuple[Any, ...]] = index.execute(
        """
        SELECT benchmark, optimizer, target_name, any_value(threshold), count(*),
               count(*) FILTER (reached), median(coalesce(upper, 'inf'::DOUBLE))
        FROM time_to_target
        WHERE run_id = ? AND clock = 'evaluations' AND threshold IS NOT NULL
        GROUP BY benchmark, optimizer, target_name
        ORDER BY benchmark, optimizer, target_name
        """,
        [run_id],
    ).fetchall()
    found: dict[tuple[str, str], list[TargetSummary]] = {}
    for benchmark, optimizer, name, threshold, studies, reached, middle in rows:
        found.setdefault((benchmark, optimizer), []).append(
            TargetSummary(
                name, threshold, studies, reached, middle if math.isfinite(middle) else None
            )
        )
    return found


def _warnings(index: duckdb.DuckDBPyConnection, run: RunSummaryRow) -> tuple[str, ...]:
    rows = index.execute(
        "SELECT DISTINCT ON (text) text FROM readings WHERE run_id = ? AND name = 'warning' "
        "ORDER BY text, read_at",
        [run.run_id],
    ).fetchall()
    return tuple(text for (text,) in rows)
