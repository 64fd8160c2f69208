"""Targets reached: distributions over targets and runs, and performance profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import canvas, legend, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from daybreak.analysis.hits import Distribution, Profile

__all__ = ["draw_ecdf", "draw_profile"]


def draw_ecdf(found: Sequence[Distribution], *, clock: str = "evaluations") -> str:
    """Draw the share of (study, target) pairs reached by each moment, with intervals."""
    styles = strokes([one.optimizer for one in found])
    with canvas(8.2, 4.2) as figure:
        axes = figure.subplots()
        for one in found:
            style = styles[one.optimizer]
            axes.fill_between(
                one.moments, one.low, one.high, step="post", color=style.color, alpha=0.16,
                linewidth=0,
            )  # fmt: skip
            axes.step(
                one.moments, one.share, where="post", color=style.color, linestyle=style.dash,
                linewidth=style.width, label=drawn_name(one.optimizer),
            )  # fmt: skip
        axes.set_ylim(0, 1.02)
        axes.set_xscale("log")
        ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n <= axes.get_xlim()[1]]
        axes.set_xticks(ticks, [str(n) for n in ticks])
        axes.minorticks_off()
        moments = (
            "evaluations"
            if clock == "evaluations"
            else "time, in evaluations that random search has by then"
        )
        tidy(axes, x=moments, y="share of targets reached")
        order = sorted(found, key=lambda one: float(one.share[-1]), reverse=True)
        legend(figure, axes, [one.optimizer for one in order])
        return to_svg(
            figure,
            "Targets reached",
            "A line per optimizer: share of (study, target) pairs reached; higher is better.",
        )


def draw_profile(found: Sequence[Profile]) -> str:
    """Draw the share of problems solved within a factor of the quickest optimizer."""
    styles = strokes([one.optimizer for one in found])
    longest = max((float(one.taus[-1]) for one in found if len(one.taus)), default=1.0)
    limit = min(max(longest, 2.0), 16.0)
    with canvas(8.2, 4.2) as figure:
        axes = figure.subplots()
        for one in found:
            style = styles[one.optimizer]
            axes.step(
                [*one.taus, max(limit, longest)], [*one.share, one.solved], where="post",
                color=style.color, linestyle=style.dash, linewidth=style.width,
                label=drawn_name(one.optimizer),
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xlim(1, limit)
        ticks = [n for n in (1, 1.5, 2, 3, 4, 8, 16) if n <= limit]
        axes.set_xticks(ticks, [f"{n:g}x" for n in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 1.02)
        tidy(axes, x="times the quickest optimizer's expected cost", y="share of problems solved")
        order = sorted(found, key=lambda one: (-float(one.share.sum()), one.optimizer))
        legend(figure, axes, [one.optimizer for one in order])
        return to_svg(
            figure,
            "Performance profile",
            "A line per optimizer: share of problems solved within a factor of the quickest.",
        )
