"""What there is to ask: every table and view, column by column, with its description.

Tables describe themselves (comments in the database), views through the header of their file.
``python -m daybreak.analysis.catalogue`` prints the reference page ``docs/reference/tables.md``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.analysis.views import View, load_views
from daybreak.store.database import connect, migrate

if TYPE_CHECKING:
    import duckdb

__all__ = ["Column", "Relation", "catalogue", "markdown"]

_HIDDEN = frozenset({"schema_migrations", "installed_views", "ingested", "staged"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, SQL type and description."""

    name: str
    type: str
    summary: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view (`kind`) with what it holds; `note` says more, of units say."""

    name: str
    kind: str
    summary: str
    note: str
    columns: tuple[Column, ...]


def catalogue() -> list[Relation]:
    """Return every table, then every view, each sorted by name."""
    from daybreak.analysis.views import create_statements

    with connect(None) as connection:
        migrate(connection, None)
        for statement in create_statements().values():
            connection.execute(statement)
        columns = _columns(connection)
        tables = dict(
            connection.execute(
                "SELECT table_name, coalesce(comment, '') FROM duckdb_tables() WHERE NOT internal"
            ).fetchall()
        )
    relations = [
        Relation(name, "table", summary, "", tuple(columns[name]))
        for name, summary in sorted(tables.items())
        if name not in _HIDDEN
    ]
    for name, view in sorted(load_views().items()):
        described = _described(view)
        listed = [Column(c.name, c.type, described.get(c.name, "")) for c in columns[name]]
        relations.append(Relation(name, "view", view.summary, view.unit, tuple(listed)))
    return relations


def markdown() -> str:
    """Return the reference page of tables and views."""
    lines = [
        "# Tables and views",
        "",
        "<!-- made by `python -m daybreak.analysis.catalogue`; do not edit by hand -->",
        "",
        "Every result is in `results/daybreak.duckdb`. Times of day are UTC, durations are in "
        "seconds, NULL means unknown. Ask with `daybreak sql`, with `daybreak.query` in Python, or "
        "with any DuckDB client; [Results](../results.md) shows how. Columns may be added in later "
        "versions; those listed here keep their names and meanings.",
    ]
    relations = catalogue()
    for kind, title in (("table", "Tables"), ("view", "Views")):
        lines += ["", f"## {title}"]
        for relation in relations:
            if relation.kind != kind:
                continue
            lines += ["", f"### {relation.name}", "", _sentence(relation.summary)]
            if relation.note:
                lines += ["", f"Unit: {relation.note}"]
            lines += ["", "| column | type | meaning |", "| --- | --- | --- |"]
            lines += [
                f"| `{column.name}` | {column.type} | {column.summary.replace('|', chr(92) + '|')} |"
                for column in relation.columns
            ]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    sentence = text[:1].upper() + text[1:]
    return sentence if sentence.endswith(".") else sentence + "."


def _described(view: View) -> dict[str, str]:
    """Return a view's columns with their descriptions, a parent's where it refers to one."""
    described = dict(view.columns)
    if not described:
        for used in view.uses:
            described |= load_views()[used].columns
    return described


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns() "
        "WHERE NOT internal ORDER BY table_name, column_index"
    ).fetchall()
    for table, name, kind, comment in rows:
        found.setdefault(table, []).append(Column(name, kind, comment))
    return found


def _main() -> None:
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(markdown(), "utf-8")
    else:
        sys.stdout.write(markdown())


if __name__ == "__main__":
    _main()
