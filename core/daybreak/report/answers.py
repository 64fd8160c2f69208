"""Answers of `daybreak analyze` for the terminal, and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from daybreak.analysis.answers import Answer

__all__ = ["cell", "markdown_table", "print_answer"]


def cell(value: Any) -> str:
    """Return a cell's text: three digits, an interval in brackets, `?` for an open end."""
    from daybreak.analysis.answers import Estimate

    if value is None:
        return ""
    if isinstance(value, Estimate):
        ends = ""
        if value.low is not None or value.high is not None:
            ends = f"[{_number(value.low)}, {_number(value.high)}]"
        if value.value is None:
            return ends
        return f"{value.bound}{_number(value.value)} {ends}".strip()
    if isinstance(value, float):
        return _number(value)
    return str(value)


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    text = f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
    return "0" if text in ("-0", "0.0") else text


def print_answer(found: Answer, console: Console | None = None) -> None:
    """Print a table without rules, its notes below; no number is cut off."""
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    table = Table(title=found.title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    texts = [[cell(row.get(column)) for column in found.columns] for row in found.rows]
    for i, column in enumerate(found.columns):
        left = all(isinstance(row.get(column), str | None) for row in found.rows)
        widest = max((len(row[i]) for row in texts), default=0)
        # a heading may wrap between words, a cell may not
        heading = textwrap.wrap(column, max(widest, 12), break_long_words=False)
        table.add_column(
            Text("\n".join(heading)),
            justify="left" if left else "right",
            no_wrap=True,
            min_width=max(widest, *(len(line) for line in heading)),
        )
    for row in texts:
        table.add_row(*(Text(text) for text in row))
    endless = console.options.update(max_width=100_000)
    console.width = max(console.width, Measurement.get(console, endless, table).minimum)
    console.print(table)
    for note in found.notes:
        console.print(Text(f"  {note}"))
    console.print()


def markdown_table(found: Answer) -> str:
    """Return a Markdown table and its notes as a list."""

    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"

    lines = [line(found.columns), line(["---"] * len(found.columns))]
    lines += [line([cell(row.get(column)) for column in found.columns]) for row in found.rows]
    if found.notes:
        lines += ["", *(f"- {note[:1].upper()}{note[1:]}." for note in found.notes)]
    return "\n".join(lines)
