"""Writing a run: every record is in the file when the call returns.

Durability: a record survives the death of the process (also kill -9) at once, and a power loss
once the file is synchronised, which happens at the first record after `SYNC_SECONDS`, at every
change of a study's or the run's status, and on closing. Synchronising happens between trials and
never beside a measurement, so there is no thread that does it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from daybreak.errors import StoreError
from daybreak.records import Trial
from daybreak.store.codec import SCHEMA_VERSION, encode_line, encode_trial
from daybreak.store.locks import FileLock, LockHeld
from daybreak.store.rows import StudyRow
from daybreak.store.segments import (
    AppendFile,
    list_segments,
    run_folder,
    segment_path,
    sync_folder,
    writing_failed,
)

__all__ = ["LOCK_NAME", "MAX_TRIALS", "SEGMENT_BYTES", "SYNC_SECONDS", "RunWriter"]

_log = logging.getLogger(__name__)

#: Name of the lock file in a run's folder.
LOCK_NAME = "lock"
#: A segment that has grown beyond this many bytes is sealed into Parquet and another is begun.
SEGMENT_BYTES = 32 * 1024 * 1024
#: A power loss takes at most the records of this many seconds before the last one.
SYNC_SECONDS = 1.0
#: Trials of one study; trial ids are made of a study's number and 22 bits of the trial's.
MAX_TRIALS = 1 << 22


class RunWriter:
    """Writes one run's spool; made by `create` or `resume`, which take the run's lock.

    Safe to use from several threads. Every method raises `StoreError` when the record cannot be
    written (full disk, read-only folder); nothing that was recorded before is touched then.
    """

    def __init__(self, run_id: str, folder: Path, lock: FileLock, number: int) -> None:
        self.run_id = run_id
        self.folder = folder
        self._lock = lock
        self._mutex = threading.Lock()
        self._number = number
        self._finished = False
        self._file: AppendFile | None = None
        self._synced_at = time.monotonic()

    @classmethod
    def create(
        cls, results: Path, run_id: str, *, suite_key: str, row: Mapping[str, Any]
    ) -> RunWriter:
        """Begin a new run.

        Args:
            results: the results folder; made if it is missing.
            run_id: the new run's id; letters, digits and ``. _ + -``.
            suite_key: hash that later runs of the same suite find this one by.
            row: what the table `runs` shall hold: `suite`, `started_at`, `machine_id`,
                `environment_id`, `suite_source`, `suite_path`, `daybreak_version`; other keys end
                up in `details`.

        Raises:
            StoreError: the run exists, or the folder cannot be written.
        """
        folder = run_folder(Path(results), run_id)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except FileExistsError:
            raise StoreError(
                f"the run '{run_id}' exists already", file=folder, remedy="choose another run id"
            ) from None
        except OSError as error:
            raise writing_failed(error, folder) from error
        writer = cls(run_id, folder, _take_lock(folder, run_id), 1)
        try:
            writer._open()
            writer._write("run", {"suite_key": suite_key, "row": {"started_at": now(), **row}})
            writer.sync()
            sync_folder(folder)
            sync_folder(folder.parent)
            sync_folder(folder.parent.parent)
        except OSError as error:
            writer.close()
            raise writing_failed(error, folder) from error
        except BaseException:
            writer.close()
            raise
        return writer

    @classmethod
    def resume(cls, results: Path, run_id: str) -> RunWriter:
        """Go on with a run that was killed, interrupted or finished.

        Raises:
            StoreError: there is no such run, another process is writing to it (its number is
                named), or the folder cannot be written.
        """
        folder = run_folder(Path(results), run_id)
        if not folder.is_dir():
            raise StoreError(
                f"there is no run '{run_id}'", file=folder, remedy="list them: daybreak runs list"
            )
        lock = _take_lock(folder, run_id)
        try:
            segments = list_segments(folder)
            for segment in segments:
                if segment.sealed:  # a crash came between sealing and removing the lines
                    segment_path(folder, segment.number).unlink(missing_ok=True)
            for leftover in folder.glob(".sealing-*"):
                leftover.unlink(missing_ok=True)
            number = 1
            if segments:
                number = segments[-1].number + (1 if segments[-1].sealed else 0)
            writer = cls(run_id, folder, lock, number)
            writer._open()
            writer._write("run_status", {"status": "running", "at": now()})
            writer.sync()
        except OSError as error:
            lock.release()
            raise writing_failed(error, folder) from error
        except BaseException:
            lock.release()
            raise
        return writer

    def machine(self, machine_id: str, identity: Mapping[str, Any]) -> None:
        """Record the machine that this run measures on; `identity` is stable over time."""
        self._write("machine", {"machine_id": machine_id, "identity": dict(identity)})

    def environment(self, environment_id: str, lock: Mapping[str, Any]) -> None:
        """Record the software: packages, compilers and their versions."""
        self._write("environment", {"environment_id": environment_id, "lock": dict(lock)})

    def plugin(self, row: Mapping[str, Any] | None = None, **columns: Any) -> None:
        """Record a plugin: `name`, `distribution`, `version`, `module`, `status`, `reason`."""
        self._write("plugin", {"row": {**(row or {}), **columns}})

    def benchmark(self, row: Mapping[str, Any]) -> None:
        """Record a benchmark; recorded again, the later keys win.

        `row` has `benchmark` (full name), `target`, `name`, `instance`, `summary`, `space`,
        `space_fingerprint`, `objectives` and `metrics` (lists of `name`, `unit`, `direction`,
        `summary`), `options`, `references`, `identity`, `floors`, `sandbox`, `notes`; all but the
        first two may be missing, other keys end up in `details`.
        """
        if not row.get("benchmark"):
            raise StoreError("a benchmark's row must say `benchmark`", expected="its full name")
        for metric in (*row.get("objectives", ()), *row.get("metrics", ())):
            if not isinstance(metric, Mapping) or not metric.get("name"):
                raise StoreError(
                    f"a metric of benchmark '{row['benchmark']}' has no name",
                    expected="a mapping with name, unit and direction",
                )
        self._write("benchmark", {"row": dict(row)})

    def landscape(self, row: Mapping[str, Any]) -> None:
        """Record what is known of a benchmark's whole space; recorded again, the later one holds.

        `row` has `benchmark` (full name), `configurations`, `failures`, `optimum`, `median`,
        `worst`, `seconds_mean`, and `expected`: a list of what random search is expected to have
        found after 1, 2, ... evaluations.
        """
        self._write("landscape", {"row": dict(row)})

    def ceiling(self, row: Mapping[str, Any]) -> None:
        """Record a measured ceiling of a machine's roofline: a row of the table `ceilings`.

        `row` has `machine_id`, `device`, `ceiling`, `threads`, `value` and `repeats`, and may have
        the other columns; the run is this one.
        """
        self._write("ceiling", {"row": {"measured_at": now(), **row}})

    def history(self, row: Mapping[str, Any]) -> None:
        """Record earlier trials that optimizers of this run are given; see `daybreak.run.history`.

        `row` has `benchmark`, `choice`, and whatever a resumed run needs to give the very same.
        """
        self._write("history", {"row": dict(row)})

    def study(self, row: StudyRow) -> None:
        """Record a study before its first trial."""
        columns = {field.name: getattr(row, field.name) for field in fields(row)}
        self._write("study", {"row": {**columns, "run_id": self.run_id}})

    def study_status(self, study_id: str, status: str, message: str | None = None) -> None:
        """Record that a study began, finished, failed or was interrupted."""
        self._write(
            "study_status",
            {"study_id": study_id, "status": status, "message": message, "at": now()},
        )
        self.sync()

    def trial(self, study_id: str, trial: Trial) -> None:
        """Record a finished trial; when this returns, the trial survives kill -9."""
        if not 0 <= trial.number < MAX_TRIALS:
            raise StoreError(
                f"trial number {trial.number} is out of range", expected=f"0 to {MAX_TRIALS - 1}"
            )
        self._append(encode_line(encode_trial(study_id, trial)))

    def readings(
        self, values: Mapping[str, Any], *, study_id: str | None = None, at: str | None = None
    ) -> None:
        """Record readings off the machine (clock rate, load, temperature), nested or not."""
        self._write("readings", {"study_id": study_id, "at": at or now(), "values": dict(values)})

    def sync(self) -> None:
        """Make everything recorded so far survive a power loss."""
        with self._mutex:
            if self._file is not None:
                self._file.sync()
                self._synced_at = time.monotonic()

    def finish(self, status: str, message: str | None = None) -> None:
        """Record how the run ended (`finished`, `failed`, `interrupted`) and seal its files."""
        self._write("run_status", {"status": status, "message": message, "at": now()})
        self.sync()
        with self._mutex:
            self._finished = True
            self._roll()

    def close(self) -> None:
        """Synchronise, close and let go of the lock; safe to call twice."""
        with self._mutex:
            if self._file is not None:
                try:
                    self._file.sync()
                finally:
                    self._file.close()
                    self._file = None
                    self._lock.release()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, kind: str, columns: Mapping[str, Any]) -> None:
        self._append(encode_line({"type": kind, "schema_version": SCHEMA_VERSION, **columns}))

    def _append(self, data: bytes) -> None:
        with self._mutex:
            file = self._file
            if file is None:
                raise StoreError(f"the writer of run '{self.run_id}' is closed")
            file.append(data)
            if time.monotonic() - self._synced_at > SYNC_SECONDS:
                file.sync()
                self._synced_at = time.monotonic()
            if file.size > SEGMENT_BYTES:
                self._roll()

    def _open(self) -> None:
        """Open segment `_number`, which says in its first line what it is."""
        from daybreak import __version__

        file = AppendFile(segment_path(self.folder, self._number))
        if file.size == 0:
            file.append(
                encode_line(
                    {
                        "type": "segment",
                        "schema_version": SCHEMA_VERSION,
                        "run_id": self.run_id,
                        "segment": self._number,
                        "daybreak_version": __version__,
                    }
                )
            )
        self._file = file

    def _roll(self) -> None:
        """Seal the present segment, and begin the next unless the run is finished."""
        from daybreak.store.sealing import seal

        file = self._file
        if file is None:
            return
        file.sync()
        self._number += 1
        if self._finished:
            file.close()
            self._file = None
        else:
            self._open()
            file.close()
        for segment in list_segments(self.folder):
            if segment.sealed or segment.number >= self._number:
                continue
            try:
                seal(segment.path)
            except StoreError as error:
                # the lines hold everything and readers take them as they are
                _log.warning("segment not sealed into Parquet: %s", error)


def now() -> str:
    """Return the time of day in UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _take_lock(folder: Path, run_id: str) -> FileLock:
    try:
        # a reader that asks whether the run is live holds it shared for an instant
        return FileLock(folder / LOCK_NAME, wait_s=0.5)
    except LockHeld as held:
        raise StoreError(
            f"the run '{run_id}' is being written by {held.holder}",
            file=folder,
            remedy="wait for it to end, or start anew with --fresh",
        ) from None
    except OSError as error:
        raise writing_failed(error, folder) from error
