"""The study loop: ask, measure, record, tell; or replay what an earlier attempt recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

from daybreak.errors import PluginError
from daybreak.plugin import Component
from daybreak.plugin.contracts import Benchmark, Curtails, Explains, Optimizer, Problem, Spends
from daybreak.records import (
    Configuration,
    Cutoff,
    Direction,
    FailureKind,
    Outcome,
    StudyPlan,
    Trial,
    TrialStatus,
)
from daybreak.run.cutoffs import check_cutoff
from daybreak.run.history import History

if TYPE_CHECKING:
    from daybreak.run.optimizers import Optimizers

__all__ = ["Cancelled", "Measure", "Study"]

#: Measures a configuration:
#: `(study's names, configuration, best so far, cutoffs) -> (outcome, trial key)`.
Measure = Callable[
    [Mapping[str, Any], Configuration, float | None, Sequence[Cutoff]], tuple[Outcome, str]
]


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """The user interrupted the run: the trial under way is not recorded and runs again later."""


@dataclass
class Study:
    """One optimizer on one benchmark with one seed, stepped one trial at a time.

    `recorded` holds the trials that an earlier attempt finished, by number. They are told again to
    the fresh optimizer instead of being measured, which brings it to the state it was in.
    """

    plan: StudyPlan
    study_id: str
    key: str
    benchmark: Benchmark
    component: Component
    optimizers: Optimizers
    measure: Measure
    on_trial: Callable[[Study, Trial, bool], None]
    recorded: Mapping[int, Trial] = field(default_factory=dict)
    history: History = field(default_factory=History)
    role: str = "optimizer"

    status: str = "running"
    message: str | None = None
    #: whether what ended the study is the user's to mend: data, a compiler, an option
    users_fault: bool = False
    number: int = 0
    failures: int = 0
    #: failed trials whose progress curve ended before its target, which is a result
    not_reached: int = 0
    best: float | None = None
    elapsed_s: float = 0.0
    #: trials whose replayed configuration was not the one that the optimizer proposed
    diverged: int = 0

    @cached_property
    def named(self) -> dict[str, Any]:
        """What events and hooks call this study by."""
        return {
            "study_id": self.study_id,
            "benchmark": self.plan.benchmark,
            "optimizer": self.plan.optimizer,
            "seed": self.plan.seed,
            "role": self.role,
        }

    def steps(self) -> Generator[None, None, None]:
        """Run the study, yielding after every trial; `status` and `message` say how it ended.

        Raises:
            Cancelled: the run was interrupted.
            StoreError: a trial could not be recorded.
        """
        optimizer: Optimizer | None = self._call("be created", self._create)
        if optimizer is None:
            return
        try:
            yield from self._turns(optimizer)
        finally:
            self.optimizers.release(optimizer)

    def _turns(self, optimizer: Optimizer) -> Generator[None, None, None]:
        explains = optimizer if isinstance(optimizer, Explains) else None
        spends = optimizer if isinstance(optimizer, Spends) else None
        curtails = self.benchmark.curve is not None and isinstance(optimizer, Curtails)
        while (room := self._room(spends)) > 0:
            began = perf_counter()
            proposed = self._call("ask", self._ask, optimizer, room)
            if proposed is None:
                return
            if not proposed:
                self._end("exhausted", "the optimizer has nothing left to propose")
                return
            cutoffs: list[Sequence[Cutoff]] = [()] * len(proposed)
            if curtails:
                # asked when replaying, too: the optimizer may count on it
                found = self._call("say when to give up", self._cutoffs, optimizer, proposed)
                if found is None:
                    return
                cutoffs = found
            ask_s = (perf_counter() - began) / len(proposed)
            trials: list[Trial] = []
            for configuration, until in zip(proposed, cutoffs, strict=True):
                trial, replayed = self._next_trial(configuration, ask_s, explains, until)
                if trial is None:
                    return
                trials.append(trial)
                if len(trials) < len(proposed):
                    self.on_trial(self, trial, replayed)
                    yield
            told = self._told(optimizer, trials, replayed)
            yield
            if not told:
                return
        if self.status != "running":
            return
        if self.number and self.failures == self.number and self.not_reached < self.number:
            self._end("failed", f"none of the {self.number} trials succeeded")
        else:
            self._end("finished", None)

    def _next_trial(
        self,
        configuration: Configuration,
        ask_s: float,
        explains: Explains | None,
        cutoffs: Sequence[Cutoff],
    ) -> tuple[Trial | None, bool]:
        """Return the trial recorded under this number, or a new one; and whether it was replayed."""
        recorded = self.recorded.get(self.number)
        if recorded is None:
            trial = self._measured(configuration, ask_s, explains, cutoffs)
        else:
            trial = recorded
            self.diverged += dict(recorded.configuration) != dict(configuration)
        if trial is not None:
            self._count(trial)
        return trial, recorded is not None

    def _told(self, optimizer: Optimizer, trials: list[Trial], replayed: bool) -> bool:
        """Tell the optimizer of a batch and record the batch's last trial, with what telling took.

        It is recorded even if `tell` raises: the measurement is not lost with the optimizer.
        """
        began = perf_counter()
        told = self._call("tell", self._tell, optimizer, trials)
        last = trials[-1]
        if not replayed:
            tell_s = perf_counter() - began
            self.elapsed_s += tell_s
            last = replace(
                last, tell_s=tell_s, total_s=last.total_s + tell_s, elapsed_s=self.elapsed_s
            )
        self.on_trial(self, last, replayed)
        return told is not None

    @staticmethod
    def _tell(optimizer: Optimizer, trials: list[Trial]) -> bool:
        optimizer.tell(trials)
        return True

    def _create(self) -> Optimizer:
        problem = Problem(
            benchmark=self.plan.benchmark,
            space=self.benchmark.space,
            objectives=self.benchmark.objectives,
            seed=self.plan.seed,
            budget=self.plan.budget,
            references=self.benchmark.references,
            hidden_constraints=self.benchmark.hidden_constraints,
            history=self.history.trials,
            related=self.history.related,
            metrics=self.benchmark.metrics,
            curve=self.benchmark.curve,
            stop=self.plan.protocol.stop,
        )
        return self.optimizers.create(self.component, problem, self.plan.optimizer_options)

    def _ask(self, optimizer: Optimizer, n: int) -> list[Configuration]:
        proposed = optimizer.ask(n)
        if len(proposed) > n:
            raise ValueError(f"ask({n}) returned {len(proposed)} configurations")
        return [self._checked(configuration) for configuration in proposed]

    def _cutoffs(
        self, optimizer: Curtails, proposed: Sequence[Configuration]
    ) -> list[Sequence[Cutoff]]:
        found: list[Sequence[Cutoff]] = []
        known = {m.name for m in (*self.benchmark.objectives, *self.benchmark.metrics)}
        for configuration in proposed:
            cutoffs = tuple(optimizer.cutoffs(configuration))
            for cutoff in cutoffs:
                check_cutoff(cutoff, known)
            found.append(cutoffs)
        return found

    def _checked(self, configuration: Configuration) -> Configuration:
        space = self.benchmark.space
        if configuration in space:
            return configuration
        for reference in self.benchmark.references:
            if dict(reference.configuration) == dict(configuration):
                return configuration
        space.check(configuration)
        raise ValueError(f"proposed {dict(configuration)}, which is not in the search space")

    def _room(self, spends: Spends | None) -> int:
        budget = self.plan.budget
        room = self.plan.batch
        if budget.evaluations is not None:
            room = min(room, budget.evaluations - self.number)
        if budget.seconds is not None and self.elapsed_s >= budget.seconds:
            return 0
        if spends is not None and (budget.dollars is not None or budget.tokens is not None):
            spent = self._call("say what it spent", spends.spent)
            if spent is None:
                return 0
            for clock, bound in (("dollars", budget.dollars), ("tokens", budget.tokens)):
                if bound is not None and spent.get(clock, 0.0) >= bound:
                    return 0
        return room

    def _measured(
        self,
        configuration: Configuration,
        ask_s: float,
        explains: Explains | None,
        cutoffs: Sequence[Cutoff],
    ) -> Trial | None:
        proposal: Mapping[str, Any] | None = None
        if explains is not None:
            proposal = self._call("explain", explains.explain, configuration)
            if proposal is None:
                return None
        started_at = datetime.now(UTC).isoformat(timespec="microseconds")
        began = perf_counter()
        # a reference is measured in full, however slow it is beside another
        best = None if self.role == "reference" else self.best
        outcome, key = self.measure(self.named, configuration, best, cutoffs)
        if outcome.failure_kind is FailureKind.CANCELLED:
            raise Cancelled
        took = outcome.simulated_s
        total = ask_s + (perf_counter() - began if took is None else took)
        self.elapsed_s += total
        return Trial(
            number=self.number,
            configuration=configuration,
            outcome=outcome,
            reference=self._reference(configuration),
            key=key,
            started_at=started_at,
            ask_s=ask_s,
            total_s=total,
            elapsed_s=self.elapsed_s,
            proposal=proposal,
        )

    def _reference(self, configuration: Configuration) -> str | None:
        if self.component.name != "references":
            return None  # an optimizer that hits upon a reference's configuration earned it
        for reference in self.benchmark.references:
            if reference.configuration == configuration:
                return reference.name
        return None

    def _count(self, trial: Trial) -> None:
        self.number += 1
        self.elapsed_s = max(self.elapsed_s, trial.elapsed_s)
        if trial.outcome.status is TrialStatus.FAILED:
            self.failures += 1
            self.not_reached += trial.outcome.failure_kind is FailureKind.NOT_REACHED
        value = trial.objective
        if value is None or math.isnan(value):
            return
        maximize = self.benchmark.objectives[0].direction is Direction.MAXIMIZE
        if self.best is None or (value > self.best if maximize else value < self.best):
            self.best = value

    def _call(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a part of the optimizer; if it raises, the study ends as failed and None is given."""
        try:
            return function(*arguments)
        except (KeyboardInterrupt, Cancelled):
            raise
        except PluginError as error:
            self._end("failed", str(error))
        except Exception as error:  # a plugin may raise anything; the others go on
            plugin = PluginError(
                f"optimizer '{self.component.name}' failed to {what}: "
                f"{type(error).__name__}: {error}",
                plugin=self.component.plugin,
                distribution=self.component.source or None,
            )
            self._end("failed", str(plugin))
        return None

    def _end(self, status: str, message: str | None) -> None:
        self.status = status
        self.message = message
