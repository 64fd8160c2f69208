"""A block: all studies of one benchmark with one seed, on one bench, taking turns.

The studies advance one trial each in turn, and the references are measured in between, so that a
machine that warms up or gets busy disturbs every optimizer alike.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from daybreak.errors import DaybreakError, StoreError, UserError
from daybreak.measure import Bench, CurveSetting, Doing, open_bench
from daybreak.plugin import Component, Registry
from daybreak.plugin.contracts import Benchmark
from daybreak.plugin.specs import Isolation, TargetSpec
from daybreak.records import Configuration, Cutoff, Event, Outcome, StudyPlan
from daybreak.run.devices import DeviceLocks
from daybreak.run.keys import TrialKeys, trial_key_prefix
from daybreak.run.optimizers import Optimizers
from daybreak.run.references import ReferenceTurns
from daybreak.run.study import Cancelled, Study

__all__ = ["BenchHolder", "Block"]

#: Seconds between two looks at the curve of a trial under way.
_PROGRESS_EVERY_S = 0.5


@dataclass
class BenchHolder:
    """Opens a block's bench when the first trial needs it; a run that only replays opens none."""

    plan: StudyPlan
    target: Component
    registry: Registry
    benchmark: Benchmark
    devices: DeviceLocks
    stop: threading.Event
    versions: Mapping[str, str]
    machine_id: str
    environment_id: str
    #: identity recorded by an earlier attempt at this run, if there was one
    identity: Mapping[str, str] | None
    on_open: Callable[[BenchHolder, Bench], None]
    #: called with a study's names and the newest event of the curve that is being measured
    on_progress: Callable[[Mapping[str, Any], BenchHolder, Event], None]
    #: called with a study's names, what its trial is at, and the seconds since that began
    on_doing: Callable[[Mapping[str, Any], Doing, float], None]

    bench: Bench | None = field(default=None, init=False)
    _keys: TrialKeys | None = field(default=None, init=False)

    @property
    def spec(self) -> TargetSpec:
        """The target's spec."""
        spec = self.target.spec
        assert isinstance(spec, TargetSpec)  # noqa: S101 - registered under kind "target"
        return spec

    @property
    def isolation(self) -> Isolation:
        """Where the benchmark's session lives: its own word, else the target's."""
        return self.benchmark.isolation or self.spec.isolation

    def open(self) -> Bench:
        """Return the bench, opened and checked against what was recorded before.

        Raises:
            DaybreakError: it cannot be opened, or its data or compiler changed since.
        """
        if self.bench is not None:
            return self.bench
        protocol = self.plan.protocol
        if self.benchmark.seeded:
            protocol = replace(protocol, seed=self.plan.seed)
        bench = open_bench(
            factory=self.spec.factory,
            name=self.plan.name,
            options=self.plan.options,
            protocol=protocol,
            limits=self.plan.limits,
            isolation=self.isolation,
            devices=self.spec.devices,
            objectives=self.benchmark.objectives,
            curve=self._curve(),
            caches=self.spec.caches,
            reserves=self.spec.reserves,
        )
        try:
            self._check_identity(bench)
        except DaybreakError:
            bench.close()
            raise
        prefix = trial_key_prefix(
            replace(self.plan, protocol=protocol),
            identity=bench.opened.identity,
            versions=self.versions,
            machine_id=self.machine_id,
            environment_id=self.environment_id,
        )
        self._keys = TrialKeys(prefix)
        self.bench = bench
        self.on_open(self, bench)
        return bench

    def _curve(self) -> CurveSetting | None:
        """Return what the bench must know to read the benchmark's curve."""
        benchmark = self.benchmark
        if benchmark.curve is None:
            return None
        watched: dict[str, tuple[float, ...]] = {}
        for threshold in self.plan.thresholds:
            if threshold.relative_to is None:
                metric = threshold.metric or benchmark.objectives[0].name
                watched[metric] = (*watched.get(metric, ()), threshold.value)
        return CurveSetting(benchmark.curve, (*benchmark.objectives, *benchmark.metrics), watched)

    def _check_identity(self, bench: Bench) -> None:
        before, now = self.identity, bench.opened.identity
        if before is None or dict(before) == dict(now):
            return
        changed = sorted(k for k in {*before, *now} if before.get(k) != now.get(k))
        raise UserError(
            f"benchmark '{self.plan.benchmark}' is not what it was when this run began: "
            f"{', '.join(changed)} changed",
            remedy="start a new run with --fresh; what is recorded stays",
        )

    def measure(
        self,
        study: Mapping[str, Any],
        configuration: Configuration,
        best: float | None,
        cutoffs: Sequence[Cutoff] = (),
    ) -> tuple[Outcome, str]:
        """Measure `configuration` while holding the target's devices, if they are exclusive.

        Plugins' trial protocols wrap the measurement, outside the timed region.
        """
        if self.stop.is_set():
            raise Cancelled
        bench = self.open()
        assert self._keys is not None  # noqa: S101 - set by open
        key = self._keys(configuration)

        def measured() -> Outcome:
            began = time.monotonic()
            return bench.measure(
                configuration,
                best=best,
                cutoffs=cutoffs,
                on_events=self._watcher(study),
                on_progress=lambda doing: self.on_doing(study, doing, time.monotonic() - began),
            )

        if not self.spec.exclusive or self.isolation is Isolation.INLINE:
            return self.registry.around_trial(study, configuration, measured), key
        with self.devices.hold(self.spec.devices):
            return self.registry.around_trial(study, configuration, measured), key

    def _watcher(self, study: Mapping[str, Any]) -> Callable[[tuple[Event, ...]], None] | None:
        """Return what looks on while a curve is measured; None: there is no curve."""
        curve = self.benchmark.curve
        if curve is None:
            return None
        told = -math.inf

        def look(events: tuple[Event, ...]) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told < _PROGRESS_EVERY_S:
                return
            newest = next((e for e in reversed(events) if e.metric == curve.metric), None)
            if newest is not None:
                told = now
                self.on_progress(study, self, newest)

        return look

    def cancel(self) -> None:
        """Kill a trial under way, from any thread."""
        if self.bench is not None:
            self.bench.cancel()

    def close(self) -> None:
        """Close the bench; safe to call twice."""
        if self.bench is not None:
            self.bench.close()
            self.bench = None


@dataclass
class Block:
    """Studies that share a bench. `on_start` and `on_end` are called around each study."""

    holder: BenchHolder
    optimizers: Optimizers
    studies: list[Study]
    references: Study | None
    turns: ReferenceTurns
    on_start: Callable[[Study], None]
    on_end: Callable[[Study], None]

    @property
    def everyone(self) -> list[Study]:
        """All studies, the references' first."""
        return [*([self.references] if self.references else []), *self.studies]

    def cancel(self) -> None:
        """End a trial under way and every optimizer's process, from any thread."""
        self.holder.cancel()
        self.optimizers.cancel()

    def run(self) -> None:
        """Run every study to its end; a study that breaks leaves the others running.

        Raises:
            Cancelled: the run was interrupted.
            StoreError: nothing can be recorded any more.
        """
        with ExitStack() as stack:
            stack.callback(self.holder.close)
            for study in self.everyone:
                self.on_start(study)
            try:
                self._take_turns()
            except (Cancelled, StoreError):
                raise
            except DaybreakError as error:
                self._all_failed(str(error), isinstance(error, UserError))

    def _take_turns(self) -> None:
        with ExitStack() as stack:
            self._advance(stack)

    def _advance(self, stack: ExitStack) -> None:
        """Advance the studies in turns; `stack` ends what is under way when one breaks them all."""
        everyone = {id(study): study.steps() for study in self.everyone}
        for begun in everyone.values():
            stack.callback(begun.close)
        references = everyone[id(self.references)] if self.references else iter(())
        for _ in range(self.turns.at_start()):
            next(references, None)
        due = iter(self.turns)
        active: list[tuple[Study, Iterator[None]]] = [
            (study, everyone[id(study)]) for study in self.studies
        ]
        # who comes first in a round is drawn, so that nobody always follows the same neighbour
        order = random.Random(f"turns/{self.holder.plan.seed}")  # noqa: S311 - no secret
        while active:
            for study, steps in order.sample(active, len(active)):
                if next(due):
                    next(references, None)
                try:
                    next(steps)
                except StopIteration:
                    active.remove((study, steps))
                    self.on_end(study)
        if self.references is not None:
            if self.references.status == "running":
                self.references.status = "finished"
            self.on_end(self.references)

    def _all_failed(self, message: str, users_fault: bool) -> None:
        for study in self.everyone:
            if study.status == "running":
                study.status, study.message = "failed", message
                study.users_fault = users_fault
                self.on_end(study)
