"""What a model believed during one study, beside what was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.report.figures.style import INK, canvas, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_beliefs"]

#: letters of a name in a legend
_LONGEST = 22
_MODEL, _MEASURED, _FAILED = "#3987c8", "#d55e00", "#cc79a7"


def draw_beliefs(
    rows: Sequence[Mapping[str, Any]], *, unit: str | None = None, direction: str = "minimize"
) -> str:
    """Draw the rows of the view `beliefs` of one study, in order of evaluation.

    Panels that nothing was said about are left out: predictions beside measurements, predicted
    against measured, probability to work, acquisition, lengthscales, importance.
    """
    panels = [
        draw
        for draw, key in (
            (_predictions, "mean"),
            (_calibration, "mean"),
            (_feasibility, "feasibility"),
            (_acquisition, "acquisition"),
            (_lengthscales, "lengthscales"),
            (_importance, "importance"),
        )
        if any(row.get(key) is not None for row in rows)
    ]
    height = math.ceil(len(panels) / 2)
    label = "objective" + (f" ({unit})" if unit else "")
    with canvas(8.6, 0.3 + 2.7 * max(height, 1)) as figure:
        grid: Any = figure.subplots(max(height, 1), 2, squeeze=False)
        for i in range(2 * max(height, 1)):
            axes = grid[i // 2][i % 2]
            if i < len(panels):
                panels[i](axes, rows, label, direction)
            else:
                axes.set_visible(False)
        return to_svg(
            figure,
            "What the model believed",
            "Predictions and measurements of one study, and how the model changed.",
        )


def _predictions(axes: Axes, rows: Sequence[Mapping[str, Any]], label: str, direction: str) -> None:
    import numpy as np

    said = [row for row in rows if row["mean"] is not None]
    x = [row["evaluation"] for row in said]
    mean = np.asarray([row["mean"] for row in said], dtype=float)
    deviation = np.asarray([row["deviation"] or 0.0 for row in said], dtype=float)
    axes.vlines(x, mean - deviation, mean + deviation, color=_MODEL, alpha=0.6, linewidth=2)
    axes.plot(x, mean, linestyle="", marker="_", color=_MODEL, label="predicted, one deviation")
    worked = [row for row in rows if row["objective"] is not None]
    values = [row["objective"] for row in worked]
    axes.plot(
        [row["evaluation"] for row in worked], values, linestyle="", marker="o", markersize=3.5,
        color=_MEASURED, label="measured",
    )  # fmt: skip
    best = np.maximum if direction == "maximize" else np.minimum
    if values:
        axes.step(
            [row["evaluation"] for row in worked], best.accumulate(values), where="post",
            color=INK, linewidth=1, label="best so far",
        )  # fmt: skip
    failed = [row["evaluation"] for row in rows if row["objective"] is None]
    if failed:
        top = axes.get_ylim()[1]
        axes.plot(failed, [top] * len(failed), "x", color=_FAILED, markersize=4, label="failed")
    if values and min(values) > 0 and max(values) > 20 * min(values) and (mean > 0).all():
        _logarithmic(axes)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes, x="evaluation", y=label, title="Predicted and measured")


def _calibration(
    axes: Axes, rows: Sequence[Mapping[str, Any]], label: str, _direction: str
) -> None:
    both = [row for row in rows if row["mean"] is not None and row["objective"] is not None]
    if both:
        axes.errorbar(
            [row["objective"] for row in both], [row["mean"] for row in both],
            yerr=[abs(row["deviation"] or 0.0) for row in both], fmt="o", markersize=3,
            color=_MODEL, ecolor=_MODEL, elinewidth=0.8, alpha=0.8,
        )  # fmt: skip
        ends = [
            min(min(row["objective"], row["mean"]) for row in both),
            max(max(row["objective"], row["mean"]) for row in both),
        ]
        axes.plot(ends, ends, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    tidy(axes, x=f"measured {label}", y="predicted", title="On the line: foreseen")


def _feasibility(
    axes: Axes, rows: Sequence[Mapping[str, Any]], _label: str, _direction: str
) -> None:
    for works, color, mark, name in (
        (True, _MEASURED, "o", "worked"),
        (False, _FAILED, "x", "failed"),
    ):
        own = [
            row
            for row in rows
            if row["feasibility"] is not None and (row["status"] != "failed") == works
        ]
        axes.plot(
            [row["evaluation"] for row in own], [row["feasibility"] for row in own],
            linestyle="", marker=mark, markersize=4, color=color, label=name,
        )  # fmt: skip
    axes.set_ylim(-0.03, 1.03)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes, x="evaluation", y="probability to work", title="Feasibility, as believed")


def _acquisition(
    axes: Axes, rows: Sequence[Mapping[str, Any]], _label: str, _direction: str
) -> None:
    said = [row for row in rows if row["acquisition"] is not None]
    values = [float(row["acquisition"]) for row in said]
    axes.plot([row["evaluation"] for row in said], values, color=_MODEL, linewidth=1.4)
    if values and min(values) > 0:
        _logarithmic(axes)
    tidy(axes, x="evaluation", y="acquisition", title="What the next was worth trying")


def _lengthscales(
    axes: Axes, rows: Sequence[Mapping[str, Any]], _label: str, _direction: str
) -> None:
    axes.set_yscale("log")
    _curves(axes, rows, "lengthscales")
    _logarithmic(axes)
    tidy(axes, x="evaluation", y="lengthscale", title="Lengthscales (short: matters)")


def _importance(
    axes: Axes, rows: Sequence[Mapping[str, Any]], _label: str, _direction: str
) -> None:
    _curves(axes, rows, "importance")
    axes.set_ylim(bottom=0)
    tidy(axes, x="evaluation", y="importance", title="Importance of parameters")


def _curves(axes: Axes, rows: Sequence[Mapping[str, Any]], key: str) -> None:
    """Draw a line per name of a JSON mapping; the eight that vary most or are largest at the end."""
    said = [(int(row["evaluation"]), _mapping(row[key])) for row in rows if row[key] is not None]
    names = sorted({name for _, values in said for name in values})
    last = said[-1][1] if said else {}
    smallest_first = key == "lengthscales"
    names.sort(key=lambda name: last.get(name, math.inf) * (1 if smallest_first else -1))
    styles = strokes(names[:8])
    for name in names[:8]:
        points = [(x, values[name]) for x, values in said if name in values]
        style = styles[name]
        label = _shortened(name)
        axes.plot(*zip(*points, strict=True), color=style.color, linewidth=1.4, label=label)
    _make_room(axes, lines=math.ceil(min(len(names), 8) / 2), log=smallest_first)
    drawn = axes.legend(
        frameon=False, fontsize=7.5, ncols=2, loc="lower left" if smallest_first else "upper left"
    )
    # else the layout gives the panel's width to the names
    drawn.set_in_layout(False)


def _make_room(axes: Axes, *, lines: int, log: bool) -> None:
    """Leave room for so many lines of a legend: below, or above where everything begins at zero."""
    low, high = axes.get_ylim()
    share = 0.09 * lines
    if log and low > 0:
        axes.set_ylim(bottom=low / (high / low) ** (share / (1 - share)))
    elif not log:
        axes.set_ylim(top=high / (1 - share))


def _shortened(name: str) -> str:
    """Return a name that fits into a panel; a constraint's quantity can be a long formula."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 6]}…{name[-5:]}"


def _logarithmic(axes: Axes) -> None:
    """Make the upright axis logarithmic, with at least two plain numbers on it."""
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = high < 100 * low
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def _mapping(value: Any) -> dict[str, float]:
    """Return a JSON mapping from names to finite numbers."""
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        return {}
    return {
        str(name): float(number)
        for name, number in found.items()
        if isinstance(number, int | float) and math.isfinite(number)
    }
