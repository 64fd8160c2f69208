"""Two quantities against each other, of which less, or more, is better: who is on the front?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.scales import WIDE, logarithmic
from daybreak.report.figures.style import INK, Stroke, canvas, dots, key, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cloud", "Point", "draw_clouds"]

# so many points have marks of their own
_MARKS = 150


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a label, with intervals where known; `front`: no other point beats it."""

    label: str
    x: float
    y: float
    x_ends: tuple[float, float] | None = None
    y_ends: tuple[float, float] | None = None
    front: bool = False


@dataclass(frozen=True, slots=True)
class Cloud:
    """A panel of points; `x` and `y` name what the axes show, with unit and what is better."""

    title: str
    points: Sequence[Point]
    x: str
    y: str


def draw_clouds(clouds: Sequence[Cloud], title: str, description: str) -> str:
    """Draw panels; points on the front are filled and joined."""
    names = sorted({point.label for cloud in clouds for point in cloud.points})
    styles = strokes(names)
    many = sum(len(cloud.points) for cloud in clouds) > _MARKS
    columns, alone = min(2, len(clouds)), len(clouds) == 1
    rows = math.ceil(len(clouds) / columns)
    with canvas(8.2, 4.4 if len(clouds) == 1 else 0.6 + 3.0 * rows) as figure:
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        for i in range(rows * columns):
            axes = grid[i // columns][i % columns]
            if i >= len(clouds):
                axes.set_visible(False)
                continue
            cloud = clouds[i]
            front = sorted((point.x, point.y) for point in cloud.points if point.front)
            if len(front) > 1:
                axes.plot(*zip(*front, strict=True), color=INK, linewidth=0.8, alpha=0.7, zorder=1)
            for point in cloud.points:
                color = styles[point.label].color
                for ends, place in ((point.x_ends, point.y), (point.y_ends, point.x)):
                    if ends is not None:
                        line = axes.hlines if ends is point.x_ends else axes.vlines
                        line(place, *ends, color=color, linewidth=1.4, alpha=0.6)
            _points(axes, cloud, styles, many=many)
            if len(clouds) > 1:
                axes.locator_params(axis="x", nbins=5)
            _scales(axes, cloud)
            heading = drawn_name(cloud.title, 90 if alone else 46)
            tidy(axes, x=cloud.x, y=cloud.y, title=heading, small=not alone)
        from matplotlib.lines import Line2D

        key(
            figure,
            [
                (name, Line2D([], [], marker="o", linestyle="", color=styles[name].color))
                for name in names
            ],
            below=len(clouds) > 1,
        )
        return to_svg(figure, title, description)


def _points(axes: Axes, cloud: Cloud, styles: Mapping[str, Stroke], *, many: bool) -> None:
    """Draw the points: filled on the front, hollow elsewhere; plain dots where there are many."""
    groups: dict[tuple[str, bool], list[Point]] = {}
    for point in cloud.points:
        groups.setdefault((point.label, point.front), []).append(point)
    for (label, front), points in sorted(groups.items()):
        color = styles[label].color
        x, y = [point.x for point in points], [point.y for point in points]
        if many:
            dots(axes, x, y, color=color, alpha=1.0 if front else 0.6, markersize=6 if front else 4)
            continue
        axes.plot(
            x, y, marker="o", linestyle="", markersize=7 if front else 5.5, markeredgecolor=color,
            markerfacecolor=color if front else "none",
        )  # fmt: skip


def _scales(axes: Axes, cloud: Cloud) -> None:
    for axis in ("x", "y"):
        known = [point.x if axis == "x" else point.y for point in cloud.points]
        ends = [point.x_ends if axis == "x" else point.y_ends for point in cloud.points]
        known += [end for pair in ends if pair is not None for end in pair]
        known = [value for value in known if math.isfinite(value)]
        if known and min(known) > 0 and max(known) > WIDE * min(known):
            logarithmic(axes, axis)
