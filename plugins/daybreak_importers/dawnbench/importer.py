"""Makes studies of DAWNBench entries: one entry, one study, one training run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from daybreak import (
    Event,
    FailureKind,
    ImportReport,
    ImportRequest,
    Outcome,
    RecordedStudy,
    Sample,
    Trial,
    TrialStatus,
    UserError,
)
from daybreak_importers.dawnbench.curves import Row, read_curve
from daybreak_importers.dawnbench.entries import (
    MOST_BYTES,
    About,
    Entry,
    find_entries,
    read_about,
)
from daybreak_importers.dawnbench.tasks import METRICS, Task, task_of
from daybreak_importers.findings import Findings
from daybreak_importers.folders import relative
from daybreak_importers.text import find_number, printable, read_bytes, slug

__all__ = ["DawnbenchImporter"]


class DawnbenchImporter:
    """Imports a clone of the entries' repository, or any part of it."""

    def read(self, request: ImportRequest) -> ImportReport:
        """Find the entries; they are read one after the other as their studies are taken.

        Raises:
            UserError: there are none.
        """
        findings = Findings()
        entries = find_entries(request.path, findings)
        if not entries:
            raise UserError(
                "there are no DAWNBench entries",
                file=request.path,
                expected="folders TASK/train with NAME.json and NAME.tsv, TASK/inference with "
                "NAME.json",
            )
        reading = _Reading(request, entries, findings)
        return ImportReport(rows=0, kept=0, studies=reading.studies(), final=reading.report)


class _Reading:
    """One import under way."""

    def __init__(
        self, request: ImportRequest, entries: Sequence[Entry], findings: Findings
    ) -> None:
        self._request = request
        self._entries = entries
        self._findings = findings
        self._squad = float(request.options.get("squad_target", 0.75))
        root = request.path.resolve()
        self._run = {
            "name": request.name
            or f"dawnbench-{slug(root.name if request.path.is_dir() else root.stem)}",
        }
        # task, kind and curve -> the entry that has it
        self._curves: dict[tuple[object, ...], str] = {}
        self._benchmarks: dict[str, None] = {}

    def studies(self) -> Iterator[RecordedStudy]:
        for number, entry in enumerate(self._entries):
            self._request.progress(number / len(self._entries), entry.name)
            task = task_of(entry.task, self._squad)
            try:
                study = (self._train if entry.kind == "train" else self._infer)(entry, task)
            except UserError as error:  # a file that cannot be read
                file = entry.name if error.file is None else self._file(Path(error.file), entry)
                self._findings.leave_out(file, "cannot be read", error.message)
                continue
            if study is not None:
                self._benchmarks[study.benchmark["benchmark"]] = None
                yield study

    def report(self) -> ImportReport:
        report = self._findings.report()
        return ImportReport(
            rows=report.rows,
            kept=report.kept,
            left_out=report.left_out,
            notes=(*report.notes, "e-mail addresses are not stored"),
            remarks=report.remarks,
            benchmarks=tuple(self._benchmarks),
        )

    def _file(self, path: Path | None, entry: Entry) -> str:
        return entry.name if path is None else relative(path, self._request.path)

    def _about(self, entry: Entry) -> About:
        if entry.json is None:
            file = self._file(entry.tsv, entry)
            self._findings.remark(
                file, "TSV without JSON: nothing is known of author, hardware and price"
            )
            return About({}, {})
        file = self._file(entry.json, entry)
        try:
            about = read_about(entry.json, file, self._findings)
        except UserError as error:
            if entry.kind != "train":
                raise
            self._findings.remark(file, f"cannot be read: {error.message}, the curve is kept")
            about = None
        return about or About({}, {})

    def _train(self, entry: Entry, task: Task) -> RecordedStudy | None:
        findings = self._findings
        about = self._about(entry)
        if entry.tsv is None:
            findings.leave_out(self._file(entry.json, entry), "JSON without TSV", "no curve")
            return None
        file = self._file(entry.tsv, entry)
        data = read_bytes(entry.tsv, MOST_BYTES)
        rows = read_curve(data, file, findings, task.metric)
        if not rows:
            findings.leave_out(file, "TSV without rows", "no curve")
            return None
        curve = (
            task.name,
            tuple((row.epoch, row.hours, *sorted(row.values.items())) for row in rows),
        )
        same = self._curves.setdefault(curve, entry.name)
        if same != entry.name:
            findings.retract(len(rows))
            for row in rows:
                findings.leave_out(file, "row of another entry", f"{same} has it", line=row.line)
            return None
        outcome = _outcome(rows, task, file, findings)
        return self._study(entry, task.training(), about, outcome, task.thresholds)

    def _infer(self, entry: Entry, task: Task) -> RecordedStudy | None:
        findings = self._findings
        file = self._file(entry.json, entry)
        about = self._about(entry)
        latency = find_number(about.raw.get("latency"))
        if latency is None or latency <= 0:
            what = "absent" if about.raw.get("latency") is None else str(about.raw["latency"])[:40]
            findings.leave_out(file, "no latency", what)
            return None
        samples = [Sample("latency", latency)]
        cost = find_number(about.raw.get("cost"))
        if cost is not None and cost > 0:
            samples.append(Sample("cost", cost))
        accuracies = _accuracies(about, file, findings)
        samples += [Sample(name, value) for name, value in accuracies.items()]
        findings.keep()
        reached = accuracies.get(task.metric or "")
        needed = task.target if task.metric != "f1" else min(0.73, task.target or 0.73)
        if reached is not None and needed is not None and reached < needed:
            findings.remark(
                file, f"below the required accuracy: {task.metric} {reached:g}, {needed:g} needed"
            )
            outcome = Outcome(
                TrialStatus.FAILED,
                FailureKind.WRONG_RESULT,
                message=f"{task.metric} {reached:g} is below {needed:g}",
                objectives={"latency": None},
                samples=tuple(samples),
            )
        else:
            if reached is None and task.metric is not None:
                findings.remark(file, f"no accuracy: {task.metric} is not stated")
            outcome = Outcome(
                TrialStatus.OK, objectives={"latency": latency}, samples=tuple(samples)
            )
        return self._study(entry, task.inference(), about, outcome, [])

    def _study(
        self,
        entry: Entry,
        benchmark: dict[str, Any],
        about: About,
        outcome: Outcome,
        thresholds: list[dict[str, Any]],
    ) -> RecordedStudy:
        files = [self._file(path, entry) for path in (entry.json, entry.tsv) if path is not None]
        remarks = [remark for file in files for remark in self._findings.about(file)]
        details = {**about.details, "entry": entry.name, "files": files}
        if remarks:
            details["remarks"] = remarks
        configuration: dict[str, Any] = {
            name: str(about.details[name])
            for name in ("model", "framework", "hardware")
            if name in about.details
        }
        duration = outcome.phases.get("measure", 0.0)
        trial = Trial(
            number=0,
            configuration=configuration,
            outcome=outcome,
            started_at=about.submitted or "",
            total_s=duration,
            elapsed_s=duration,
        )
        return RecordedStudy(
            run=self._run,
            benchmark=benchmark,
            study={
                "study_key": entry.name,
                "optimizer": printable(entry.stem),
                "component": "dawnbench",
                "seed": 0,
                "started_at": about.submitted,
                "dollars_per_hour": about.dollars_per_hour,
                "thresholds": thresholds,
                "details": details,
            },
            trials=[trial],
        )


def _outcome(rows: Sequence[Row], task: Task, file: str, findings: Findings) -> Outcome:
    """Return the outcome of a training run with the events of its rows."""
    events: list[Event] = []
    for row in rows:
        clock = None if row.hours is None else row.hours * 3600
        # one clock only: what the entries' rules count
        events += [
            Event(name, value, len(events) + i, epoch=row.epoch, train_s=clock)
            for i, (name, value) in enumerate(row.values.items())
        ]
    clocks = [event.train_s for event in events if event.train_s is not None]
    phases = {"measure": max(clocks)} if clocks else {}
    metric, target = task.metric, task.target
    reaching = [
        row
        for row in rows
        if metric is not None and target is not None and row.values.get(metric, -1.0) >= target
    ]
    timed = [row.hours * 3600 for row in reaching if row.hours is not None]
    if timed:
        if reaching[0].hours is None:
            what = "target reached without a clock: a later row is the bound"
            findings.remark(file, what, line=reaching[0].line)
        return Outcome(
            TrialStatus.OK,
            objectives={"time_to_target": timed[0]},
            samples=(Sample("time_to_target", timed[0]),),
            events=tuple(events),
            phases=phases,
        )
    if metric is None or target is None:
        message = "the task is not known, so no target is"
    elif reaching:
        message = f"{metric} reaches {target:g}, but no row that does has a clock"
    else:
        best = max((row.values[metric] for row in rows if metric in row.values), default=None)
        message = f"{metric} does not reach {target:g}" + (
            "" if best is None else f": {best:g} at best"
        )
    findings.remark(file, f"target not reached: {message}")
    return Outcome(
        TrialStatus.FAILED,
        FailureKind.NOT_REACHED,
        message=message,
        objectives={"time_to_target": None},
        events=tuple(events),
        phases=phases,
    )


def _accuracies(about: About, file: str, findings: Findings) -> dict[str, float]:
    """Return the accuracies that an inference entry states, as fractions."""
    found: dict[str, float] = {}
    for key, given in about.raw.items():
        metric = METRICS.get("".join(c for c in key if c.isalnum()))
        value = find_number(given)
        if metric is None or value is None:
            continue
        value = value if value <= 1 else value / 100
        if not 0 <= value <= 1:
            findings.remark(file, f"impossible accuracy: {key} {given}")
            continue
        found.setdefault(metric, value)
    return found
