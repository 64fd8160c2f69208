"""`daybreak analyze`: which optimizer to trust, how long training takes and why, from a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.output import print_json, print_message, print_table
from daybreak.cli.sql import problems_told

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `analyze` to `app`."""
    app.command("analyze")(_analyze)


def _analyze(
    name: Annotated[
        str | None,
        typer.Argument(
            help="score, ranks, time-to-accuracy, factors, ...; shootout: all of a search; training: "
            "all of training runs; none: list them."
        ),
    ] = None,
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
    at: Annotated[
        str, typer.Option(help="Numbers of evaluations, e.g. 20,60,200; the usual if left out.")
    ] = "",
    clock: Annotated[
        str | None,
        typer.Option(
            help="Of a search: evaluations, or seconds (on known landscapes). Of training: train_s, "
            "wall_s, epochs, steps, evaluations, dollars, joules; the usual if left out."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="For speedup, factors, mlperf: the optimizer or entry to measure others against."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="For time-to-target: gap-0.5 to gap-1.0, or expert. Of training: names of thresholds."
        ),
    ] = None,
    of: Annotated[
        str | None,
        typer.Option(help="Of training: time runs, or whole studies; runs if there are any."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(help="Of training: compare by label, or each configuration by itself."),
    ] = "label",
    parameter: Annotated[
        str | None, typer.Option(help="For scaling: over which parameter, e.g. threads.")
    ] = None,
    thresholds: Annotated[
        str, typer.Option(help="For thresholds, rank-stability: values, e.g. 0.9,0.93,0.94.")
    ] = "",
    level: Annotated[
        float, typer.Option(help="1 minus the confidence of intervals.", min=1e-3, max=0.5)
    ] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    update: Annotated[
        Path | None, typer.Option(help="Write the marked tables of this Markdown page anew.")
    ] = None,
) -> None:
    """Answer what a run says, with intervals.

    Of a search: which optimizer to trust at a budget. Of training runs, imported ones too: how long,
    how surely, why faster, at what cost.

    Example: daybreak analyze score --at 20,60,200 --results results

    Example: daybreak analyze factors --against sequential
    """
    from daybreak.analysis.answers import GROUPS, QUESTIONS, Asked, answer
    from daybreak.report.answers import markdown_table, print_answer
    from daybreak.report.pages import parse_numbers, update_page

    if name is None and update is None:
        rows = [{"name": q.name, "question": q.summary} for q in QUESTIONS.values()]
        rows += [{"name": name, "question": summary} for name, summary in GROUPS.items()]
        print_table(rows, ("name", "question"), as_json=as_json)
        return
    asked = Asked(
        run=run,
        benchmark=benchmark,
        at=parse_numbers(at),
        clock=clock,
        against=against,
        targets=tuple(target.split(",")) if target else (),
        level=level,
        of=of,
        by=by,
        parameter=parameter,
        thresholds=_values(thresholds),
    )
    with problems_told():
        if update is not None:
            print_message(f"{update}: {update_page(update, results, asked)} tables written anew")
            return
        found = answer(name or "shootout", results, asked)
    if as_json:
        print_json([asdict(one) for one in found])
    elif as_markdown:
        typer.echo("\n\n".join(f"### {one.title}\n\n{markdown_table(one)}" for one in found))
    else:
        for one in found:
            print_answer(one)


def _values(text: str) -> tuple[float, ...]:
    from daybreak.errors import UserError

    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UserError(
            f"'{text}' is no list of thresholds", expected="numbers such as 0.9,0.93,0.94"
        ) from None
