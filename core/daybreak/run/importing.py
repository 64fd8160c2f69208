"""Importing: another tool's file, read by a plugin's importer, becomes a benchmark or a run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daybreak.errors import PluginError, StoreError, UserError, nearest
from daybreak.plugin import Component, Registry
from daybreak.plugin.exchange import ImportReport, ImportRequest, RecordedStudy
from daybreak.plugin.folders import data_folder
from daybreak.run.keys import digest
from daybreak.store import RunWriter, StudyRow, ingest
from daybreak.store.codec import encode_trial
from daybreak.store.segments import run_folder
from daybreak.suite.benchmarks import guarded
from daybreak.suite.options import typed_options

__all__ = ["Imported", "import_file", "record_studies"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_STUDY = frozenset(field.name for field in fields(StudyRow))


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: the importer's report, and the run that it was recorded as.

    `run_id` is None when the importer gave no studies; `known` says that this very content had
    been recorded before, and nothing was added.
    """

    kind: str
    path: Path
    report: ImportReport
    run_id: str | None = None
    known: bool = False


def import_file(
    registry: Registry,
    kind: str,
    path: Path,
    *,
    name: str | None = None,
    options: Sequence[str] = (),
    results: Path = Path("results"),
) -> Imported:
    """Have the importer `kind` read `path`; studies that it gives are recorded in `results`.

    Args:
        registry: the plugins.
        kind: name of an importer.
        path: a file or folder.
        name: what to call it; None: the importer says.
        options: ``NAME=VALUE`` each.
        results: the results folder, for importers that give studies.

    Raises:
        UserError: no such importer or path, a wrong option, or the file is not of this format.
        PluginError: the importer broke its contract.
    """
    component = registry.get("importer", kind)
    if name is not None and not _NAME.fullmatch(name):
        raise UserError(
            f"'{name}' is no name for a benchmark",
            field="--name",
            expected="lower-case letters, digits, '.', '_' and '-'",
        )
    checked = typed_options(component, options)
    if not path.exists():
        folder = path.parent
        beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        raise UserError("no such file", file=path, nearest=nearest(path.name, beside))
    request = ImportRequest(path=path, name=name, data=data_folder(), options=checked)
    importer = component.create()
    report = guarded(component, f"read('{path}')", lambda: importer.read(request))
    if not isinstance(report, ImportReport):
        raise _broken(component, f"returned {type(report).__name__}, not an ImportReport")
    studies = guarded(component, "giving its studies", lambda: list(report.studies))
    if not studies:
        return Imported(kind, path, report)
    if not all(isinstance(study, RecordedStudy) for study in studies):
        raise _broken(component, "gives something else than a RecordedStudy")
    run_id, known = guarded(
        component,
        "recording what it read",
        lambda: record_studies(results, studies, suite=f"import-{kind}", source=str(path)),
    )
    return Imported(kind, path, report, run_id, known)


def record_studies(
    results: Path, studies: Sequence[RecordedStudy], *, suite: str, source: str
) -> tuple[str, bool]:
    """Record studies as one finished run; return its id, and whether it was there already.

    The id is made of the content, so that importing a file twice changes nothing. Either all of it
    is recorded or none.

    Args:
        results: the results folder; made if it is missing.
        studies: with equal `run` all of them: the first one's counts.
        suite: what the run's suite shall be called, unless the studies' run says.
        source: where the studies come from, kept with the run.

    Raises:
        StoreError: the folder cannot be written.
    """
    content = digest(
        [
            [dict(s.run), dict(s.benchmark), dict(s.study), [encode_trial("", t) for t in s.trials]]
            for s in studies
        ]
    )
    run_id = f"{suite}-{content[:12]}"
    folder = run_folder(results, run_id)
    if folder.exists():
        return run_id, True
    run = dict(studies[0].run)
    row = {
        "suite": run.get("suite") or suite,
        "imported_from": source,
        "imported_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        **{
            name: run[name]
            for name in ("started_at", "daybreak_version")
            if run.get(name) is not None
        },
    }
    try:
        with RunWriter.create(results, run_id, suite_key=content, row=row) as writer:
            _write(writer, run, studies)
            writer.finish("finished")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    # the spool has everything: whoever asks next brings the index up to date, or says more
    with suppress(StoreError):
        ingest(results, wait_s=5.0)
    return run_id, False


def _write(writer: RunWriter, run: Mapping[str, Any], studies: Sequence[RecordedStudy]) -> None:
    for part, write in (("machine", writer.machine), ("environment", writer.environment)):
        if run.get(part):
            write(run.get(f"{part}_id") or digest(run[part])[:16], run[part])
    benchmarks: set[str] = set()
    for number, recorded in enumerate(studies):
        benchmark = str(recorded.benchmark["benchmark"])
        if benchmark not in benchmarks:
            benchmarks.add(benchmark)
            writer.benchmark(recorded.benchmark)
        given = recorded.study
        # ids of studies are unique over all runs, and these may be known from where they come from
        study_id = digest([writer.run_id, number])[:16]
        columns = {name: value for name, value in given.items() if name in _STUDY}
        columns |= {
            "study_id": study_id,
            "study_key": study_id,
            "run_id": writer.run_id,
            "benchmark": benchmark,
            "target": str(recorded.benchmark.get("target") or benchmark.partition("/")[0]),
            "optimizer": str(given["optimizer"]),
            "component": str(given.get("component") or given["optimizer"]),
            "seed": int(given.get("seed") or 0),
            "thresholds": tuple(given.get("thresholds") or ()),
        }
        writer.study(StudyRow(**columns))
        for trial in recorded.trials:
            writer.trial(study_id, trial)
        status = str(given.get("status") or "finished")
        writer.study_status(study_id, status, given.get("message"))


def _broken(component: Component, what: str) -> PluginError:
    return PluginError(
        f"importer '{component.name}' {what}",
        plugin=component.plugin,
        distribution=component.source or None,
    )
