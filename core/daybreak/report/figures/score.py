"""Score over the budget: the mean over benchmarks, and a panel for each benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import INK, Stroke, canvas, legend, strokes, tidy
from daybreak.report.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from daybreak.analysis.scores import ScoreCurve

__all__ = ["draw_score", "draw_score_by_benchmark"]

# early scores plunge where a first draw is bad: what matters lies above
_LOWEST = -0.5


def draw_score(found: Sequence[ScoreCurve], *, clock: str = "evaluations") -> str:
    """Draw mean scores with their intervals over seeds; from `daybreak.analysis.scores`."""
    styles = strokes([one.optimizer for one in found])
    with canvas(8.2, 4.4) as figure:
        axes = figure.subplots()
        _lines(axes, found, styles)
        tidy(axes, x=_clock(clock), y="mean score")
        _ends(axes)
        legend(figure, axes, _order(found))
        return to_svg(
            figure,
            "Mean score over the budget",
            "A line per optimizer with a band for its interval; 0 is random search, 1 the optimum.",
        )


def draw_score_by_benchmark(
    found: Mapping[str, Sequence[ScoreCurve]], *, clock: str = "evaluations"
) -> str:
    """Draw a panel for each benchmark, by its full name."""
    names = list(found)
    styles = strokes(sorted({one.optimizer for each in found.values() for one in each}))
    columns = min(2, len(names))
    rows = math.ceil(len(names) / columns)
    with canvas(8.2, 0.8 + 2.5 * rows) as figure:
        panels: Any = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for i, name in enumerate(names):
            axes = panels[i // columns][i % columns]
            _lines(axes, found[name], styles)
            _ends(axes)
            tidy(
                axes,
                title=drawn_name(name, 44),
                x=_clock(clock) if i // columns == rows - 1 else "",
                y="score" if i % columns == 0 else "",
            )
        for i in range(len(names), rows * columns):
            panels[i // columns][i % columns].set_visible(False)
        fullest = max(found.values(), key=len)
        place = names.index(next(name for name in names if found[name] is fullest))
        legend(figure, panels[place // columns][place % columns], _order(fullest))
        return to_svg(
            figure,
            "Score over the budget, by benchmark",
            "A panel per benchmark, a line per optimizer with a band for its interval.",
        )


def _lines(axes: Axes, found: Sequence[ScoreCurve], styles: Mapping[str, Stroke]) -> None:
    import numpy as np

    for one in found:
        style = styles[one.optimizer]
        x = np.arange(1, len(one.mean) + 1)
        axes.fill_between(x, one.low, one.high, color=style.color, alpha=0.16, linewidth=0)
        axes.plot(
            x, one.mean, color=style.color, linestyle=style.dash, linewidth=style.width,
            label=drawn_name(one.optimizer),
        )  # fmt: skip


def _ends(axes: Axes) -> None:
    import numpy as np

    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    lowest = min((float(np.nanmin(y)) for y in drawn if len(y)), default=0.0)
    axes.set_ylim(max(_LOWEST, min(lowest, 0.0) - 0.05), 1.03)
    for height in (0.0, 1.0):
        axes.axhline(height, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))


def _order(found: Sequence[ScoreCurve]) -> list[str]:
    import numpy as np

    def last(one: ScoreCurve) -> float:
        known = one.mean[~np.isnan(one.mean)]
        return float(known[-1]) if len(known) else -math.inf

    return [one.optimizer for one in sorted(found, key=last, reverse=True)]


def _clock(clock: str) -> str:
    return (
        "evaluations"
        if clock == "evaluations"
        else "time, in evaluations that random search has by then"
    )
