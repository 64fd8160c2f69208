"""A small deterministic training job, and optimizers that give its curves up, well or badly."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Configuration,
    Curve,
    Cutoff,
    Direction,
    Event,
    Isolation,
    MeasurementProtocol,
    Metric,
    OptimizerSpec,
    Ordinal,
    Problem,
    Requirement,
    Sample,
    Space,
    TargetSpec,
    Trial,
    Verdict,
)
from daybreak.plugin import Registry

ACCURACY = Metric("accuracy", "1", Direction.MAXIMIZE)
HELD_OUT = Metric("held_out", "1", Direction.MAXIMIZE)
SPACE = Space([Ordinal("rate", [1, 2, 4, 8, 16])])
EPOCHS = 40


class Trainer:
    """Accuracy 1 - exp(-rate * epoch / 20) with a seeded wobble; a rate of 16 diverges."""

    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("job", {})
        yield self.define("unseeded", {})

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        return Benchmark(
            name=name,
            space=SPACE,
            objectives=(Metric(TIME_TO_TARGET, "s"),),
            metrics=(ACCURACY, HELD_OUT),
            options=dict(options),
            curve=Curve("accuracy", 0.9, deterministic=True),
            seeded=name == "job",
        )

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> Training:
        return Training(benchmark)


class Training:
    identity: Mapping[str, str] = {"data": "trainer-1"}
    floors: Mapping[str, float] = {}

    def __init__(self, benchmark: Benchmark) -> None:
        self._delay = float(benchmark.options.get("delay", 0.0))
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Configuration:
        return configuration

    def verify(self, artifact: Configuration) -> Verdict:
        return Verdict(correct=True)

    def measure(
        self, artifact: Configuration, protocol: MeasurementProtocol
    ) -> Iterator[Sample | Event]:
        rng = np.random.default_rng(protocol.seed)
        rate = float(artifact["rate"])  # type: ignore[arg-type]
        for epoch in range(EPOCHS + 1):
            value = 1.0 - math.exp(-rate * epoch / 20) + 0.01 * float(rng.standard_normal())
            if rate == 16 and epoch == 2:
                value = math.nan
            self._last = value
            yield Event(
                "accuracy",
                value,
                step=100 * epoch,
                epoch=float(epoch),
                train_s=0.5 * epoch,
                wall_s=0.75 * epoch,
            )
            time.sleep(self._delay)

    def conclude(self, artifact: Configuration) -> list[Sample]:
        return [Sample("held_out", self._last - 0.02)]


class Listed:
    """Proposes every rate in turn."""

    rates = (1, 2, 4, 8, 16)

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        assert problem.curve is not None
        self.problem = problem
        self.told: list[Trial] = []
        self.asked = 0

    def ask(self, n: int = 1) -> list[Configuration]:
        found = [{"rate": rate} for rate in self.rates[self.asked : self.asked + n]]
        self.asked += len(found)
        return list(found)

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials


class Curtailing(Listed):
    """Gives up at epoch 4 what is no better than the best seen there; counts how often asked."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.bar = 0.5
        self.count = 0

    def cutoffs(self, configuration: Configuration) -> list[Cutoff]:
        self.count += 1
        # the number of calls matters: a resumed study must ask as often
        return [Cutoff("accuracy", self.bar + 1e-3 * self.count, epoch=4.0)]

    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        for trial in trials:
            for event in trial.outcome.events:
                if event.epoch == 4.0:
                    self.bar = max(self.bar, event.value - 0.2)


class ExplainsToo(Curtailing):
    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {"bar": self.bar}


class TwoClocks(Listed):
    def cutoffs(self, configuration: Configuration) -> list[Cutoff]:
        return [Cutoff("accuracy", 0.5, epoch=1.0, step=100)]


class UnknownMetric(Listed):
    def cutoffs(self, configuration: Configuration) -> list[Cutoff]:
        return [Cutoff("acuracy", 0.5, epoch=1.0)]


class NoCutoff(Listed):
    def cutoffs(self, configuration: Configuration) -> list[Any]:
        return [("accuracy", 0.5)]


class Hopeless(Listed):
    """The two slowest rates only."""

    rates = (1, 1, 1)


def training_registry(
    isolation: Isolation = Isolation.INLINE, optimizers: Isolation = Isolation.INLINE
) -> Registry:
    """Return a registry with the target `fake`; `optimizers` is where optimizers live."""
    named = {
        "listed": "Listed",
        "curtailing": "Curtailing",
        "explains-too": "ExplainsToo",
        "two-clocks": "TwoClocks",
        "unknown-metric": "UnknownMetric",
        "no-cutoff": "NoCutoff",
        "hopeless": "Hopeless",
    }
    return Registry.from_specs(
        TargetSpec(
            name="fake",
            factory="training_fakes:Trainer",
            summary="A trainer.",
            isolation=isolation,
            options="run_fakes_options:Options",
        ),
        *(
            OptimizerSpec(
                name=name,
                factory=f"training_fakes:{cls}",
                summary="x",
                isolation=optimizers,
            )
            for name, cls in named.items()
        ),
    )
