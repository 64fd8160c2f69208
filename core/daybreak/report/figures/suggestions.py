"""How long a suggestion takes, over the number of observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import canvas, legend, strokes, tidy
from daybreak.report.figures.svg import to_svg

__all__ = ["draw_suggestion_time"]

_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)
_NAMES = ("10 us", "100 us", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1000 s")


def draw_suggestion_time(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw rows of the view `suggestion_time`: medians, with the ninth decile as a thin bar.

    Each benchmark counts alike.
    """
    optimizers = sorted({str(row["optimizer"]) for row in rows})
    styles = strokes(optimizers)
    ends: dict[str, float] = {}
    with canvas(8.2, 4.2) as figure:
        axes = figure.subplots()
        for optimizer in optimizers:
            own = [row for row in rows if row["optimizer"] == optimizer]
            points = []
            for first in sorted({int(row["first_evaluation"]) for row in own}):
                cells = [row for row in own if row["first_evaluation"] == first]
                last = cells[0]["last_evaluation"] or 2 * first
                middle, high = (
                    max(1e-6, sum(float(row[name]) for row in cells) / len(cells))
                    for name in ("median_s", "p90_s")
                )
                points.append(((first + last) / 2 - 1, middle, high))
            style = styles[optimizer]
            x, middles, highs = zip(*points, strict=True)
            axes.plot(
                x, middles, color=style.color, linestyle=style.dash, linewidth=style.width,
                marker="o", markersize=4, label=drawn_name(optimizer),
            )  # fmt: skip
            axes.vlines(x, middles, highs, color=style.color, linewidth=1, alpha=0.7)
            axes.plot(x, highs, color=style.color, linestyle="", marker="_", markersize=7)
            ends[optimizer] = middles[-1]
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        # at least from one named number to the next
        low = min(low, max((tick for tick in _TICKS if tick <= high), default=low))
        high = max(high, min((tick for tick in _TICKS if tick > low), default=high))
        axes.set_ylim(low, high)
        shown = [i for i, tick in enumerate(_TICKS) if low <= tick <= high]
        axes.set_yticks([_TICKS[i] for i in shown], [_NAMES[i] for i in shown])
        axes.minorticks_off()
        axes.set_xlim(left=0)
        tidy(axes, x="observations that the optimizer has", y="time per suggestion")
        legend(figure, axes, sorted(ends, key=lambda name: -ends[name]))
        return to_svg(
            figure,
            "Time per suggestion",
            "A line per optimizer: median seconds to ask and tell, over the observations so far.",
        )
