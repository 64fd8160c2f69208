"""Makes runs of pytest-benchmark's files: one file, one run; one test, one study."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from daybreak import (
    ImportReport,
    ImportRequest,
    Outcome,
    RecordedStudy,
    Sample,
    Trial,
    TrialStatus,
    UserError,
)
from daybreak_importers.findings import Findings
from daybreak_importers.folders import NO_FILE, relative, walk
from daybreak_importers.pytest_benchmark.reading import Execution, Timed, read_execution
from daybreak_importers.text import decode, load_json, printable, read_bytes, slug, unique_slug

__all__ = ["PytestBenchmarkImporter"]

_METRICS = {
    "min": ("time_min", "fastest round"),
    "max": ("time_max", "slowest round"),
    "mean": ("time_mean", "mean of the rounds"),
    "stddev": ("time_stddev", "standard deviation of the rounds"),
}


#: The tool writes one execution to several files, if asked to, with times a little apart.
_MINUTE_S = 60.0


class PytestBenchmarkImporter:
    """Imports one file, or every file of a storage such as ``.benchmarks``."""

    def read(self, request: ImportRequest) -> ImportReport:
        """Find the files; they are read one after the other as their studies are taken.

        Raises:
            UserError: there are none, or the one that was named is no such file.
        """
        findings = Findings()
        files = _find(request.path, findings)
        if not files:
            raise UserError(
                "there are no JSON files", file=request.path, expected="files of pytest-benchmark"
            )
        reading = _Reading(request, files, findings)
        return ImportReport(rows=0, kept=0, studies=reading.studies(), final=reading.report)


def _find(root: Path, findings: Findings) -> list[Path]:
    if not root.is_dir():
        return [root]
    found = []
    for place, files in walk(root, findings, hidden=True, skip=(".git", "node_modules")):
        for name, size in files:
            if not name.lower().endswith(".json"):
                continue
            if size is None:
                findings.remark(relative(place / name, root), NO_FILE)
            else:
                found.append(place / name)
    return found


class _Reading:
    """One import under way."""

    def __init__(self, request: ImportRequest, files: list[Path], findings: Findings) -> None:
        self._request = request
        self._files = files
        self._findings = findings
        self._label = str(request.options.get("label") or "file")
        self._suite = request.name or "pytest-benchmark"
        self._benchmarks: dict[str, None] = {}
        # machine and medians of every test -> when they were measured, and the file that says so
        self._known: dict[tuple[object, ...], list[tuple[datetime | None, str]]] = {}

    def studies(self) -> Iterator[RecordedStudy]:
        """Yield a study for each test of each file.

        Raises:
            UserError: no file is one of pytest-benchmark's.
        """
        found = 0
        problem = ""
        for number, path in enumerate(self._files):
            name = self._name(path)
            self._request.progress(number / len(self._files), name)
            try:
                text, remark = decode(read_bytes(path))
            except UserError as error:
                problem = error.message
                self._findings.leave_out(name, "cannot be read", problem)
                continue
            if remark:
                self._findings.remark(name, remark)
            try:
                content = load_json(text)
            except ValueError as error:
                problem = str(error)
                self._findings.leave_out(name, "damaged JSON", problem)
                continue
            del text
            execution = read_execution(content, name, self._findings)
            if execution is None:
                continue
            found += 1
            first = self._same(execution, name)
            if first is not None:
                for timed in execution.tests:
                    what = f"{timed.test} is in {first}"
                    self._findings.leave_out(name, "two files claim one run", what)
                continue
            yield from self._of(execution, path, name)
        if not found:
            raise UserError(
                "no file of pytest-benchmark" + (f": {problem}" if problem else ""),
                file=self._request.path,
                expected="JSON as written by --benchmark-json or --benchmark-save",
            )

    def report(self) -> ImportReport:
        """Return what came of it."""
        report = self._findings.report()
        return ImportReport(
            rows=report.rows,
            kept=report.kept,
            left_out=report.left_out,
            notes=report.notes,
            remarks=report.remarks,
            benchmarks=tuple(self._benchmarks),
        )

    def _name(self, path: Path) -> str:
        return relative(path, self._request.path)

    def _same(self, execution: Execution, name: str) -> str | None:
        """Return the file that has the very same measurements of the same minute."""
        if not execution.tests:
            return None
        measured = tuple((each.test, each.parameters, each.median) for each in execution.tests)
        began = None if execution.began is None else datetime.fromisoformat(execution.began)
        files = self._known.setdefault((execution.node, measured), [])
        for other, file in files:
            if began is None or other is None:
                if began == other:
                    return file
            elif abs((began - other).total_seconds()) <= _MINUTE_S:
                return file
        files.append((began, name))
        return None

    def _of(self, execution: Execution, path: Path, name: str) -> Iterator[RecordedStudy]:
        commit = str(execution.commit.get("id") or "")
        branch = str(execution.commit.get("branch") or "")
        label = {
            "file": printable(path.stem),
            "commit": commit[:12] + ("-dirty" if execution.commit.get("dirty") else ""),
            "branch": branch,
        }[self._label] or printable(path.stem)
        moment = slug((execution.began or "").replace(":", "").partition(".")[0])
        run = {
            "name": f"{self._suite}-{slug(path.stem)}" + (f"-{moment}" if execution.began else ""),
            "suite": self._suite,
            "started_at": execution.began,
            "machine": execution.machine,
            "environment": execution.environment,
        }
        seen: dict[str, int] = {}
        for timed in execution.tests:
            benchmark = self._benchmark(timed)
            full = benchmark["benchmark"]
            seen[full] = seen.get(full, -1) + 1
            if seen[full]:
                what = f"test again: {full} is kept as seed {seen[full]}"
                self._findings.remark(name, what)
            self._findings.keep()
            yield RecordedStudy(
                run=run,
                benchmark=benchmark,
                study={
                    "study_key": f"{full}#{seen[full]}",
                    "optimizer": label,
                    "component": "pytest-benchmark",
                    "seed": seen[full],
                    "started_at": execution.began,
                    "details": {
                        "file": name,
                        "commit": execution.commit,
                        **({"group": timed.group} if timed.group else {}),
                    },
                },
                trials=[_trial(timed, execution)],
            )

    def _benchmark(self, timed: Timed) -> dict[str, Any]:
        test = timed.test.replace("::", ".").replace("/", ".").replace(":", "-")
        instance = "" if timed.parameters is None else unique_slug(timed.parameters)
        full = f"pytest-benchmark/{test}" + (f":{instance}" if instance else "")
        self._benchmarks[full] = None
        return {
            "benchmark": full,
            "target": "pytest-benchmark",
            "name": test,
            "instance": instance,
            "summary": timed.test
            if timed.parameters is None
            else f"{timed.test}[{timed.parameters}]",
            "objectives": [
                {
                    "name": "time",
                    "unit": "s",
                    "direction": "minimize",
                    "summary": "median time of a round",
                }
            ],
            "metrics": [
                {"name": metric, "unit": "s", "direction": "minimize", "summary": summary}
                for metric, summary in _METRICS.values()
            ],
            "notes": ["imported from pytest-benchmark"],
        }


def _trial(timed: Timed, execution: Execution) -> Trial:
    times = timed.rounds or (timed.median,)
    samples = [Sample("time", value, i) for i, value in enumerate(times)]
    samples += [Sample(_METRICS[name][0], value) for name, value in timed.statistics.items()]
    spent = float(sum(timed.rounds)) if timed.rounds else 0.0
    return Trial(
        number=0,
        configuration=timed.configuration,
        outcome=Outcome(
            TrialStatus.OK,
            objectives={"time": timed.median},
            samples=tuple(samples),
            phases={"measure": spent} if timed.rounds else {},
            facts={**timed.facts, "rounds_recorded": bool(timed.rounds)},
            readings=execution.readings,
        ),
        started_at=execution.began or "",
        total_s=spent,
        elapsed_s=spent,
    )
