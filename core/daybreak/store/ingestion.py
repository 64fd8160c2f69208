"""Bringing the index up to date with the spool.

Each batch is one transaction that also notes how far it came (`ingested`), so ingesting twice, or
after a kill, changes nothing. Sealed segments are read by DuckDB as they are; open ones are parsed
into the same columns first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.errors import StoreError
from daybreak.store.codec import decode_json
from daybreak.store.database import Busy, open_writer, quoted
from daybreak.store.folding import NUMBER_BITS, Folding
from daybreak.store.locks import is_locked
from daybreak.store.sealing import (
    ADDED_COLUMNS,
    DamagedSegmentError,
    check_sealed,
    open_sealed,
    to_table,
)
from daybreak.store.segments import (
    Line,
    Segment,
    list_runs,
    list_segments,
    no_results,
    read_lines,
    run_folder,
)
from daybreak.store.writer import LOCK_NAME

if TYPE_CHECKING:
    import duckdb

__all__ = ["IngestReport", "fill", "ingest", "install_views", "is_current"]

#: Bytes of JSON lines per transaction.
_CHUNK = 16 * 1024 * 1024


@dataclass(slots=True)
class IngestReport:
    """What an ingestion did.

    Attributes:
        runs: runs that had something new.
        records: records taken in.
        trials: trials among them.
        skipped: why nothing was done (another process is at it), or None.
        problems: damaged lines and the like, one sentence each.
    """

    runs: int = 0
    records: int = 0
    trials: int = 0
    skipped: str | None = None
    problems: list[str] = field(default_factory=list)


def ingest(
    results: Path,
    *,
    views: Mapping[str, str] | None = None,
    wait_s: float = 0.0,
    threads: int | None = None,
) -> IngestReport:
    """Bring ``daybreak.duckdb`` up to date with the spool; idempotent.

    If another process has the index open, nothing is done and the report says so: whoever asks
    next takes in what is new.

    Args:
        results: the results folder.
        views: SQL views to install, name to complete statement (see `daybreak.analysis`).
        wait_s: seconds to wait for another process before skipping.
        threads: processor threads that DuckDB may use; None: all.

    Raises:
        StoreError: there is no results folder, it cannot be written, the index is damaged or of a
            newer Daybreak, or the spool was written by a newer Daybreak.
    """
    results = Path(results)
    if not results.is_dir():
        raise no_results(results)
    try:
        with open_writer(results, wait_s=wait_s) as connection:
            if threads is not None:
                connection.execute(f"SET threads = {int(threads)}")
            report = fill(connection, results)
            if views:
                install_views(connection, views)
            return report
    except Busy as busy:
        return IngestReport(skipped=f"the index is in use by {busy}")


def fill(connection: duckdb.DuckDBPyConnection, results: Path) -> IngestReport:
    """Take everything new in the spool into an open index, of a file or in memory.

    Raises:
        StoreError: see `ingest`.
    """
    report = IngestReport()
    known = _positions(connection)
    for run_id in list_runs(results):
        folder = run_folder(results, run_id)
        before = report.records
        done: set[int] = set()
        while True:
            for segment in list_segments(folder):
                if segment.number in done:
                    continue
                records, size = known.get((run_id, segment.number), (0, 0))
                try:
                    if segment.sealed:
                        _take_sealed(connection, run_id, segment, records, report)
                    else:
                        _take_lines(connection, run_id, segment, records, size, report)
                except FileNotFoundError:
                    known = _positions(connection)
                    break  # sealed since the folder was listed: look again
                except DamagedSegmentError as error:
                    report.problems.append(str(error))
                done.add(segment.number)
            else:
                break
        report.runs += report.records > before
    _mark_dead(connection, results)
    return report


def is_current(connection: duckdb.DuckDBPyConnection, results: Path) -> bool:
    """Return whether an open index holds everything that is in the spool."""
    known = _positions(connection)
    for run_id in list_runs(results):
        for segment in list_segments(run_folder(results, run_id)):
            records, size = known.get((run_id, segment.number), (0, 0))
            try:
                if segment.sealed:
                    if records < open_sealed(segment.path).metadata.num_rows:
                        return False
                elif size < segment.path.stat().st_size:
                    return False
            except FileNotFoundError:
                return False
            except DamagedSegmentError:
                continue
    return True


def _positions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], tuple[int, int]]:
    rows = connection.execute("SELECT run_id, segment, records, bytes FROM ingested").fetchall()
    return {(run_id, segment): (records, size) for run_id, segment, records, size in rows}


def _take_sealed(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    segment: Segment,
    start: int,
    report: IngestReport,
) -> None:
    import duckdb

    sealed = open_sealed(segment.path)
    total = int(sealed.metadata.num_rows)
    _check_length(total, start, segment.path)
    if total == start:
        return
    source = f"read_parquet({quoted(str(segment.path))}, file_row_number = false)"
    # segments sealed by an earlier version lack the columns that came later
    lacking = [name for name in ADDED_COLUMNS if name not in sealed.schema_arrow.names]
    if lacking:
        nothing = ", ".join(f"NULL::DOUBLE AS {name}" for name in lacking)
        source = f"(SELECT * FROM {source} UNION ALL BY NAME SELECT {nothing} WHERE false)"  # noqa: S608
    try:
        others = connection.execute(
            f"SELECT position, type, record FROM {source} "  # noqa: S608
            "WHERE type <> 'trial' AND position >= ? ORDER BY position",
            [start],
        ).fetchall()
        _take(connection, run_id, segment, source, start, others, (total, 0), report)
    except duckdb.Error:
        # the index may be at fault, or a page in the middle of the segment: read it all to know
        check_sealed(segment.path)
        raise


def _take_lines(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    segment: Segment,
    records: int,
    size: int,
    report: IngestReport,
) -> None:
    # what is appended meanwhile waits for the next time: a busy run must not be chased for ever
    end = segment.path.stat().st_size
    _check_length(end, size, segment.path)
    while size < end:
        lines: list[Line] = list(
            read_lines(segment.path, start=size, position=records, limit=_CHUNK)
        )
        if not lines:
            return
        table, _ = to_table(lines, segment.path)
        connection.register("daybreak_batch", table)
        try:
            others = connection.execute(
                "SELECT position, type::VARCHAR, record FROM daybreak_batch "
                "WHERE type <> 'trial' ORDER BY position"
            ).fetchall()
            start, records, size = records, lines[-1].position + 1, lines[-1].end
            _take(
                connection, run_id, segment, "daybreak_batch", start, others, (records, size),
                report,
            )  # fmt: skip
        finally:
            connection.unregister("daybreak_batch")


def _check_length(present: int, ingested: int, path: Path) -> None:
    if present < ingested:
        raise StoreError(
            "the segment is shorter than what was ingested of it: it was replaced or cut",
            file=path,
            remedy="make the index anew from the spool: daybreak db rebuild",
        )


def _take(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    segment: Segment,
    source: str,
    start: int,
    others: list[tuple[int, str, str]],
    reached: tuple[int, int],
    report: IngestReport,
) -> None:
    """Take records of `source` from position `start` on; `others` are those that are no trials."""
    import duckdb

    problems: list[str] = []
    connection.begin()
    try:
        _take_others(connection, run_id, segment, others, problems)
        trials = _take_trials(connection, run_id, source, start, problems)
        connection.execute(
            "DELETE FROM ingested WHERE run_id = ? AND segment = ?", [run_id, segment.number]
        )
        connection.execute(
            "INSERT INTO ingested VALUES (?, ?, ?, ?)", [run_id, segment.number, *reached]
        )
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):
            connection.rollback()
        raise
    report.records += reached[0] - start
    report.trials += trials
    report.problems += problems


def _take_others(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    segment: Segment,
    others: list[tuple[int, str, str]],
    problems: list[str],
) -> None:
    records = [
        (position, kind, {} if kind == "damaged" else decode_json(text))
        for position, kind, text in others
    ]
    folding = Folding(connection, run_id, ((kind, record) for _, kind, record in records))
    for position, kind, record in records:
        if kind == "damaged":
            place = f"{segment.path}:{position + 1}"
            problems.append(f"{place}: the line is damaged and was left out")
        elif (problem := folding.take(kind, record)) is not None:
            problems.append(problem)
    folding.write()


def _take_trials(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    source: str,
    start: int,
    problems: list[str],
) -> int:
    # ids of the trials in this batch; a trial recorded again under its number replaces the earlier
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE staged AS
        SELECT b.position,
               (s.study_no << {NUMBER_BITS}) + b.number AS trial_id,
               s.study_id, s.objective, s.objective_unit, s.run_id
        FROM {source} b JOIN studies s ON s.study_id = b.study_id
        WHERE b.type = 'trial' AND b.position >= {start:d} AND s.run_id = ?
        """,  # noqa: S608
        [run_id],
    )
    found = connection.execute(
        f"SELECT count(*) FROM {source} b WHERE b.type = 'trial' AND b.position >= {start:d}"  # noqa: S608
    ).fetchone()
    staged = connection.execute(
        "SELECT count(*), count(DISTINCT trial_id), min(trial_id), max(trial_id) FROM staged"
    ).fetchone()
    if found is None or staged is None or not found[0]:
        return 0
    if staged[0] < found[0]:
        problems.append(
            f"{found[0] - staged[0]} trials of run '{run_id}' belong to no recorded study and "
            "were left out"
        )
    if not staged[0]:
        return 0
    if staged[1] < staged[0]:
        connection.execute(
            "DELETE FROM staged WHERE position NOT IN "
            "(SELECT max(position) FROM staged GROUP BY trial_id)"
        )
    repeated = connection.execute(
        "SELECT trial_id FROM trials WHERE trial_id BETWEEN ? AND ? "
        "AND trial_id IN (SELECT trial_id FROM staged)",
        [staged[2], staged[3]],
    ).fetchall()
    if repeated:
        for table in ("trials", "phases", "samples", "events", "readings"):
            connection.execute(
                f"DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM staged)"  # noqa: S608
            )
    for statement in _INSERTS:
        connection.execute(statement.format(source=source))
    return int(staged[1])


_INSERTS = (
    """
    INSERT INTO trials
    SELECT g.trial_id, g.study_id, b.number, b.status, b.failure_kind, b.configuration,
           CASE WHEN b.status <> 'failed' THEN
               CASE WHEN g.objective IS NOT NULL AND map_contains(b.objectives, g.objective)
                    THEN b.objectives[g.objective] ELSE map_values(b.objectives)[1] END
           END,
           g.objective_unit, TRY_CAST(b.started_at AS TIMESTAMP),
           b.ask_s, b.phases['build'], b.phases['verify'], b.phases['measure'],
           b.tell_s, b.total_s, b.elapsed_s, b.low, b.high, b.objectives, b.reference, b.key,
           b.message, b.detail, b.facts, b.proposal, b.simulated_s
    FROM {source} b JOIN staged g USING (position)
    """,
    """
    INSERT INTO phases
    SELECT trial_id, entry.key, entry.value
    FROM (SELECT g.trial_id, unnest(map_entries(b.phases)) AS entry
          FROM {source} b JOIN staged g USING (position))
    """,
    """
    INSERT INTO samples
    SELECT trial_id, sample.metric, sample.i, sample.value
    FROM (SELECT g.trial_id, unnest(b.samples) AS sample
          FROM {source} b JOIN staged g USING (position))
    """,
    """
    INSERT INTO events
    SELECT trial_id, event.seq, event.step, event.epoch, event.train_s, event.wall_s,
           event.metric, event.value
    FROM (SELECT g.trial_id, unnest(b.events) AS event
          FROM {source} b JOIN staged g USING (position))
    """,
    """
    INSERT INTO readings
    SELECT g.run_id, g.study_id, g.trial_id, TRY_CAST(b.started_at AS TIMESTAMP),
           replace(replace(replace(replace(leaf.fullkey[3:], '"', ''), '[', '.'), ']', ''), '.$float', ''),
           CASE WHEN leaf.type IN ('UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT')
                THEN TRY_CAST(leaf.atom AS DOUBLE) END,
           CASE WHEN leaf.type = 'VARCHAR' THEN leaf.atom ->> '$' ELSE leaf.atom::VARCHAR END
    FROM {source} b JOIN staged g USING (position), json_tree(b.readings) leaf
    WHERE b.readings IS NOT NULL AND leaf.type NOT IN ('OBJECT', 'ARRAY')
    """,
)


def _mark_dead(connection: duckdb.DuckDBPyConnection, results: Path) -> None:
    """A run that says it is running though nobody holds its lock was killed."""
    running = connection.execute("SELECT run_id FROM runs WHERE status = 'running'").fetchall()
    for (run_id,) in running:
        if not is_locked(run_folder(results, run_id) / LOCK_NAME):
            connection.execute("UPDATE runs SET status = 'interrupted' WHERE run_id = ?", [run_id])


def install_views(connection: duckdb.DuckDBPyConnection, views: Mapping[str, str]) -> None:
    """Create the views whose text is not what the index has."""
    import duckdb

    known = dict(connection.execute("SELECT name, digest FROM installed_views").fetchall())
    wanted = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in views.items()}
    if known == wanted:
        return
    connection.begin()
    try:
        for name in set(known) - set(wanted):
            connection.execute(f'DROP VIEW IF EXISTS "{name}"')
        for text in views.values():
            connection.execute(text)
        connection.execute("DELETE FROM installed_views")
        connection.executemany("INSERT INTO installed_views VALUES (?, ?)", list(wanted.items()))
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):
            connection.rollback()
        raise
