"""`daybreak report`: a run as a page, or its figures as files."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.output import print_message
from daybreak.cli.sql import problems_told
from daybreak.errors import UserError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `report` to `app`."""
    app.command("report")(_report)


def _report(
    out: Annotated[
        Path, typer.Option(help="FILE.html: one page that fetches nothing; a folder: SVG files.")
    ] = Path("report.html"),
    results: Annotated[
        Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")
    ] = Path("results"),
    run: Annotated[
        str | None,
        typer.Option(help="A run's id or its beginning, or a suite's name; else the newest."),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Only benchmarks that fit, e.g. 'replay/dedisp*'.")
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Id of the study whose model to look into.")
    ] = None,
    at: Annotated[
        str, typer.Option(help="Numbers of evaluations for tables and ranks, e.g. 20,60,200.")
    ] = "",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Write the page anew as results come in, until the run named by --run has ended, "
            "or Ctrl-C. Browsers read it again by themselves.",
        ),
    ] = False,
    every: Annotated[
        float, typer.Option(min=1.0, help="With --watch: seconds between two looks at the results.")
    ] = 5.0,
    update: Annotated[
        Path | None,
        typer.Option(help="Write the marked tables and figures of this Markdown page anew."),
    ] = None,
) -> None:
    """Write a run as one page: how long, how surely, why faster, at what cost; or its figures.

    The page is complete in itself: it fetches nothing, runs no script, and holds its data and the
    SQL behind each figure. Needs matplotlib: pip install 'daybreak[report]'.

    Example: daybreak report --out report.html --results results
    """
    from daybreak.analysis.answers import Asked
    from daybreak.report.making import make_report
    from daybreak.report.pages import marked_figures, parse_numbers, update_page
    from daybreak.report.watching import watch_report
    from daybreak.report.writing import write_report

    if update is not None and out.suffix in (".html", ".htm"):
        raise UserError(
            "a Markdown page needs its figures as files",
            expected="a folder: --out docs/figures --update docs/page.md",
        )
    if watch and update is not None:
        raise UserError("--watch writes a page, not the figures of a Markdown page")
    asked = Asked(run=run, benchmark=benchmark, at=parse_numbers(at))
    if watch:
        # an orderly end, whoever asks for it, leaves a page that browsers do not read again
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # what is amiss is told at once, not when the run has ended
        watch_report(results, out, asked, study, every_s=every, told=print_message)
        return
    with problems_told():
        report = make_report(results, asked, study)
    only = marked_figures(update) if update is not None else None
    for file in write_report(out, report, only=only):
        print_message(f"written: {file}")
    if update is not None:
        with problems_told():
            count = update_page(update, results, asked, figures=out, sections=report.sections)
        print_message(f"{update}: {count} tables and figures written anew")
