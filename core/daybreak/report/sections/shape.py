"""What a section of a report is made from, and what it looks like before it becomes HTML or SVG.

A `Topic` knows its name, its title, and a function from `Material` to `Body`; where a run has
nothing to say, the function raises `Nothing` with the reason, and the page says that in one line.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daybreak.analysis.answers import Answer, Estimate
from daybreak.analysis.answers.shape import Evidence
from daybreak.analysis.curves import Curves
from daybreak.store.database import quoted

__all__ = [
    "LINES",
    "PANELS",
    "Absent",
    "Body",
    "Data",
    "Found",
    "Material",
    "Nothing",
    "Section",
    "Topic",
    "by",
    "flat",
    "listed",
    "topic",
]

#: the most benchmarks that get a panel of their own in one figure
PANELS = 12
#: the most labels that get a line of their own in one panel
LINES = 12
# optimizers x benchmarks x seeds x evaluations, of which there are four arrays of doubles
_CELLS = 30_000_000


class Nothing(Exception):  # noqa: N818 - no fault: the run has nothing to say here
    """A section cannot be made from this run; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Data:
    """The numbers behind a figure, as drawn: headings with units, and rows of plain values."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Body:
    """What a section shows.

    Attributes:
        caption: what it shows and what to look for.
        svg: the figure, or None.
        table: a table below it, or None.
        sql: the query behind it.
        data: the numbers behind the figure, for downloading; None: all rows of the table.
        notes: what is left out or put together, a sentence each.
        listing: a heading and a longer text that is folded away, such as the suite.
    """

    caption: str
    svg: str | None = None
    table: Answer | None = None
    sql: str = ""
    data: Data | None = None
    notes: tuple[str, ...] = ()
    listing: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its name (lower case with hyphens; names the figure's file), title and body."""

    name: str
    title: str
    body: Body


@dataclass(frozen=True, slots=True)
class Absent:
    """A section that the run has no data for, and why in one line."""

    name: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A section that a report may have."""

    name: str
    title: str
    make: Callable[[Material], Body]


def topic(name: str, title: str) -> Callable[[Callable[[Material], Body]], Topic]:
    """Make a function from `Material` to `Body` a topic of the report."""
    return lambda make: Topic(name, title, make)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a query by column, and the query with all its values written out."""

    rows: list[dict[str, Any]]
    columns: tuple[str, ...]
    sql: str


class Material:
    """What sections are made from: the evidence of a run, and a study to look into.

    Args:
        evidence: of the run, opened.
        study: id of a study whose model to look into; None: one that said something.
    """

    def __init__(self, evidence: Evidence, study: str | None = None) -> None:
        self.evidence = evidence
        self.study = study

    @functools.cached_property
    def where(self) -> str:
        """The condition that picks out the run and the benchmarks, with its values written out."""
        words = f"run_id = {quoted(self.evidence.run.run_id)}"
        pattern = self.evidence.asked.benchmark
        if pattern is None:
            return words
        named = quoted(pattern)
        return f"{words} AND (benchmark = {named} OR benchmark GLOB {named})"

    def written(self, sql: str, **values: str | int | float) -> str:
        """Return a query in which ``{run}`` stands for the condition `where`, written out.

        Further names in braces are replaced by `values`: texts become literals, numbers stay.
        """
        literals = {
            name: quoted(v) if isinstance(v, str) else repr(v) for name, v in values.items()
        }
        literals["run"] = self.where
        return re.sub(r"\{(\w+)\}", lambda name: literals[name[1]], sql)

    def find(self, sql: str, **values: str | int | float) -> Found:
        """Run a query, see `written`, and return its rows."""
        text = self.written(sql, **values)
        found = self.evidence.index.execute(text)
        columns = tuple(column[0] for column in found.description or ())
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        return Found(rows, columns, text)

    def arrays(self, sql: str, **values: str | int | float) -> tuple[dict[str, Any], str]:
        """Run a query; return its columns as NumPy arrays, NULL as NaN, and its text.

        Columns of texts come as objects, with None for NULL.
        """
        import numpy as np

        text = self.written(sql, **values)
        found: dict[str, Any] = {}
        for name, column in self.evidence.index.execute(text).fetchnumpy().items():
            if not np.ma.isMaskedArray(column):
                found[name] = np.asarray(column)
            elif column.dtype.kind == "O":
                found[name] = np.ma.filled(column, None)
            else:
                found[name] = np.ma.filled(column.astype(np.float64), np.nan)
        return found, text

    @functools.cached_property
    def curves(self) -> Curves:
        """The studies as arrays.

        Raises:
            Nothing: the arrays would hold little but gaps and fill the memory.
            UserError: nothing was evaluated.
        """
        (size,) = self.find(
            "SELECT count(DISTINCT optimizer) AS optimizers, count(DISTINCT seed) AS seeds, "
            "count(DISTINCT benchmark) AS benchmarks, coalesce(max(n), 0) AS most, "
            "count(*) AS studies FROM "
            "(SELECT study_id, any_value(optimizer) AS optimizer, any_value(seed) AS seed, "
            "any_value(benchmark) AS benchmark, count(*) AS n FROM evaluations WHERE {run} "
            "GROUP BY study_id)"
        ).rows
        cells = size["optimizers"] * size["seeds"] * size["benchmarks"] * size["most"]
        if cells > _CELLS and cells > 8 * size["studies"] * size["most"]:
            raise Nothing(
                f"{size['studies']} studies with {size['seeds']} different seeds have too little in "
                "common to be averaged; look at a part of them with --benchmark"
            )
        return self.evidence.curves

    def all_benchmarks(self) -> list[str]:
        """Return full names of all of the run's benchmarks, in alphabetical order."""
        found = self.evidence.index.execute(
            "SELECT DISTINCT benchmark FROM studies WHERE run_id = ? ORDER BY benchmark",
            [self.evidence.run.run_id],
        ).fetchall()
        return [str(name) for (name,) in found]

    @functools.cached_property
    def benchmarks(self) -> tuple[str, ...]:
        """Full names of those that are asked about."""
        found = self.find("SELECT DISTINCT benchmark FROM studies WHERE {run} ORDER BY benchmark")
        return tuple(row["benchmark"] for row in found.rows)

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of optimizers, those with the best mean rank of medians over benchmarks first."""
        found = self.find(
            """
            SELECT optimizer FROM (
                SELECT benchmark, optimizer,
                       rank() OVER (PARTITION BY benchmark ORDER BY -share_median NULLS LAST,
                           CASE WHEN direction = 'maximize' THEN -best_median ELSE best_median END
                           NULLS LAST) AS place
                FROM leaderboard_all WHERE {run}
            ) GROUP BY optimizer ORDER BY avg(place), optimizer
            """
        )
        return tuple(row["optimizer"] for row in found.rows)

    @functools.cached_property
    def entries(self) -> tuple[str, ...]:
        """Everything that a figure may give a colour: labels of optimizers, names of references."""
        found = self.find(
            "SELECT DISTINCT t.reference FROM trials t JOIN (FROM studies WHERE {run}) s "
            "ON s.study_id = t.study_id WHERE t.reference IS NOT NULL"
        )
        return (*self.labels, *(row["reference"] for row in found.rows))

    def shown(
        self, benchmarks: Sequence[str], labels: Sequence[str] = ()
    ) -> tuple[list[str], list[str], tuple[str, ...]]:
        """Return the benchmarks and labels that a figure has room for, and a note on the others.

        Labels come best first (see `labels`), those that have no place there at the end.
        """
        notes = []
        if len(benchmarks) > PANELS:
            notes.append(
                f"{PANELS} of {len(benchmarks)} benchmarks are drawn, the first by name; see the "
                "others with --benchmark PATTERN"
            )
        ranked = {label: i for i, label in enumerate(self.labels)}
        ordered = sorted(set(labels), key=lambda label: (ranked.get(label, len(ranked)), label))
        if len(ordered) > LINES:
            notes.append(
                f"{LINES} of {len(ordered)} labels are drawn, those with the best mean rank; the "
                "SQL below finds the others"
            )
        return list(benchmarks)[:PANELS], ordered[:LINES], tuple(notes)


def flat(found: Answer) -> Data:
    """Return a table as plain values: an estimate becomes three columns."""
    spread = {
        column: any(isinstance(row.get(column), Estimate) for row in found.rows)
        for column in found.columns
    }
    columns: list[str] = []
    for column in found.columns:
        columns += [column, f"{column} low", f"{column} high"] if spread[column] else [column]
    rows = []
    for row in found.rows:
        values: list[Any] = []
        for column in found.columns:
            value = row.get(column)
            if isinstance(value, Estimate):
                values += [value.value, value.low, value.high]
            else:
                values += [value, None, None] if spread[column] else [value]
        rows.append(values)
    return Data(tuple(columns), rows)


def listed(text: str | None) -> list[str]:
    """Return the texts of a JSON list; other JSON as one text."""
    found = json.loads(text) if text else []
    return [one if isinstance(one, str) else json.dumps(one) for one in found] if isinstance(
        found, list
    ) else [json.dumps(found)]  # fmt: skip


def by(rows: Sequence[Mapping[str, Any]], *names: str) -> dict[Any, list[Mapping[str, Any]]]:
    """Return rows grouped by the values of columns: one value, or a tuple of several."""
    found: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        key = row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)
        found.setdefault(key, []).append(row)
    return found
