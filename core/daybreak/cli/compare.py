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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether A beats B, by how much and how surely; refuse to conclude from too few pairs.

    Results are paired by benchmark and seed. The ratio is B's result over A's, oriented so that
    above 1 A is better. The test is the exact sign-flip permutation test.

    Example: daybreak compare random random-path --results results
    """
    from daybreak.analysis.pairing import compare

    found = compare(a, b, results, run=run, level=level)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_message(f"{a} against {b}, paired by benchmark and seed; above 1, {a} is better")
    for one in found:
        typer.echo(one.benchmark)
        typer.echo(f"  {_sentence(one.comparison, a, b)}")
        for name, missing in ((a, one.missing_a), (b, one.missing_b)):
            if missing:
                typer.echo(f"  {name} alone has no valid result in {missing} more pairs")


def _sentence(found: Comparison, a: str, b: str) -> str:
    parts = []
    if found.ratio is not None:
        interval = ""
        if found.low is not None and found.high is not None:
            percent = f"{100 * (1 - found.level):g} %"
            interval = f" [{found.low:.3g}, {found.high:.3g}] ({percent} interval)"
        parts.append(f"ratio {found.ratio:.3g}{interval}")
    verdict = {"a": f"{a} is ", "b": f"{b} is "}.get(found.verdict, "")
    parts.append(verdict + found.reason)
    return "; ".join(parts)
