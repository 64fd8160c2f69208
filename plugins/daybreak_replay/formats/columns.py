"""Reads CSV and Parquet files: the user says which column is what.

A repetition is a row of its own, or stands in a list (``[1.5, 1.6]``, also ``1.5;1.6``).
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak import Direction, FailureKind, Metric, UserError, nearest
from daybreak_replay.formats.json_items import read_text
from daybreak_replay.formats.kernel_tuner import FAILURES, OUTSIDE, failure_of
from daybreak_replay.recording import Recording, Row
from daybreak_replay.units import seconds_per

if TYPE_CHECKING:
    from daybreak_replay.loading import Reading

__all__ = ["read_columns"]

_VALID = frozenset({"true", "1", "1.0", "yes", "ok", "valid", "correct", "success", "passed"})
_INVALID = frozenset({"false", "0", "0.0", "no", "failed", "invalid", "error", "failure"})
_WHOLE = re.compile(r"[+-]?\d+\Z")
_TRUTH = {"true": True, "false": False}
_SEPARATORS = re.compile(r"[;\s|]+")


def read_columns(path: Path, format_: str, data: bytes, reading: Reading) -> Recording:
    """Return what a file with columns holds.

    Args:
        path: for messages.
        format_: `csv` or `parquet`.
        data: the file's content.
        reading: which column is what.

    Raises:
        UserError: a column that does not exist, an objective without unit or direction, a value
            that is none; names file and line.
    """
    if format_ == "csv":
        names, columns, places, unit = _read_csv(path, data, reading)
    else:
        names, columns, places, unit = _read_parquet(path, data)
    return _Mapper(str(path), names, columns, places, unit, reading).recording()


def _read_csv(
    path: Path, data: bytes, reading: Reading
) -> tuple[list[str], list[list[Any]], list[int], str]:
    text, cut = read_text(path, data)
    if cut and reading.incomplete == "refuse":
        raise UserError(
            "this file is cut short: its compressed stream ends in the middle",
            file=path,
            remedy="to use the lines that are whole: option `incomplete: prefix`",
        )
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    places: list[int] = []
    rows: list[list[str]] = []
    try:
        header = next(reader, None)
        if not header or not any(header):
            raise UserError("this file has no header line", file=path, line=1)
        names = [name.strip() for name in header]
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise _wrong_length(path, reader.line_num, len(row), len(names))
            places.append(reader.line_num)
            rows.append(row)
    except csv.Error as error:
        raise UserError(f"this is no CSV: {error}", file=path, line=reader.line_num) from error
    except UserError:
        # what was cut in its last line is whole before it
        last = text.rstrip().count("\n") + 1
        if not (cut and reading.incomplete == "prefix" and rows and reader.line_num >= last):
            raise
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise UserError(f"two columns are named '{twice[0]}'", file=path, line=1)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    return names, columns, places, "line"


def _wrong_length(path: Path, line: int, found: int, wanted: int) -> UserError:
    return UserError(
        f"this line has {found} cells",
        file=path,
        line=line,
        expected=f"{wanted}, as in the header",
        remedy="if the file was cut short, remove its last line",
    )


def _read_parquet(path: Path, data: bytes) -> tuple[list[str], list[list[Any]], list[int], str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"this is no Parquet file, or it was cut short: {error}", file=path
        ) from error
    columns = [column.to_pylist() for column in table.columns]
    return list(table.column_names), columns, list(range(table.num_rows)), "row"


class _Mapper:
    """Makes rows of columns."""

    def __init__(
        self,
        file: str,
        names: Sequence[str],
        columns: Sequence[list[Any]],
        places: list[int],
        unit: str,
        reading: Reading,
    ) -> None:
        self._file = file
        self._names = list(names)
        self._columns = dict(zip(names, columns, strict=False))
        self._places = places
        self._unit = unit
        self._reading = reading
        self._sentinels = {_same(value) for value in reading.failed_values}
        self._valid = {_same(value) for value in reading.valid}

    def _fail(self, at: int, message: str, **more: Any) -> UserError:
        if self._unit == "line":
            return UserError(message, file=self._file, line=self._places[at], **more)
        return UserError(f"row {self._places[at]}: {message}", file=self._file, **more)

    def _column(self, name: str, field: str) -> list[Any]:
        if name not in self._columns:
            raise UserError(
                f"there is no column '{name}'",
                file=self._file,
                field=field,
                expected=", ".join(self._names),
                nearest=nearest(name, self._names),
            )
        return self._columns[name]

    def recording(self) -> Recording:
        objectives = self._metrics(self._reading.objectives, "objectives")
        further = self._metrics(self._reading.metrics or {}, "metrics")
        if not self._places:
            raise UserError("this file has no rows", file=self._file)
        names = self._parameters()
        values = {name: self._typed(name) for name in names}
        rows = [
            Row(place, {name: values[name][at] for name in names})
            for at, place in enumerate(self._places)
        ]
        self._judge(rows)
        for metric, column in (*objectives, *further):
            self._take(rows, metric, column, objective=(metric, column) in objectives)
        self._take_times(rows)
        return Recording(
            file=self._file,
            unit=self._unit,
            parameters=tuple(names),
            rows=rows,
            metrics=tuple(metric for metric, _ in (*objectives, *further)),
            objectives=tuple(metric.name for metric, _ in objectives),
            facts={"format": "CSV" if self._unit == "line" else "Parquet"},
        )

    def _metrics(self, given: Any, field: str) -> list[tuple[Metric, str]]:
        if not isinstance(given, Mapping) or (not given and field == "objectives"):
            raise UserError(
                "a file with columns does not say which of them is an objective, nor its unit and "
                "direction",
                file=self._file,
                field=field,
                expected=f"`{field}: {{time: {{unit: ms, direction: minimize}}}}`",
                nearest=next((n for n in self._names if "time" in n.lower()), None),
            )
        made = []
        for name, one in given.items():
            described = dict(one or {})
            for needed, words in (
                ("unit", "a unit, '1' for a plain number"),
                ("direction", "minimize or maximize"),
            ):
                if not described.get(needed):
                    raise UserError(
                        f"the metric '{name}' has no {needed}",
                        file=self._file,
                        field=f"{field}.{name}.{needed}",
                        expected=words,
                    )
            column = described.get("column") or name
            self._column(column, f"{field}.{name}")
            metric = Metric(name, described["unit"], Direction(described["direction"]))
            made.append((metric, column))
        return made

    def _parameters(self) -> list[str]:
        names = self._reading.parameters
        if not names:
            raise UserError(
                "a file with columns does not say which of them are parameters",
                file=self._file,
                field="parameters",
                expected="`parameters: [COLUMN, ...]` out of " + ", ".join(self._names),
            )
        for name in names:
            self._column(name, "parameters")
        return list(names)

    def _typed(self, name: str) -> list[Any]:
        """Return a parameter's values; a column of texts becomes numbers if all of them are."""
        column = self._columns[name]
        for at, value in enumerate(column):
            empty = value is None or (isinstance(value, str) and not value.strip())
            if empty or (isinstance(value, float) and not math.isfinite(value)):
                raise self._fail(at, f"the parameter '{name}' has no value", field=name)
        if not all(isinstance(value, str) for value in column):
            return [tuple(v) if isinstance(v, list) else v for v in column]
        texts = [value.strip() for value in column]
        if all(_WHOLE.match(text) for text in texts):
            return [int(text) for text in texts]
        if all(text.lower() in _TRUTH for text in texts):
            return [_TRUTH[text.lower()] for text in texts]
        numbers = [_number(text) for text in texts]
        if all(number is not None for number in numbers):
            return numbers
        if all(re.fullmatch(r"[\[(]\s*\d+(\s*,\s*\d+)*\s*[\])]", text) for text in texts):
            return [tuple(int(e) for e in re.findall(r"\d+", text)) for text in texts]
        return texts

    def _judge(self, rows: Sequence[Row]) -> None:
        name = self._reading.status
        if name is None:
            return
        column = self._column(name, "status")
        mapped = {_same(word): kind for word, kind in self._reading.failures.items()}
        kinds = {kind.value: kind for kind in FailureKind}
        for word, kind in self._reading.failures.items():
            if kind not in kinds:
                raise UserError(
                    f"'{kind}' is no kind of failure",
                    file=self._file,
                    field=f"failures.{word}",
                    expected=", ".join(kinds),
                    nearest=nearest(kind, kinds),
                )
        for at, (row, value) in enumerate(zip(rows, column, strict=True)):
            word = _same(value)
            if word in mapped:
                row.failure = kinds[mapped[word]]
            elif self._valid:
                row.failure = None if word in self._valid else self._kind(value)
            elif word in _VALID:
                continue
            elif str(value) in OUTSIDE:
                row.outside = True
            else:
                row.failure = self._kind(value)
                if row.failure is None:
                    raise self._fail(
                        at,
                        f"the status '{value}' is not known",
                        field=name,
                        expected="true or false, ok or failed, or the name of a kind of failure",
                        remedy=f"say what it means: option `valid: [{value}]`, or "
                        f"`failures: {{{value}: crash}}`",
                    )
            if row.failure is not None:
                row.message = f"recorded as failed: {name} {value}"
        if self._valid:
            for row in rows:
                if row.failure is None and row.message:
                    row.failure = FailureKind.CRASH

    def _kind(self, value: Any) -> FailureKind | None:
        text = str(value)
        kinds = {kind.value: kind for kind in FailureKind}
        found = kinds.get(text.lower()) or FAILURES.get(text) or failure_of(text)
        if found is None and (_same(value) in _INVALID or self._valid):
            return FailureKind.CRASH
        return found

    def _take(self, rows: Sequence[Row], metric: Metric, column: str, *, objective: bool) -> None:
        for at, (row, value) in enumerate(zip(rows, self._columns[column], strict=True)):
            if row.failure is not None or row.outside:
                continue
            if objective and _same(value) in self._sentinels:
                row.failure = FailureKind.CRASH
                row.message = f"recorded as failed: {column} {value}"
                row.samples = {}
                continue
            if isinstance(value, str) and failure_of(value.strip()) is not None:
                row.failure = failure_of(value.strip())
                row.message = f"recorded as failed: {column} {value.strip()}"
                row.samples = {}
                continue
            samples = _samples(value)
            if samples is None:
                raise self._fail(
                    at,
                    f"'{value}' is no number",
                    field=column,
                    expected="a number or a list of numbers",
                    remedy="if it marks a failure: option `failed_values`",
                )
            if samples:
                row.samples[metric.name] = samples

    def _take_times(self, rows: Sequence[Row]) -> None:
        for phase, one in self._reading.times.items():
            column = self._column(one["column"], f"times.{phase}")
            factor = seconds_per(one["unit"], field=f"times.{phase}.unit", file=self._file)
            for at, (row, value) in enumerate(zip(rows, column, strict=True)):
                samples = _samples(value)
                if samples is None:
                    raise self._fail(at, f"'{value}' is no time", field=one["column"])
                if samples:
                    row.seconds[phase] = sum(samples) * factor


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _same(value: Any) -> str:
    """Return a text that is equal for equal values, however they are written: 1e3, 1000.0."""
    text = str(value).strip().lower()
    number = _number(text)
    return text if number is None or not math.isfinite(number) else repr(float(number))


def _samples(value: Any) -> list[float] | None:
    """Return a cell's numbers; an empty cell has none; None: it is something else."""
    if value is None:
        return []
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, str):
        return _parsed(value.strip())
    if isinstance(value, list):
        parts = [_samples(item) for item in value]
        return None if any(part is None for part in parts) else list(_flat(parts))
    return None


def _flat(parts: Sequence[list[float] | None]) -> Iterator[float]:
    for part in parts:
        yield from part or ()


def _parsed(text: str) -> list[float] | None:
    if not text:
        return []
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except ValueError:
            return None
        return _samples(listed) if isinstance(listed, list) else None
    numbers = [_number(part) for part in _SEPARATORS.split(text)]
    return None if any(n is None for n in numbers) else [n for n in numbers if n is not None]
