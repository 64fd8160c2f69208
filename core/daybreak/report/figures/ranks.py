"""Ranks: mean rank with its interval, and the rank on each benchmark as a mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import INK, canvas, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from daybreak.analysis.ranking import CriticalDifference, Rank

__all__ = ["draw_ranks"]

_MARKS = "o^sDvP*X<>"


def draw_ranks(means: Sequence[Rank], each: Sequence[Rank], judged: CriticalDifference) -> str:
    """Draw a row per optimizer, best on top; see `daybreak.analysis.ranking`."""
    styles = strokes([one.optimizer for one in means])
    benchmarks = sorted({one.benchmark for one in each})
    with canvas(8.2, 1.7 + 0.42 * len(means)) as figure:
        axes = figure.subplots()
        rows = {one.optimizer: len(means) - i for i, one in enumerate(means)}
        # below the mean, one after the other, so that equal ranks stay apart
        step = 0.32 / max(1, min(len(benchmarks), len(_MARKS)) - 1)
        for i, name in enumerate(benchmarks[: len(_MARKS)]):
            own = [one for one in each if one.benchmark == name and one.optimizer in rows]
            axes.plot(
                [one.rank for one in own], [rows[one.optimizer] - 0.14 - step * i for one in own],
                linestyle="", marker=_MARKS[i], markersize=4.5, markerfacecolor="none",
                markeredgecolor=INK, markeredgewidth=0.8, label=drawn_name(name),
            )  # fmt: skip
        for one in means:
            style, y = styles[one.optimizer], rows[one.optimizer]
            if one.interval.low is not None and one.interval.high is not None:
                axes.plot(
                    [one.interval.low, one.interval.high], [y, y], color=style.color, linewidth=4,
                    alpha=0.45, solid_capstyle="round",
                )  # fmt: skip
            axes.plot([one.rank], [y], marker="o", markersize=8, color=style.color, linestyle="")
        if judged.difference is not None and means:
            start, top = means[0].rank, len(means) + 0.7
            axes.plot([start, start + judged.difference], [top, top], color=INK, linewidth=2)
            axes.text(start, top + 0.12, "critical difference", fontsize=9)
        axes.set_yticks(list(rows.values()), [drawn_name(name, 30) for name in rows])
        axes.set_ylim(0.4, len(means) + (1.3 if judged.difference is not None else 0.6))
        axes.set_xlim(0.7, len(means) + 0.3)
        axes.set_xticks(range(1, len(means) + 1))
        axes.grid(visible=False, axis="y")
        at = means[0].at if means else 0
        tidy(axes, x=f"mean rank after {at} evaluations (1 is best)")
        if len(benchmarks) <= len(_MARKS):
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
        return to_svg(
            figure,
            "Ranks",
            "A row per optimizer: mean rank with its interval; hollow marks are single benchmarks.",
        )
