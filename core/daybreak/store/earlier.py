"""Finding earlier trials in a results folder: which benchmarks there are, and their trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.records import Direction, FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.store.codec import decode_json
from daybreak.store.database import Busy, connect, migrate, open_reader
from daybreak.store.ingestion import fill, ingest

if TYPE_CHECKING:
    import duckdb

__all__ = ["EarlierBenchmark", "EarlierTrials", "earlier_trials"]

#: Failures that say nothing of the configuration, but of the machine or the user.
_CHANCE = (FailureKind.CANCELLED, FailureKind.INTERNAL, FailureKind.MISSING_REQUIREMENT)


@dataclass(frozen=True, slots=True)
class EarlierBenchmark:
    """A benchmark as a run recorded it; `objectives` are name, unit and direction, in order."""

    run_id: str
    suite: str
    benchmark: str
    parameters: frozenset[str]
    objectives: tuple[tuple[str, str, str], ...]


class EarlierTrials:
    """The trials in an open index. Made by `earlier_trials`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def benchmarks(self) -> list[EarlierBenchmark]:
        """Return the benchmarks of all runs."""
        metrics: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
        for run_id, benchmark, *metric in self._connection.execute(
            "SELECT run_id, benchmark, metric, unit, direction FROM metrics "
            "WHERE objective IS NOT NULL ORDER BY run_id, benchmark, objective"
        ).fetchall():
            metrics.setdefault((run_id, benchmark), []).append(tuple(metric))
        rows = self._connection.execute(
            "SELECT b.run_id, r.suite, b.benchmark, b.space ->> '$.parameters[*].name' "
            "FROM benchmarks b JOIN runs r USING (run_id) ORDER BY b.run_id, b.benchmark"
        ).fetchall()
        return [
            EarlierBenchmark(
                run_id,
                suite or "",
                benchmark,
                frozenset(names or ()),
                tuple(metrics.get((run_id, benchmark), ())),
            )
            for run_id, suite, benchmark, names in rows
        ]

    def optimizers(self, sources: Sequence[EarlierBenchmark]) -> set[str]:
        """Return the labels of the optimizers that worked on these benchmarks."""
        pairs = {(source.run_id, source.benchmark) for source in sources}
        rows = self._connection.execute(
            "SELECT DISTINCT run_id, benchmark, optimizer FROM studies"
        ).fetchall()
        return {optimizer for run_id, benchmark, optimizer in rows if (run_id, benchmark) in pairs}

    def trials(
        self, sources: Sequence[EarlierBenchmark], optimizers: Sequence[str]
    ) -> list[tuple[int, Trial]]:
        """Return the trials of one benchmark, best first and failures last, with their ids.

        Each configuration comes once, as it was measured last. Failures that say nothing of the
        configuration are left out. The trials lack samples (see `samples`), events and clocks.

        Args:
            sources: the benchmark as each of the runs recorded it; all of one name.
            optimizers: labels of the optimizers whose trials count.
        """
        if not sources or not optimizers:
            return []
        names = [name for name, _, _ in sources[0].objectives]
        worse = "DESC" if sources[0].objectives[0][2] == Direction.MAXIMIZE else "ASC"
        rows = self._connection.execute(
            f"""
            SELECT t.trial_id, s.run_id, s.optimizer, t.status, t.failure_kind, t.message,
                   t.configuration::VARCHAR, map_entries(t.objectives), t.low, t.high,
                   t.reference
            FROM trials t JOIN studies s USING (study_id)
            WHERE s.benchmark = ? AND list_contains(?, s.run_id) AND list_contains(?, s.optimizer)
              AND (t.failure_kind IS NULL OR NOT list_contains(?, t.failure_kind))
              AND (t.status = 'failed' OR isfinite(t.objective))
            QUALIFY row_number() OVER (PARTITION BY t.configuration::VARCHAR
                                       ORDER BY t.started_at DESC, t.trial_id DESC) = 1
            ORDER BY t.status = 'failed', t.objective {worse} NULLS LAST, t.trial_id
            """,  # noqa: S608 - a word of this module
            [
                sources[0].benchmark,
                [source.run_id for source in sources],
                list(optimizers),
                [kind.value for kind in _CHANCE],
            ],
        ).fetchall()
        found: list[tuple[int, Trial]] = []
        for row in rows:
            trial_id, run_id, optimizer, status, kind, message, configuration = row[:7]
            entries, low, high, reference = row[7:]
            values = {entry["key"]: entry["value"] for entry in entries or ()}
            outcome = Outcome(
                status=TrialStatus(status),
                failure_kind=None if kind is None else FailureKind(kind),
                message=message,
                objectives={name: values.get(name) for name in names},
                low=low,
                high=high,
                facts={
                    "history": {
                        "benchmark": sources[0].benchmark,
                        "run": run_id,
                        "optimizer": optimizer,
                    }
                },
            )
            decoded = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in decode_json(configuration).items()
            }
            found.append((trial_id, Trial(len(found), decoded, outcome, reference)))
        return found

    def samples(self, trial_ids: Sequence[int]) -> dict[int, tuple[Sample, ...]]:
        """Return the samples of these trials."""
        found: dict[int, list[Sample]] = {}
        for trial_id, metric, value, i in self._connection.execute(
            "SELECT trial_id, metric, value, i FROM samples WHERE list_contains(?, trial_id) "
            "ORDER BY trial_id, metric, i",
            [list(trial_ids)],
        ).fetchall():
            found.setdefault(trial_id, []).append(Sample(metric, value, i))
        return {trial_id: tuple(samples) for trial_id, samples in found.items()}


@contextmanager
def earlier_trials(results: Path) -> Iterator[EarlierTrials]:
    """Open the results for reading; a busy index is made anew in memory.

    Raises:
        StoreError: the index is damaged or of a newer version.
    """
    ingest(results, wait_s=2.0)
    try:
        connection = open_reader(results)
    except Busy:
        connection = connect(None)
        migrate(connection, None)
        fill(connection, results)
    with connection:
        yield EarlierTrials(connection)
