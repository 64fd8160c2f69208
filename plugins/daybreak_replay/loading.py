"""From a file to its table: finds the format, reads it once per process, keeps what took long.

A table is kept in memory while the process lives, by path, time of change, size and how it is to
be read; and as Parquet in the user's cache folder, by the file's SHA-256.
"""

from __future__ import annotations

import gc
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from daybreak import UserError
from daybreak_replay.assemble import assemble, described
from daybreak_replay.formats.json_items import read_bytes, read_document
from daybreak_replay.recording import Recording
from daybreak_replay.store import LAYOUT, cache_folder, read_table, write_table
from daybreak_replay.table import Table

__all__ = ["Reading", "format_of", "load_table"]

#: Tables kept in memory.
_KEPT = 16
#: Rows from which on a table is kept in the cache folder: smaller ones are read as fast.
_WORTH_KEEPING = 2000

#: Version of how files are understood: what an older one kept is read anew.
_UNDERSTOOD = 2

_lock = threading.Lock()
_tables: OrderedDict[tuple[Any, ...], Table] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read: the options of `replay/table` that matter for that."""

    format: str = "auto"
    objectives: Any = None
    time_unit: str | None = None
    bad_rows: str = "refuse"
    incomplete: str = "refuse"
    parameters: tuple[str, ...] | None = None
    status: str | None = None
    valid: tuple[Any, ...] = ()
    failed_values: tuple[Any, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    benchmark: str | None = None
    run: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Reading:
        """Take the options that matter."""
        taken = {name: options[name] for name in cls.__slots__ if options.get(name) is not None}
        for name in ("parameters", "valid", "failed_values"):
            if name in taken:
                taken[name] = tuple(taken[name])
        return cls(**taken)

    def key(self) -> str:
        """Return a text that is equal for equal readings."""
        return json.dumps(asdict(self), sort_keys=True)


def load_table(path: Path, reading: Reading) -> Table:
    """Return the table of the file at `path`.

    Raises:
        UserError: the file cannot be read, or not be understood.
    """
    path = path.expanduser()
    kind = _stat(path)
    key = (str(path.absolute()), kind, reading.key())
    with _lock:  # the same table is not read twice by studies that start together
        table = _tables.get(key)
        if table is None:
            table = _load(path, reading)
            _tables[key] = table
            while len(_tables) > _KEPT:
                _tables.popitem(last=False)
        _tables.move_to_end(key)
        return table


def _stat(path: Path) -> tuple[int, int]:
    """Return what changes when the file, or a file in the folder, changes."""
    try:
        if not path.is_dir():
            found = path.stat()
            return found.st_mtime_ns, found.st_size
        stats = [file.stat() for file in path.rglob("*") if file.is_file()]
        return max((s.st_mtime_ns for s in stats), default=0), sum(s.st_size for s in stats)
    except OSError as error:
        raise UserError(
            f"cannot be read: {error.strerror or error}",
            file=path,
            remedy="check the path: it counts from the folder in which daybreak runs",
        ) from error


def _load(path: Path, reading: Reading) -> Table:
    format_ = reading.format if reading.format != "auto" else format_of(path)
    if format_ == "results":
        from daybreak_replay.formats.results import read_results

        recording, digest = read_results(path, reading.benchmark, reading.run)
        return assemble(recording, digest, bad_rows=reading.bad_rows)
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    named = f"{digest}\n{reading.key()}\n{LAYOUT}\n{_UNDERSTOOD}".encode()
    kept = cache_folder() / f"{hashlib.sha256(named).hexdigest()[:32]}.parquet"
    if kept.exists():
        with suppress(UserError):  # a damaged copy is made anew
            table = read_table(kept)
            table.file = str(path)
            return table
    with _no_collections():
        table = assemble(_read(path, format_, data, reading), digest, bad_rows=reading.bad_rows)
    if len(table) >= _WORTH_KEEPING:
        with suppress(OSError):  # a full or read-only cache folder only costs time
            write_table(table, kept)
    return table


@contextmanager
def _no_collections() -> Iterator[None]:
    """Let the garbage collector rest: millions of new objects, all in use, would wake it for nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def format_of(path: Path) -> str:
    """Return the format that the name stands for; `json` is told apart by its content.

    Raises:
        UserError: the name stands for none.
    """
    if path.is_dir():
        return "results"
    name = path.name.lower().removesuffix(".gz")
    for suffix, format_ in (
        (".json", "json"),
        (".csv", "csv"),
        (".tsv", "csv"),
        (".txt", "csv"),
        (".parquet", "parquet"),
        (".pq", "parquet"),
        (".duckdb", "results"),
    ):
        if name.endswith(suffix):
            return format_
    raise UserError(
        f"the name '{path.name}' does not say which format this is",
        file=path,
        expected=".json, .json.gz, .csv, .csv.gz, .parquet, or a folder of results",
        remedy="option `format: t4`, `cache`, `csv`, `parquet` or `results`",
    )


def _check_results(path: Path, members: Mapping[str, Any]) -> None:
    if "results" in members:
        raise UserError(
            f"`results` is no list but {members['results']!r:.60}",
            file=path,
            field="results",
            expected="a list of T4's results",
        )


def _read(path: Path, format_: str, data: bytes, reading: Reading) -> Recording:
    if format_ in ("csv", "parquet"):
        from daybreak_replay.formats.columns import read_columns

        return read_columns(path, format_, data, reading)
    from daybreak_replay.formats.cache import is_cache, read_cache
    from daybreak_replay.formats.t4 import is_t4, read_t4

    document = read_document(
        path, ("results", "cache"), prefix=reading.incomplete == "prefix", data=data
    )
    objectives = described(reading.objectives)
    read: Any = None
    if format_ in ("json", "t4") and is_t4(document):
        read = read_t4
    elif format_ in ("json", "cache") and is_cache(document):
        read = read_cache
    if read is None:
        _check_results(path, document.members)
        members = ", ".join(f"'{name}'" for name in [*document.members, document.name] if name)
        raise UserError(
            f"this JSON file is neither T4 nor a cache of Kernel Tuner: it has {members or 'nothing'}",
            file=path,
            expected="`results` (T4) or `tune_params_keys` and `cache` (Kernel Tuner's cache)",
            remedy="save it as a table with columns (CSV or Parquet)",
        )
    return read(str(path), document, unit=reading.time_unit, described=objectives)  # type: ignore[no-any-return]
