"""Asking the results questions in SQL, read only.

A query never blocks a run and is never blocked by one: what is new is taken into the index if
nobody else is at it, then the index is read; where that is not possible, an index is made from the
spool in memory.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.views import create_statements, load_views
from daybreak.errors import StoreError, UserError, nearest
from daybreak.store.database import (
    Busy,
    connect,
    database_path,
    migrate,
    open_reader,
    quoted,
    translate,
)
from daybreak.store.ingestion import fill, ingest, is_current

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

__all__ = ["ResultsWarning", "open_index", "query", "query_arrow", "tables", "update"]

#: Seconds that a reader waits for a writer before making an index of its own in memory.
_PATIENCE_S = 2.0

# what a statement may be; MULTI is what DuckDB calls a PIVOT
_READING = frozenset({"SELECT", "EXPLAIN", "MULTI"})


class ResultsWarning(UserWarning):
    """Something in the results could not be used, e.g. a damaged line; the rest was."""


def query(sql: str, results: str | Path = "results") -> pd.DataFrame:
    """Run one SQL query over the results and return a pandas frame.

    Args:
        sql: one statement that reads: SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE, PIVOT,
            EXPLAIN. DuckDB's dialect; the tables and views are listed by `tables`.
        results: the results folder.

    Raises:
        UserError: the statement is wrong, or would change something.
        StoreError: there is no such folder, or its files are damaged.
    """
    with _run(sql, results) as relation:
        frame: pd.DataFrame = relation.df()
        return frame


def query_arrow(sql: str, results: str | Path = "results") -> pa.Table:
    """Run one SQL query over the results and return an Arrow table; otherwise as `query`."""
    with _run(sql, results) as relation:
        return relation.to_arrow_table()


def tables(results: str | Path = "results") -> dict[str, list[tuple[str, str]]]:
    """Return every table and view with its columns: (name, SQL type) each."""
    with open_index(Path(results)) as connection:
        return _columns(connection)


def update(results: str | Path = "results", *, wait_s: float = 0.0) -> list[str]:
    """Take what is new into the index and install the views in it, for any DuckDB client.

    Returns:
        What was amiss: damaged lines and the like, or that another process is at work.

    Raises:
        StoreError: see `daybreak.store.ingest`.
    """
    report = ingest(Path(results), views=create_statements(), wait_s=wait_s)
    return [*report.problems, *([report.skipped] if report.skipped else [])]


@contextmanager
def open_index(results: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that reads the newest results and can do nothing else.

    It sees tables and views, no files, no Python variables; settings are locked.

    Raises:
        StoreError: there is no such folder, or its files are damaged.
    """
    connection = _open(Path(results))
    try:
        # replaces the index's own views where another version of Daybreak made them
        for statement in create_statements(temporary=True).values():
            connection.execute(statement)
        # where sorts and joins that outgrow the memory go; made only if needed
        spill = Path(tempfile.gettempdir()) / f"daybreak-{os.getpid()}-{id(connection):x}"
        connection.execute(f"SET temp_directory = {quoted(str(spill))}")
        for setting in (
            "enable_external_access = false",
            "python_enable_replacements = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        yield connection
    finally:
        connection.close()


def _open(results: Path) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        current = False
        try:
            report = ingest(results, views=create_statements())
            current = report.skipped is None
            _tell(report.problems)
        except StoreError:
            if not results.is_dir():
                raise
            # a read-only folder is no hindrance to reading; a damaged index is refused below
            deadline = 0.0
        try:
            connection = open_reader(results)
            if current or is_current(connection, results):
                return connection
            connection.close()
        except FileNotFoundError:
            break
        except Busy:
            pass
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    connection = connect(None)
    try:
        migrate(connection, None)
        _tell(fill(connection, results).problems)
    except BaseException:
        connection.close()
        raise
    return connection


def _tell(problems: Sequence[str]) -> None:
    for problem in problems:
        warnings.warn(problem, ResultsWarning, stacklevel=2)


@contextmanager
def _run(sql: str, results: str | Path) -> Iterator[duckdb.DuckDBPyRelation]:
    import duckdb

    _check_reading(sql)
    with open_index(Path(results)) as connection:
        try:
            yield connection.sql(sql)
        except (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException) as error:
            raise translate(error, database_path(Path(results))) from error
        except duckdb.Error as error:
            raise _explain(error, connection) from error


def _check_reading(sql: str) -> None:
    import duckdb

    with duckdb.connect() as parser:
        try:
            statements = parser.extract_statements(sql)
        except duckdb.Error as error:
            raise UserError(_first_lines(str(error)), remedy=_REMEDY) from error
    if len(statements) != 1:
        raise UserError(
            "there is no query" if not statements else f"these are {len(statements)} statements",
            expected="one SQL statement",
            remedy=_REMEDY,
        )
    kind = str(statements[0].type).rpartition(".")[2]
    if kind not in _READING:
        raise UserError(
            f"a statement of kind {kind} is not allowed: results are only read",
            expected="SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE, PIVOT or EXPLAIN",
            remedy="to write results to a file: daybreak sql --format parquet --out FILE, "
            "or daybreak db export",
        )


_REMEDY = "list tables and columns: daybreak sql --schema"


def _explain(error: duckdb.Error, connection: duckdb.DuckDBPyConnection) -> UserError:
    """Return DuckDB's complaint with the nearest name of a table or column."""
    import duckdb

    text = str(error)
    close = elsewhere = None
    missing = re.search(
        r'Table with name "?(\w+)"? does not exist|'
        r'Referenced column "?(\w+)"? (?:was )?not found|'
        r'does not have a column named "?(\w+)"?',
        text,
    )
    if missing is not None:
        with suppress(duckdb.Error):
            columns = _columns(connection)
            if missing[1]:
                close = nearest(missing[1], columns)
            else:
                name = missing[2] or missing[3]
                homes = [
                    table for table, listed in columns.items() if name in {one for one, _ in listed}
                ]
                if homes:  # spelt right, asked of the wrong table
                    elsewhere = f"'{name}' is a column of {', '.join(homes)}"
                else:
                    names = {one for listed in columns.values() for one, _ in listed}
                    close = nearest(name, names)
    if isinstance(error, duckdb.PermissionException):
        return UserError(
            _first_lines(text), expected="a query over the tables and views: it sees no files"
        )
    return UserError(_first_lines(text), expected=elsewhere, nearest=close, remedy=_REMEDY)


def _first_lines(text: str) -> str:
    """Return the complaint and the place in the statement, without DuckDB's own guesses."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for line in lines if line and not line.startswith(("Did you mean", "Candidate"))]
    return "\n  ".join(kept)


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    rows: list[Any] = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND (schema_name = 'main') ORDER BY table_name, column_index"
    ).fetchall()
    found: dict[str, list[tuple[str, str]]] = {}
    hidden = {"ingested", "installed_views", "schema_migrations", "staged"}
    for table, column, kind in rows:
        listed = found.setdefault(table, [])
        if (column, kind) not in listed:
            listed.append((column, kind))
    views = load_views()
    ordered = sorted(found, key=lambda name: (name in views, name))
    return {name: found[name] for name in ordered if name not in hidden}
