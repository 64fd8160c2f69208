"""Stacked bars: what something is made up of, one row per label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import canvas, key, strokes, tidy
from daybreak.report.figures.svg import to_svg

__all__ = ["Stack", "draw_stacks"]


@dataclass(frozen=True, slots=True)
class Stack:
    """One row: a label and its parts in the order of `draw_stacks`; `words` stand at its end."""

    label: str
    parts: Mapping[str, float]
    words: str = ""


def draw_stacks(
    stacks: Sequence[Stack], parts: Sequence[str], *, x: str, title: str, description: str
) -> str:
    """Draw rows from top to bottom."""
    styles = strokes(list(parts))
    longest = max((sum(stack.parts.values()) for stack in stacks), default=1.0) or 1.0
    with canvas(8.2, 1.4 + 0.32 * len(stacks)) as figure:
        axes: Any = figure.subplots()
        for row, stack in enumerate(stacks):
            start = 0.0
            for part in parts:
                size = stack.parts.get(part, 0.0)
                if size > 0:
                    axes.barh(-row, size, 0.66, left=start, color=styles[part].color, linewidth=0)
                start += size
            if stack.words:
                axes.annotate(
                    drawn_name(stack.words, 30), (start, -row), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=8.5, annotation_clip=False,
                )  # fmt: skip
        axes.set_xlim(0, longest * 1.02)
        axes.set_ylim(-len(stacks) + 0.4, 0.6)
        axes.set_yticks(
            [-row for row in range(len(stacks))], [drawn_name(stack.label, 44) for stack in stacks]
        )
        axes.grid(visible=False, axis="y")
        tidy(axes, x=x)
        from matplotlib.patches import Patch

        key(
            figure,
            [(part, Patch(color=styles[part].color, linewidth=0)) for part in parts],
            below=True,
        )
        return to_svg(figure, title, description)
