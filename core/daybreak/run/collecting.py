"""Runs of imported studies: collections that later imports add to, and those that stay as they are.

A study of a collection is known by its `study_key` (the path of an entry within its repository,
say). What is recorded already is not recorded again; what has changed is recorded again under the
ids that it had, so that the index shows it once. So an import that was killed goes on where it was.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daybreak.errors import StoreError
from daybreak.plugin.exchange import RecordedStudy
from daybreak.run.keys import canonical, digest
from daybreak.store import RunWriter, StudyRow, read_run
from daybreak.store.codec import encode_trial
from daybreak.store.locks import is_locked
from daybreak.store.reader import read_records
from daybreak.store.segments import run_folder
from daybreak.store.writer import LOCK_NAME

__all__ = ["Collected", "Collector", "collection_id", "record_run"]

_STUDY = frozenset(column.name for column in fields(StudyRow))


@dataclass(slots=True)
class Collected:
    """What was done with the studies.

    `runs` are the ids of the collections that they belong to, in order; the numbers count studies
    that were new, that had changed since the last import, or that were known already.
    """

    runs: dict[str, None] = field(default_factory=dict)
    added: int = 0
    changed: int = 0
    known: int = 0


def collection_id(name: str) -> str:
    """Return the run id of the collection called `name`; different names give different ids."""
    safe = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-._+")[:150] or "collection"
    return safe if safe == name else f"{safe}-{digest(name)[:8]}"


class Collector:
    """Adds studies to their collections, one after the other; nothing else is held in memory.

    Studies of one collection had better come together: each change of the collection reads it anew.

    Args:
        results: the results folder; made if it is missing.
        source: where the studies come from, kept with new runs.
    """

    def __init__(self, results: Path, source: str) -> None:
        self.done = Collected()
        self._results = results
        self._source = source
        self._run: _Run | None = None

    def take(self, study: RecordedStudy) -> None:
        """Record `study` unless its collection has it already.

        Raises:
            StoreError: the folder cannot be written, another process writes to the collection, or
                the collection was imported from elsewhere and has another study of this key.
            KeyError: the study has no `study_key`.
        """
        name = str(study.run["name"])
        if self._run is None or self._run.name != name:
            self.close()
            self._run = _Run(
                self._results,
                collection_id(name),
                name=name,
                source=self._source,
                suite_key=digest(["collection", name]),
            )
            self.done.runs[self._run.run_id] = None
        key = str(study.study["study_key"])
        match self._run.take(study, key, digest([self._run.run_id, key])[:16]):
            case "added":
                self.done.added += 1
            case "changed":
                self.done.changed += 1
            case _:
                self.done.known += 1

    def close(self) -> None:
        """Mark the collection at hand as finished."""
        run, self._run = self._run, None
        if run is not None:
            run.close()

    def abandon(self) -> None:
        """Give up after an error.

        A collection begun just now is removed; one that was there before keeps what was added.
        """
        run, self._run = self._run, None
        if run is not None:
            run.abandon()


def record_run(
    results: Path,
    run_id: str,
    studies: Iterable[RecordedStudy],
    *,
    suite: str,
    source: str,
    suite_key: str,
) -> bool:
    """Record a run that is known by its content; return whether it was there already.

    Either all of it is recorded or none; what a killed import left of it is completed.

    Raises:
        StoreError: the folder cannot be written, or another process writes to the run.
    """
    run = _Run(results, run_id, name=None, source=source, suite_key=suite_key, suite=suite)
    if run.complete:
        return True
    try:
        for number, study in enumerate(studies):
            # ids of studies are unique over all runs, and these may be known from where they come
            study_id = digest([run_id, number])[:16]
            run.take(study, study_id, study_id)
        run.close()
    except BaseException:
        run.abandon()
        raise
    return False


class _Run:
    """One run: what it has, and its writer as soon as there is something to write.

    `name` is that of a collection, None for a run that is known by its content (`suite_key`).
    """

    def __init__(
        self,
        results: Path,
        run_id: str,
        *,
        name: str | None,
        source: str,
        suite_key: str,
        suite: str | None = None,
    ) -> None:
        self.name = name
        self.run_id = run_id
        self._results = results
        self._source = source
        self._suite_key = suite_key
        self._suite = suite or name or run_id
        self._writer: RunWriter | None = None
        self._from: str | None = None
        self._finished = False
        self._studies: dict[str, str] = {}
        self._trials: dict[str, dict[int, str]] = {}
        self._benchmarks: dict[str, str] = {}
        folder = run_folder(results, run_id)
        if folder.exists() and _is_empty(folder):
            shutil.rmtree(folder)
        self._new = not folder.exists()
        if not self._new:
            self._read()

    @property
    def complete(self) -> bool:
        """Whether the run was there, finished."""
        return self._finished

    def _read(self) -> None:
        recorded = read_run(self._results, self.run_id)
        info = recorded.info
        if self.name is not None and "collection" not in info.row:
            raise StoreError(
                f"there is a run '{self.run_id}' that is no collection of imported studies",
                file=info.folder,
                remedy="import under another name: --name",
            )
        self._finished = info.status == "finished"
        self._from = info.row.get("imported_from") if self.name is not None else None
        self._benchmarks = {
            name: canonical(_plain_benchmark(row)) for name, row in recorded.benchmarks.items()
        }
        for key, study in recorded.studies.items():
            self._studies[key] = _content(study.row)
            self._trials[key] = {
                trial.number: digest(encode_trial("", trial)) for trial in study.trials
            }

    def take(self, recorded: RecordedStudy, key: str, study_id: str) -> str:
        """Record a study unless it is there; return ``added``, ``changed`` or ``known``."""
        row = StudyRow(**_study_columns(recorded, self.run_id, study_id, key))
        content = _content(row)
        had = self._trials.get(key, {})
        fresh = []
        for trial in recorded.trials:
            encoded = digest(encode_trial("", trial))
            if had.get(trial.number) != encoded:
                fresh.append((trial, encoded))
        known = self._studies.get(key)
        if known == content and not fresh:
            return "known"
        elsewhere = self._from not in (None, self._source)
        if elsewhere and any(trial.number in had for trial, _ in fresh):
            raise StoreError(
                f"the collection '{self.name}' was imported from {self._from}, and has another "
                f"study '{key}'",
                expected="a name for each collection",
                remedy="import this one under another name: --name",
            )
        writer = self._open(recorded.run)
        self._write_benchmark(writer, recorded.benchmark)
        # no change of status is recorded: each would wait for the disk, and thousands are to come.
        # Where an import is killed, the next one finds which trials are missing
        if known != content:
            writer.study(row)
        for trial, encoded in fresh:
            writer.trial(study_id, trial)
            had[trial.number] = encoded
        self._studies[key], self._trials[key] = content, had
        return "added" if known is None else "changed"

    def _open(self, run: Mapping[str, Any]) -> RunWriter:
        if self._writer is None and not self._new:
            self._writer = RunWriter.resume(self._results, self.run_id)
        elif self._writer is None:
            row = {
                "suite": run.get("suite") or self._suite,
                "imported_from": self._source,
                "imported_at": datetime.now(UTC).isoformat(timespec="microseconds"),
                **({} if self.name is None else {"collection": self.name}),
                **{
                    name: run[name]
                    for name in ("started_at", "daybreak_version", "details")
                    if run.get(name) is not None
                },
            }
            self._writer = RunWriter.create(
                self._results, self.run_id, suite_key=self._suite_key, row=row
            )
            for part, write in (
                ("machine", self._writer.machine),
                ("environment", self._writer.environment),
            ):
                if run.get(part):
                    write(run.get(f"{part}_id") or digest(run[part])[:16], run[part])
        return self._writer

    def _write_benchmark(self, writer: RunWriter, benchmark: Mapping[str, Any]) -> None:
        name = str(benchmark["benchmark"])
        content = canonical(_plain_benchmark(benchmark))
        if self._benchmarks.get(name) != content:
            writer.benchmark(benchmark)
            self._benchmarks[name] = content

    def close(self) -> None:
        """Mark the run as finished, also one that was killed when all was recorded but that."""
        if self._writer is None and not self._new and not self._finished:
            self._writer = RunWriter.resume(self._results, self.run_id)
        writer, self._writer = self._writer, None
        if writer is not None:
            with writer:
                writer.finish("finished")

    def abandon(self) -> None:
        """Remove a run that is new; one that was there keeps what it has."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._new:
            writer.close()
            shutil.rmtree(run_folder(self._results, self.run_id), ignore_errors=True)
            return
        with writer, suppress(StoreError):
            if self.name is not None:
                writer.finish("finished")


def _is_empty(folder: Path) -> bool:
    """Return whether a run was killed before its first record: there is nothing in it to keep."""
    if not folder.is_dir() or is_locked(folder / LOCK_NAME):
        return False
    records = read_records(folder, trials=False)
    return not any(isinstance(record, str) or record["type"] == "run" for record in records)


def _study_columns(
    recorded: RecordedStudy, run_id: str, study_id: str, study_key: str
) -> dict[str, Any]:
    """Return the columns of `StudyRow` for a recorded study; details that have no column stay."""
    given = recorded.study
    benchmark = str(recorded.benchmark["benchmark"])
    columns = {name: value for name, value in given.items() if name in _STUDY}
    return columns | {
        "study_id": study_id,
        "study_key": study_key,
        "run_id": run_id,
        "benchmark": benchmark,
        "target": str(recorded.benchmark.get("target") or benchmark.partition("/")[0]),
        "optimizer": str(given["optimizer"]),
        "component": str(given.get("component") or given["optimizer"]),
        "seed": int(given.get("seed") or 0),
        "thresholds": tuple(given.get("thresholds") or ()),
        "status": str(given.get("status") or "finished"),
    }


def _content(row: StudyRow) -> str:
    """Return a digest of what a study's row says, times of recording aside."""
    return digest(asdict(row))


def _plain_benchmark(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
