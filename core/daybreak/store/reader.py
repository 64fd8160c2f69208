"""Reading runs back from the spool: which there are, and all of one for resuming."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from daybreak.errors import StoreError, nearest
from daybreak.records import Trial
from daybreak.store.codec import decode_trial
from daybreak.store.locks import is_locked
from daybreak.store.rows import RunInfo, RunRecord, StudyRecord, StudyRow
from daybreak.store.sealing import DamagedSegmentError, read_sealed
from daybreak.store.segments import (
    list_runs,
    list_segments,
    parse_line,
    read_lines,
    run_folder,
)

__all__ = ["find_runs", "read_records", "read_run"]

_log = logging.getLogger(__name__)

_STUDY_FIELDS = frozenset(field.name for field in fields(StudyRow))


def find_runs(results: Path) -> list[RunInfo]:
    """Return the runs in a results folder, newest first; an empty list if there is none.

    Reads no trials. A run that was killed before its first record was whole is left out, and so is
    one with a file that cannot be read at all (a warning is logged).
    """
    results = Path(results)
    found = []
    for run_id in list_runs(results):
        folder = run_folder(results, run_id)
        notes = _Notes()
        try:
            for record in read_records(folder, trials=False):
                notes.take(record)
        except DamagedSegmentError as error:
            _log.warning("run '%s' is passed over: %s", run_id, error)
            continue
        if notes.run is not None:
            found.append(notes.info(run_id, folder))
    return sorted(found, key=lambda info: (info.started_at, info.run_id), reverse=True)


def read_run(results: Path, run_id: str) -> RunRecord:
    """Return everything that was recorded of a run, with each study's trials.

    Raises:
        StoreError: there is no such run, a file of it is damaged as a whole, or it was written by
            a newer Daybreak.
    """
    results = Path(results)
    folder = run_folder(results, run_id)
    if not folder.is_dir():
        raise StoreError(
            f"there is no run '{run_id}'",
            file=results,
            nearest=nearest(run_id, list_runs(results)),
            remedy="list them: daybreak runs list",
        )
    notes = _Notes()
    for record in read_records(folder):
        notes.take(record)
    if notes.run is None:
        raise StoreError(
            f"the run '{run_id}' was killed before its first record",
            file=folder,
            remedy="remove this folder",
        )
    studies = {
        row.study_key: StudyRecord(row, tuple(notes.trials.get(study_id, ())))
        for study_id, row in notes.studies.items()
    }
    return RunRecord(
        info=notes.info(run_id, folder),
        studies=studies,
        machine=notes.machine,
        environment=notes.environment,
        plugins=tuple(notes.plugins),
        benchmarks=notes.benchmarks,
        landscapes=notes.landscapes,
        histories=tuple(notes.histories),
        warnings=tuple(notes.warnings),
        problems=tuple(notes.problems),
    )


def read_records(folder: Path, *, trials: bool = True) -> Iterator[dict[str, Any] | str]:
    """Yield a run's records in order; a sentence instead of one whose line is damaged."""
    done: set[int] = set()
    while True:
        for segment in list_segments(folder):
            if segment.number in done:
                continue
            try:
                if segment.sealed:
                    yield from read_sealed(segment.path, trials=trials)
                else:
                    yield from _read_open(segment.path, trials=trials)
            except FileNotFoundError:
                break  # sealed since the folder was listed: look again
            done.add(segment.number)
        else:
            return


def _read_open(path: Path, *, trials: bool) -> Iterator[dict[str, Any] | str]:
    for line in read_lines(path):
        if not trials and line.text.startswith(b'{"type":"trial"'):
            continue
        yield parse_line(line.text, path, line.position)


@dataclass(slots=True)
class _Notes:
    """What has been read of a run so far."""

    run: Mapping[str, Any] | None = None
    status: str = "running"
    finished_at: str | None = None
    machine_id: str | None = None
    environment_id: str | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    plugins: list[Mapping[str, Any]] = field(default_factory=list)
    benchmarks: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    landscapes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    histories: list[Mapping[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    studies: dict[str, StudyRow] = field(default_factory=dict)
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, record: dict[str, Any] | str) -> None:
        if isinstance(record, str):
            self.problems.append(record)
            return
        try:
            self._take(record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.problems.append(f"a record of type '{record['type']}' is malformed: {error!r}")

    def _take(self, record: dict[str, Any]) -> None:
        match record["type"]:
            case "trial":
                self.trials.setdefault(record["study_id"], []).append(decode_trial(record))
            case "run":
                self.run = record
                self.machine_id = record["row"].get("machine_id")
                self.environment_id = record["row"].get("environment_id")
            case "run_status":
                self.status = record["status"]
                self.finished_at = None if self.status == "running" else record["at"]
            case "machine":
                self.machine_id, self.machine = record["machine_id"], record["identity"]
            case "environment":
                self.environment_id, self.environment = record["environment_id"], record["lock"]
            case "plugin":
                self.plugins.append(record["row"])
            case "benchmark":
                name = record["row"]["benchmark"]
                self.benchmarks[name] = {**self.benchmarks.get(name, {}), **record["row"]}
            case "landscape":
                self.landscapes[record["row"]["benchmark"]] = record["row"]
            case "readings" if "warning" in record["values"]:
                self.warnings.append(str(record["values"]["warning"]))
            case "history":
                self.histories.append(record["row"])
            case "study":
                row = study_row(record["row"])
                self.studies[row.study_id] = row
            case "study_status":
                self._study_status(record)

    def _study_status(self, record: Mapping[str, Any]) -> None:
        row = self.studies.get(record["study_id"])
        if row is None:
            self.problems.append(f"a status of the unknown study '{record['study_id']}'")
            return
        known = {name: getattr(row, name) for name in _STUDY_FIELDS}
        known |= {"status": record["status"], "message": record["message"]}
        self.studies[row.study_id] = StudyRow(**known)

    def info(self, run_id: str, folder: Path) -> RunInfo:
        run = self.run or {"row": {}, "suite_key": ""}
        row = run["row"]
        live = is_locked(folder / "lock")
        return RunInfo(
            run_id=run_id,
            suite=row.get("suite") or "",
            suite_key=run["suite_key"],
            status="interrupted" if self.status == "running" and not live else self.status,
            started_at=row.get("started_at") or "",
            folder=folder,
            finished_at=self.finished_at,
            machine_id=self.machine_id,
            environment_id=self.environment_id,
            live=live,
            row=row,
        )


def study_row(row: Mapping[str, Any]) -> StudyRow:
    """Return the study of a record; keys of later versions end up in `details`."""
    known = {name: value for name, value in row.items() if name in _STUDY_FIELDS}
    unknown = {name: value for name, value in row.items() if name not in _STUDY_FIELDS}
    known["thresholds"] = tuple(known.get("thresholds") or ())
    if unknown:
        known["details"] = {**(known.get("details") or {}), **unknown}
    return StudyRow(**known)
