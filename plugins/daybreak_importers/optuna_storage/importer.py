"""Makes studies of Optuna's: one study each, with their trials, states and intermediate values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from daybreak import (
    ImportReport,
    ImportRequest,
    RecordedStudy,
    Trial,
    UserError,
)
from daybreak_importers.findings import Findings
from daybreak_importers.optuna_storage.distributions import (
    Distribution,
    parse_distribution,
    span,
)
from daybreak_importers.optuna_storage.found import FINISHED, FoundStudy, FoundTrial
from daybreak_importers.optuna_storage.journal import is_journal, read_journal
from daybreak_importers.optuna_storage.outcomes import outcome_of
from daybreak_importers.optuna_storage.server import read_server, without_password
from daybreak_importers.optuna_storage.sqlite import MAGIC, read_sqlite
from daybreak_importers.text import scrub, slug, unique_slug, utc

__all__ = ["OptunaImporter"]

_SQLITE_URL = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?#]+)", re.IGNORECASE)


class OptunaImporter:
    """Imports an SQLite file, a journal file, or what a storage URL names."""

    def read(self, request: ImportRequest) -> ImportReport:
        """Open the storage; its studies are read one after the other as they are taken.

        Raises:
            UserError: it is no storage of Optuna's.
        """
        findings = Findings()
        only = request.options.get("study")
        source, studies = _open(request, only, findings)
        reading = _Reading(request, source, findings)
        return ImportReport(rows=0, kept=0, studies=reading.studies(studies), final=reading.report)


def _open(
    request: ImportRequest, only: str | None, findings: Findings
) -> tuple[str, Iterator[FoundStudy]]:
    """Return the name of the storage and its studies."""
    path = request.path
    if request.url is not None:
        match = _SQLITE_URL.fullmatch(request.url.partition("?")[0])
        if match is None:
            shown = without_password(request.url)
            return shown.rpartition("/")[2] or shown, read_server(request.url, only)
        path = Path(match["path"])
        if not path.is_file():
            raise UserError("no such file", file=path, field=request.url)
    if path.is_dir():
        raise UserError(
            "this is a folder", file=path, expected="an SQLite file, a journal file, or a URL"
        )
    try:
        with path.open("rb") as file:
            first = file.read(4096)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=path) from error
    if first.startswith(MAGIC):
        return path.name, read_sqlite(path, only, findings)
    if is_journal(first):
        return path.name, read_journal(path, only, findings)
    raise UserError(
        "this is no storage of Optuna's",
        file=path,
        expected="an SQLite file, a journal file (JSON lines with op_code), or a URL such as "
        "sqlite:///study.db",
    )


class _Reading:
    """One import under way."""

    def __init__(self, request: ImportRequest, source: str, findings: Findings) -> None:
        self._request = request
        self._source = source
        self._findings = findings
        self._unit = str(request.options.get("unit") or "1")
        self._collection = {"name": request.name or f"optuna-{slug(source)}"}
        self._benchmarks: dict[str, None] = {}

    def studies(self, found: Iterator[FoundStudy]) -> Iterator[RecordedStudy]:
        """Yield the studies of the storage, those without any trial too."""
        for study in found:
            self._request.progress(None, study.name)
            recorded = self._study(study)
            self._benchmarks[recorded.benchmark["benchmark"]] = None
            yield recorded

    def report(self) -> ImportReport:
        """Return what came of it."""
        if not self._benchmarks:
            self._findings.note("the storage has no study")
        report = self._findings.report()
        return ImportReport(
            rows=report.rows,
            kept=report.kept,
            left_out=report.left_out,
            notes=report.notes,
            remarks=report.remarks,
            benchmarks=tuple(self._benchmarks),
        )

    def _study(self, study: FoundStudy) -> RecordedStudy:
        objectives = study.objectives()
        meanings = _Meanings()
        began = min((t for trial in study.trials if (t := utc(trial.began))), default=None)
        trials = []
        for trial in study.trials:
            recorded = self._trial(study, trial, objectives, meanings, began)
            if recorded is not None:
                trials.append(recorded)
        space, notes = span(meanings.seen)
        conditional = sorted(
            name
            for name, count in meanings.counts.items()
            if count < max(meanings.counts.values(), default=0)
        )
        if conditional:
            notes.append("not in every trial: " + ", ".join(conditional))
        name = unique_slug(study.name)
        benchmark: dict[str, Any] = {
            "benchmark": f"optuna/{name}",
            "target": "optuna",
            "name": name,
            "summary": f"Optuna study {scrub(study.name)}",
            "objectives": [
                {
                    "name": objective,
                    "unit": self._unit,
                    "direction": "minimize" if minimize else "maximize",
                    "summary": "objective of the study",
                }
                for objective, minimize in zip(objectives, study.minimize, strict=True)
            ],
            "notes": ["imported from Optuna", *notes],
        }
        if space is not None:
            benchmark["space"] = space.to_dict()
            benchmark["space_fingerprint"] = space.fingerprint()
        if any(trial.intermediate for trial in study.trials):
            benchmark["curve"] = {"metric": objectives[0], "target": None}
        return RecordedStudy(
            run=self._collection,
            benchmark=benchmark,
            study={
                "study_key": study.name,
                "optimizer": "optuna",
                "component": "optuna",
                "started_at": began,
                "details": {
                    "study_name": scrub(study.name),
                    "user_attrs": scrub(study.user_attrs),
                    "system_attrs": scrub(study.system_attrs),
                },
            },
            trials=trials,
        )

    def _trial(
        self,
        study: FoundStudy,
        trial: FoundTrial,
        objectives: list[str],
        meanings: _Meanings,
        began: str | None,
    ) -> Trial | None:
        file = self._source
        where = f"trial {trial.number} of '{study.name}'"
        if trial.state not in FINISHED:
            self._findings.leave_out(file, "unfinished trial", f"{where} is {trial.state.lower()}")
            return None
        configuration: dict[str, Any] = {}
        for name, internal in trial.params.items():
            try:
                configuration[name] = meanings.value(
                    name, trial.distributions.get(name, ""), internal
                )
            except ValueError as error:
                what = f"parameter without meaning: {name} of {where}: {error}"
                self._findings.remark(file, what)
        self._findings.keep()
        outcome = outcome_of(trial, objectives)
        start, end = utc(trial.began), utc(trial.ended)
        return Trial(
            number=trial.number,
            configuration=configuration,
            outcome=outcome,
            started_at=start or "",
            total_s=_between(start, end),
            elapsed_s=_between(began, end),
        )


class _Meanings:
    """Distributions of parameters, each text parsed once."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[Distribution, None]] = {}
        self.counts: dict[str, int] = {}
        self._parsed: dict[str, Distribution | ValueError] = {}

    def value(self, name: str, text: str, internal: float) -> int | float | str | bool:
        """Return the value of a parameter.

        Raises:
            ValueError: the distribution is none, or has no such value.
        """
        parsed = self._parsed.get(text)
        if parsed is None:
            try:
                parsed = parse_distribution(text)
            except ValueError as error:
                parsed = error
            self._parsed[text] = parsed
        if isinstance(parsed, ValueError):
            raise parsed
        value = parsed.value(internal)
        try:
            self.seen.setdefault(name, {})[parsed] = None
        except TypeError:  # choices that are lists: equal only to themselves
            self.seen[name][_hashable(parsed)] = None
        self.counts[name] = self.counts.get(name, 0) + 1
        return value


def _hashable(distribution: Distribution) -> Distribution:
    return Distribution(choices=tuple(repr(scrub(choice)) for choice in distribution.choices or ()))


def _between(start: str | None, end: str | None) -> float:
    if start is None or end is None:
        return 0.0
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return max(0.0, seconds)
