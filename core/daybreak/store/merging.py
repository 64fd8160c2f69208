"""Taking the runs of other results folders, of other machines say.

A run is a folder of files that only grow, so two copies of it either hold the same records, or one
is an earlier state of the other, or they are not copies of one run: then nothing at all is taken.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from daybreak.errors import StoreError
from daybreak.store.codec import encode_line
from daybreak.store.locks import FileLock, LockHeld
from daybreak.store.reader import read_records
from daybreak.store.segments import (
    list_runs,
    list_segments,
    read_lines,
    run_folder,
    segment_path,
    spool_folder,
    sync_folder,
    writing_failed,
)
from daybreak.store.writer import LOCK_NAME

__all__ = ["MergeReport", "merge"]

_END = object()


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What a merge did, by run id.

    Attributes:
        added: runs that were not here.
        extended: runs of which there was more in the other folder.
        present: runs that were here already, as far as the other folder goes or further.
    """

    added: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()
    present: tuple[str, ...] = ()


def merge(results: Path, others: Iterable[Path]) -> MergeReport:
    """Copy the runs of other results folders into `results`; idempotent.

    All are compared before anything is copied. Runs that go on meanwhile are copied up to their
    last whole record; merging again later takes the rest. Ingest afterwards.

    Args:
        results: the folder that takes them; made if it is missing.
        others: results folders to copy from; they are only read.

    Raises:
        StoreError: a folder holds no runs, two different runs have the same id, a process writes
            here to a run that should be extended, or the folder cannot be written.
    """
    results = Path(results)
    plan: dict[str, Path] = {}
    added, extended, present = [], [], []
    for other in map(Path, others):
        if not spool_folder(other).is_dir():
            raise StoreError(
                "there are no results in this folder",
                file=other,
                expected="a results folder, with a folder 'spool' in it",
            )
        for run_id in list_runs(other):
            theirs = run_folder(other, run_id)
            ours = plan.get(run_id) or run_folder(results, run_id)
            if not ours.is_dir():
                plan[run_id] = theirs
                added.append(run_id)
                continue
            if not _extends(ours, theirs, run_id):
                if run_id not in added and run_id not in extended:
                    present.append(run_id)
                continue
            if run_id not in plan:
                extended.append(run_id)
            plan[run_id] = theirs
    try:
        spool_folder(results).mkdir(parents=True, exist_ok=True)
        for run_id, source in plan.items():
            _take(source, run_folder(results, run_id), run_id)
    except OSError as error:
        raise writing_failed(error, spool_folder(results)) from error
    return MergeReport(
        tuple(added),
        tuple(extended),
        tuple(dict.fromkeys(run for run in present if run not in extended)),
    )


def _extends(ours: Path, theirs: Path, run_id: str) -> bool:
    """Return whether their copy goes on where ours ends.

    Raises:
        StoreError: they are not the same run.
    """
    if ours.resolve() == theirs.resolve():
        return False
    for mine, other in zip_longest(_records(ours), _records(theirs), fillvalue=_END):
        if mine is _END:
            return True
        if other is _END:
            return False
        if mine != other:
            raise StoreError(
                f"run '{run_id}' in {theirs.parent.parent} is not the same as the one here; "
                "nothing was taken",
                file=ours,
                remedy="rename one of the two folders if both are wanted, and its run id with it",
            )
    return False


def _records(folder: Path) -> Iterator[bytes]:
    """Yield a run's records in one spelling, whether from lines or from Parquet."""
    for record in read_records(folder):
        if isinstance(record, str):
            yield b"damaged"
        elif record["type"] != "segment":  # how it is cut into files does not matter
            record.pop("schema_version", None)  # of a sealed trial it stands in the file's header
            yield encode_line(_canonical(record))


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in sorted(value.items()) if item is not None}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)  # Parquet gives floats back where a line has an integer
        except OverflowError:
            return value
    return value


def _take(source: Path, folder: Path, run_id: str) -> None:
    """Copy a run here. A new one appears when it is whole; a known one grows file by file."""
    if folder.exists():
        try:
            lock = FileLock(folder / LOCK_NAME, wait_s=0.5)
        except LockHeld as held:
            raise StoreError(
                f"run '{run_id}' is being written by {held.holder}",
                file=folder,
                remedy="wait for it to end, then merge again",
            ) from None
        with lock:
            _copy(source, folder)
            sync_folder(folder)
        return
    incoming = folder.with_name(f".incoming-{os.getpid()}-{run_id}")
    shutil.rmtree(incoming, ignore_errors=True)
    try:
        incoming.mkdir()
        _copy(source, incoming)
        sync_folder(incoming)
        incoming.replace(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy all segments in order; each file that is replaced is replaced by one that goes on."""
    done: set[int] = set()
    while True:
        for segment in list_segments(source):
            if segment.number in done:
                continue
            copy = target / segment.path.name
            draft = target / f".merging-{os.getpid()}-{copy.name}"
            try:
                if segment.sealed:
                    shutil.copyfile(segment.path, draft)
                else:
                    # a run that goes on may be in the middle of a line
                    with draft.open("wb") as file:
                        file.writelines(line.text for line in read_lines(segment.path))
                with draft.open("rb") as file:
                    os.fsync(file.fileno())
                draft.replace(copy)
            except FileNotFoundError:
                break  # sealed since the folder was listed: look again
            finally:
                draft.unlink(missing_ok=True)
            other_kind = "jsonl" if segment.sealed else "parquet"
            segment_path(target, segment.number, other_kind).unlink(missing_ok=True)
            done.add(segment.number)
        else:
            return
