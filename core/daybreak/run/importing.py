"""Importing: another tool's file, read by a plugin's importer, becomes a benchmark or a run."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from daybreak.errors import PluginError, StoreError, UserError, nearest
from daybreak.plugin import Component, Registry
from daybreak.plugin.exchange import ImportReport, ImportRequest, RecordedStudy
from daybreak.plugin.folders import data_folder
from daybreak.run.collecting import Collected, Collector, record_run
from daybreak.run.keys import digest
from daybreak.store import ingest
from daybreak.store.codec import encode_trial
from daybreak.suite.benchmarks import guarded
from daybreak.suite.options import typed_options

__all__ = ["Imported", "collect_studies", "import_file", "record_studies"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
#: user's name and password in a URL
_USER = re.compile(r"://[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: the importer's report, and the run that it was recorded as.

    `run_id` is None when the importer gave no studies; `known` says that this very content had
    been recorded before, and nothing was added. `collected` says what was added to collections,
    where the importer gives such; `run_id` is the first of them then. `url` is what was named, less
    a user's name and password, where that is a URL.
    """

    kind: str
    path: Path
    report: ImportReport
    run_id: str | None = None
    known: bool = False
    collected: Collected | None = None
    url: str | None = None


def import_file(
    registry: Registry,
    kind: str,
    path: Path | str,
    *,
    name: str | None = None,
    options: Sequence[str] = (),
    results: Path = Path("results"),
    progress: Callable[[float | None, str], None] | None = None,
) -> Imported:
    """Have the importer `kind` read `path`; studies that it gives are recorded in `results`.

    Args:
        registry: the plugins.
        kind: name of an importer.
        path: a file or folder; for importers with the capability `url`, also a URL.
        name: what to call it; None: the importer says.
        options: ``NAME=VALUE`` each.
        results: the results folder, for importers that give studies.
        progress: is told the fraction done (or None) and what is going on.

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
    url = str(path) if _URL.match(str(path)) and "url" in component.spec.capabilities else None
    path = Path(path)
    if url is None:
        _check_path(path)
    request = ImportRequest(path=path, name=name, data=data_folder(), options=checked, url=url)
    if progress is not None:
        request = replace(request, progress=progress)
    importer = component.create()
    report = guarded(component, f"read('{path}')", lambda: importer.read(request))
    if not isinstance(report, ImportReport):
        raise _broken(component, f"returned {type(report).__name__}, not an ImportReport")
    shown = None if url is None else _USER.sub("://", url, count=1)
    studies = iter(report.studies)
    first = guarded(component, "giving its studies", lambda: next(studies, None))
    if first is None:
        return Imported(kind, path, _final(component, report), url=shown)
    every = _checked(component, chain([first], studies))
    if isinstance(first, RecordedStudy) and first.run.get("name"):
        collected = guarded(
            component,
            "recording what it read",
            lambda: collect_studies(results, every, source=shown or str(path.absolute())),
        )
        runs = list(collected.runs)
        known = not collected.added and not collected.changed
        return Imported(kind, path, _final(component, report), runs[0], known, collected, shown)
    run_id, known = guarded(
        component,
        "recording what it read",
        lambda: record_studies(
            results, list(every), suite=f"import-{kind}", source=shown or str(path)
        ),
    )
    return Imported(kind, path, _final(component, report), run_id, known, url=shown)


def _check_path(path: Path) -> None:
    """Raise UserError unless `path` is something to read."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        beside: list[str] = []
        with suppress(OSError):
            beside = [entry.name for entry in path.parent.iterdir()]
        raise UserError("no such file", file=path, nearest=nearest(path.name, beside)) from error
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"cannot be read: {what}", file=path) from error
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise UserError("this is a device", file=path, expected="a file or a folder")


def _checked(component: Component, studies: Iterable[Any]) -> Iterable[RecordedStudy]:
    for study in studies:
        if not isinstance(study, RecordedStudy):
            raise _broken(component, "gives something else than a RecordedStudy")
        yield study


def _final(component: Component, report: ImportReport) -> ImportReport:
    """Return the report as it is once all studies have been taken."""
    if report.final is None:
        return report
    final = guarded(component, "reporting", report.final)
    if not isinstance(final, ImportReport):
        raise _broken(component, f"ends with {type(final).__name__}, not an ImportReport")
    return final


def collect_studies(results: Path, studies: Iterable[RecordedStudy], *, source: str) -> Collected:
    """Add studies to the collections that their `run["name"]` names; return what was done.

    They are taken one after the other, so an iterator of any length may be given. After an error
    collections that were new are gone, and those that were there keep what was added until then;
    importing again adds the rest.

    Args:
        results: the results folder; made if it is missing.
        studies: each with `run["name"]` and `study["study_key"]`.
        source: where the studies come from, kept with the runs.

    Raises:
        StoreError: the folder cannot be written, another process writes to a collection, or a
            collection was imported from elsewhere and has another study of a key.
    """
    collector = Collector(results, source)
    try:
        for study in studies:
            collector.take(study)
        collector.close()
    except BaseException:
        collector.abandon()
        raise
    done = collector.done
    if done.added or done.changed:
        with suppress(StoreError):
            ingest(results, wait_s=5.0)
    return done


def record_studies(
    results: Path, studies: Sequence[RecordedStudy], *, suite: str, source: str
) -> tuple[str, bool]:
    """Record studies as one finished run; return its id, and whether it was there already.

    The id is made of the content, so that importing a file twice changes nothing. Either all of it
    is recorded or none; after a kill, importing again completes it.

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
    known = record_run(results, run_id, studies, suite=suite, source=source, suite_key=content)
    if not known:
        # the spool has everything: whoever asks next brings the index up to date, or says more
        with suppress(StoreError):
            ingest(results, wait_s=5.0)
    return run_id, known


def _broken(component: Component, what: str) -> PluginError:
    return PluginError(
        f"importer '{component.name}' {what}",
        plugin=component.plugin,
        distribution=component.source or None,
    )
