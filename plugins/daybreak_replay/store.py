"""Keeps a table as Parquet: the user's imported tables, and a cache of what was read before.

One file holds everything: a column of codes per parameter, a list of samples per metric, failures,
seconds; what is not by row stands as JSON in the file's metadata under ``daybreak_table``.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from daybreak import Direction, FailureKind, Metric, UserError
from daybreak_replay.recording import PHASES
from daybreak_replay.table import Column, Series, Table

__all__ = ["cache_folder", "read_table", "write_table"]

#: Version of this layout: a cached file of another one is not looked at.
LAYOUT = 1
_KEY = b"daybreak_table"


def cache_folder() -> Path:
    """Return the folder for tables that were read before; it need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("daybreak", appauthor=False) / "replay"


def write_table(table: Table, path: Path) -> None:
    """Write `table` to `path`, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {}
    for i, column in enumerate(table.parameters.values()):
        columns[f"p{i}"] = pa.array(column.codes)
    for i, metric in enumerate(table.metrics):
        series = table.series[metric.name]
        columns[f"m{i}"] = pa.LargeListArray.from_arrays(
            pa.array(series.offsets), pa.array(series.flat)
        )
    columns["failure"] = pa.array(
        [None if kind is None else kind.value for kind in table.failures], type=pa.string()
    ).dictionary_encode()
    columns["message"] = pa.array(table.messages, type=pa.string()).dictionary_encode()
    for phase in PHASES:
        columns[f"{phase}_s"] = pa.array(table.seconds[phase])
    columns["place"] = pa.array(table.places, type=pa.int64())
    written = pa.table(columns)
    text = json.dumps(_described(table), separators=(",", ":"))
    written = written.replace_schema_metadata({_KEY: text.encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        pq.write_table(written, scratch, compression="zstd")
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def read_table(path: Path) -> Table:
    """Read what `write_table` wrote.

    Raises:
        UserError: the file is missing, damaged, or of another version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        read = pq.read_table(path).combine_chunks()
        metadata = json.loads((read.schema.metadata or {})[_KEY])
        if metadata["layout"] != LAYOUT:
            raise UserError(
                f"this table has layout {metadata['layout']}",
                file=path,
                expected=f"layout {LAYOUT}",
                remedy="import the original file again",
            )
        return _table(read, metadata)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError, IndexError) as error:
        raise UserError(
            f"this table cannot be read: {error or type(error).__name__}",
            file=path,
            remedy="import the original file again",
        ) from error


def _described(table: Table) -> dict[str, Any]:
    return {
        "layout": LAYOUT,
        "digest": table.digest,
        "file": table.file,
        "unit": table.unit,
        "parameters": [
            {"name": name, "domain": [_plain(v) for v in column.domain]}
            for name, column in table.parameters.items()
        ],
        "metrics": [[m.name, m.unit, m.direction.value, m.summary] for m in table.metrics],
        "objectives": list(table.objectives),
        "outside": [[_plain(v) for v in key] for key in sorted(table.outside, key=repr)],
        "declared": {name: [_plain(v) for v in vs] for name, vs in table.declared.items()},
        "space": table.space,
        "references": {
            name: {k: _plain(v) for k, v in one.items()} for name, one in table.references.items()
        },
        "notes": list(table.notes),
        "facts": dict(table.facts),
    }


def _table(read: Any, metadata: dict[str, Any]) -> Table:
    import numpy as np

    def floats(name: str) -> Any:
        return np.asarray(read.column(name).to_numpy(), dtype=np.float64)

    parameters = {}
    for i, one in enumerate(metadata["parameters"]):
        codes = np.asarray(read.column(f"p{i}").to_numpy(), dtype=np.int32)
        domain = tuple(_value(v) for v in one["domain"])
        if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < len(domain):
            raise ValueError(f"codes of '{one['name']}' beyond its values")
        parameters[one["name"]] = Column(domain, codes)
    metrics = tuple(
        Metric(name, unit, Direction(direction), summary)
        for name, unit, direction, summary in metadata["metrics"]
    )
    series = {}
    for i, metric in enumerate(metrics):
        lists = read.column(f"m{i}").combine_chunks()
        offsets = np.asarray(lists.offsets.to_numpy(), dtype=np.int64)
        first = int(offsets[0])
        flat = np.asarray(lists.values.to_numpy(), dtype=np.float64)[first : int(offsets[-1])]
        series[metric.name] = Series(flat, offsets - first)
    return Table(
        digest=str(metadata["digest"]),
        file=str(metadata["file"]),
        unit=str(metadata["unit"]),
        parameters=parameters,
        metrics=metrics,
        objectives=tuple(metadata["objectives"]),
        series=series,
        failures=[
            None if kind is None else FailureKind(kind)
            for kind in read.column("failure").to_pylist()
        ],
        messages=[text or "" for text in read.column("message").to_pylist()],
        seconds={phase: floats(f"{phase}_s") for phase in PHASES},
        places=read.column("place").to_pylist(),
        outside=frozenset(tuple(_value(v) for v in key) for key in metadata["outside"]),
        declared={name: [_value(v) for v in vs] for name, vs in metadata["declared"].items()},
        space=metadata["space"],
        references=metadata["references"],
        notes=tuple(metadata["notes"]),
        facts=metadata["facts"],
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
