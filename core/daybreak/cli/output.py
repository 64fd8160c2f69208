"""Printing for people and for programs: tables through rich, or JSON on standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["print_json", "print_message", "print_table"]


def print_json(value: Any) -> None:
    """Print `value` as indented JSON on standard output.

    JSON has no infinity: it is printed as the text "inf" or "-inf", and what is no number as null.
    """
    sys.stdout.write(json.dumps(_finite(value), indent=2, default=str, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def print_message(text: str) -> None:
    """Print a line for people on standard error, so that standard output stays clean for data."""
    sys.stderr.write(text + "\n")


def print_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    as_json: bool = False,
    title: str | None = None,
    right: Sequence[str] = (),
) -> None:
    """Print `rows` as a table with `columns`, or as a JSON list with all that each row holds.

    Columns named in `right` are aligned right; None is shown as an empty cell.
    """
    if as_json:
        print_json([dict(row) for row in rows])
        return
    from rich import box
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        cells = [row.get(column) for column in columns]
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))
    console = Console()
    if not console.is_terminal:
        # a file or a pipe has no width: nothing is folded there
        endless = console.options.update(max_width=100_000)
        console.width = max(console.width, Measurement.get(console, endless, table).maximum)
    console.print(table)
