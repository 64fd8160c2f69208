"""What all figures share: colours, canvas, and SVG that fits light and dark pages.

matplotlib draws without its global state (`Figure`, never `pyplot`), text stays text, the
background stays transparent, and everything drawn in `INK` takes the colour of the text around it.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.errors import RequirementError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FAINT", "INK", "Stroke", "canvas", "legend", "strokes", "tidy", "to_svg"]

#: stands for the colour of the surrounding text; replaced in the SVG
INK = "#010203"
#: the same, faint: grid lines
FAINT = "#010204"

# Okabe and Ito's colours for the colour-blind, the darkest and the lightest moved towards the
# middle: each has a contrast of at least 2.5 on white and on near-black
_COLOURS = (
    "#3987c8", "#009e73", "#cc79a7", "#4aa8de", "#a07cd0", "#b8952f", "#7d8f2e", "#c2615c",
)  # fmt: skip
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_KNOWN = {
    "baco": ("#d55e00", "-", 2.6),
    "baco-paper": ("#e69f00", (0, (5, 1.5)), 2.0),
    "random": ("#8c8c8c", "-", 1.6),
}


@dataclass(frozen=True, slots=True)
class Stroke:
    """How an optimizer is drawn, the same in every figure of a report."""

    color: str
    dash: Any
    width: float


def strokes(labels: Sequence[str]) -> dict[str, Stroke]:
    """Return a stroke for each label: colours first, then dashes as well."""
    found = {}
    others = sorted(label for label in labels if label not in _KNOWN)
    for i, label in enumerate(others):
        dash = _DASHES[i // len(_COLOURS) % len(_DASHES)]
        found[label] = Stroke(_COLOURS[i % len(_COLOURS)], dash, 1.6)
    for label in labels:
        if label in _KNOWN:
            found[label] = Stroke(*_KNOWN[label])
    return found


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure of so many inches, with the settings of all figures.

    Raises:
        RequirementError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RequirementError(
            "figures are drawn by matplotlib, which is not installed",
            remedy="pip install 'daybreak[report]'",
        ) from error
    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "daybreak",  # the same data gives the same file
        "font.family": "sans-serif",
        "font.size": 10.0,
        "axes.titlesize": 11.0,
        "axes.labelsize": 10.0,
        "legend.fontsize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "axes.grid": True,
        "axes.axisbelow": True,
    }
    with mpl.rc_context(settings):
        yield Figure(figsize=(width, height), layout="constrained")


def tidy(axes: Axes, *, x: str = "", y: str = "", title: str = "") -> None:
    """Label the axes."""
    if x:
        axes.set_xlabel(x)
    if y:
        axes.set_ylabel(y)
    if title:
        axes.set_title(title)
    axes.tick_params(length=3)


def legend(figure: Figure, axes: Axes, order: Sequence[str]) -> None:
    """Put a legend to the right of the figure, in the order in which the lines end."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    names = [name for name in order if name in found]
    if names:
        figure.legend(
            [found[name] for name in names], names, loc="outside right upper", frameon=False,
            handlelength=2.6,
        )  # fmt: skip


def to_svg(figure: Figure, title: str, description: str) -> str:
    """Return the figure as an SVG element that fetches nothing, with a title for screen readers.

    On its own it follows the reader's colour scheme; inside a page, the page's text colour.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # a hundredth of a point is finer than any screen, and half the size
    text = re.sub(r'(?<= d=")[^"]+', lambda path: _rounded(path.group()), text)
    # faint things are ink seen through
    text = text.replace(f"stroke: {FAINT}", "stroke: currentColor; stroke-opacity: 0.18")
    text = text.replace(INK, "currentColor").replace(FAINT, "currentColor")
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", text)
    head = text[: text.index(">") + 1]
    named = re.sub(r"(width|height)=\"([\d.]+)pt\"", r'\1="\2"', head)
    named = named.replace("<svg", '<svg class="daybreak-figure" role="img"', 1)
    scheme = (
        "<style>.daybreak-figure{color:#24292f}"
        "@media (prefers-color-scheme:dark){.daybreak-figure{color:#d0d7de}}</style>"
    )
    words = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    return named + words + scheme + text[len(head) :]


def _rounded(path: str) -> str:
    """Return a path's description with coordinates of at most two decimals, on one line."""
    numbers = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}", path)
    return " ".join(numbers.split())
