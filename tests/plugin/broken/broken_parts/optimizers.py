"""`Walker` keeps every rule; each other class breaks one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from daybreak.plugin.contracts import Problem
from daybreak.records import Configuration, Cutoff, FailureKind, Trial


class Walker:
    """Uniform random proposals, and a step from the best one every now and then."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.problem = problem
        self.rng = np.random.default_rng(problem.seed)
        self.best: Trial | None = None
        self.asked = 0
        self.tell(problem.history)

    def ask(self, n: int = 1) -> list[Configuration]:
        return [self.propose() for _ in range(n)]

    def propose(self) -> dict[str, Any]:
        self.asked += 1
        if self.best is not None and self.asked % 3 == 0:
            steps = self.problem.space.neighbours(self.best.configuration)
            if steps:
                return dict(steps[int(self.rng.integers(len(steps)))])
        return dict(self.problem.space.sample(1, self.rng)[0])

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            value = trial.objective
            if value is None or value != value or trial.configuration not in self.problem.space:
                continue
            if self.best is None or value < (self.best.objective or 0.0):
                self.best = trial


class LeavesSpace(Walker):
    def ask(self, n: int = 1) -> list[Configuration]:
        proposed = super().ask(n)
        if n == 1 and self.asked > 20:
            proposed[0]["tile_i"] = 3
        return proposed


class AsksTooMuch(Walker):
    def ask(self, n: int = 1) -> list[Configuration]:
        return super().ask(n if n == 1 else n + 1)


class ReusesProposal(Walker):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.proposal: dict[str, Any] = {}
        super().__init__(problem, options)

    def ask(self, n: int = 1) -> list[Configuration]:
        if n > 1:
            return super().ask(n)
        self.proposal.update(self.propose())
        return [self.proposal]


class NeverEnds(Walker):
    """Claims the capability `exhausts`."""


class Unseeded(Walker):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.rng = np.random.default_rng()


class Hashes(Walker):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.rng = np.random.default_rng(hash("walker") % 2**32 + problem.seed)


class IgnoresSeed(Walker):
    """Claims the capability `seeded`."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.rng = np.random.default_rng(1)


class UnseededAfterFailure(Walker):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        if any(not trial.ok for trial in trials):
            self.rng = np.random.default_rng(int.from_bytes(os.urandom(4), "big"))


class DiesOnFailure(Walker):
    penalty: ClassVar = {
        kind: 1.0 for kind in FailureKind if kind is not FailureKind.MISSING_REQUIREMENT
    }

    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        for trial in trials:
            if trial.outcome.failure_kind is not None:
                self.penalty[trial.outcome.failure_kind]


class DiesOnNan(Walker):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        for trial in trials:
            if trial.objective is not None:
                int(trial.objective)


class DiesOnForeign(Walker):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.mine: list[Configuration] = []
        super().__init__(problem, options)

    def propose(self) -> dict[str, Any]:
        proposed = super().propose()
        self.mine.append(dict(proposed))
        return proposed

    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        for trial in trials if self.problem.history == () else ():
            self.mine.remove(trial.configuration)


class DiesOnHistory(Walker):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        for trial in problem.history:
            problem.space.check(trial.configuration)


class InsistsOnOrder(Walker):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.pending = 0
        super().__init__(problem, options)

    def ask(self, n: int = 1) -> list[Configuration]:
        self.pending = n if n > 1 else 0
        return super().ask(n)

    def tell(self, trials: Sequence[Trial]) -> None:
        if self.pending and len(trials) != self.pending:
            raise ValueError("the whole batch, please")
        super().tell(trials)


class OneObjective(Walker):
    """Claims to take any number of objectives."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        (self.objective,) = problem.objectives
        super().__init__(problem, options)


class TouchesGlobalRandom(Walker):
    def propose(self) -> dict[str, Any]:
        random.random()
        return super().propose()


class ReadsClock(Walker):
    def propose(self) -> dict[str, Any]:
        self.started = time.monotonic()
        return super().propose()


class ChangesTrials(Walker):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        for trial in trials:
            if isinstance(trial.outcome.objectives, dict) and trial.ok:
                trial.outcome.objectives["time"] = 0.0


class ExplainsBadly(Walker):
    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {"expected": np.float32(1.5)}


class LooseOptions(BaseModel):
    depth: int = 3


class StrictOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = 3


class CutsNowhere(Walker):
    def cutoffs(self, configuration: Configuration) -> list[Cutoff]:
        return [Cutoff("accuracy", 0.5)]
