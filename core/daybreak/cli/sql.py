"""`daybreak sql`: ask the results a question."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["problems_told", "register"]

_FORMATS = ("table", "csv", "json", "parquet")
#: Rows that a terminal is shown; files and pipes get all.
_SHOWN = 500


def register(app: typer.Typer) -> None:
    """Add `sql` to `app`."""
    app.command("sql")(_sql)


@contextmanager
def problems_told() -> Iterator[None]:
    """Print as plain lines what is amiss in the results."""
    from daybreak.analysis import ResultsWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResultsWarning)
        yield
    for warning in caught:
        print_message(f"warning: {warning.message}")


def _sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT; '-' or nothing reads standard input.")
    ] = None,
    format: Annotated[  # noqa: A002 - the word that users type
        str | None,
        typer.Option(help="table, csv, json or parquet; by default as --out ends, else table."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file, not to standard output.")
    ] = None,
    results: Annotated[
        Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")
    ] = Path("results"),
    tables: Annotated[bool, typer.Option("--tables", help="List the tables and views.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="List every column, of the table in QUERY if given.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Run one SQL query over the results. It can only read.

    Example: daybreak sql "SELECT benchmark, optimizer, best_median, versus_expert FROM leaderboard"
    """
    if tables or schema:
        _list(query, columns=schema, as_json=as_json or format == "json")
        return
    kind = _format(format, out, as_json=as_json)
    if query is None or query == "-":
        if query is None and sys.stdin.isatty():
            from daybreak.errors import UserError

            raise UserError(
                "there is no query",
                expected='daybreak sql "SELECT ..."',
                remedy="list what can be asked: daybreak sql --tables",
            )
        query = sys.stdin.read()
    from daybreak.analysis import query_arrow

    with problems_told():
        found = query_arrow(query, results)
    if out is None:
        _write(found, kind, None)
        return
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("wb") as file:
            _write(found, kind, file)
        draft.replace(out)
    except OSError as error:
        from daybreak.errors import UserError

        raise UserError(f"cannot be written: {error.strerror or error}", file=out) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    print_message(f"{found.num_rows} rows written to {out}")


def _format(given: str | None, out: Path | None, *, as_json: bool) -> str:
    from daybreak.errors import UserError, nearest

    kind = given or ("json" if as_json else None)
    if kind is None:
        suffix = "" if out is None else out.suffix.removeprefix(".")
        kind = suffix if suffix in _FORMATS else "table" if out is None else "csv"
    if kind not in _FORMATS:
        raise UserError(
            f"there is no format '{kind}'",
            expected=f"one of {', '.join(_FORMATS)}",
            nearest=nearest(kind, _FORMATS),
        )
    if kind == "table" and out is not None:
        raise UserError("a table is for the terminal", expected="--format csv, json or parquet")
    if kind == "parquet" and out is None and sys.stdout.isatty():
        raise UserError("Parquet is no text for a terminal", remedy="write it: --out FILE")
    return kind


def _write(found: pa.Table, kind: str, file: Any) -> None:
    """Write to `file`, or to standard output if it is None."""
    if kind == "table":
        _print(found)
        return
    if kind == "json":
        rows = [_plain(row) for row in found.to_pylist()]
        if file is None:
            print_json(rows)
        else:
            import json

            file.write(json.dumps(rows, indent=2, default=str).encode() + b"\n")
        return
    sink = sys.stdout.buffer if file is None else file
    if kind == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(found, sink, compression="zstd")
    else:
        from pyarrow import csv

        csv.write_csv(_flat(found), sink, csv.WriteOptions(quoting_style="needed"))
    sink.flush()


def _print(found: pa.Table) -> None:
    import pyarrow as pa

    numbers = [
        field.name
        for field in found.schema
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    ]
    rows = [
        {name: _cell(value) for name, value in row.items()}
        for row in found.slice(0, _SHOWN).to_pylist()
    ]
    print_table(rows, found.column_names, right=numbers)
    if found.num_rows > _SHOWN:
        print_message(
            f"{found.num_rows - _SHOWN} more rows; all of them: --format csv, or --out FILE"
        )


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):  # a map comes as pairs
        return ", ".join(
            f"{item[0]}: {_cell(item[1])}" if isinstance(item, tuple) else str(item)
            for item in value
        )
    return str(value)


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: NaN and infinity become null, a map an object."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(name): _plain(item) for name, item in value}
        return [_plain(item) for item in value]
    return value


def _flat(found: pa.Table) -> pa.Table:
    """Return the table with nested columns as JSON text, which CSV can hold."""
    import json

    import pyarrow as pa

    for i, field in enumerate(found.schema):
        if pa.types.is_nested(field.type):
            texts = [
                None if value is None else json.dumps(_plain(value), default=str)
                for value in found.column(i).to_pylist()
            ]
            found = found.set_column(i, field.name, pa.array(texts, pa.string()))
    return found


def _list(only: str | None, *, columns: bool, as_json: bool) -> None:
    from daybreak.analysis.catalogue import catalogue
    from daybreak.errors import UserError, nearest

    relations = catalogue()
    if only is not None:
        names = [relation.name for relation in relations]
        if only not in names:
            raise UserError(
                f"there is no table or view '{only}'",
                expected=f"one of {', '.join(names)}",
                nearest=nearest(only, names),
            )
        relations = [relation for relation in relations if relation.name == only]
    if columns:
        rows = [
            {
                "table": relation.name,
                "column": column.name,
                "type": column.type,
                "meaning": column.summary,
            }
            for relation in relations
            for column in relation.columns
        ]
        print_table(rows, ("table", "column", "type", "meaning"), as_json=as_json)
        return
    rows = [
        {
            "name": relation.name,
            "kind": relation.kind,
            "holds": relation.summary,
            "columns": ", ".join(column.name for column in relation.columns),
        }
        for relation in relations
    ]
    print_table(rows, ("name", "kind", "holds", "columns"), as_json=as_json)
