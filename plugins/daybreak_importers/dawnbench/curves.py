"""The TSV of a training entry: epoch, hours, accuracies; with everything that entries get wrong."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from daybreak_importers.dawnbench.tasks import METRICS
from daybreak_importers.findings import Findings
from daybreak_importers.text import decode, number

__all__ = ["Row", "read_curve"]

_BLANKS = re.compile(r"[ ]{2,}|\s+")
_EPOCH = frozenset({"epoch", "epochs"})
_HOURS = frozenset({"hours", "hour", "timehours", "hourshours"})
#: No fraction is above this.
_FRACTION = 1.0


@dataclass(slots=True)
class Row:
    """One evaluation: its 1-based line, epochs done, training hours if they can be believed, and
    the accuracies as fractions by metric.
    """

    line: int
    epoch: float | None
    hours: float | None
    values: dict[str, float] = field(default_factory=dict)


def read_curve(data: bytes, file: str, findings: Findings, wanted: str | None = None) -> list[Row]:
    """Return the rows of a TSV; what is odd goes to `findings` by line, nothing is raised.

    Args:
        data: content of the file.
        file: its name, for remarks.
        findings: is told about rows left out and kept with doubts.
        wanted: the metric without which a row is of no use; None: any.
    """
    text, remark = decode(data)
    if remark:
        findings.remark(file, remark)
    if "\r" in text.replace("\r\n", ""):
        findings.remark(file, "carriage returns as line ends: read as such")
    lines = [(n, line) for n, line in enumerate(_lines(text), start=1) if line.strip(" \t\0")]
    if not lines:
        return []
    columns, lines = _columns(lines, file, findings)
    metrics = [name for name in columns if name in METRICS.values()]
    if not metrics or (wanted is not None and wanted not in metrics):
        known = ", ".join(name for _, name in _named(columns)) or "none that is known"
        findings.remark(file, f"no column {wanted or 'of accuracies'}: there are {known}")
    if "hours" not in columns:
        findings.remark(file, "no column hours: the rows have no clock")
    rows: list[Row] = []
    for line, content in lines:
        row = _row(content, line, columns, file, findings)
        if row is not None:
            rows.append(row)
    _exchange(rows, columns, file, findings)
    rows = _without_repeats(rows, file, findings)
    _to_fractions(rows, file, findings)
    rows = _believable(rows, file, findings)
    _check_clocks(rows, file, findings)
    _count_epochs(rows, file, findings)
    findings.keep(len(rows))
    return rows


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _named(columns: Sequence[str | None]) -> list[tuple[int, str]]:
    return [(i, name) for i, name in enumerate(columns) if name is not None]


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return _BLANKS.split(line.strip())
    cells = [cell.strip() for cell in line.split(separator)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _column(cell: str) -> str | None:
    word = re.sub(r"[^a-z0-9]", "", cell.lower())
    if word in _EPOCH:
        return "epoch"
    if word in _HOURS:
        return "hours"
    return METRICS.get(word)


def _separator(line: str) -> str | None:
    if "\t" in line:
        return "\t"
    return "," if "," in line else None


def _columns(
    lines: list[tuple[int, str]], file: str, findings: Findings
) -> tuple[list[str | None], list[tuple[int, str]]]:
    """Return what each column is, and the lines below the header."""
    first, header = lines[0]
    cells = _cells(header, _separator(header))
    columns = [_column(cell) for cell in cells]
    if any(columns):
        for cell, name in zip(cells, columns, strict=True):
            if name is None and cell:
                findings.remark(file, f"unknown column: '{cell[:40]}' is not read", line=first)
        for name in {name for name in columns if name and columns.count(name) > 1}:
            findings.remark(file, f"column twice: '{name}', the first one counts", line=first)
            for i in [i for i, other in enumerate(columns) if other == name][1:]:
                columns[i] = None
        if _separator(header) != "\t":
            findings.remark(file, "no tabs: columns told apart by commas or blanks", line=first)
        return columns, lines[1:]
    findings.remark(file, "no header: columns taken as epoch, hours, accuracies", line=first)
    by_count = {3: ["top1_accuracy"], 4: ["top1_accuracy", "top5_accuracy"]}
    return ["epoch", "hours", *by_count.get(len(cells), ["top1_accuracy"])], lines


def _row(
    content: str, line: int, columns: list[str | None], file: str, findings: Findings
) -> Row | None:
    cells = _cells(content, _separator(content))
    if len(cells) != len(columns) and "\t" in content:
        alternative = _cells(content, None)
        if len(alternative) == len(columns):
            cells = alternative
    if any(_column(cell) for cell in cells):
        findings.leave_out(file, "header again", line=line)
        return None
    if len(cells) < len(columns):
        detail = f"{len(cells)} for {len(columns)} columns"
        findings.leave_out(file, "too few cells", detail, line=line)
        return None
    if len(cells) > len(columns):
        findings.remark(file, f"too many cells: {len(cells)} for {len(columns)} columns", line=line)
    row = Row(line, None, None)
    for cell, name in zip(cells, columns, strict=False):
        if name is None:
            continue
        value = number(cell.removesuffix("%"))
        if value is None:
            findings.remark(file, f"no number: '{cell[:40]}' in column {name}", line=line)
        elif name == "epoch":
            row.epoch = value
        elif name == "hours":
            row.hours = value
        else:
            row.values[name] = value
    if not row.values:
        findings.leave_out(file, "no accuracy", line=line)
        return None
    return row


def _exchange(
    rows: list[Row], columns: Sequence[str | None], file: str, findings: Findings
) -> None:
    """Exchange epochs and hours where the header has them the wrong way round.

    Seen in a published entry: a header that begins with hours, above 1, 2, 3, ... and fractions.
    """
    if not {"epoch", "hours"} <= set(columns) or columns.index("epoch") < columns.index("hours"):
        return
    both = [(row.epoch, row.hours) for row in rows if None not in (row.epoch, row.hours)]
    counted = all(hours == i + (both[0][1] or 0) for i, (_, hours) in enumerate(both))
    if len(both) < 3 or both[0][1] not in (0, 1) or not counted:
        return
    if all(epoch is not None and epoch.is_integer() for epoch, _ in both):
        return
    findings.remark(file, "columns exchanged: hours count 1, 2, 3, ..., so they are the epochs")
    for row in rows:
        row.epoch, row.hours = row.hours, row.epoch


def _without_repeats(rows: list[Row], file: str, findings: Findings) -> list[Row]:
    seen: dict[tuple[object, ...], int] = {}
    kept = []
    for row in rows:
        key = (row.epoch, row.hours, *sorted(row.values.items()))
        if key in seen:
            findings.leave_out(file, "repeated row", f"as line {seen[key]}", line=row.line)
            continue
        seen[key] = row.line
        kept.append(row)
    return kept


def _to_fractions(rows: list[Row], file: str, findings: Findings) -> None:
    """Divide percentages by 100.

    A file is in percent if most of its accuracies are above 1. A number of the other kind among
    them is converted as well, with a remark: above 1 among fractions it is a percentage; at most 1
    among percentages it is either the start of training (or its breakdown), or a fraction: the
    reading nearer to the row before it wins.
    """
    every = [value for row in rows for value in row.values.values()]
    percent = 2 * sum(value > _FRACTION for value in every) >= len(every) > 0
    before: dict[str, float] = {}
    for row in rows:
        for name, value in row.values.items():
            read, odd = _reading(value, before.get(name), percent)
            if odd:
                findings.remark(
                    file, f"{odd}: {name} {value:g} is read as {read * 100:g} %", line=row.line
                )
            before[name] = row.values[name] = read


def _reading(value: float, last: float | None, percent: bool) -> tuple[float, str | None]:
    """Return an accuracy as a fraction, and what is odd about it."""
    if not percent:
        odd = _FRACTION * 1.5 < value <= 100
        return (value / 100, "percentage among fractions") if odd else (value, None)
    odd = (
        last is not None and 0 < value <= _FRACTION and abs(value - last) < abs(value / 100 - last)
    )
    return (value, "fraction among percentages") if odd else (value / 100, None)


def _believable(rows: list[Row], file: str, findings: Findings) -> list[Row]:
    kept = []
    for row in rows:
        wrong = {name: value for name, value in row.values.items() if not 0 <= value <= 1}
        for name, value in wrong.items():
            del row.values[name]
            what = f"impossible accuracy: {name} {value * 100:g} %"
            findings.remark(file, what, line=row.line)
        if row.values:
            kept.append(row)
        else:
            findings.leave_out(file, "no accuracy that is possible", line=row.line)
    return kept


def _check_clocks(rows: list[Row], file: str, findings: Findings) -> None:
    """Take the clock from rows whose hours are negative, or do not fit in with the others'.

    As few rows as possible lose it: those outside a longest non-decreasing subsequence.
    """
    timed = []
    for row in rows:
        if row.hours is not None and row.hours < 0:
            what = f"negative hours: {row.hours:g}, the row has no clock"
            findings.remark(file, what, line=row.line)
            row.hours = None
        if row.hours is not None:
            timed.append(row)
    fitting = set(_longest_ascent([row.hours or 0.0 for row in timed]))
    for place, row in enumerate(timed):
        if place not in fitting:
            what = f"hours that go back: {row.hours:g}, the row has no clock"
            findings.remark(file, what, line=row.line)
            row.hours = None


def _longest_ascent(values: Sequence[float]) -> list[int]:
    """Return indices of a longest non-decreasing subsequence (patience sorting).

    Of several the one that keeps what comes first: taken from the end, with signs turned.
    """
    tails: list[float] = []
    last: list[int] = []
    before: list[int | None] = []
    for index, value in enumerate(reversed(values)):
        place = bisect.bisect_right(tails, -value)
        before.append(last[place - 1] if place else None)
        if place == len(tails):
            tails.append(-value)
            last.append(index)
        else:
            tails[place] = -value
            last[place] = index
    found: list[int] = []
    at = last[-1] if last else None
    while at is not None:
        found.append(len(values) - 1 - at)
        at = before[at]
    return found


def _count_epochs(rows: list[Row], file: str, findings: Findings) -> None:
    """Let `epoch` count epochs that are done, from whatever number the entry begins at.

    A first row called epoch 0 is the end of the first epoch, unless hardly any time had passed:
    then it is an evaluation before training.
    """
    twice = [b for a, b in pairwise(rows) if a.epoch == b.epoch is not None]
    for row in twice:
        findings.remark(file, f"epoch again: {row.epoch:g} with other numbers", line=row.line)
    first = rows[0] if rows else None
    if first is None or first.epoch != 0:
        return
    later = [row.hours for row in rows[1:] if row.hours is not None]
    if first.hours is None or not later:
        trained = bool(first.hours)
    else:
        trained = first.hours > 0.25 * (later[0] - first.hours)
    if trained:
        findings.remark(file, "epochs from 0: shifted, so that they count epochs done")
        for row in rows:
            if row.epoch is not None:
                row.epoch += 1
