"""Running a suite: find or make the run, lay out its blocks, execute them, keep the books."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from daybreak.errors import StoreError
from daybreak.plugin import Component, Registry, load_plugins
from daybreak.plugin.contracts import Benchmark
from daybreak.records import Budget, StudyPlan
from daybreak.run.block import BenchHolder, Block
from daybreak.run.books import Books
from daybreak.run.devices import DeviceLocks
from daybreak.run.events import Listener, SilentListener
from daybreak.run.interrupt import interruptible
from daybreak.run.keys import study_id, study_key
from daybreak.run.local import LocalExecutor
from daybreak.run.optimizers import Optimizers
from daybreak.run.prepare import prepare
from daybreak.run.references import ReferenceTurns
from daybreak.run.study import Cancelled, Study
from daybreak.suite import RunPlan, Suite, load_suite, plan_suite

__all__ = ["RunSummary", "run_plan", "run_suite"]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended. `status` is `finished`, `failed` (some studies failed) or `interrupted`."""

    run_id: str
    suite: str
    status: str
    results: Path
    studies: int
    failed_studies: int
    trials: int
    failures: int
    seconds: float
    resumed: bool
    #: failed studies whose cause is the user's to mend: data, a compiler, an option
    users_faults: int = 0

    @property
    def exit_code(self) -> int:
        """0 done, 1 some studies failed, 2 some for a cause that the user can mend, 130 interrupted."""
        if self.status == "failed":
            return 2 if self.users_faults else 1
        return 0 if self.status == "finished" else 130


def run_suite(
    suite: str | Path | Suite,
    *,
    results: str | Path = "results",
    jobs: int = 1,
    only: str | None = None,
    fresh: bool = False,
    listener: Listener | None = None,
    registry: Registry | None = None,
) -> RunSummary:
    """Run `suite`, a shipped suite's name, a path or a loaded `Suite`, and return how it ended.

    A run of the same suite on this machine and in this environment that did not finish is
    continued, and a finished one is extended if the suite now asks for more; `fresh` starts anew.

    Raises:
        UserError: the suite, the machine or the results folder must be mended first; nothing that
            was recorded earlier is touched.
    """
    registry = registry or load_plugins()
    loaded = suite if isinstance(suite, Suite) else load_suite(suite)
    plan = plan_suite(loaded, registry, only=only)
    return run_plan(plan, registry, results=results, jobs=jobs, fresh=fresh, listener=listener)


def run_plan(
    plan: RunPlan,
    registry: Registry,
    *,
    results: str | Path = "results",
    jobs: int = 1,
    fresh: bool = False,
    listener: Listener | None = None,
) -> RunSummary:
    """Run a plan. See `run_suite`."""
    return _Engine(plan, registry, Path(results), listener or SilentListener()).execute(jobs, fresh)


class _Engine:
    def __init__(
        self, plan: RunPlan, registry: Registry, results: Path, listener: Listener
    ) -> None:
        self.plan = plan
        self.registry = registry
        self.results = results
        self.listener = listener
        self.stop = threading.Event()
        self.devices = DeviceLocks()
        self.optimizers = Optimizers()
        self.targets: dict[str, Component] = {
            name: registry.get("target", name) for name in {s.target for s in plan.studies}
        }

    def execute(self, jobs: int, fresh: bool) -> RunSummary:
        began = time.monotonic()
        prepare(
            self.plan.studies,
            self.registry,
            lambda name, done, text: self.listener.event(
                "setup", {"target": name, "done": done, "text": text}
            ),
        )
        books = Books.open(self.results, self.plan, self.registry, self.listener, fresh=fresh)
        try:
            blocks = self._blocks(books)
            books.start(blocks)
            status = self._run(blocks, jobs, books)
            books.finish(status)
        finally:
            self.optimizers.close()
            self.devices.close()
            books.close()
            self.listener.close()
        return RunSummary(
            run_id=books.run_id,
            suite=self.plan.name,
            status=status,
            results=self.results,
            studies=books.studies,
            failed_studies=books.failed_studies,
            trials=books.trials,
            failures=books.failures,
            seconds=time.monotonic() - began,
            resumed=books.resumed,
            users_faults=books.users_faults,
        )

    def _run(self, blocks: list[Block], jobs: int, books: Books) -> str:
        def cancel() -> None:
            for block in blocks:
                block.cancel()

        try:
            with interruptible(self.stop, cancel):
                LocalExecutor(jobs).run(blocks, self.stop)
        except (Cancelled, KeyboardInterrupt):
            books.interrupted(blocks)
            return "interrupted"
        except StoreError:
            cancel()
            for block in blocks:
                block.holder.close()
            raise
        return "failed" if books.failed_studies else "finished"

    # -- laying out blocks

    def _blocks(self, books: Books) -> list[Block]:
        grouped: dict[tuple[str, int], list[StudyPlan]] = {}
        for plan in self.plan.studies:
            grouped.setdefault((plan.benchmark, plan.seed), []).append(plan)
        return [self._block(plans, books) for plans in grouped.values()]

    def _block(self, plans: list[StudyPlan], books: Books) -> Block:
        first = plans[0]
        target = self.targets[first.target]
        benchmark = self.plan.benchmarks[first.benchmark]
        holder = BenchHolder(
            plan=first,
            target=target,
            registry=self.registry,
            benchmark=benchmark,
            devices=self.devices,
            stop=self.stop,
            versions=self._versions(target),
            machine_id=books.machine_id,
            environment_id=books.environment_id,
            identity=books.recorded_identity(first.benchmark),
            on_open=books.bench_opened,
            on_progress=books.progress,
            on_doing=books.doing,
        )
        studies = [
            self._study(plan, self.registry.get("optimizer", plan.component), holder, books)
            for plan in plans
        ]
        references = self._references(first, benchmark, holder, books)
        return Block(
            holder=holder,
            optimizers=self.optimizers,
            studies=studies,
            references=references,
            turns=ReferenceTurns(
                benchmark.references if references else (),
                first.protocol.interleave,
                first.seed,
            ),
            on_start=books.study_started,
            on_end=books.study_ended,
        )

    def _study(
        self,
        plan: StudyPlan,
        component: Component,
        holder: BenchHolder,
        books: Books,
        role: str = "optimizer",
    ) -> Study:
        key = study_key(
            plan,
            space=holder.benchmark.space.fingerprint(),
            versions=self._versions(holder.target, component),
        )
        return Study(
            plan=plan,
            study_id=study_id(books.run_id, key),
            key=key,
            benchmark=holder.benchmark,
            component=component,
            optimizers=self.optimizers,
            measure=holder.measure,
            on_trial=books.trial,
            recorded=books.recorded_trials(key),
            history=books.histories.of(plan, holder.benchmark),
            role=role,
        )

    def _references(
        self, plan: StudyPlan, benchmark: Benchmark, holder: BenchHolder, books: Books
    ) -> Study | None:
        if not benchmark.references or "references" not in self.registry.components("optimizer"):
            return None
        reference_plan = StudyPlan(
            benchmark=plan.benchmark,
            target=plan.target,
            name=plan.name,
            options=plan.options,
            optimizer="references",
            component="references",
            optimizer_options={"rounds": None},
            seed=plan.seed,
            budget=Budget(),
            protocol=plan.protocol,
            limits=plan.limits,
            thresholds=plan.thresholds,
            dollars_per_hour=plan.dollars_per_hour,
        )
        return self._study(
            reference_plan,
            self.registry.get("optimizer", "references"),
            holder,
            books,
            role="reference",
        )

    def _versions(self, *components: Component) -> dict[str, str]:
        return {c.distribution: c.version for c in components if c.distribution}
