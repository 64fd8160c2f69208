"""Rows of marks with bars: medians with intervals, one row per label, one panel per quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.report.figures.lines import logarithmic
from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import INK, canvas, strokes, ticks, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Mark", "Rows", "draw_rows"]

# a logarithmic axis pays from this ratio on
_WIDE = 30.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One row: a value with its interval, and the single values behind it.

    An end that is None is open: the bar goes to the panel's edge. A value of None says that there
    is none, e.g. the median of runs most of which never arrive; then only the bar is drawn.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    singles: tuple[float, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A panel.

    Attributes:
        title: its heading.
        marks: rows from top to bottom.
        x: what the axis shows, with unit.
        log: whether the axis may be logarithmic.
        line: a value to compare with.
        wide: it is, where the largest value is so many times the smallest.
        like: panels with the same word have the same scale.
    """

    title: str
    marks: Sequence[Mark]
    x: str
    log: bool = False
    line: float | None = None
    wide: float = _WIDE
    like: str = ""


def draw_rows(panels: Sequence[Rows], title: str, description: str) -> str:
    """Draw panels one below the other; labels have the colours of all other figures."""
    styles = strokes(sorted({mark.label for panel in panels for mark in panel.marks}))
    heights = [0.75 + 0.3 * max(1, len(panel.marks)) for panel in panels]
    with canvas(8.2, 0.2 + sum(heights)) as figure:
        grid: Any = figure.subplots(
            len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for i, panel in enumerate(panels):
            axes = grid[i][0]
            alike = [one for one in panels if panel.like and one.like == panel.like] or [panel]
            _scale(axes, panel, alike)
            left, right = axes.get_xlim()
            for row, mark in enumerate(panel.marks):
                y, color = -row, styles[mark.label].color
                if mark.value is not None or mark.low is not None or mark.high is not None:
                    ends = (
                        left if mark.low is None else mark.low,
                        right if mark.high is None else mark.high,
                    )
                    axes.plot(
                        ends, [y, y], color=color, linewidth=5, alpha=0.4, solid_capstyle="butt"
                    )
                if mark.singles:
                    look = {"color": INK, "alpha": 0.6, "linewidth": 0.8}
                    ticks(axes, mark.singles, y - 0.36, y - 0.14, **look)
                if mark.value is not None:
                    axes.plot([mark.value], [y], marker="o", markersize=7, color=color)
                if mark.words:
                    axes.annotate(
                        drawn_name(mark.words, 24), (1.01, y), xycoords=("axes fraction", "data"), va="center",
                        fontsize=8.5,
                    )  # fmt: skip
            if panel.line is not None:
                axes.axvline(panel.line, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
            axes.set_xlim(left, right)
            axes.set_ylim(-len(panel.marks) + 0.4, 0.6)
            axes.set_yticks(
                [-row for row in range(len(panel.marks))],
                [drawn_name(mark.label, 30) for mark in panel.marks],
            )
            axes.grid(visible=False, axis="y")
            tidy(axes, x=panel.x, title=drawn_name(panel.title, 90))
        return to_svg(figure, title, description)


def _scale(axes: Axes, panel: Rows, alike: Sequence[Rows]) -> None:
    known = [
        value
        for one in alike
        for mark in one.marks
        for value in (mark.value, mark.low, mark.high, *mark.singles)
        if value is not None
    ]
    known += [] if panel.line is None else [panel.line]
    if not known:
        return
    least, most = min(known), max(known)
    if panel.log and least > 0 and most > panel.wide * least:
        axes.set_xlim(least / 1.25, most * 1.25)
        logarithmic(axes, "x")
        return
    if least == most == 0:
        axes.set_xlim(-0.02, 1)
        return
    room = 0.05 * (most - least) or 0.05 * abs(most)
    # zero belongs to a scale of sizes unless that leaves nothing to see
    if least >= 0 and most > 0 and least < 0.6 * most:
        axes.set_xlim(-0.01 * most, most + room)
    else:
        axes.set_xlim(least - room, most + room)
