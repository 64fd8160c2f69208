"""Rows of marks with bars: medians with intervals, one row per label, one panel per quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.scales import WIDE, logarithmic
from daybreak.report.figures.style import INK, Stroke, canvas, strokes, ticks, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Mark", "Rows", "draw_rows"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One row: a value with its interval, and the single values behind it.

    An end that is None is open: the bar goes to the panel's edge. A value of None says that there
    is none; then only the bar is drawn, and, where it is infinite (`never`), a mark at the edge.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    singles: tuple[float, ...] = ()
    words: str = ""
    never: bool = False


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
    wide: float = WIDE
    like: str = ""


def draw_rows(panels: Sequence[Rows], title: str, description: str, *, columns: int = 1) -> str:
    """Draw panels one below the other; labels have the colours of all other figures.

    With several `columns` the panels of a row have the same labels in the same order; the first
    panel's title heads the row.
    """
    styles = strokes(sorted({mark.label for panel in panels for mark in panel.marks}))
    lines = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    heights = [0.75 + 0.3 * max(1, len(line[0].marks)) for line in lines]
    with canvas(8.2, 0.2 + sum(heights)) as figure:
        grid: Any = figure.subplots(
            len(lines), columns, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for i, line in enumerate(lines):
            for column, panel in enumerate(line):
                axes = grid[i][column]
                alike = [one for one in panels if panel.like and one.like == panel.like] or [panel]
                _scale(axes, panel, alike)
                _marks(axes, panel, styles)
                axes.set_yticks(
                    [-row for row in range(len(panel.marks))],
                    [drawn_name(mark.label, 30 if columns == 1 else 20) for mark in panel.marks]
                    if column == 0
                    else [],
                )
                heading = drawn_name(panel.title, 72)
                tidy(axes, x=panel.x, title=heading, spills=columns > 1)
                if columns > 1:
                    axes.xaxis.label.set_fontsize(9)
            for column in range(len(line), columns):
                grid[i][column].set_visible(False)
        return to_svg(figure, title, description)


def _marks(axes: Axes, panel: Rows, styles: Mapping[str, Stroke]) -> None:
    left, right = axes.get_xlim()
    for row, mark in enumerate(panel.marks):
        y, color = -row, styles[mark.label].color
        if mark.value is not None or mark.low is not None or mark.high is not None:
            ends = (
                left if mark.low is None else mark.low, right if mark.high is None else mark.high,
            )  # fmt: skip
            axes.plot(ends, [y, y], color=color, linewidth=5, alpha=0.4, solid_capstyle="butt")
        if mark.singles:
            look = {"color": INK, "alpha": 0.6, "linewidth": 0.8}
            ticks(axes, mark.singles, y - 0.36, y - 0.14, **look)
        if mark.value is not None:
            axes.plot([mark.value], [y], marker="o", markersize=7, color=color)
        elif mark.never:
            axes.plot(
                [1.0], [y], marker=">", markersize=7, color=color, markerfacecolor="none",
                transform=axes.get_yaxis_transform(), clip_on=False,
            )  # fmt: skip
        if mark.words:
            axes.annotate(
                drawn_name(mark.words, 24), (1.02, y), xycoords=("axes fraction", "data"),
                va="center", fontsize=8.5,
            )  # fmt: skip
    if panel.line is not None:
        axes.axvline(panel.line, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
    axes.set_xlim(left, right)
    axes.set_ylim(-len(panel.marks) + 0.4, 0.6)
    axes.grid(visible=False, axis="y")


def _scale(axes: Axes, panel: Rows, alike: Sequence[Rows]) -> None:
    known = [
        value
        for one in alike
        for mark in one.marks
        for value in (mark.value, mark.low, mark.high, *mark.singles)
        if value is not None
    ]
    known += [] if panel.line is None else [panel.line]
    if not known:  # nothing got anywhere
        axes.set_xticks([])
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
