"""Tables of numbers on standard output, aligned, as Markdown."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

__all__ = ["shown", "write_table"]


def shown(value: object) -> str:
    """Return a number with three significant digits, anything else as it is."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)


def write_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a Markdown table, columns padded to one width."""
    table = [list(header), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    lines = [
        "| " + " | ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
    sys.stdout.write("\n".join(lines) + "\n")
