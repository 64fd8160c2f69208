"""Priors and several objectives, through the optimizer as a user has it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from daybreak import (
    Benchmark,
    Budget,
    Categorical,
    Direction,
    FailureKind,
    Metric,
    Ordinal,
    Outcome,
    Problem,
    Reference,
    Space,
    Trial,
    TrialStatus,
    UserError,
)
from daybreak_baco.acceptance import accepts
from daybreak_baco.default.belief import believed
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.features import Features
from daybreak_baco.default.memory import Memory
from daybreak_baco.default.past import Past
from daybreak_baco.default.posterior import Posterior
from daybreak_baco.default.prior_options import PriorOptions
from daybreak_baco.factory import create

TIME = Metric("time", "ms")
RATE = Metric("rate", "1/s", Direction.MAXIMIZE)
AREA = Metric("area", "mm2")
SPACE = Space(
    [
        Ordinal("x", [1, 2, 4, 8, 16, 32, 64, 128]),
        Ordinal("y", [1, 2, 4, 8, 16, 32, 64, 128]),
        Ordinal("z", [1, 2, 4, 8, 16, 32]),
        Categorical("mode", ["a", "b", "c"]),
    ],
    ["x * y <= 4096"],
)
BEST = {"x": 32, "y": 8, "z": 4, "mode": "b"}
WORST = {"x": 1, "y": 128, "z": 32, "mode": "a"}
REFERENCES = (Reference("right", BEST), Reference("wrong", WORST))


def runtime(c: Mapping[str, Any]) -> float:
    """Rugged, with its minimum of 1 at BEST; from WORST no single step leads down the whole way."""
    off = [math.log2(c[name] / BEST[name]) for name in ("x", "y", "z")]
    bowl = sum(o * o for o in off) + 0.7 * abs(off[0] + off[1])
    ripple = 0.4 * sum(abs(math.sin(2.0 * o)) for o in off)
    return (1 + 0.3 * bowl + ripple) * {"a": 1.6, "b": 1.0, "c": 1.3}[c["mode"]]


def outcome(c: Mapping[str, Any], objectives: tuple[Metric, ...]) -> Outcome:
    if c["x"] * c["z"] > 2048:
        failed = dict.fromkeys(metric.name for metric in objectives)
        return Outcome(TrialStatus.FAILED, FailureKind.RESOURCE, objectives=failed)
    values = {
        "time": runtime(c),
        "rate": 1 / runtime(c),
        "area": float(c["x"] + 2 * c["y"] + c["z"]),
        "power": 5.0 + c["z"] / runtime(c),
    }
    return Outcome(TrialStatus.OK, objectives={m.name: values[m.name] for m in objectives})


def drive(
    options: dict[str, Any], seed: int, n: int, objectives: tuple[Metric, ...] = (TIME,)
) -> tuple[list[Trial], list[Mapping[str, Any]]]:
    optimizer = create(
        Problem("x/y", SPACE, objectives, seed, Budget(evaluations=n), REFERENCES), options
    )
    trials: list[Trial] = []
    said = []
    for number in range(n):
        (configuration,) = optimizer.ask(1)
        assert configuration in SPACE
        said.append(optimizer.explain(configuration))
        trials.append(Trial(number, configuration, outcome(configuration, objectives)))
        optimizer.tell([trials[-1]])
    return trials, said


def best(trials: list[Trial], after: int) -> float:
    return min(t.objective for t in trials[:after] if t.objective is not None)


def near(name: str, **more: Any) -> dict[str, Any]:
    return {"preset": "default", "prior": {"near": name, **more}}


def test_a_right_prior_is_looked_at_first_and_wins() -> None:
    trials, said = drive(near("right"), 0, 3)
    assert dict(trials[0].configuration) == BEST
    assert said[0]["source"] == "prior"
    # near, not at: three steps away from the optimum
    off = {"x": 8, "y": 16, "z": 4, "mode": "b"}
    told = [drive(near("right", near=off), seed, 10)[0] for seed in range(6)]
    untold = [drive({"preset": "default"}, seed, 10)[0] for seed in range(6)]
    assert np.mean([best(t, 10) for t in told]) < np.mean([best(t, 10) for t in untold])


def test_a_wrong_prior_is_overruled() -> None:
    """It costs evaluations, but after forty the result is far better than where it pointed."""
    wrong = [best(drive(near("wrong"), seed, 40)[0], 40) for seed in range(4)]
    assert runtime(WORST) > 15
    assert max(wrong) < 2.0


def test_the_say_of_a_prior_fades_as_strength_over_evaluations() -> None:
    coding = Coding(SPACE)
    features = Features(SPACE, coding, 0)
    belief = believed(SPACE, coding, PriorOptions(near="wrong", strength=6), REFERENCES, None)
    rows = coding.codes(list(SPACE.grid()))[::50]
    x = features.encode(rows)
    trials, _ = drive({"preset": "default"}, 0, 30)
    for count in (10, 30):
        memory = Memory(SPACE, coding)
        memory.tell(trials[:count])
        past = Past(SPACE, coding, [], 1.0)
        without, with_it = Posterior(features, 1.0), Posterior(features, 1.0, belief)
        without.update(memory, past, np.random.default_rng(0))
        with_it.update(memory, past, np.random.default_rng(0))
        gained = with_it.log_acquisition(rows, x) - without.log_acquisition(rows, x)
        assert gained == pytest.approx(np.asarray(6 / count * belief.log_density(rows)), abs=1e-9)


def test_a_prior_about_some_parameters_leaves_the_others_open() -> None:
    options = {
        "preset": "default",
        "prior": {"parameters": {"mode": {"among": ["b"]}, "x": {"around": 32, "spread": 0.1}}},
    }
    trials, _ = drive(options, 0, 20)
    chosen = [t.configuration for t in trials[5:]]
    assert sum(c["mode"] == "b" for c in chosen) > len(chosen) / 2
    assert len({c["y"] for c in chosen}) > 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (near("rihgt"), ["rihgt", "right"]),
        ({"preset": "default", "prior": {"parameters": {"zz": {"around": 1}}}}, ["zz", "z"]),
    ],
)
def test_a_prior_that_names_what_is_not_there_is_refused_before_the_run(
    options: dict[str, Any], words: list[str]
) -> None:
    benchmark = Benchmark("y", SPACE, (TIME,), references=REFERENCES)
    accepts(benchmark, near("right"))
    with pytest.raises(UserError) as caught:
        accepts(benchmark, options)
    assert all(word in str(caught.value) for word in words)


def test_the_paper_preset_takes_one_objective() -> None:
    accepts(Benchmark("y", SPACE, (TIME,)), {"preset": "paper"})
    with pytest.raises(UserError, match="one objective"):
        accepts(Benchmark("y", SPACE, (TIME, AREA)), {"preset": "paper"})


def volume(configurations: list[Mapping[str, Any]], second: str) -> float:
    """Dominated area below (20, 400), on log scales, by counting a fine grid of cells."""
    found = [outcome(c, (TIME, AREA)) for c in configurations]
    points = np.log(
        [[o.objectives["time"], o.objectives[second]] for o in found if o.objectives["time"]]
    )
    t, a = np.meshgrid(np.linspace(0, math.log(20), 200), np.linspace(0, math.log(400), 200))
    covered = (points[:, 0, None, None] <= t) & (points[:, 1, None, None] <= a)
    return float(covered.any(axis=0).mean())


@pytest.mark.parametrize("options", [{"preset": "default"}, near("right")])
def test_two_objectives_widen_the_front(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    whole = volume(list(SPACE.grid()), "area")
    found, drawn = [], []
    for seed in range(3):
        trials, said = drive(options, seed, 40, (TIME, AREA))
        found.append(volume([t.configuration for t in trials], "area") / whole)
        drawn.append(volume(SPACE.sample(40, rng), "area") / whole)
        assert set(said[-1]["objectives"]) == {"time", "area"}
    assert min(found) > 0.93
    assert np.mean(found) > np.mean(drawn) + 0.05


def test_three_objectives_one_of_them_maximised() -> None:
    objectives = (RATE, AREA, Metric("power", "W"))
    trials, said = drive({"preset": "default"}, 0, 30, objectives)
    assert len({tuple(t.configuration.values()) for t in trials}) == 30
    rates = [t.outcome.objectives["rate"] or 0.0 for t in trials]
    areas = [t.outcome.objectives["area"] or math.inf for t in trials]
    assert max(rates) > 0.5
    assert min(areas) < 8
    assert said[-1]["mean"] > 0
    assert sum(said[-1]["importance"].values()) == pytest.approx(1.0)
