"""The books of a run: what is recorded, counted and told to listeners, in one place.

Every method that writes is called under one lock, because blocks may run in several threads.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.errors import StoreError
from daybreak.measure import Doing
from daybreak.measure.energy import energy_metric
from daybreak.measure.machine import (
    environment_lock,
    machine_identity,
    machine_readings,
    noise_warnings,
)
from daybreak.plugin import Registry
from daybreak.records import Event, Trial, TrialStatus
from daybreak.run.events import Listener
from daybreak.run.history import Histories
from daybreak.run.keys import new_run_id
from daybreak.run.surveys import Surveys
from daybreak.store import RunInfo, RunWriter, StudyRow, find_runs, ingest, read_run
from daybreak.suite import RunPlan

if TYPE_CHECKING:
    from daybreak.measure import Bench
    from daybreak.plugin.contracts import Benchmark
    from daybreak.run.block import BenchHolder, Block
    from daybreak.run.study import Study
    from daybreak.store import RunRecord

__all__ = ["Books"]

#: seconds between fillings of the database while a run goes on; never during a trial
_INGEST_EVERY_S = 15.0
#: seconds between readings of the machine (load, clock rates, temperature)
_READ_EVERY_S = 10.0


class Books:
    """Records a run through a `RunWriter`, counts, and tells listeners and plugins' observers."""

    def __init__(
        self,
        results: Path,
        plan: RunPlan,
        registry: Registry,
        listener: Listener,
        writer: RunWriter,
        record: RunRecord | None,
        machine: tuple[str, Mapping[str, Any]],
        environment: tuple[str, Mapping[str, Any]],
    ) -> None:
        self.run_id = writer.run_id
        self.resumed = record is not None
        self.machine_id, self._machine = machine
        self.environment_id, self._environment = environment
        self.studies = self.failed_studies = self.trials = self.failures = 0
        self.users_faults = 0
        self._results = results
        self._plan = plan
        self._registry = registry
        self._listener = listener
        self._writer = writer
        self._record = record
        self._warnings = [] if record is None else list(record.warnings)
        self.histories = Histories(
            results, writer.run_id, () if record is None else record.histories, writer.history
        )
        self._surveyed = Surveys({} if record is None else record.landscapes)
        self._lock = threading.RLock()
        self._opened: dict[str, dict[str, Any]] = {}
        self._began = time.monotonic()
        self._ingested = self._read = self._began

    @classmethod
    def open(
        cls,
        results: Path,
        plan: RunPlan,
        registry: Registry,
        listener: Listener,
        *,
        fresh: bool,
    ) -> Books:
        """Go on with the newest run of this suite on this machine, or begin a new one.

        Raises:
            StoreError: the results folder cannot be used, or another process runs this suite.
        """
        if (results / "daybreak.duckdb").exists():
            ingest(results)  # a database of a newer Daybreak is refused before anything is measured
        machine, environment = machine_identity(), environment_lock()
        found = None if fresh else _find(results, plan, machine[0], environment[0], listener)
        if found is None:
            writer = RunWriter.create(
                results,
                new_run_id(plan.name),
                suite_key=plan.suite_key,
                row={
                    "suite": plan.name,
                    "suite_source": plan.source,
                    "suite_path": None if plan.path is None else str(plan.path),
                    "machine_id": machine[0],
                    "environment_id": environment[0],
                    "daybreak_version": _version(),
                },
            )
            record = None
        else:
            writer = RunWriter.resume(results, found.run_id)
            record = read_run(results, found.run_id)
        return cls(results, plan, registry, listener, writer, record, machine, environment)

    # -- what an earlier attempt recorded

    def recorded_trials(self, key: str) -> dict[int, Trial]:
        """Return the trials recorded for the study with `key`, by number."""
        if self._record is None or key not in self._record.studies:
            return {}
        return {trial.number: trial for trial in self._record.studies[key].trials}

    def recorded_identity(self, benchmark: str) -> dict[str, str] | None:
        """Return the identity (data, compiler) that `benchmark` had in an earlier attempt."""
        row = {} if self._record is None else self._record.benchmarks.get(benchmark, {})
        identity = row.get("identity")
        return None if not identity else dict(identity)

    # -- the run

    def start(self, blocks: Sequence[Block]) -> None:
        """Record what stands before the first trial, and tell of the start."""
        if not self.resumed:
            self._writer.machine(self.machine_id, self._machine)
            self._writer.environment(self.environment_id, self._environment)
            for plugin in self._registry.plugins:
                self._writer.plugin(
                    name=plugin.name,
                    distribution=plugin.distribution,
                    version=plugin.version,
                    module=plugin.module,
                    status=str(plugin.status),
                    reason=plugin.reason,
                )
        studies = [study for block in blocks for study in block.studies]
        budgets = [study.plan.budget.evaluations for study in studies]
        recorded = sum(len(study.recorded) for study in studies)
        self._tell(
            "run_started",
            run_id=self.run_id,
            suite=self._plan.name,
            studies=len(studies),
            trials=None if None in budgets else sum(b for b in budgets if b is not None),
            resumed=recorded,
            results=str(self._results),
        )
        self._registry.notify(
            "daybreak_run_started", run={"run_id": self.run_id, "suite": self._plan.name}
        )
        for warning in self._plan.warnings:
            self.warn(warning)
        if any(len(study.recorded) < (study.plan.budget.evaluations or 1) for study in studies):
            for warning in noise_warnings():
                self.warn(warning, alike=_beginning)
        self._readings("run_started")

    def warn(self, message: str, alike: Callable[[str], str] = str) -> None:
        """Tell of, and record, something that the reader of the results must know.

        It is recorded once for a run, however often the run is resumed: not if one that is
        `alike` was recorded before.
        """
        with self._lock:
            if all(alike(message) != alike(known) for known in self._warnings):
                self._warnings.append(message)
                self._writer.readings({"warning": message})
            self._tell("warning", message=message)

    def finish(self, status: str) -> None:
        """Record how the run ended, seal its files and bring the database up to date."""
        with self._lock:
            self._readings("run_finished")
            self._writer.finish(status)
            self._registry.notify(
                "daybreak_run_finished",
                run={"run_id": self.run_id, "suite": self._plan.name, "status": status},
            )
            self._fill_index()
            self._tell(
                "run_finished",
                run_id=self.run_id,
                status=status,
                studies=self.studies,
                failed_studies=self.failed_studies,
                trials=self.trials,
                failures=self.failures,
                seconds=time.monotonic() - self._began,
            )

    def close(self) -> None:
        """Close the files; safe to call twice, also after an error."""
        with self._lock:
            self._writer.close()

    def interrupted(self, blocks: Sequence[Block]) -> None:
        """Record that the studies under way were interrupted."""
        with self._lock:
            for block in blocks:
                for study in block.everyone:
                    if study.status == "running" and study.number:
                        study.status = "interrupted"
                        self._writer.study_status(study.study_id, "interrupted")

    # -- benches, studies, trials

    def bench_opened(self, holder: BenchHolder, bench: Bench) -> None:
        """Record the benchmark as it was opened: identity of its data, sandbox.

        Every block opens it anew; what was recorded by this process is not recorded again, because
        the description of a space can be long.
        """
        plan, benchmark = holder.plan, holder.benchmark
        energy = energy_metric(holder.spec.devices)
        named = {metric.name for metric in (*benchmark.objectives, *benchmark.metrics)}
        own = () if energy is None or energy.name in named else (energy,)
        found: dict[str, Any] = {
            "identity": dict(bench.opened.identity),
            "floors": dict(bench.opened.floors),
            "sandbox": bench.opened.sandbox,
        }
        with self._lock:
            known = self._opened.get(plan.benchmark) == found
            if not known:
                self._opened[plan.benchmark] = found
                self._writer.benchmark(
                    {
                        "benchmark": plan.benchmark,
                        "target": plan.target,
                        "name": plan.name,
                        "instance": benchmark.instance,
                        "summary": benchmark.summary,
                        "options": dict(plan.options),
                        "space": benchmark.space.to_dict(),
                        "space_fingerprint": benchmark.space.fingerprint(),
                        "objectives": [asdict(metric) for metric in benchmark.objectives],
                        "metrics": [asdict(metric) for metric in (*benchmark.metrics, *own)],
                        "references": [asdict(reference) for reference in benchmark.references],
                        "notes": list(benchmark.notes),
                        **_training(benchmark),
                        **found,
                    }
                )
            self._tell(
                "bench_opened",
                benchmark=plan.benchmark,
                sandbox=bench.opened.sandbox,
                seconds=bench.opened.seconds,
            )
            if not known:
                self._survey(holder, bench)

    def _survey(self, holder: BenchHolder, bench: Bench) -> None:
        """Record what the session knows of the whole space, once per run and benchmark.

        With several objectives the best of the first one alone is no optimum.
        """
        if len(holder.benchmark.objectives) > 1:
            return
        name, objective = holder.plan.benchmark, holder.benchmark.objectives[0]
        evaluations = max(
            (s.budget.evaluations or 0 for s in self._plan.studies if s.benchmark == name),
            default=0,
        )
        if self._surveyed.covers(name, evaluations):
            return
        try:
            row = self._surveyed.row(name, bench.landscape, objective.direction, evaluations)
        except Exception as error:  # a plugin may raise anything; the run does without
            self.warn(
                f"{name}: what its session says of the whole space cannot be used, so there is no "
                f"calculated random search: {type(error).__name__}: {error}"
            )
            return
        if row is not None:
            self._writer.landscape(row)

    def study_started(self, study: Study) -> None:
        """Record a study before its first trial."""
        plan = study.plan
        with self._lock:
            self._writer.study(
                StudyRow(
                    study_id=study.study_id,
                    study_key=study.key,
                    benchmark=plan.benchmark,
                    target=plan.target,
                    optimizer=plan.optimizer,
                    component=plan.component,
                    seed=plan.seed,
                    role=study.role,
                    budget=asdict(plan.budget),
                    options=dict(plan.optimizer_options),
                    protocol=asdict(plan.protocol),
                    thresholds=tuple(asdict(threshold) for threshold in plan.thresholds),
                    started_at=datetime.now(UTC).isoformat(timespec="microseconds"),
                    details={
                        "batch": plan.batch,
                        "benchmark_options": dict(plan.options),
                        **({"history": study.history.summary} if plan.history else {}),
                    },
                    dollars_per_hour=plan.dollars_per_hour,
                )
            )
            self._tell("study_started", **study.named, evaluations=plan.budget.evaluations)
            self._registry.notify("daybreak_study_started", study=study.named)

    def trial(self, study: Study, trial: Trial, replayed: bool) -> None:
        """Record a finished trial, then tell of it."""
        with self._lock:
            if not replayed:
                self._writer.trial(study.study_id, trial)
                self._registry.notify("daybreak_trial_finished", study=study.named, trial=trial)
            if study.role == "optimizer":
                self.trials += 1
                self.failures += trial.outcome.status is TrialStatus.FAILED
            objective = study.benchmark.objectives[0]
            self._tell(
                "trial_finished",
                **study.named,
                number=trial.number,
                status=trial.outcome.status,
                failure_kind=trial.outcome.failure_kind,
                message=trial.outcome.message,
                objective=trial.objective,
                unit=objective.unit,
                best=study.best,
                elapsed_s=trial.elapsed_s,
                reference=trial.reference,
                replayed=replayed,
            )
            if not replayed:
                self._between_trials()

    def progress(self, study: Mapping[str, Any], holder: BenchHolder, event: Event) -> None:
        """Tell how far the trial under way has come; nothing is recorded of it yet."""
        benchmark = holder.benchmark
        units = {m.name: m.unit for m in (*benchmark.objectives, *benchmark.metrics)}
        self._tell(
            "progress",
            **study,
            metric=event.metric,
            unit=units.get(event.metric, ""),
            value=event.value,
            epoch=event.epoch,
            train_s=event.train_s,
        )

    def doing(self, study: Mapping[str, Any], doing: Doing, seconds: float) -> None:
        """Tell what the trial under way is at; nothing is recorded of it."""
        self._tell(
            "trial_progress",
            **study,
            phase=doing.phase,
            done=doing.done,
            text=doing.text,
            seconds=round(seconds, 3),
        )

    def study_ended(self, study: Study) -> None:
        """Record how a study ended."""
        with self._lock:
            if study.role == "optimizer":
                self.studies += 1
                self.failed_studies += study.status == "failed"
                self.users_faults += study.users_fault
            self._writer.study_status(study.study_id, study.status, study.message)
            if study.diverged:
                self.warn(
                    f"{study.plan.optimizer} on {study.plan.benchmark}, seed {study.plan.seed}: "
                    f"{study.diverged} recorded trials were not what the optimizer proposed when "
                    "the run was resumed: it depends on more than its seed (on its budget, say)"
                )
            self._tell(
                "study_finished",
                **study.named,
                status=study.status,
                message=study.message,
                trials=study.number,
                best=study.best,
            )
            self._registry.notify(
                "daybreak_study_finished", study={**study.named, "status": study.status}
            )

    # -- in between

    def _between_trials(self) -> None:
        now = time.monotonic()
        if now - self._read > _READ_EVERY_S:
            self._read = now
            self._readings("trial")
        if now - self._ingested > _INGEST_EVERY_S:
            # one thread: the other processors may belong to another run's trial
            self._fill_index(threads=1)
            self._ingested = time.monotonic()

    def _fill_index(self, threads: int | None = None) -> None:
        try:
            ingest(self._results, threads=threads)
        except StoreError as error:
            # the spool has everything; the database can be made again at any time
            self._tell("warning", message=f"the database is not up to date: {error}")

    def _readings(self, when: str) -> None:
        with self._lock:
            self._writer.readings({"when": when, **machine_readings()})

    def _tell(self, kind: str, **values: Any) -> None:
        with self._lock:
            self._listener.event(kind, values)


def _find(
    results: Path, plan: RunPlan, machine_id: str, environment_id: str, listener: Listener
) -> RunInfo | None:
    """Return the newest run to go on with; say why a likely one will not do."""
    same = [run for run in find_runs(results) if run.suite_key == plan.suite_key]
    for run in same:
        if run.machine_id == machine_id and run.environment_id == environment_id:
            return run
    if same and same[0].status != "finished":
        what = "machine" if same[0].machine_id != machine_id else "environment"
        message = (
            f"run {same[0].run_id} is not continued: the {what} is not the one it was measured on"
        )
        listener.event("warning", {"message": message})
    return None


def _training(benchmark: Benchmark) -> dict[str, Any]:
    """Return what is recorded of a benchmark that is a training job; nothing of any other."""
    found: dict[str, Any] = {}
    if benchmark.curve is not None:
        found["curve"] = asdict(benchmark.curve)
    if benchmark.seeded:
        found["seeded"] = True
    return found


def _beginning(warning: str) -> str:
    """Return what a warning of noise says but for the present numbers and names."""
    return re.split(r"[:(0-9]", warning, maxsplit=1)[0]


def _version() -> str:
    from daybreak import __version__

    return __version__
