"""Collections: runs of imported studies that later imports add to.

A study of a collection is known by its `study_key` (the path of an entry within its repository,
say). What is recorded already is not recorded again; what has changed is recorded again under the
ids that it had, so that the index shows it once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
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
from daybreak.store.segments import run_folder

__all__ = ["Collected", "Collector", "collection_id", "study_columns", "write_run_parts"]

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
            self._run = _Run(self._results, name, self._source)
            self.done.runs[self._run.run_id] = None
        match self._run.take(study):
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


class _Run:
    """One collection: what it has, and its writer as soon as there is something to write."""

    def __init__(self, results: Path, name: str, source: str) -> None:
        self.name = name
        self.run_id = collection_id(name)
        self._results = results
        self._source = source
        self._writer: RunWriter | None = None
        self._new = not run_folder(results, self.run_id).exists()
        self._from: str | None = None
        self._studies: dict[str, str] = {}
        self._trials: dict[str, dict[int, str]] = {}
        self._benchmarks: dict[str, str] = {}
        if not self._new:
            self._read()

    def _read(self) -> None:
        recorded = read_run(self._results, self.run_id)
        if "collection" not in recorded.info.row:
            raise StoreError(
                f"there is a run '{self.run_id}' that is no collection of imported studies",
                file=recorded.info.folder,
                remedy="import under another name: --name",
            )
        self._from = recorded.info.row.get("imported_from")
        self._benchmarks = {
            name: canonical(_plain_benchmark(row)) for name, row in recorded.benchmarks.items()
        }
        for key, study in recorded.studies.items():
            self._studies[key] = _content(study.row)
            self._trials[key] = {
                trial.number: digest(encode_trial("", trial)) for trial in study.trials
            }

    def take(self, recorded: RecordedStudy) -> str:
        key = str(recorded.study["study_key"])
        study_id = digest([self.run_id, key])[:16]
        row = StudyRow(**study_columns(recorded, self.run_id, study_id, key))
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
        writer = self._open(recorded)
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

    def _open(self, recorded: RecordedStudy) -> RunWriter:
        if self._writer is None and not self._new:
            self._writer = RunWriter.resume(self._results, self.run_id)
        elif self._writer is None:
            run = recorded.run
            row = {
                "suite": run.get("suite") or self.name,
                "collection": self.name,
                "imported_from": self._source,
                "imported_at": datetime.now(UTC).isoformat(timespec="microseconds"),
                **{
                    name: run[name]
                    for name in ("started_at", "daybreak_version", "details")
                    if run.get(name) is not None
                },
            }
            self._writer = RunWriter.create(
                self._results, self.run_id, suite_key=digest(["collection", self.name]), row=row
            )
            write_run_parts(self._writer, run)
        return self._writer

    def _write_benchmark(self, writer: RunWriter, benchmark: Mapping[str, Any]) -> None:
        name = str(benchmark["benchmark"])
        content = canonical(_plain_benchmark(benchmark))
        if self._benchmarks.get(name) != content:
            writer.benchmark(benchmark)
            self._benchmarks[name] = content

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with writer:
                writer.finish("finished")

    def abandon(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._new:
            writer.close()
            shutil.rmtree(run_folder(self._results, self.run_id), ignore_errors=True)
            return
        with writer, suppress(StoreError):
            writer.finish("finished")


def write_run_parts(writer: RunWriter, run: Mapping[str, Any]) -> None:
    """Record the machine and the environment of `run`, as far as it names them."""
    for part, write in (("machine", writer.machine), ("environment", writer.environment)):
        if run.get(part):
            write(run.get(f"{part}_id") or digest(run[part])[:16], run[part])


def study_columns(
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
