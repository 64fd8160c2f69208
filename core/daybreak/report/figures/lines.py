"""Panels of lines with bands: learning curves, best so far, thresholds, survival."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from daybreak.report.bands import Band
from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.scales import WIDE, logarithmic, near_one, spread
from daybreak.report.figures.style import INK, Stroke, canvas, key, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Level", "Panel", "draw_panels"]

# lines of one panel for which all bands and single curves are drawn
_FEW = 5


@dataclass(frozen=True, slots=True)
class Level:
    """A line across a panel at `value`: a target, a reference."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: its heading, of any length.
        lines: bands of its labels.
        x: what the horizontal axis shows, with unit.
        y: what the upright one shows, with unit.
        levels: lines across it.
        share: the upright axis is a share, from 0 to 1.
        log_x: whether the horizontal axis may be logarithmic where values span decades.
        log_y: whether the upright one may.
        one_x: whether the horizontal axis holds shares of which the last per cent matter.
        one_y: whether the upright one does.
        turned: what is hard, not what is large, is to the right.
        cut: single curves may end beyond the right edge, which lies where medians end.
        whole: the horizontal axis counts.
        steps: values hold until the next point; else points are joined by straight lines.
        settled: the upright axis need not reach what medians were only before this share of their
            way, such as a search's first draws.
        dots: points are marked.
    """

    title: str
    lines: Sequence[Band]
    x: str
    y: str
    levels: Sequence[Level] = ()
    share: bool = False
    log_x: bool = False
    log_y: bool = False
    one_x: bool = False
    one_y: bool = False
    turned: bool = False
    cut: bool = False
    whole: bool = False
    steps: bool = True
    settled: float = 0.0
    dots: bool = False


def draw_panels(
    panels: Sequence[Panel], title: str, description: str, *, order: Sequence[str] = ()
) -> str:
    """Draw panels with one legend; `order` sorts its labels. One panel takes the whole width."""
    names = sorted({line.label for panel in panels for line in panel.lines})
    styles = strokes(names)
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    with canvas(8.2, 4.2 if len(panels) == 1 else 0.6 + 2.6 * rows) as figure:
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        for i in range(rows * columns):
            axes = grid[i // columns][i % columns]
            if i < len(panels):
                _panel(axes, panels[i], styles, alone=len(panels) == 1)
            else:
                axes.set_visible(False)
        places = {name: i for i, name in enumerate(order)}
        ranked = sorted(names, key=lambda name: (places.get(name, len(places)), name))
        key(figure, [(name, _handle(styles[name])) for name in ranked], below=len(panels) > 1)
        return to_svg(figure, title, description)


def _handle(style: Stroke) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=style.color, linestyle=style.dash, linewidth=style.width)


def _panel(axes: Axes, panel: Panel, styles: Mapping[str, Stroke], *, alone: bool) -> None:
    for line in panel.lines:
        style = styles[line.label]
        drawn: Any = axes.step if panel.steps else axes.plot
        extra = {"where": "post"} if panel.steps else {}
        for x, y in line.singles if len(line.singles) > 1 and len(panel.lines) <= _FEW else ():
            drawn(x, y, color=style.color, linewidth=0.6, alpha=0.55, **extra)
        # a line with a single point would not be seen
        mark = "o" if panel.dots or _points(line.middle) == 1 else ""
        drawn(
            line.x, line.middle, color=style.color, linestyle=style.dash, linewidth=style.width,
            marker=mark, markersize=4, **extra,
        )  # fmt: skip
    _make_room(axes, panel)
    _scales(axes, panel)
    _crop(axes, panel)
    _cut(axes, panel)
    _bands(axes, panel, styles)
    _levels(axes, panel.levels, gap=0.05 if alone else 0.085)
    if panel.share:
        axes.set_ylim(-0.02, 1.03)
    if panel.turned:
        axes.invert_xaxis()
    heading = drawn_name(panel.title, 90 if alone else 46)
    tidy(axes, x=panel.x, y=panel.y, title=heading, small=not alone)


def _levels(axes: Axes, levels: Sequence[Level], *, gap: float) -> None:
    """Draw lines across, with their names to the right, pushed apart where they are close."""
    data = axes.transData + axes.transAxes.inverted()
    left = axes.get_xlim()[0]
    named = []
    for level in levels:
        axes.axhline(level.value, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        share = float(data.transform((left, level.value))[1])
        if -0.01 <= share <= 1.01:
            named.append((share, level.name))
    named.sort()
    places = spread([share for share, _ in named], gap, 1.02)
    for (share, name), place in zip(named, places, strict=True):
        look: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
        axes.plot([1.0, 1.025], [share, place], color=INK, linewidth=0.6, alpha=0.7, **look)
        axes.text(1.03, place, drawn_name(name, 20), fontsize=8, va="center", **look)


def _bands(axes: Axes, panel: Panel, styles: Mapping[str, Stroke]) -> None:
    """Draw bands behind the lines; one that is open at an end goes to the panel's edge."""
    limits = axes.get_xlim(), axes.get_ylim()
    step: Literal["post"] | None = "post" if panel.steps else None
    few = len(panel.lines) <= _FEW  # bands upon bands are mud: the more lines, the less of each
    for line in panel.lines:
        for low, high, alpha in (
            (line.outer_low, line.outer_high, 0.1 if few else 0.0),
            (line.low, line.high, 0.22 if few else 0.13),
        ):
            if alpha:
                axes.fill_between(
                    line.x,
                    _closed(low, limits[1]),
                    _closed(high, limits[1]),
                    step=step,
                    alpha=alpha,
                    color=styles[line.label].color,
                    linewidth=0,
                )
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])


def _closed(values: Any, edges: tuple[float, float]) -> Any:
    import numpy as np

    return np.where(np.isposinf(values), edges[1], np.where(np.isneginf(values), edges[0], values))


def _make_room(axes: Axes, panel: Panel) -> None:
    """Let axes reach what bands, which are drawn later, reach."""
    import numpy as np

    for line in panel.lines:
        for ends in (line.low, line.high):
            there = np.isfinite(ends)
            if there.any():
                axes.update_datalim(np.column_stack([line.x[there], ends[there]]))
    axes.autoscale_view()


def _points(values: Any) -> int:
    import numpy as np

    return int(np.isfinite(values).sum())


def _scales(axes: Axes, panel: Panel) -> None:
    """Make axes logarithmic, or crowd them towards one, where values ask for it."""
    import numpy as np

    for wide, share, axis, values in (
        (panel.log_x, panel.one_x, "x", [line.x[~np.isnan(line.middle)] for line in panel.lines]),
        (
            panel.log_y, panel.one_y, "y",
            [ends for line in panel.lines for ends in (line.middle, line.low, line.high)],
        ),
    ):  # fmt: skip
        known = np.concatenate([*(np.asarray(v, dtype=float) for v in values), np.empty(0)])
        known = known[np.isfinite(known)]
        if axis == "y" and panel.levels:
            known = np.append(known, [level.value for level in panel.levels])
        if axis == "x" and panel.whole:
            from matplotlib.ticker import MaxNLocator

            axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        if not len(known):
            continue
        if axis == "x" and panel.share:  # everything begins at zero
            known = known[known > 0] if (known > 0).any() else known
        if share and known.min() >= 0 and 0.9 <= known.max() <= 1 and known.min() < known.max():
            near_one(axes, axis, known)
        elif wide and known.min() > 0 and known.max() > WIDE * known.min():
            if axis == "x" and panel.share:
                axes.set_xlim(left=0.7 * float(known.min()))
            logarithmic(axes, axis)


def _cut(axes: Axes, panel: Panel) -> None:
    """End the horizontal axis a little beyond the last median."""
    import numpy as np

    ends = [float(line.x[~np.isnan(line.middle)].max(initial=0.0)) for line in panel.lines]
    last = max(ends, default=0.0)
    left, right = axes.get_xlim()
    if panel.cut and last > 0 and right > 1.5 * last:
        axes.set_xlim(left=-0.02 * last if left < 0 else left, right=1.2 * last)


def _crop(axes: Axes, panel: Panel) -> None:
    """Cut the upright axis off where nothing but the beginning of lines, or a band's tail, is."""
    import numpy as np

    if not panel.settled:
        return
    kept = [
        values[round(panel.settled * (len(line.x) - 1)) :]
        for line in panel.lines
        for values in (line.middle, line.low, line.high)
    ]
    known = np.concatenate(kept)
    known = known[np.isfinite(known)]
    if all(bool(np.isnan(line.middle).all()) for line in panel.lines):
        # medians are not to be had: single curves are all there is to see
        known = np.concatenate([known, *(y for line in panel.lines for _, y in line.singles)])
        known = known[np.isfinite(known)]
    if not len(known):
        return
    low, high = float(known.min()), float(known.max())
    if axes.get_yscale() == "log" and low > 0:
        room = (high / low) ** 0.06
        bottom, top = low / room, high * room
    else:
        room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
        bottom, top = low - room, high + room
    lowest, highest = axes.get_ylim()
    if bottom < top:
        axes.set_ylim(max(bottom, lowest), min(top, highest))
