"""`daybreak show` and `daybreak runs`: what came out."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daybreak.cli.output import print_json, print_message, print_table
from daybreak.cli.sql import problems_told
from daybreak.errors import StoreError

if TYPE_CHECKING:
    from daybreak.analysis.summary import RunOverview

__all__ = ["register", "show_run"]

_Results = Annotated[Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add `show` and `runs` to `app`."""
    app.command("show")(_show)
    group = typer.Typer(
        name="runs", help="The runs in a results folder.", no_args_is_help=True,
        rich_markup_mode=None,
    )  # fmt: skip
    group.command("list")(_list)
    app.add_typer(group)


def _show(
    run: Annotated[
        str | None,
        typer.Argument(help="A run's id or its beginning, or a suite's name; else the newest."),
    ] = None,
    results: _Results = Path("results"),
    as_json: _Json = False,
    svg: Annotated[
        Path | None, typer.Option(help="Write the leaderboard to this file as a picture.")
    ] = None,
) -> None:
    """Show a run's leaderboard: each optimizer against the references.

    Example: daybreak show quickstart --results results
    """
    show_run(results, run, as_json=as_json, svg=svg)


def _list(results: _Results = Path("results"), as_json: _Json = False) -> None:
    """List the runs, newest first.

    Example: daybreak runs list --results results
    """
    from daybreak.analysis.summary import list_run_rows

    with problems_told():
        rows = [asdict(row) for row in list_run_rows(results)]
    if not as_json:
        for row in rows:
            started = row["started_at"]
            row["started"] = None if started is None else f"{started:%Y-%m-%d %H:%M}"
            row["machine"] = (row["machine_id"] or "")[:8] or None
            row["evals"], row["failed"] = row["evaluations"], row["failures"]
    columns = ("run_id", "status", "started", "studies", "evals", "failed", "machine")
    print_table(rows, columns, as_json=as_json, right=("studies", "evals", "failed"))
    if not rows and not as_json:
        print_message("there are no runs yet; begin with: daybreak run quickstart")


def show_run(
    results: Path, run: str | None = None, *, as_json: bool = False, svg: Path | None = None
) -> None:
    """Print the leaderboard of `run`, or of the newest run; or write it to `svg` as a picture.

    Where several optimizers ran on a known landscape, their mean scores follow.

    Raises:
        StoreError: there is no such run, or the picture cannot be written.
    """
    from daybreak.analysis.answers import standing
    from daybreak.analysis.summary import summarize_run
    from daybreak.report.answers import print_answer
    from daybreak.report.leaderboard import print_leaderboard

    with problems_told():
        overview = summarize_run(results, run)
        scores = standing(results, overview.run.run_id)
    if as_json:
        print_json({**asdict(overview), "scores": None if scores is None else asdict(scores)})
        return
    if svg is not None:
        from daybreak.report.leaderboard import leaderboard_svg

        try:
            svg.write_text(leaderboard_svg(overview))
        except OSError as error:
            raise StoreError(
                f"the picture cannot be written: {error.strerror}", file=svg
            ) from error
        return
    _print_head(overview)
    print_leaderboard(overview)
    if scores is not None:
        print_answer(scores)
    for warning in overview.warnings:
        print_message(f"warning: {warning}")
    _print_next(results, overview, scored=scores is not None)


def _print_head(overview: RunOverview) -> None:
    run = overview.run
    words = [f"{run.suite or 'run'}: {run.run_id}, {run.status}"]
    if run.started_at is not None:
        words.append(f"begun {run.started_at:%Y-%m-%d %H:%M} UTC")
    words.append(run.counts)
    print_message("; ".join(words))


def _print_next(results: Path, overview: RunOverview, *, scored: bool) -> None:
    where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
    if overview.run.status == "interrupted":
        print_message(f"go on with it: daybreak run {overview.run.suite or 'SUITE'}{where}")
    names = sorted({o.optimizer for b in overview.benchmarks for o in b.optimizers})
    if scored:
        print_message(f"whom to trust at which budget? daybreak analyze shootout{where}")
    if len(names) > 1:
        print_message(f"is one better? daybreak compare {shlex.join(names[:2])}{where}")
    print_message(f"ask anything: daybreak sql{where} 'FROM leaderboard'")
