"""Panels of lines with bands: learning curves, best so far, thresholds, survival."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from daybreak.report.bands import Band
from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import INK, Stroke, canvas, key, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Level", "Panel", "draw_panels"]

# a logarithmic axis pays from this ratio on
_WIDE = 30.0
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
    step: Literal["post"] | None = "post" if panel.steps else None
    top = _top(panel)
    for line in panel.lines:
        style = styles[line.label]
        look: dict[str, Any] = {"color": style.color, "linewidth": 0}
        # bands upon bands are mud: the more lines, the less is drawn of each
        if len(panel.lines) <= _FEW:
            axes.fill_between(line.x, line.outer_low, line.outer_high, step=step, alpha=0.1, **look)
        faint = 0.22 if len(panel.lines) <= _FEW else 0.13
        high = _closed(line.high, top)
        axes.fill_between(line.x, line.low, high, step=step, alpha=faint, **look)
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
    _scales(axes, panel)
    _crop(axes, panel)
    _levels(axes, panel.levels)
    if panel.share:
        axes.set_ylim(-0.02, 1.03)
    tidy(axes, x=panel.x, y=panel.y, title=drawn_name(panel.title, 90 if alone else 44))
    if not alone:
        axes.title.set_fontsize(10)


def _levels(axes: Axes, levels: Sequence[Level]) -> None:
    """Draw lines across, with their names to the right, pushed apart where they are close."""
    low, high = axes.get_ylim()
    log = axes.get_yscale() == "log"
    free = 1.06
    for level in sorted(levels, key=lambda one: -one.value):
        axes.axhline(level.value, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        if log:
            share = math.log(max(level.value, 1e-300) / low) / math.log(high / low)
        else:
            share = (level.value - low) / (high - low)
        if not -0.01 <= share <= 1.01:
            continue
        free = min(share, free - 0.07)
        axes.text(
            1.01, free, drawn_name(level.name, 20), fontsize=8, va="center",
            transform=axes.transAxes,
        )  # fmt: skip


def _top(panel: Panel) -> float | None:
    """Return a value above all others where a band has no upper end, else None."""
    import numpy as np

    ends = [line.high for line in panel.lines]
    if not any(bool(np.isposinf(end).any()) for end in ends):
        return None
    known = np.concatenate([*ends, *(line.middle for line in panel.lines)])
    return 1.15 * float(np.max(known[np.isfinite(known)], initial=0.0))


def _closed(values: Any, top: float | None) -> Any:
    import numpy as np

    return values if top is None else np.where(np.isposinf(values), top, values)


def _points(values: Any) -> int:
    import numpy as np

    return int(np.isfinite(values).sum())


def _scales(axes: Axes, panel: Panel) -> None:
    """Make axes logarithmic where values span decades and none is zero or below."""
    import numpy as np

    for wanted, axis, values in (
        (panel.log_x, "x", [line.x[np.isfinite(line.middle)] for line in panel.lines]),
        (panel.log_y, "y", [line.middle for line in panel.lines]),
    ):
        known = np.concatenate([*(np.asarray(v, dtype=float) for v in values), np.empty(0)])
        known = known[np.isfinite(known)]
        if not wanted or not len(known):
            continue
        if axis == "y" and panel.levels:
            known = np.append(known, [level.value for level in panel.levels])
        if known.min() > 0 and known.max() > _WIDE * known.min():
            logarithmic(axes, axis)


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


def logarithmic(axes: Axes, axis: str) -> None:
    """Make an axis logarithmic, with plain numbers on it."""
    from matplotlib.ticker import LogLocator

    (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
    drawn = axes.xaxis if axis == "x" else axes.yaxis
    low, high = axes.get_xlim() if axis == "x" else axes.get_ylim()
    few = high < 100 * max(low, 1e-300)
    drawn.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    drawn.set_major_formatter(plain)
    drawn.set_minor_locator(LogLocator(subs=()))


def plain(value: float, _place: float = 0.0) -> str:
    """Return a number of an axis without powers of ten where it stays short."""
    return f"{value:g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{value:.0e}"
