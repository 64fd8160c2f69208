"""Makes studies of MLPerf logs: one training run, one study; repeated runs of an entry are seeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from daybreak import (
    ImportReport,
    ImportRequest,
    RecordedStudy,
    Trial,
    UserError,
)
from daybreak_importers.findings import Findings
from daybreak_importers.mllog.layout import LogFile, Place, find_logs, place_of
from daybreak_importers.mllog.lines import Damaged, Line, read_lines
from daybreak_importers.mllog.outcomes import Judged, judge
from daybreak_importers.mllog.quality import (
    benchmark_row,
    name_of,
    quality_of,
    round_of_time,
)
from daybreak_importers.mllog.runs import Run, assemble
from daybreak_importers.mllog.systems import Systems
from daybreak_importers.text import slug

__all__ = ["MllogImporter"]

#: The first round with lines of today's dialect.
_FIRST_MLLOG = 0.7


class MllogImporter:
    """Imports one log, a folder of logs, or a clone of a round's results."""

    def read(self, request: ImportRequest) -> ImportReport:
        """Find the logs; they are read one after the other as their studies are taken.

        Raises:
            UserError: there is nothing that could be a log, or none holds a training run.
        """
        findings = Findings()
        logs, packed = find_logs(request.path, findings)
        for name in packed:
            findings.remark(name, "compressed: not read")
        if not logs:
            raise UserError(
                "there are no logs",
                file=request.path,
                expected="text files with lines that begin with :::MLLOG, :::MLL or :::MLPv0.5.0",
            )
        reading = _Reading(request, logs, findings)
        return ImportReport(rows=0, kept=0, studies=reading.studies(), final=reading.report)


class _Reading:
    """One import under way."""

    def __init__(self, request: ImportRequest, logs: list[LogFile], findings: Findings) -> None:
        self._request = request
        self._logs = logs
        self._findings = findings
        self._systems = Systems(request.path, findings)
        root = request.path.resolve()
        stem = root.name if request.path.is_dir() else root.stem
        self._collection = {"name": request.name or f"mllog-{slug(stem)}"}
        given = request.options.get("round")
        self._round = None if given is None else float(given)
        self._price = request.options.get("dollars_per_hour")
        self._benchmarks: dict[str, None] = {}
        self._whole = max(1, sum(log.size for log in logs))
        self._done = 0
        self._empty = 0
        self._by_date = 0
        # what was measured -> the file that has it
        self._known: dict[tuple[object, ...], str] = {}
        self._seeds: dict[tuple[str, str], set[int]] = {}

    def studies(self) -> Iterator[RecordedStudy]:
        """Yield the studies of all logs, folder by folder.

        Raises:
            UserError: no log holds a training run.
        """
        found = False
        for _, logs in itertools.groupby(self._logs, key=lambda log: log.path.parent):
            for log, run in self._without_parts(self._runs(logs)):
                study = self._study(log, run)
                if study is not None:
                    found = True
                    yield study
        if not found:
            raise UserError(
                "no training run in the logs",
                file=self._request.path,
                expected="text files with lines that begin with :::MLLOG, :::MLL or :::MLPv0.5.0, "
                "among them eval_accuracy",
            )

    def report(self) -> ImportReport:
        """Return what came of it."""
        if self._empty:
            self._findings.note(f"{self._empty} files in the folders are no logs")
        if self._by_date:
            self._findings.note(f"the round of {self._by_date} runs is told by their date")
        report = self._findings.report()
        return ImportReport(
            rows=report.rows,
            kept=report.kept,
            left_out=report.left_out,
            notes=report.notes,
            remarks=report.remarks,
            benchmarks=tuple(self._benchmarks),
        )

    def _runs(self, logs: Iterable[LogFile]) -> Iterator[tuple[LogFile, list[Run]]]:
        for log in logs:
            self._request.progress(self._done / self._whole, log.name)
            self._done += log.size
            try:
                lines: list[Line | Damaged] = list(read_lines(log.path))
            except UserError as error:
                self._findings.leave_out(log.name, "cannot be read", error.message)
                continue
            runs = assemble(lines)
            if runs:
                yield log, runs
            elif lines or log.claims_result:
                what = "no run_start, no evaluation" if lines else "no line of MLPerf's"
                self._findings.leave_out(log.name, "no training run", what)
            else:
                self._empty += 1

    def _without_parts(
        self, found: Iterable[tuple[LogFile, list[Run]]]
    ) -> Iterator[tuple[LogFile, Run]]:
        """Leave out runs that are the beginning of another log's in the same folder."""
        every = [(log, run) for log, runs in found for run in runs]
        starts: dict[tuple[object, ...], list[tuple[LogFile, Run]]] = {}
        for log, run in every:
            starts.setdefault((run.benchmark, run.began), []).append((log, run))
        for log, run in every:
            rivals = starts[run.benchmark, run.began] if run.began is not None else []
            longer = next((other for other in rivals if _continues(other[1], run)), None)
            if longer is None:
                yield log, run
            else:
                self._drop(log, run, "two files claim one run", f"{longer[0].name} has all of it")

    def _drop(self, log: LogFile, run: Run, reason: str, detail: str) -> None:
        for evaluation in run.evaluated.found:
            self._findings.leave_out(log.name, reason, detail, line=evaluation.line)
        if not run.evaluated.found:
            self._findings.remark(log.name, f"{reason}: {detail}", line=run.line)

    def _study(self, log: LogFile, run: Run) -> RecordedStudy | None:
        findings = self._findings
        place = place_of(log, self._request.path)
        round_ = self._round_of(run, place, log.name)
        benchmark_name = name_of(place.benchmark or run.benchmark or "unnamed", round_)
        if run.benchmark and not quality_of(benchmark_name, round_).known:
            benchmark_name = name_of(run.benchmark, round_)
        if not run.benchmark and not place.benchmark:
            findings.remark(log.name, "no benchmark: neither lines nor folders name it")
        content = (benchmark_name, run.began, run.seconds, *map(_numbers, run.evaluated.found))
        first = self._known.setdefault(content, log.name)
        if first != log.name or (run.began is None and not run.evaluated.found):
            self._drop(log, run, "two files claim one run", f"{first} has the same")
            return None
        quality = quality_of(benchmark_name, round_)
        judged = judge(run, quality, log.name, findings)
        system = self._systems.of(log.path, place.system)
        open_division = "open" in (
            str(run.facts.get("submission_division", "")).lower(),
            str(system.get("division", "")).lower(),
        )
        benchmark = benchmark_row(benchmark_name, round_, open_division=open_division)
        self._benchmarks[benchmark["benchmark"]] = None
        label = self._label(place, run)
        return self._recorded(log, run, judged, benchmark, label, system)

    def _recorded(
        self,
        log: LogFile,
        run: Run,
        judged: Judged,
        benchmark: dict[str, Any],
        label: str,
        system: dict[str, Any],
    ) -> RecordedStudy:
        findings = self._findings
        seed = self._seed(log, run, benchmark["benchmark"], label)
        facts = {name: value for name, value in run.facts.items() if name != "epochs_from"}
        details = {**facts, **system, "file": log.name, "line": run.line, "logged": run.dialect}
        if run.facts.get("epochs_from") == 0:
            details["epochs_from"] = 0
        if run.evaluated.concurrent:
            details["evaluation"] = "beside training"
        remarks = findings.about(log.name)
        if remarks:
            details["remarks"] = remarks
        study: dict[str, Any] = {
            "study_key": log.name if run.place == 0 else f"{log.name}#{run.place + 1}",
            "optimizer": label,
            "component": "mllog",
            "seed": seed,
            "started_at": judged.started_at or None,
            "details": details,
        }
        if judged.target is not None:
            study["protocol"] = {"stop": {"target": judged.target}}
        if self._price is not None:
            study["dollars_per_hour"] = float(self._price)
        seconds = judged.outcome.phases.get("measure", 0.0)
        trial = Trial(
            number=0,
            configuration=run.configuration,
            outcome=judged.outcome,
            started_at=judged.started_at,
            total_s=seconds,
            elapsed_s=seconds,
        )
        return RecordedStudy(run=self._collection, benchmark=benchmark, study=study, trials=[trial])

    def _round_of(self, run: Run, place: Place, name: str) -> float:
        if self._round is not None:
            return self._round
        if run.dialect == "0.5":
            return 0.5
        if place.round is not None:
            return place.round
        if run.dialect in ("0.6", "dated"):
            return 0.6
        if run.began is None:
            what = f"no round: neither folders nor dates tell it, so v{_FIRST_MLLOG} is taken"
            self._findings.remark(name, what, line=run.line)
            return _FIRST_MLLOG
        self._by_date += 1
        return max(_FIRST_MLLOG, round_of_time(run.began))

    @staticmethod
    def _label(place: Place, run: Run) -> str:
        organisation = run.facts.get("submission_org")
        platform = run.facts.get("submission_platform")
        if place.system is None and place.organisation is None and organisation and platform:
            return f"{organisation}/{platform}"
        return place.label

    def _seed(self, log: LogFile, run: Run, benchmark: str, label: str) -> int:
        taken = self._seeds.setdefault((benchmark, label), set())
        wanted = log.number
        if wanted is None:
            wanted = next(n for n in itertools.count() if n not in taken)
        seed = wanted
        while seed in taken:
            seed += 1
        if seed != wanted:
            what = f"two files claim one run: number {wanted} is taken, so kept as {seed}"
            self._findings.remark(log.name, what, line=run.line)
        taken.add(seed)
        return seed


def _numbers(evaluation: Any) -> tuple[object, ...]:
    return evaluation.epoch, evaluation.step, tuple(sorted(evaluation.values.items()))


def _continues(longer: Run, shorter: Run) -> bool:
    """Return whether `longer` begins with all of `shorter` and says more."""
    if longer is shorter or len(longer.evaluated.found) < len(shorter.evaluated.found):
        return False
    if longer.ended <= shorter.ended and len(longer.evaluated.found) == len(
        shorter.evaluated.found
    ):
        return False
    pairs = zip(longer.evaluated.found, shorter.evaluated.found, strict=False)
    return not shorter.ended and all(_numbers(a) == _numbers(b) for a, b in pairs)
