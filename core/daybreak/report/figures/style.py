"""What all figures share: colours, canvas, and SVG that fits light and dark pages.

matplotlib draws without its global state (`Figure`, never `pyplot`), text stays text, the
background stays transparent, and everything drawn in `INK` takes the colour of the text around it.
Colours of lines are CSS variables (`SHADES`), so that a page can make them darker or lighter; on
its own a figure has colours that do on both.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.errors import RequirementError
from daybreak.report.figures.names import drawn_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "FAINT",
    "INK",
    "SHADES",
    "Stroke",
    "assigned_strokes",
    "canvas",
    "dots",
    "key",
    "legend",
    "strokes",
    "ticks",
    "tidy",
]

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
#: by colour its CSS variable, its shade on white (contrast 3 or more: WCAG 2.2, 1.4.11) and its
#: shade on near-black (6 or more)
SHADES: Mapping[str, tuple[str, str, str]] = {
    color: (f"--shade-{color[1:]}", on_white, on_black)
    for color, on_white, on_black in (
        ("#3987c8", "#3987c8", "#5598d0"),
        ("#009e73", "#009e73", "#00a87a"),
        ("#cc79a7", "#c86ea0", "#cc79a7"),
        ("#4aa8de", "#2794d4", "#4aa8de"),
        ("#a07cd0", "#a07cd0", "#a584d3"),
        ("#b8952f", "#a8882b", "#b8952f"),
        ("#7d8f2e", "#7d8f2e", "#879b32"),
        ("#c2615c", "#c2615c", "#cd7e7a"),
        ("#d55e00", "#d55e00", "#ef6900"),
        ("#e69f00", "#b87f00", "#e69f00"),
        ("#8c8c8c", "#8c8c8c", "#919191"),
    )
}


@dataclass(frozen=True, slots=True)
class Stroke:
    """How an optimizer is drawn, the same in every figure of a report."""

    color: str
    dash: Any
    width: float


_ASSIGNED: ContextVar[tuple[str, ...]] = ContextVar("assigned strokes", default=())


@contextmanager
def assigned_strokes(labels: Sequence[str]) -> Iterator[None]:
    """Give these labels the same strokes in all figures drawn inside, in whatever company."""
    token = _ASSIGNED.set(tuple(sorted({*labels} - {*_KNOWN})))
    try:
        yield
    finally:
        _ASSIGNED.reset(token)


def strokes(labels: Sequence[str]) -> dict[str, Stroke]:
    """Return a stroke for each label: colours first, then dashes as well."""
    found = {}
    assigned = _ASSIGNED.get()
    if len(assigned) > len(_COLOURS) * len(_DASHES):  # there are too few strokes to reserve any
        assigned = ()
    known = set(assigned)
    others = [*assigned, *sorted({*labels} - known - {*_KNOWN})]
    for i, label in enumerate(others):
        dash = _DASHES[i // len(_COLOURS) % len(_DASHES)]
        found[label] = Stroke(_COLOURS[i % len(_COLOURS)], dash, 1.6)
    for label in labels:
        if label in _KNOWN:
            found[label] = Stroke(*_KNOWN[label])
    return found


def dots(axes: Axes, x: Sequence[float], y: Sequence[float], **look: Any) -> None:
    """Draw points as one path, a tenth of the size of as many marks; `markersize` is its width."""
    import numpy as np

    gaps = np.full(len(x), np.nan)
    (line,) = axes.plot(
        np.column_stack([x, x, gaps]).ravel(), np.column_stack([y, y, gaps]).ravel(),
        linewidth=look.pop("markersize", 5.5), solid_capstyle="round", **look,
    )  # fmt: skip
    line.get_path().should_simplify = False  # lines of no length are not to be left out


def ticks(axes: Axes, x: Sequence[float], bottom: float, top: float, **look: Any) -> None:
    """Draw short upright strokes as one path."""
    import numpy as np

    gaps = np.full(len(x), np.nan)
    ends = np.tile([bottom, top, np.nan], len(x))
    (line,) = axes.plot(np.column_stack([x, x, gaps]).ravel(), ends, **look)
    line.get_path().should_simplify = False


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
        "text.parse_math": False,  # a dollar in a name is a dollar
        "axes.unicode_minus": False,
        "font.family": "sans-serif",
        "font.size": 10.0,
        "axes.titlesize": 11.0,
        "axes.labelsize": 10.0,
        "legend.fontsize": 9.5,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
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
    with mpl.rc_context(settings), warnings.catch_warnings():
        # the reader's fonts draw the text, not matplotlib's, which may lack a letter
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        warnings.filterwarnings("ignore", message="Attempting to set identical")
        yield Figure(figsize=(width, height), layout="constrained")


def tidy(
    axes: Axes, *, x: str = "", y: str = "", title: str = "", small: bool = False,
    spills: bool = False,
) -> None:  # fmt: skip
    """Label the axes; a title may be `small`, and one that `spills` may run over what is beside."""
    if x:
        axes.set_xlabel(drawn_name(x, 90))
    if y:
        axes.set_ylabel(drawn_name(y, 48))
    if title:
        text = axes.set_title(title)
        text.set_in_layout(not spills)
        if small:
            text.set_fontsize(10)
    axes.tick_params(length=3)


def legend(figure: Figure, axes: Axes, order: Sequence[str]) -> None:
    """Put a legend to the right of the figure, in the order in which the lines end."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    names = [drawn_name(name) for name in order]
    key(figure, [(name, found[name]) for name in names if name in found])


def key(figure: Figure, entries: Sequence[tuple[str, Any]], *, below: bool = False) -> None:
    """Put a legend of names and handles to the right of the figure, or below it, in their order."""
    if not entries:
        return
    longest = max(len(name) for name, _ in entries)
    columns = max(1, min(5, 90 // (longest + 8))) if below else 1
    columns = math.ceil(len(entries) / math.ceil(len(entries) / columns))
    # matplotlib fills columns, people read rows
    entries = [entries[i] for c in range(columns) for i in range(c, len(entries), columns)]
    figure.legend(
        [handle for _, handle in entries],
        [drawn_name(name) for name, _ in entries],
        loc="outside lower center" if below else "outside right upper",
        ncols=columns,
        frameon=False,
        handlelength=2.6,
    )
