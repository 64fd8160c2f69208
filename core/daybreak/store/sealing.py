"""Sealed segments: one immutable Parquet file instead of lines of JSON, holding exactly the same.

One row per line, in order. A trial's row is typed (anybody's tool reads it: numbers are numbers,
samples and events are lists of structs, free-form parts are JSON text); any other record is JSON
text in `record`. `daybreak.store.ingestion` takes such tables as they are, without parsing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.errors import StoreError
from daybreak.store.codec import SCHEMA_VERSION, decode_json, encode_json
from daybreak.store.segments import (
    Line,
    parse_line,
    read_lines,
    segment_path,
    sync_folder,
    writing_failed,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "ADDED_COLUMNS",
    "DamagedSegmentError",
    "check_sealed",
    "open_sealed",
    "read_sealed",
    "seal",
    "sealed_rows",
    "segment_schema",
    "to_table",
]

#: Records that become one row group: a bound on memory, and what a reader can skip at once.
_BATCH = 100_000
#: Records that are Python objects at a time: more, and the garbage collector dominates.
_PARSED = 2_000
#: Columns (of numbers) that the first segments of this format lack; they mean nothing there.
ADDED_COLUMNS = ("simulated_s",)
_INT64 = 1 << 63

# parts of a trial's record, by the type of their column
_TEXTS = ("study_id", "status", "failure_kind", "reference", "key", "started_at", "message")
_NUMBERS = ("ask_s", "tell_s", "total_s", "elapsed_s", "low", "high", "simulated_s")
_MAPS = ("objectives", "phases")
_JSONS = ("configuration", "facts", "readings", "proposal")


class DamagedSegmentError(StoreError):
    """A sealed segment cannot be read at all; other segments and runs are not concerned."""


def segment_schema() -> pa.Schema:
    """Return the columns of a sealed segment.

    `position` is the line's index in the segment, `type` the record's; `record` holds the JSON of
    a record that is no trial, or the raw text of a damaged line (type `damaged`). All others are
    filled for trials only.
    """
    import pyarrow as pa

    numbers = pa.map_(pa.string(), pa.float64())
    sample = pa.struct([("metric", pa.string()), ("value", pa.float64()), ("i", pa.int64())])
    event = pa.struct(
        [
            ("metric", pa.string()),
            ("value", pa.float64()),
            ("seq", pa.int64()),
            ("step", pa.int64()),
            ("epoch", pa.float64()),
            ("train_s", pa.float64()),
            ("wall_s", pa.float64()),
        ]
    )
    return pa.schema(
        [
            ("position", pa.int64()),
            ("type", pa.string()),
            ("record", pa.string()),
            ("study_id", pa.string()),
            ("number", pa.int64()),
            ("status", pa.string()),
            ("failure_kind", pa.string()),
            ("reference", pa.string()),
            ("key", pa.string()),
            ("started_at", pa.string()),
            ("message", pa.string()),
            ("detail", pa.string()),
            ("ask_s", pa.float64()),
            ("tell_s", pa.float64()),
            ("total_s", pa.float64()),
            ("elapsed_s", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("simulated_s", pa.float64()),
            ("objectives", numbers),
            ("phases", numbers),
            ("configuration", pa.string()),
            ("facts", pa.string()),
            ("readings", pa.string()),
            ("proposal", pa.string()),
            ("samples", pa.list_(sample)),
            ("events", pa.list_(event)),
        ],
        metadata={"daybreak_schema_version": str(SCHEMA_VERSION)},
    )


def to_table(lines: Iterable[Line], path: Path) -> tuple[pa.Table, list[str]]:
    """Return lines as a table with the columns of `segment_schema`, and what was damaged.

    Args:
        lines: whole lines, as `read_lines` yields them.
        path: where they come from, for messages.

    Raises:
        StoreError: a record of a newer format.
    """
    import pyarrow as pa

    schema = segment_schema()
    problems: list[str] = []
    remaining = iter(lines)
    batches = []
    while some := list(islice(remaining, _PARSED)):
        batches.append(_to_batch(some, path, schema, problems, pa))
    return pa.Table.from_batches(batches, schema=schema), problems


def _to_batch(
    lines: list[Line], path: Path, schema: pa.Schema, problems: list[str], pa: Any
) -> pa.RecordBatch:
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    appenders = [(name, values.append) for name, values in columns.items()]
    for line in lines:
        record = parse_line(line.text, path, line.position)
        row: dict[str, Any]
        if isinstance(record, str):
            problems.append(record)
            row = {"type": "damaged", "record": line.text.decode("utf-8", "replace")}
        elif record["type"] == "trial":
            row = _trial_row(record)
        else:
            row = {"type": record["type"], "record": encode_json(record)}
        row["position"] = line.position
        for name, append in appenders:
            append(row.get(name))
    arrays = [_column(columns[field.name], field.type, pa) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _trial_row(record: dict[str, Any]) -> dict[str, Any]:
    row = dict(record)
    for name in _JSONS:
        if name in row:
            row[name] = encode_json(row[name])
    for name in _MAPS:
        if name in row:
            row[name] = list(row[name].items())
    return row


def _column(values: list[Any], kind: pa.DataType, pa: Any) -> pa.Array:
    """Return a column, at worst with what does not fit its type left out."""
    if pa.types.is_list(kind):
        return _list_column(values, kind, pa)
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        if pa.types.is_map(kind):
            fitted = [v and [(str(key), _fit(x, float)) for key, x in v] for v in values]
            return pa.array(fitted, kind)
        return pa.array([_fit(value, _type_of(kind, pa)) for value in values], kind)


def _list_column(values: list[Any], kind: pa.DataType, pa: Any) -> pa.Array:
    """Return a column of lists of structs, built from flat columns: many times faster."""
    offsets: list[int | None] = []
    rows: list[Any] = []
    total = 0
    for value in values:
        if value is None:
            offsets.append(None)  # the list is NULL
            continue
        offsets.append(total)
        rows.extend(value)
        total += len(value)
    offsets.append(total)
    struct = kind.value_type
    fields = [struct.field(i) for i in range(struct.num_fields)]
    # events of other lengths cannot come from this version, but must not stop a reader either
    width = len(fields)
    rows = [row if len(row) == width else (*row, *[None] * width)[:width] for row in rows]
    flat = list(zip(*rows, strict=True)) if rows else [()] * width
    children = [
        _column(list(column), field.type, pa) for column, field in zip(flat, fields, strict=True)
    ]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.StructArray.from_arrays(children, fields=fields)
    )


def _type_of(kind: pa.DataType, pa: Any) -> Callable[[Any], Any]:
    if pa.types.is_floating(kind):
        return float
    return int if pa.types.is_integer(kind) else str


def _fit(value: Any, convert: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    try:
        fitted = convert(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return fitted if convert is not int or -_INT64 <= fitted < _INT64 else None


def seal(path: Path) -> Path:
    """Turn the lines at `path` into Parquet beside it, then remove them; return the new path.

    The file appears under its name only when it is whole and on the disk; a crash at any moment
    leaves the lines, the Parquet file, or both.

    Raises:
        StoreError: the disk is full or the like; the lines are untouched then.
    """
    import pyarrow.parquet as pq

    number = int(path.stem.rpartition("-")[2])
    sealed = segment_path(path.parent, number, "parquet")
    # no name that readers look for
    draft = path.parent / f".sealing-{os.getpid()}-{sealed.name}"
    try:
        with pq.ParquetWriter(draft, segment_schema(), compression="zstd") as writer:
            for table in _tables(path):
                writer.write_table(table)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(sealed)
        sync_folder(path.parent)
        path.unlink()
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise writing_failed(error, sealed) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return sealed


def _tables(path: Path) -> Iterator[pa.Table]:
    batch: list[Line] = []
    for line in read_lines(path):
        batch.append(line)
        if len(batch) >= _BATCH:
            yield to_table(batch, path)[0]
            batch = []
    if batch:
        yield to_table(batch, path)[0]


def open_sealed(path: Path) -> Any:
    """Return the `ParquetFile` at `path`, checked for its version.

    Raises:
        StoreError: it is damaged, or of a newer format.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        metadata = file.schema_arrow.metadata or {}
        version = int(metadata.get(b"daybreak_schema_version", b"0"))
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(error, path) from error
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the segment is of format {version}, newer than this Daybreak reads",
            file=path,
            expected=f"format {SCHEMA_VERSION} or older",
            remedy="install a newer Daybreak",
        )
    return file


def sealed_rows(path: Path) -> int:
    """Return how many records a sealed segment holds."""
    return int(open_sealed(path).metadata.num_rows)


def read_sealed(path: Path, *, trials: bool = True) -> Iterator[dict[str, Any] | str]:
    """Yield the records of a sealed segment in order, or a sentence for a damaged line.

    `trials` False leaves the trials out, and reads next to nothing of the file.

    Raises:
        StoreError: it is damaged, or of a newer format.
    """
    for batch in _batches(path, None if trials else ["position", "type", "record"]):
        for row in batch.to_pylist():
            kind = row["type"]
            if kind == "trial":
                if trials:
                    yield _trial_record(row)
            elif kind == "damaged":
                yield f"{path}:{row['position'] + 1}: the line was damaged and was left out"
            else:
                yield decode_json(row["record"])


def _batches(path: Path, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    file = open_sealed(path)
    try:
        # a file whose end is whole may be damaged in the middle: it is found out here
        yield from file.iter_batches(batch_size=20_000, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, path) from error


def check_sealed(path: Path) -> None:
    """Read all of a sealed segment.

    Raises:
        DamagedSegmentError: a part of it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, path) from error


def _damaged(error: Exception, path: Path) -> DamagedSegmentError:
    return DamagedSegmentError(
        f"the sealed segment is damaged: {str(error).splitlines()[0]}",
        file=path,
        remedy="restore it from a copy of the results folder, or move it out of the run's "
        "folder to do without its trials",
    )


def _trial_record(row: dict[str, Any]) -> dict[str, Any]:
    record = {name: value for name, value in row.items() if value is not None}
    del record["position"]
    for name in _JSONS:
        if name in record:
            record[name] = decode_json(record[name])
    for name in _MAPS:
        if name in record:
            record[name] = dict(record[name])
    for name in ("samples", "events"):
        if name in record:
            record[name] = [tuple(item.values()) for item in record[name]]
    return record
