"""Seconds per suggestion of every optimizer on published spaces, side by side.

A suggestion is one `ask` and the `tell` of its result, in this process, after so many trials. The
libraries that run their own search loop (Kernel Tuner, pyATF, OpenTuner), and SMAC, which insists on
a start of its own, are driven there; the others are told random trials, and so many proposals are
left out that the rest of a start design is over. A library that is missing, or cannot take a space,
is skipped.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybreak import (
    Benchmark,
    Budget,
    Configuration,
    FailureKind,
    Metric,
    Outcome,
    Problem,
    Trial,
    TrialStatus,
    load_space,
)
from daybreak.plugin import load_plugins
from daybreak.testing.exercises import drive

SPACES = Path(__file__).parent.parent / "data" / "spaces"
TIME = Metric("time", "ms")
#: label, component, options
OPTIMIZERS: list[tuple[str, str, dict[str, Any]]] = [
    ("random", "random", {}),
    ("baco", "baco", {}),
    ("baco-paper", "baco", {"preset": "paper"}),
    ("optuna-tpe", "optuna-tpe", {}),
    ("optuna-gp", "optuna-gp", {"log_objective": True}),
    ("smac", "smac", {}),
    ("botorch", "botorch", {"log_objective": True}),
    ("kernel-tuner-ga", "kernel-tuner", {"strategy": "genetic_algorithm"}),
    ("kernel-tuner-bo", "kernel-tuner", {"strategy": "bayes_opt"}),
    ("pyatf", "pyatf", {}),
    ("opentuner", "opentuner", {}),
]
#: these run their own loop, or their own start, whatever they are told of others' trials
DRIVEN = {"kernel-tuner-ga", "kernel-tuner-bo", "pyatf", "opentuner", "smac"}
#: proposals before the first that is timed: more than any start design here has
WARMUP = 15
ROUNDS = 5


def _outcome(number: int, configuration: Configuration, problem: Problem) -> Outcome:
    """Return a time that depends on every parameter; every tenth trial fails."""
    if number % 10 == 9:
        return Outcome(TrialStatus.FAILED, FailureKind.CRASH, objectives={"time": None})
    weights = np.random.default_rng(0).standard_normal(len(problem.space.names))
    row = [
        float(np.sum(np.multiply(value, range(1, 1 + np.size(value)))))
        for value in configuration.values()
    ]
    whim = zlib.crc32(repr(sorted(configuration.items())).encode()) / 2**32 - 0.5
    value = float(np.exp(0.1 * weights @ np.log1p(row) + 0.1 * whim))
    return Outcome(TrialStatus.OK, objectives={"time": value})


@pytest.mark.parametrize("observed", [20, 60, 200])
@pytest.mark.parametrize("name", ["rise_mm_gpu", "rise_harris_gpu", "taco_spmm"])
@pytest.mark.parametrize(
    ("label", "kind", "options"), OPTIMIZERS, ids=[label for label, *_ in OPTIMIZERS]
)
def test_suggestion(
    benchmark: Any, label: str, kind: str, options: dict[str, Any], name: str, observed: int
) -> None:
    component = load_plugins().get("optimizer", kind)
    if component.missing():
        pytest.skip(f"{component.name}: its library is not installed")
    space = load_space(SPACES / f"{name}.yaml")
    given = component.validate(options)
    refused = component.refusal(Benchmark(name, space, (TIME,)), given)
    if refused is not None:
        pytest.skip(str(refused).splitlines()[0])
    problem = Problem(
        f"x/{name}", space, (TIME,), 0, Budget(evaluations=observed + WARMUP + ROUNDS)
    )
    optimizer = component.create(problem, given)

    def trial(number: int, configuration: Configuration) -> Trial:
        return Trial(number, configuration, _outcome(number, configuration, problem))

    if label in DRIVEN:
        drive(optimizer, problem, observed, outcome=_outcome)
    else:
        told = space.sample(observed, np.random.default_rng(0), unique=True)
        optimizer.tell([trial(number, one) for number, one in enumerate(told)])
    numbers = iter(range(observed, observed + WARMUP + ROUNDS))

    def suggest() -> Configuration:
        (proposed,) = optimizer.ask(1)
        optimizer.tell([trial(next(numbers), proposed)])
        return proposed

    proposed = benchmark.pedantic(suggest, rounds=ROUNDS, warmup_rounds=WARMUP)
    assert proposed in space
