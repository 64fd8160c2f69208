"""`daybreak compare`: is one optimizer better than another?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.output import print_table

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

    words = {"a": f"{a} better", "b": f"{b} better"}
    rows = []
    for one in compare(a, b, results, run=run, level=level):
        found = one.comparison
        rows.append(
            {
                "benchmark": one.benchmark,
                "pairs": found.pairs,
                "ratio": _short(found.ratio),
                f"{100 * (1 - level):g} % interval": (
                    None if found.low is None else f"{_short(found.low)} to {_short(found.high)}"
                ),
                "p": _short(found.p),
                "verdict": words.get(found.verdict, found.verdict),
                "reason": found.reason,
                f"no result: {a}": one.missing_a or None,
                f"no result: {b}": one.missing_b or None,
            }
        )
    columns = list(rows[0]) if rows else ["benchmark"]
    print_table(rows, columns, as_json=as_json, right=("pairs", "ratio", "p"))


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"
