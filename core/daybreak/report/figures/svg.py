"""SVG text from a figure: small, without anything to fetch, in the colours of the page around it."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING, Any

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import FAINT, INK, SHADES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["to_svg"]


def to_svg(figure: Figure, title: str, description: str) -> str:
    """Return the figure as an SVG element that fetches nothing, with a title for screen readers.

    On its own it follows the reader's colour scheme; inside a page, the page's text colour.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    # `savefig` would draw everything twice
    canvas: Any = FigureCanvasSVG(figure)  # untyped
    canvas.print_svg(out, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(?<= d=")[^"]+', lambda path: _rounded(path.group()), text)
    # faint things are ink seen through
    text = text.replace(f"stroke: {FAINT}", "stroke: currentColor; stroke-opacity: 0.18")
    text = text.replace(INK, "currentColor").replace(FAINT, "currentColor")
    text = _COLOUR.sub(_variable, text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", text)
    head = text[: text.index(">") + 1]
    named = re.sub(r"(width|height)=\"([\d.]+)pt\"", r'\1="\2"', head)
    named = named.replace("<svg", '<svg class="daybreak-figure" role="img"', 1)
    scheme = (
        "<style>.daybreak-figure{color:#24292f}"
        "@media (prefers-color-scheme:dark){.daybreak-figure{color:#d0d7de}}</style>"
    )
    words = f"<title>{_plain(title)}</title><desc>{_plain(description)}</desc>"
    return named + words + scheme + text[len(head) :]


def _plain(words: str) -> str:
    return html.escape(drawn_name(words, 300))


#: a colour in a style, not in somebody's name
_COLOUR = re.compile(r"(?<=e: |l: )#[0-9a-f]{6}(?=[;\"])")


def _variable(colour: re.Match[str]) -> str:
    found = SHADES.get(colour.group())
    return colour.group() if found is None else f"var({found[0]}, {colour.group()})"


_POINT = re.compile(r"([A-Za-z])|(-?[\d.]+(?:e-?\d+)?)")


def _rounded(path: str) -> str:
    """Return a path's description, shorter: no finer than any screen, steps as steps.

    Straight lines keep tenths of a point, curves (marks, of which there are few) hundredths.
    """
    if not set(re.findall("[A-Za-z]", path)) <= {"M", "L", "z"}:
        numbers = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}", path)
        return " ".join(numbers.split())
    parts: list[str] = []
    here = ("", "")
    command = "M"
    tokens = iter(_POINT.findall(path))
    for letter, number in tokens:
        if letter:
            command = letter
            if letter == "z":
                parts.append("z")
            continue
        _, second = next(tokens)
        point = (_tenths(number), _tenths(second))
        begun = bool(parts) and parts[-1].startswith("M") and not parts[-1].endswith("h0")
        if begun and (command == "M" or point == here):
            parts[-1] += "h0"  # a line of no length is a dot
        if command == "M":
            parts.append(f"M{point[0]} {point[1]}")
        elif point[1] == here[1]:
            if point[0] != here[0]:
                parts.append(f"H{point[0]}")
        elif point[0] == here[0]:
            parts.append(f"V{point[1]}")
        else:
            parts.append(f"L{point[0]} {point[1]}")
        here = point
    return "".join(parts)


def _tenths(number: str) -> str:
    short = f"{float(number):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short
