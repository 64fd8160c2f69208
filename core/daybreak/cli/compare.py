"""`daybreak compare`: is one optimizer better than another?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daybreak.cli.output import print_json, print_message

if TYPE_CHECKING:
    from daybreak.analysis.comparison import Comparison

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `compare` to `app`."""
    app.command("compare")(_compare)


def _compare(
    a: Annotated[str, typer.Argument(help="Label of an optimizer.")],
    b: Annotated[str, typer.Argument(help="Label of another.")],
    results: Annotated[
        Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")
    ] = Path("results"),
    run: Annotated[
        str | None, typer.Option(help="A run's id; the newest with both if left out.")
    ] = None,
    level: Annotated[float, typer.Option(help="Significance level.", min=1e-6, max=0.5)] = 0.05,
    at: Annotated[
        int | None, typer.Option(help="Compare after so many evaluations, not at the end.", min=1)
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="best, hypervolume (several objectives), score (known landscapes) or "
            "evaluations-to-target; best, or hypervolume where there are several objectives, if left "
            "out."
        ),
    ] = None,
    target: Annotated[
        str, typer.Option(help="For evaluations-to-target: gap-0.5 to gap-1.0, or a threshold.")
    ] = "gap-0.9",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether A beats B, by how much and how surely; refuse to conclude from too few pairs.

    Results are paired by benchmark and seed. The ratio is B's result over A's, oriented so that
    above 1 A is better; scores, and shares of the hypervolume where a benchmark has several
    objectives, are compared by their difference, above 0 A is better. The test is the exact
    sign-flip permutation test. Over all benchmarks two statements are made: one about
    these benchmarks, one about others, for which each benchmark is a single observation.

    Example: daybreak compare random random-path --at 20 --results results
    """
    from daybreak.analysis.pairing import compare

    found = compare(a, b, results, run=run, level=level, at=at, metric=metric, target=target)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    when = "" if at is None else f" after {at} evaluations"
    for kind in dict.fromkeys(one.metric for one in found):
        what = {
            "hypervolume": "shares of the joint front's hypervolume",
            "score": "scores",
            "evaluations-to-target": f"evaluations to {target}",
        }.get(kind, "best results")
        better = "0" if kind in ("score", "hypervolume") else "1"
        print_message(
            f"{a} against {b}: {what}{when}, paired by benchmark and seed; "
            f"above {better}, {a} is better"
        )
    for one in found:
        alone = one.objectives and one.metric != "hypervolume"
        typer.echo(one.benchmark + (f", {one.objectives[0]} alone" if alone else ""))
        if one.elsewhere is None:
            typer.echo(f"  {_sentence(one.comparison, a, b)}")
        else:
            typer.echo(f"  on these benchmarks: {_sentence(one.comparison, a, b)}")
            typer.echo(f"  on other benchmarks: {_sentence(one.elsewhere, a, b, numbers=False)}")
        lacking = "did not reach it" if metric == "evaluations-to-target" else "has no valid result"
        for name, missing in ((a, one.missing_a), (b, one.missing_b)):
            if missing:
                typer.echo(f"  {name} alone {lacking} in {missing} pairs")


def _sentence(found: Comparison, a: str, b: str, *, numbers: bool = True) -> str:
    """Return the outcome in words; `numbers` False: the ratio only with an interval to it."""
    parts = []
    value, name = (
        (found.difference, "difference") if found.ratio is None else (found.ratio, "ratio")
    )
    if value is not None and (numbers or found.low is not None):
        interval = ""
        if found.low is not None and found.high is not None:
            percent = f"{100 * (1 - found.level):g} %"
            interval = f" [{found.low:.3g}, {found.high:.3g}] ({percent} interval)"
        parts.append(f"{name} {value:.3g}{interval}")
    verdict = {"a": f"{a} is ", "b": f"{b} is "}.get(found.verdict, "")
    parts.append(verdict + found.reason)
    return "; ".join(parts)
