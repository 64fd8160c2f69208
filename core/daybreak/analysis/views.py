"""The SQL views that users, reports and `daybreak show` share: one file each in ``views/``.

A file holds a header comment (what it says, units, the views that it uses, every column) and one
SELECT statement; the view is named after the file.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass

from daybreak.errors import UserError, nearest

__all__ = ["View", "create_statements", "load_views", "view_sql"]


@dataclass(frozen=True, slots=True)
class View:
    """A view as its file describes it.

    Attributes:
        name: the view's name.
        summary: what it says, the header's first paragraph in one line.
        unit: the units of its columns.
        uses: views that its statement reads.
        columns: name to description, in order; empty where the header refers to another view.
        select: the SELECT statement, without the header.
        text: the whole file.
    """

    name: str
    summary: str
    unit: str
    uses: tuple[str, ...]
    columns: Mapping[str, str]
    select: str
    text: str


def view_sql(name: str) -> str:
    """Return the text of a view's file: its header comment and its SELECT statement.

    Raises:
        UserError: there is no such view.
    """
    views = load_views()
    if name not in views:
        raise UserError(
            f"there is no view '{name}'",
            expected=f"one of {', '.join(sorted(views))}",
            nearest=nearest(name, views),
            remedy="list them: daybreak sql --tables",
        )
    return views[name].text


@functools.cache
def load_views() -> Mapping[str, View]:
    """Return all views, each after those that it uses."""
    found = {}
    for file in importlib.resources.files("daybreak.analysis").joinpath("views").iterdir():
        name, dot, suffix = file.name.rpartition(".")
        if dot and suffix == "sql":
            found[name] = _parse(name, file.read_text("utf-8"))
    ordered: dict[str, View] = {}

    def place(name: str) -> None:
        if name not in ordered:
            for used in found[name].uses:
                place(used)
            ordered[name] = found[name]

    for name in sorted(found):
        place(name)
    return ordered


def create_statements(*, temporary: bool = False) -> dict[str, str]:
    """Return a statement per view that creates it, in an order that works."""
    kind = "TEMP VIEW" if temporary else "VIEW"
    return {
        name: f"CREATE OR REPLACE {kind} {name} AS\n{view.select}"
        for name, view in load_views().items()
    }


def _parse(name: str, text: str) -> View:
    header: list[str] = []
    statement: list[str] = []
    for line in text.splitlines():
        if not statement and line.startswith("--"):
            header.append(line[2:].removeprefix(" "))
        else:
            statement.append(line)
    sections: dict[str, list[str]] = {"summary": []}
    current = "summary"
    for line in header:
        match = re.match(r"(Unit|Uses|Columns): *(.*)", line)
        if match:
            current = match[1].lower()
            sections[current] = [match[2]]
        else:
            sections[current].append(line)
    summary = " ".join(sections["summary"]).removeprefix(f"{name}: ")
    columns: dict[str, str] = {}
    last = ""
    for line in sections.get("columns", [])[1:]:
        if match := re.match(r"  (\w+) +(.*)", line):
            last = match[1]
            columns[last] = match[2]
        elif last:
            columns[last] += " " + line.strip()
    uses = ", ".join(sections.get("uses", []))
    return View(
        name=name,
        summary=summary,
        unit=" ".join(sections.get("unit", [])).strip(),
        uses=tuple(used.strip() for used in uses.split(",") if used.strip()),
        columns=columns,
        select="\n".join(statement).strip(),
        text=text,
    )
