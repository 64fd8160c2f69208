"""Segments of the spool: append-only files of JSON lines, and how to read them after any kill.

A run's folder is ``results/spool/<run_id>/``; its segments are ``segment-000001.jsonl``, and so on.
A finished segment becomes ``segment-000001.parquet`` (see `daybreak.store.sealing`), and where a
crash left both, the Parquet file is the whole truth and the lines are ignored.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak.errors import StoreError
from daybreak.store.codec import SCHEMA_VERSION

__all__ = [
    "AppendFile",
    "Line",
    "Segment",
    "list_runs",
    "list_segments",
    "no_results",
    "parse_line",
    "read_lines",
    "run_folder",
    "spool_folder",
    "sync_folder",
    "writing_failed",
]

_SEGMENT = re.compile(r"segment-(\d{6,})\.(jsonl|parquet)")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment file; `sealed` means that it is Parquet."""

    number: int
    path: Path
    sealed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One whole line: its index in the segment, the offset after it in bytes, and its text."""

    position: int
    end: int
    text: bytes


def spool_folder(results: Path) -> Path:
    """Return the folder that holds a folder per run."""
    return results / "spool"


def run_folder(results: Path, run_id: str) -> Path:
    """Return the folder of a run.

    Raises:
        StoreError: `run_id` would be no safe name of a folder.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise StoreError(
            f"'{run_id}' is no run id",
            expected="letters, digits and . _ + - only, beginning with a letter or digit",
        )
    return spool_folder(results) / run_id


def list_runs(results: Path) -> list[str]:
    """Return the ids of all runs in the spool, sorted."""
    try:
        entries = list(os.scandir(spool_folder(results)))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(
        entry.name for entry in entries if _RUN_ID.fullmatch(entry.name) and entry.is_dir()
    )


def list_segments(folder: Path) -> list[Segment]:
    """Return a run's segments in order; of a segment in both forms, the sealed one."""
    found: dict[int, Segment] = {}
    for entry in os.scandir(folder):
        match = _SEGMENT.fullmatch(entry.name)
        if match is None:
            continue
        number, sealed = int(match[1]), match[2] == "parquet"
        if sealed or number not in found:
            found[number] = Segment(number, Path(entry.path), sealed)
    return [found[number] for number in sorted(found)]


def segment_path(folder: Path, number: int, kind: str = "jsonl") -> Path:
    """Return the path of segment `number` as `kind`: ``jsonl`` or ``parquet``."""
    return folder / f"segment-{number:06d}.{kind}"


def read_lines(
    path: Path, *, start: int = 0, position: int = 0, limit: int | None = None
) -> Iterator[Line]:
    """Yield the whole lines of a segment from byte `start`, whose index is `position`.

    What follows the last newline is a line still being written or torn by a kill: left out. Stops
    after the line that passes `limit` bytes, if given.
    """
    end = start
    with path.open("rb") as file:
        file.seek(start)
        for text in file:
            if not text.endswith(b"\n"):
                return
            end += len(text)
            yield Line(position, end, text)
            position += 1
            if limit is not None and end - start >= limit:
                return


def parse_line(text: bytes, path: Path, position: int) -> dict[str, Any] | str:
    """Return a line's record, or a sentence that says why it has none.

    Raises:
        StoreError: the record is of a newer format than this Daybreak knows.
    """
    try:
        record = json.loads(text)
    except ValueError:
        return f"{path}:{position + 1}: the line is damaged and was left out"
    if not isinstance(record, dict) or "type" not in record:
        return f"{path}:{position + 1}: the line holds no record and was left out"
    version = record.get("schema_version", 0)
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise StoreError(
            f"the record is of format {version}, newer than this Daybreak reads",
            file=path,
            line=position + 1,
            expected=f"format {SCHEMA_VERSION} or older",
            remedy="install a newer Daybreak",
        )
    return record


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def no_results(results: Path) -> StoreError:
    """Return the error to raise where there is no results folder."""
    if results.exists():
        return StoreError(
            "this is a file", file=results, expected="a results folder", remedy="--results DIR"
        )
    return StoreError(
        "there is no results folder",
        file=results,
        remedy="run a suite first (daybreak run quickstart), or name the folder: --results DIR",
    )


def writing_failed(error: OSError, path: Path) -> StoreError:
    """Return the error to raise for a failed write under the results folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            "the disk is full; everything recorded earlier is kept",
            file=path,
            remedy="free some space, then start the same command again: it resumes",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StoreError(
            f"the results folder cannot be written: {os.strerror(error.errno).lower()}",
            file=path,
            remedy="make it writable, or name another one with --results DIR",
        )
    if error.errno == errno.EFBIG:
        return StoreError(
            "the file may not grow any more (limit on file sizes); what was recorded is kept",
            file=path,
            remedy="raise the limit (`ulimit -f unlimited`), then start the command again",
        )
    return StoreError(f"cannot be written: {error.strerror or error}", file=path)


class AppendFile:
    """A file that only grows, by whole records.

    Each record is one `os.write`, so that a kill at any moment leaves at most one torn last line.
    A write that fails half-way is cut off again. An existing file's torn last line is cut off on
    opening.

    Args:
        path: the file; made if it is missing.

    Raises:
        StoreError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
            self.size = _whole_size(self._descriptor)
            self._clean = False
            self._cut()
        except OSError as error:
            raise writing_failed(error, path) from error

    def append(self, data: bytes) -> None:
        """Append one record, complete with its newline.

        Raises:
            StoreError: the disk is full or the like; the file is as it was before.
        """
        try:
            if not self._clean:
                self._cut()
            self._clean = False
            written = os.write(self._descriptor, data)
            while written < len(data):  # an almost full disk takes a part; asking again says why
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            try:
                self._cut()
            except OSError:
                self._clean = False  # tried again before the next record
            raise writing_failed(error, self.path) from error
        self.size += written
        self._clean = True

    def sync(self) -> None:
        """Make everything appended so far survive a power loss."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise writing_failed(error, self.path) from error

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut(self) -> None:
        """Cut off what a failed write or a kill left behind the last whole record."""
        if os.fstat(self._descriptor).st_size != self.size:
            os.ftruncate(self._descriptor, self.size)
        self._clean = True


def _whole_size(descriptor: int) -> int:
    """Return the offset after the last newline."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 65536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
