"""HTML from texts that anybody may have written: everything is escaped, nothing is trusted.

Texts that are already HTML are of type `Html`; `text` makes one of a plain string. Control
characters, which HTML forbids, and those that turn the writing direction of all that follows are
shown as a mark.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NewType
from urllib.parse import quote

from daybreak.analysis.answers import Answer, Estimate
from daybreak.report.answers import cell

__all__ = ["DATA_BYTES", "Html", "attached_csv", "element", "prose", "table", "text"]

Html = NewType("Html", str)

#: the most bytes of one file of data inside the page
DATA_BYTES = 200_000
# longer tables scroll; longer texts in cells may wrap
_LONG_TABLE, _SHORT_TEXT = 40, 32
# texts that are longer, anywhere but in the last column, show their beginning and so much of the end
_CLIPPED, _TAIL = 80, 20

_UNSOUND = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def text(words: object) -> Html:
    """Return a plain text as HTML, fit for an attribute too."""
    return Html(html.escape(_UNSOUND.sub("\ufffd", str(words)), quote=True))


def prose(words: object) -> Html:
    """Return a plain text as HTML, with what stands between backticks as code."""
    return Html(re.sub(r"`([^`]+)`", r"<code>\1</code>", text(words)))


def element(tag: str, *content: Html, **attributes: str | bool | None) -> Html:
    """Return an element; ``class_`` stands for `class`, ``_`` in other names for ``-``.

    Attributes that are None or False are left out, True stands alone.
    """
    parts = [tag]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        spelt = name.rstrip("_").replace("_", "-")
        parts.append(spelt if value is True else f'{spelt}="{text(value)}"')
    return Html(f"<{' '.join(parts)}>{''.join(content)}</{tag}>")


def table(found: Answer, *, most: int | None = None) -> Html:
    """Return a table with its title as caption, rows headed by their first cell, and its notes.

    Columns without any value are left out. With `most` rows at most; then a note says how many
    there are.
    """
    columns = [
        column
        for i, column in enumerate(found.columns)
        if i == 0 or any(cell(row.get(column)) for row in found.rows)
    ]
    numeric = {
        column: all(not isinstance(row.get(column), str) for row in found.rows)
        for column in columns
    }
    head = "".join(
        element("th", text(column), scope="col", class_="number" if numeric[column] else None)
        for column in columns
    )
    lines, before = [], None
    for row in found.rows[:most]:
        cells = [
            _cell(
                row.get(column), head=i == 0, number=numeric[column],
                clipped=i < len(columns) - 1,
            )
            for i, column in enumerate(columns)
        ]  # fmt: skip
        again = before is not None and row.get(columns[0]) == before
        lines.append(element("tr", *cells, class_="again" if again else None))
        before = row.get(columns[0])
    rows = "\n".join(lines)
    caption = element("caption", text(found.title)) if found.title else ""
    inner = f"{caption}<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody>"
    parts = [
        element(
            "div",
            Html(f"<table>{inner}</table>"),
            class_="scroll long" if len(found.rows) > _LONG_TABLE else "scroll",
            tabindex="0",
            role="region",
            aria_label=f"table: {found.title or found.name}",
        )
    ]
    notes = list(found.notes)
    if most is not None and len(found.rows) > most:
        notes.append(f"the first {most} of {len(found.rows)} rows; the data hold more")
    if notes:
        lines_below = (element("li", prose(note)) for note in notes)
        parts.append(element("ul", *lines_below, class_="notes"))
    return Html("\n".join(parts))


def _cell(value: Any, *, head: bool, number: bool, clipped: bool) -> Html:
    if isinstance(value, Estimate):
        middle, bracket, ends = cell(value).partition("[")
        content = text(middle)
        if bracket:
            content = Html(content + element("span", text(bracket + ends), class_="ends"))
    else:
        words = cell(value)
        content = text(words)
        if clipped and len(words) > _CLIPPED:
            begin = element("span", text(words[:-_TAIL]), class_="clipped", title=words)
            content = Html(begin + text(words[-_TAIL:]))
    look = "number" if number else "short" if len(content) <= _SHORT_TEXT else None
    if head:
        return element("th", content, scope="row", class_=look)
    return element("td", content, class_=look)


def attached_csv(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, most: int = DATA_BYTES
) -> tuple[Html, int]:
    """Return a link that holds rows as a file ``name.csv`` in itself, and how many rows it holds.

    Rows are left out from where the link would grow beyond `most` bytes.
    """
    head = _line(columns)
    parts, size, count = [head], len(head), 0
    for row in rows:
        line = _line(row)
        size += len(line)
        if size > most:
            break
        parts.append(line)
        count += 1
    words = f"{name}.csv ({count} rows)" if count == len(rows) else (
        f"{name}.csv (the first {count} of {len(rows)} rows)"
    )  # fmt: skip
    link = element(
        "a",
        text(words),
        href="data:text/csv;charset=utf-8," + "".join(parts),
        download=f"{name}.csv",
    )
    return link, count


def _line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_plain(value) for value in values])
    # what a browser would cut off or strip must be written in another way
    return quote(out.getvalue(), safe=",;:/()[]!*+=@'_.~-", errors="replace")


def _plain(value: Any) -> Any:
    """Return a value as CSV has it: nothing for unknown, seven digits of a number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.7g}" if isinstance(value, float) else value
