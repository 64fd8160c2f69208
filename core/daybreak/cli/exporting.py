"""`daybreak export`: recorded studies in another tool's format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.completion import complete_exporters
from daybreak.cli.importing import list_kinds
from daybreak.cli.output import print_json, print_message

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `export` to `app`."""
    app.command("export")(_export)


def _export(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="The format; `daybreak export --list` names them.",
            autocompletion=complete_exporters,
        ),
    ] = None,
    study: Annotated[str | None, typer.Option(help="A study's id, or the beginning of it.")] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Studies on this benchmark, e.g. 'taco/spmm*'.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="Studies of this optimizer.")] = None,
    seed: Annotated[int | None, typer.Option(help="Studies with this seed.")] = None,
    run: Annotated[
        str | None,
        typer.Option(help="A run's id or its beginning, or a suite's name; else the newest."),
    ] = None,
    references: Annotated[
        bool, typer.Option("--references", help="Also the trials that measured the references.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="File to write; else named after the benchmark.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="NAME=VALUE", help="An option of the exporter; repeatable."
        ),
    ] = None,
    results: Annotated[
        Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")
    ] = Path("results"),
    listing: Annotated[
        bool, typer.Option("--list", help="List the formats; with one named, its options.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write studies on one benchmark to a file that another tool reads.

    The studies are those of the newest run that has any; tables go through `daybreak db export`.

    Example: daybreak export t4 --benchmark taco/spmm --optimizer random --out spmm.json
    """
    from daybreak.plugin import load_plugins

    registry = load_plugins()
    if listing or kind is None:
        list_kinds(registry, "exporter", kind, as_json=as_json)
        return
    registry.get("exporter", kind)
    from daybreak.run.exporting import Choice, choose_studies, export_studies

    choice = Choice(
        study=study,
        run=run,
        benchmark=benchmark,
        optimizer=optimizer,
        seed=seed,
        references=references,
    )
    studies = choose_studies(results, choice)
    report = export_studies(registry, kind, studies, out, options=option or ())
    row = {
        "kind": kind,
        "run_id": studies[0].run["run_id"],
        "studies": [one.study["study_id"] for one in studies],
        "benchmark": studies[0].benchmark["benchmark"],
        "files": [str(file) for file in report.files],
        "trials": report.trials,
        "left_out": dict(report.left_out),
        "notes": list(report.notes),
    }
    if as_json:
        print_json(row)
        return
    for note in report.notes:
        print_message(f"note: {note}")
    reasons = [f"{count} {reason}" for reason, count in report.left_out.items() if count]
    print_message(
        f"{report.trials} trials of {len(studies)} stud{'y' if len(studies) == 1 else 'ies'} of "
        f"{row['benchmark']} written to "
        + ", ".join(row["files"])
        + (f"; left out: {', '.join(reasons)}" if reasons else "")
    )
