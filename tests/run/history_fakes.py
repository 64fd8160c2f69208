"""An optimizer that tells what earlier trials it was given, and proposes the second best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from run_fakes import Descent
from run_fakes import registry as fakes

from daybreak import Configuration, OptimizerSpec, Problem, Trial
from daybreak.plugin import Component, Registry


class Historian(Descent):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.problem = problem
        assert all(trial.configuration in problem.space for trial in problem.history)
        self.tell(problem.history)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        history = self.problem.history
        return {
            "objectives": [trial.objective for trial in history],
            "configurations": [dict(trial.configuration) for trial in history],
            "kinds": [trial.outcome.failure_kind for trial in history],
            "samples": [len(trial.outcome.samples) for trial in history],
            "from": [dict(trial.outcome.facts["history"]) for trial in history],
            "related": {
                name: [trial.objective for trial in trials]
                for name, trials in self.problem.related.items()
            },
        }


class Careless(Historian):
    """Depends on its history alone, so that another history gives other proposals."""

    def ask(self, n: int = 1) -> list[Configuration]:
        done = [trial.configuration for trial in self.problem.history if trial.ok]
        return [done[self.told % len(done)]] * n

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += len(trials)


def registry() -> Registry:
    others = fakes()
    specs = [
        component.spec
        for kind in ("target", "optimizer")
        for component in others.components(kind).values()
    ]
    more = [
        OptimizerSpec(name="historian", factory="history_fakes:Historian", summary="x"),
        OptimizerSpec(
            name="transferrer",
            factory="history_fakes:Historian",
            summary="x",
            capabilities=frozenset({"transfers"}),
        ),
        OptimizerSpec(name="careless", factory="history_fakes:Careless", summary="x"),
    ]
    return Registry(components=[Component(spec, "local") for spec in [*specs, *more]])
