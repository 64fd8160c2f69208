"""`daybreak db`: look after the index of the results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.output import print_json, print_message

__all__ = ["register"]

_Results = Annotated[Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the `db` commands to `app`."""
    group = typer.Typer(
        name="db",
        help="Look after the index of the results (daybreak.duckdb).",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("rebuild")(_rebuild)
    group.command("merge")(_merge)
    group.command("export")(_export)
    group.command("migrate")(_migrate)
    app.add_typer(group)


def _rebuild(results: _Results = Path("results"), as_json: _Json = False) -> None:
    """Make the index anew from the spool. The old file is kept as daybreak.duckdb.old.

    Example: daybreak db rebuild --results results
    """
    from daybreak.analysis.views import create_statements
    from daybreak.store import rebuild

    report = rebuild(results, views=create_statements())
    for problem in report.problems:
        print_message(f"warning: {problem}")
    if as_json:
        print_json({"runs": report.runs, "trials": report.trials, "problems": report.problems})
    else:
        print_message(f"index made anew: {report.runs} runs, {report.trials} trials")


def _merge(
    folders: Annotated[list[Path], typer.Argument(help="Results folders to take runs from.")],
    results: _Results = Path("results"),
    as_json: _Json = False,
) -> None:
    """Take the runs of other results folders, e.g. of other machines. They are only read.

    Example: daybreak db merge /mnt/lab/results --results results
    """
    from daybreak.analysis import update
    from daybreak.store import merge

    report = merge(results, folders)
    for problem in update(results, wait_s=5.0):
        print_message(f"warning: {problem}")
    if as_json:
        print_json({"added": report.added, "extended": report.extended, "present": report.present})
    else:
        print_message(
            f"{len(report.added)} runs added, {len(report.extended)} brought up to date, "
            f"{len(report.present)} here already"
        )


def _export(
    format: Annotated[str, typer.Option(help="parquet, csv or json.")] = "parquet",  # noqa: A002
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("export"),
    only: Annotated[
        list[str] | None, typer.Option(help="A table or view; may be given several times.")
    ] = None,
    results: _Results = Path("results"),
    as_json: _Json = False,
) -> None:
    """Write every table and view to a file of its own.

    Example: daybreak db export --format csv --out export --only leaderboard
    """
    from daybreak.analysis.views import create_statements
    from daybreak.store import export

    files = export(results, out, format=format, only=tuple(only or ()), views=create_statements())
    if as_json:
        print_json([str(file) for file in files])
    else:
        print_message(f"{len(files)} files written to {out}")


def _migrate(results: _Results = Path("results"), as_json: _Json = False) -> None:
    """Bring the index to this version's schema, after a backup, and take in what is new.

    Other commands do so by themselves; this one waits for whoever uses the index.

    Example: daybreak db migrate --results results
    """
    from daybreak.analysis import update
    from daybreak.store.database import database_path, open_reader, schema_version

    problems = update(results, wait_s=30.0)
    for problem in problems:
        print_message(f"warning: {problem}")
    with open_reader(results) as connection:
        version = schema_version(connection)
    if as_json:
        print_json({"schema": version, "file": str(database_path(results)), "problems": problems})
    else:
        print_message(f"{database_path(results)}: schema {version}")
