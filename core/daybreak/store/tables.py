"""Reading and writing many rows of the index at once, by key.

DuckDB takes about as long for one row as for ten thousand, so whoever changes the index gathers
rows (dicts from column to value, missing ones are NULL) and hands them over together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.store.codec import encode_json

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["TABLES", "Table", "as_number", "as_text", "delete", "insert", "select", "update"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the index that is filled from records other than trials.

    Attributes:
        name: its name.
        key: the columns that tell its rows apart; none: rows are only ever added.
        columns: every column's kind: ``text``, ``json`` (text of JSON), ``number`` (a double),
            ``integer`` (64 bits), ``time`` (text that may be a time), or ``times`` (a list of such
            texts, the first of which that is a time counts).
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]


def _kinds(**columns: str) -> dict[str, str]:
    return {name: kind for kind, names in columns.items() for name in names.split()}


TABLES = {
    table.name: table
    for table in (
        Table(
            "runs",
            ("run_id",),
            _kinds(
                text="run_id suite suite_key status message machine_id environment_id "
                "daybreak_version suite_path suite_source",
                time="started_at finished_at",
                json="details",
            ),
        ),
        Table("machines", ("machine_id",), _kinds(text="machine_id", json="identity")),
        Table("environments", ("environment_id",), _kinds(text="environment_id", json="lock")),
        Table(
            "plugins",
            ("run_id", "name"),
            _kinds(text="run_id name distribution version module status reason"),
        ),
        Table(
            "benchmarks",
            ("run_id", "benchmark"),
            _kinds(
                text="run_id benchmark target name instance summary objective objective_unit "
                "direction space_fingerprint sandbox",
                json="space options reference_configurations identity floors notes details",
            ),
        ),
        Table(
            "metrics",
            ("run_id", "benchmark", "metric"),
            _kinds(text="run_id benchmark metric unit direction summary", integer="objective"),
        ),
        Table(
            "studies",
            ("study_id",),
            _kinds(
                text="study_id run_id benchmark target optimizer status study_key component role "
                "message objective objective_unit direction",
                integer="seed study_no",
                number="dollars_per_hour",
                json="budget options protocol thresholds details",
                times="started_at",
                time="finished_at",
            ),
        ),
        Table(
            "thresholds",
            ("study_id",),
            _kinds(text="study_id name metric relative_to unit", number="value"),
        ),
        Table(
            "landscapes",
            ("run_id", "benchmark"),
            _kinds(
                text="run_id benchmark",
                integer="configurations failures",
                number="optimum median worst seconds_mean",
            ),
        ),
        Table(
            "baselines",
            ("run_id", "benchmark"),
            _kinds(text="run_id benchmark", integer="evaluation", number="expected seconds"),
        ),
        Table(
            "ceilings",
            ("run_id", "device", "ceiling", "threads"),
            _kinds(
                text="run_id machine_id device ceiling kind unit",
                integer="threads repeats",
                number="value low high",
                time="measured_at",
                json="details",
            ),
        ),
        Table(
            "readings", (), _kinds(text="run_id study_id name text", time="read_at", number="value")
        ),
    )
}

# how a column is read, and how it is made from what is handed over
_READ = {"json": "{0}::VARCHAR", "time": "{0}::VARCHAR", "times": "[{0}::VARCHAR]"}
_MADE = {
    "time": "TRY_CAST({0} AS TIMESTAMP)",
    "times": "[t FOR t IN [TRY_CAST(text AS TIMESTAMP) FOR text IN {0}] IF t IS NOT NULL][1]",
}


def as_text(value: Any) -> str | None:
    """Return what a column of text holds for `value`: anything but text as JSON."""
    if value is None or isinstance(value, str):
        return value
    return encode_json(value)


def as_number(value: Any) -> float | None:
    """Return `value` as a double; None if it is no number, or too large for one."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (OverflowError, TypeError, ValueError):
        return None


def select(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    column: str,
    values: Iterable[Any],
    *,
    run_id: str | None = None,
) -> list[dict[str, Any]]:
    """Return the rows whose `column` is among `values`, of one run if `run_id` is given."""
    wanted = [{column: value} for value in dict.fromkeys(values)]
    if not wanted:
        return []
    columns = ", ".join(_READ.get(kind, "{0}").format(n) for n, kind in table.columns.items())
    where = "" if run_id is None else "AND run_id = ?"
    with _registered(connection, _arrow(table, [column], wanted)):
        found = connection.execute(
            f"SELECT {columns} FROM {table.name} "  # noqa: S608 - names of this module
            f"WHERE {column} IN (SELECT {column} FROM daybreak_rows) {where}",
            [] if run_id is None else [run_id],
        ).fetchall()
    return [dict(zip(table.columns, row, strict=True)) for row in found]


def delete(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Remove every row that has the key of one of `rows`."""
    if not rows:
        return
    same = " AND ".join(f"{table.name}.{n} IS NOT DISTINCT FROM k.{n}" for n in table.key)
    with _registered(connection, _arrow(table, table.key, rows)):
        connection.execute(
            f"DELETE FROM {table.name} WHERE EXISTS (SELECT 1 FROM daybreak_rows k WHERE {same})"  # noqa: S608
        )


def insert(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add `rows`."""
    if not rows:
        return
    columns = ", ".join(table.columns)
    made = ", ".join(_MADE.get(kind, "{0}").format(n) for n, kind in table.columns.items())
    with _registered(connection, _arrow(table, table.columns, rows)):
        connection.execute(f"INSERT INTO {table.name} ({columns}) SELECT {made} FROM daybreak_rows")  # noqa: S608


def update(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    key: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Set `columns` (of text) to those of the row in `rows` that agrees in the columns `key`."""
    if not rows:
        return
    changes = ", ".join(f"{name} = k.{name}" for name in columns)
    same = " AND ".join(f"{table.name}.{name} = k.{name}" for name in key)
    with _registered(connection, _arrow(table, (*key, *columns), rows)):
        connection.execute(
            f"UPDATE {table.name} SET {changes} FROM daybreak_rows k WHERE {same}"  # noqa: S608
        )


@contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    """Let statements read `rows` as ``daybreak_rows`` meanwhile."""
    connection.register("daybreak_rows", rows)
    try:
        yield
    finally:
        connection.unregister("daybreak_rows")


def _arrow(table: Table, names: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    import pyarrow as pa

    types = {
        "number": pa.float64(),
        "integer": pa.int64(),
        "times": pa.list_(pa.string()),
    }
    return pa.table(
        {
            name: pa.array(
                [row.get(name) for row in rows], types.get(table.columns[name], pa.string())
            )
            for name in names
        }
    )
