"""What an optimizer in a process of its own costs: starting it, and each crossing.

The optimizer draws at random and is told of one trial with 20 samples, so that its own work is
next to nothing beside the crossing; the same calls in this process stand beside it. Starts are
given for a module that imports little, and for one that imports SciPy and scikit-learn: the first
one in a run pays the import, the others are forked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from daybreak import (
    Budget,
    Isolation,
    Metric,
    OptimizerSpec,
    Ordinal,
    Outcome,
    Problem,
    Sample,
    Space,
    Trial,
    TrialStatus,
)
from daybreak.plugin import Component
from daybreak.run.optimizers import Optimizers

VALUES = (1, 2, 4, 8, 16, 32, 64, 128)
PROBLEM = Problem(
    benchmark="noop/sum",
    space=Space([Ordinal(f"p{i}", VALUES) for i in range(6)]),
    objectives=(Metric("time", "ms"),),
    seed=1,
    budget=Budget(evaluations=100),
)
MODULES = {
    "little": "daybreak_random.sampling:Random",
    "scipy and scikit-learn": "learning_optimizer:Learning",
}
PLACES = {"here": Isolation.INLINE, "own process": Isolation.WORKER}


def _component(factory: str) -> Component:
    spec = OptimizerSpec(name="x", factory=factory, summary="x", isolation=Isolation.WORKER)
    return Component(spec, plugin="local")


@pytest.fixture
def optimizers() -> Iterator[Optimizers]:
    with Optimizers() as made:
        yield made


@pytest.mark.benchmark(group="one call of an optimizer")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", ["ask", "tell"])
def test_crossing(
    benchmark: BenchmarkFixture, optimizers: Optimizers, call: str, place: str
) -> None:
    made = optimizers.create(_component(MODULES["little"]), PROBLEM, {}, isolation=PLACES[place])
    samples = tuple(Sample("time", 1.0 + i / 7, i) for i in range(20))
    outcome = Outcome(TrialStatus.OK, objectives={"time": 1.0}, samples=samples)
    trials = [Trial(0, made.ask(1)[0], outcome)]
    if call == "ask":
        assert len(benchmark(made.ask, 1)) == 1
    else:
        benchmark(made.tell, trials)


@pytest.mark.benchmark(group="the first optimizer of a run")
@pytest.mark.parametrize("imports", MODULES)
def test_first_start(benchmark: BenchmarkFixture, imports: str) -> None:
    opened: list[Optimizers] = []

    def start() -> Any:
        opened.append(Optimizers())
        return opened[-1].create(_component(MODULES[imports]), PROBLEM, {})

    def end() -> None:
        for one in opened:
            one.close()
        opened.clear()

    benchmark.pedantic(start, teardown=end, rounds=5)


@pytest.mark.benchmark(group="another study: start, one ask, end")
@pytest.mark.parametrize("imports", MODULES)
def test_next_start(benchmark: BenchmarkFixture, optimizers: Optimizers, imports: str) -> None:
    component = _component(MODULES[imports])

    def study() -> None:
        made = optimizers.create(component, PROBLEM, {})
        assert len(made.ask(1)) == 1
        optimizers.release(made)

    study()
    benchmark.pedantic(study, rounds=50)
