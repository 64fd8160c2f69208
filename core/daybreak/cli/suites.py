"""`daybreak suites`: list, show and check suites; their JSON schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.completion import complete_suites
from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from daybreak.errors import UserError
    from daybreak.plugin.registry import Registry

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group `suites` to `app`."""
    suites = typer.Typer(
        help="List, show and check suites.", no_args_is_help=True, rich_markup_mode=None
    )
    suites.command("list")(_list)
    suites.command("show")(_show)
    suites.command("check")(_check)
    suites.command("schema")(_schema)
    app.add_typer(suites, name="suites")


def _list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the suites that come with Daybreak.

    Example: daybreak suites list
    """
    from daybreak.suite import list_suites

    rows = [
        {"suite": info.name, "description": info.description, "path": str(info.path)}
        for info in list_suites()
    ]
    print_table(rows, ["suite", "description"], as_json=as_json)


def _show(
    suite: Annotated[
        str,
        typer.Argument(
            help="Name of a shipped suite, or path of a YAML file.", autocompletion=complete_suites
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the suite as it is understood, as JSON.")
    ] = False,
) -> None:
    """Print the text of a suite.

    Example: daybreak suites show quickstart > mine.yaml
    """
    from daybreak.suite import find_suite, load_suite
    from daybreak.suite.reader import read_text

    if as_json:
        loaded = load_suite(suite)
        print_json({"path": str(loaded.path), **loaded.model_dump(mode="json")})
        return
    typer.echo(read_text(find_suite(suite)), nl=False)


def _check(
    suites: Annotated[
        list[str],
        typer.Argument(
            metavar="SUITE...",
            help="Paths of YAML files, or names of shipped suites.",
            autocompletion=complete_suites,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    syntax_only: Annotated[
        bool,
        typer.Option(
            "--syntax-only", help="Do not look up the targets and optimizers that are named."
        ),
    ] = False,
) -> None:
    """Check suites without running anything; every fault is said, with its file and line.

    Example: daybreak suites check mine.yaml

    Exit codes: 0 all are fine, 2 some are at fault.
    """
    registry: Registry | None = None
    if not syntax_only:
        from daybreak.plugin import load_plugins

        registry = load_plugins()
    results = [_check_one(suite, registry) for suite in suites]
    if as_json:
        print_json(results)
    else:
        for result in results:
            for fault in result["faults"]:
                print_message(f"error: {fault['text']}")
            for warning in result["warnings"]:
                print_message(f"warning: {warning}")
            if not result["faults"]:
                typer.echo(f"{result['suite']}: ok{result['summary']}")
    if any(result["faults"] for result in results):
        raise typer.Exit(2)


def _check_one(suite: str, registry: Registry | None) -> dict[str, Any]:
    """Return what is wrong with one suite."""
    from daybreak.errors import UserError
    from daybreak.suite import SuiteFaultsError, load_suite, plan_suite

    result: dict[str, Any] = {"suite": suite, "faults": [], "warnings": [], "summary": ""}
    try:
        loaded = load_suite(suite)
        result["warnings"] = list(loaded.warnings)
        if registry is not None:
            plan = plan_suite(loaded, registry)
            result["warnings"] = list(plan.warnings)
            count = len(plan.studies)
            result["summary"] = f" ({count} stud{'y' if count == 1 else 'ies'})"
    except UserError as error:
        faults = error.faults if isinstance(error, SuiteFaultsError) else (error,)
        result["faults"] = [_fault(fault) for fault in faults]
    return result


def _fault(error: UserError) -> dict[str, Any]:
    return {
        "file": error.file,
        "line": error.line,
        "column": error.column,
        "field": error.field,
        "message": error.message,
        "expected": error.expected,
        "nearest": error.nearest,
        "remedy": error.remedy,
        "text": str(error),
    }


def _schema(
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file instead of standard output.")
    ] = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Leave out the names and options of what is installed here."),
    ] = False,
) -> None:
    """Print the JSON schema of a suite, for completion and checking in an editor.

    Example: daybreak suites schema --out suite.schema.json
    """
    import json

    from daybreak.errors import UserError
    from daybreak.plugin import load_plugins
    from daybreak.suite import suite_schema

    schema = suite_schema(None if plain else load_plugins())
    if out is None:
        print_json(schema)
        return
    try:
        out.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=out) from error
    print_message(f"wrote {out}")
