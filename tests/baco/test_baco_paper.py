"""Preset `paper` as an optimizer: the contract, and what the published code does step by step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import ValidationError

from daybreak import (
    Budget,
    Categorical,
    Configuration,
    Direction,
    FailureKind,
    Metric,
    Ordinal,
    Outcome,
    Permutation,
    Problem,
    Space,
    Trial,
    TrialStatus,
)
from daybreak.testing import OptimizerConformance
from daybreak_baco.factory import create
from daybreak_baco.options import BacoOptions
from daybreak_baco.paper.options import PaperOptions

POWERS = tuple(2**i for i in range(9))
#: the published settings in small, for tests that only follow the course of things
SMALL = {"preset": "paper", "candidates": 200, "starts": 2, "climbs": 3}

SPACE = Space(
    [
        Ordinal("a", POWERS, log=True, default=4),
        Ordinal("b", POWERS, log=True, default=4),
        Permutation("p", 4, default=(3, 2, 1, 0)),
        Categorical("c", ("x", "y", "z"), default="x"),
    ],
    ["a * b <= 1024"],
)


def _problem(space: Space = SPACE, seed: int = 0, **more: Any) -> Problem:
    objective = Metric("time", "ms", more.pop("direction", Direction.MINIMIZE))
    return Problem("x/y", space, (objective,), seed, Budget(evaluations=60), **more)


def _trial(number: int, configuration: Configuration, value: float | None) -> Trial:
    if value is None:
        outcome = Outcome(
            TrialStatus.FAILED, failure_kind=FailureKind.BUILD, objectives={"time": None}
        )
    else:
        outcome = Outcome(TrialStatus.OK, objectives={"time": value})
    return Trial(number, configuration, outcome)


def _cost(one: Configuration) -> float:
    a, b, p = math.log2(float(one["a"])), math.log2(float(one["b"])), one["p"]
    assert isinstance(p, tuple)
    return 1.0 + (a - 5) ** 2 + 0.5 * (b - 3) ** 2 + abs(p[0] - 2) + (one["c"] != "y") * 3.0


def _drive(
    problem: Problem,
    options: dict[str, Any],
    trials: int,
    cost: Callable[[Configuration], float | None] = _cost,
) -> tuple[list[Configuration], list[float | None], list[dict[str, Any]]]:
    optimizer: Any = create(problem, BacoOptions.model_validate(options).model_dump(mode="json"))
    asked: list[Configuration] = []
    values: list[float | None] = []
    beliefs: list[dict[str, Any]] = []
    for number in range(trials):
        (configuration,) = optimizer.ask(1)
        beliefs.append(dict(optimizer.explain(configuration)))
        asked.append(configuration)
        values.append(cost(configuration))
        optimizer.tell([_trial(number, configuration, values[-1])])
    return asked, values, beliefs


class TestPaperKeepsTheContract(OptimizerConformance):
    component_name = "baco"
    options: ClassVar = SMALL
    trials = 9
    # the published code evaluates configurations again
    exhausts = False

    def test_ends_a_finite_space_in_order(self, case: str) -> None:
        if case == "permutation":
            pytest.skip("three hundred proposals, each from a model that is fitted anew")
        super().test_ends_a_finite_space_in_order(case)


# -- the course of a study --------------------------------------------------------------------


def test_the_design_is_the_default_and_as_many_random_ones_as_parameters() -> None:
    asked, _, beliefs = _drive(_problem(), SMALL, 8)
    assert asked[0] == {"a": 4, "b": 4, "p": (3, 2, 1, 0), "c": "x"}
    assert [one["source"] for one in beliefs[:5]] == ["design"] * 5
    assert all(one["source"] in ("model", "local") for one in beliefs[5:])
    assert len({json.dumps(dict(one)) for one in asked[:5]}) == 5


@pytest.mark.parametrize(
    ("space", "options"),
    [
        (SPACE, {"default_first": False}),
        (Space(SPACE.parameters, ["a * b > 16"]), {}),
        (Space([*SPACE.parameters[:3], Categorical("c", ("x", "y", "z"))]), {}),
    ],
    ids=["switched off", "infeasible", "one parameter has none"],
)
def test_no_default_first(space: Space, options: dict[str, Any]) -> None:
    default = {"a": 4, "b": 4, "p": (3, 2, 1, 0), "c": "x"}
    for seed in range(3):
        optimizer = create(_problem(space, seed), {**SMALL, **options})
        asked = optimizer.ask(10)
        assert len(asked) == 5
        assert default not in asked
        assert all(one in space for one in asked)


def test_the_design_is_uniform_over_feasible_configurations() -> None:
    from scipy import stats

    space = Space([Ordinal("a", (1, 2, 4)), Ordinal("b", (1, 2, 4))], ["a * b <= 4"])
    drawn = [
        tuple(one.values()) for s in range(1000) for one in create(_problem(space, s), SMALL).ask(3)
    ]
    counts = [drawn.count(tuple(one.values())) for one in space.grid()]
    assert sum(counts) == 3000
    assert stats.chisquare(counts).pvalue > 1e-3


def test_earlier_trials_count_for_the_design() -> None:
    history = [_trial(i, one, _cost(one)) for i, one in enumerate(SPACE.sample(5, 3))]
    optimizer: Any = create(_problem(history=tuple(history)), SMALL)
    (first,) = optimizer.ask(4)
    assert optimizer.explain(first)["source"] in ("model", "local")


def test_random_until_something_succeeds() -> None:
    _, _, beliefs = _drive(_problem(), SMALL, 12, lambda _: None)
    assert [one["source"] for one in beliefs] == ["design"] * 5 + ["random"] * 7
    assert all(one["duplicates"] == 0 for one in beliefs)
    values = iter([None] * 8 + [3.0, 2.0] + [None, 1.0] * 3)
    _, _, beliefs = _drive(_problem(), SMALL, 14, lambda _: next(values))
    sources = [one["source"] for one in beliefs]
    # one success has no spread to standardise by; with the second one the model begins
    assert sources[5:10] == ["random"] * 5
    assert set(sources[10:]) <= {"model", "local"}
    assert all(0.0 <= one["feasibility"] <= 1.0 for one in beliefs[10:])


def test_equal_results_are_answered_at_random() -> None:
    _, _, beliefs = _drive(_problem(), SMALL, 9, lambda _: 2.5)
    assert [one["source"] for one in beliefs[5:]] == ["random"] * 4


def test_epsilon_is_the_share_of_random_proposals() -> None:
    _, _, beliefs = _drive(_problem(), {**SMALL, "epsilon": 1.0}, 10)
    assert [one["source"] for one in beliefs[5:]] == ["random"] * 5


def test_no_classifier_before_the_first_failure_nor_when_switched_off() -> None:
    _, _, beliefs = _drive(_problem(), SMALL, 8)
    assert [one["feasibility"] for one in beliefs[5:]] == [1.0] * 3
    off = {**SMALL, "feasibility": False}
    _, values, beliefs = _drive(_problem(), off, 12, lambda c: None if c["c"] == "z" else _cost(c))
    assert None in values
    assert {one.get("feasibility", 1.0) for one in beliefs} == {1.0}


def test_avoids_what_fails() -> None:
    asked, values, beliefs = _drive(
        _problem(seed=2),
        {**SMALL, "candidates": 1000},
        40,
        lambda c: None if c["a"] > 32 else _cost(c),  # type: ignore[operator]
    )
    share = np.mean([one is None for one in values[20:]])
    assert share < 0.2
    inside = np.mean([one["a"] <= 32 for one in SPACE.sample(2000, 0)])
    assert 1 - inside > 0.2
    thresholds = {round(one["threshold"], 6) for one in beliefs if "threshold" in one}
    assert thresholds <= {round(0.01 * i, 6) for i in range(11)}
    assert len(thresholds) > 3
    assert len(asked) == 40


def test_finds_the_optimum_and_repeats_itself() -> None:
    options = {**SMALL, "climbs": 5}
    asked, values, beliefs = _drive(_problem(seed=1), options, 45)
    assert min(v for v in values if v is not None) <= 1.5
    keys = [json.dumps(dict(one)) for one in asked]
    for i, (key, belief) in enumerate(zip(keys, beliefs, strict=True)):
        assert belief["duplicates"] == int(key in keys[:i])


def test_maximises_where_more_is_better() -> None:
    options = {**SMALL, "climbs": 5}
    problem = _problem(seed=1, direction=Direction.MAXIMIZE)
    _, values, beliefs = _drive(problem, options, 40, lambda c: 1.0 / _cost(c))
    assert max(v for v in values if v is not None) >= 1 / 1.5
    # the belief is in the objective's own unit: a rate above zero and hardly above one
    assert all(0.0 < one["mean"] < 5.0 for one in beliefs if "mean" in one)


def test_beliefs_are_in_the_unit_of_the_objective_and_come_true() -> None:
    options = {**SMALL, "climbs": 5}
    _, values, beliefs = _drive(_problem(seed=4), options, 40, lambda c: 1000.0 * _cost(c))
    late = [(v, one) for v, one in zip(values, beliefs, strict=True) if "mean" in one][10:]
    inside = [abs(v - one["mean"]) <= 4 * one["deviation"] for v, one in late if v is not None]
    assert np.mean(inside) > 0.6
    for one in (belief for _, belief in late):
        assert sum(one["importance"].values()) == pytest.approx(1.0)
        assert set(one["importance"]) == set(SPACE.names)
        assert list(one["lengthscales"]) == SPACE.encoded_names()
        assert one["acquisition"] >= 0.0
        json.dumps(one, allow_nan=False)


def test_options_of_the_ablations() -> None:
    for more in (
        {"permutation": "naive", "log_output": False, "log_inputs": False},
        {"permutation": "kendall", "lengthscale_prior": None, "starts": 0, "climbs": 0},
        {"permutation": "hamming", "starts": 6, "optimised": 2, "design": 8},
        {
            "lengthscale_prior": [1.0, 0.003],
            "noise_prior": [1.1, 0.05],
            "variance_prior": [2.0, 0.15],
        },
    ):
        _, values, beliefs = _drive(_problem(), {**SMALL, **more}, 12)
        assert len(values) == 12
        assert sum(one["source"] == "design" for one in beliefs) == more.get("design", 5)


# -- the options ------------------------------------------------------------------------------


def test_the_preset_decides_which_options_there_are() -> None:
    validated = BacoOptions.model_validate({"preset": "paper"}).model_dump(mode="json")
    assert validated == PaperOptions().model_dump(mode="json")
    assert BacoOptions.model_validate({}).model_dump(mode="json")["preset"] == "default"
    known = set(BacoOptions.model_fields)
    assert set(PaperOptions.model_fields) <= known


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "papr"}, "'default' or 'paper'"),
        ({"optimised": 3}, "an option of preset 'paper'"),
        ({"preset": "paper", "starts": 5, "optimised": 6}, "larger than 'starts'"),
        ({"preset": "paper", "startz": 5}, "Extra inputs"),
        ({"preset": "paper", "lengthscale_prior": [1.3]}, "Field required"),
        ({"preset": "paper", "lengthscale_prior": [1.3, -1.0]}, "greater than 0"),
        ({"preset": "paper", "epsilon": 2}, "less than or equal to 1"),
        ({"preset": ["paper"]}, "'default' or 'paper'"),
    ],
)
def test_wrong_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match="(?s)" + words):
        BacoOptions.model_validate(options)


@pytest.mark.slow
def test_the_published_settings_beat_random_search() -> None:
    """Thirty evaluations of the paper's own settings against the exact expectation of chance."""
    costs = np.sort([_cost(one) for one in SPACE.grid()])
    n = len(costs)
    # P(the best of 30 without replacement is number i)
    left = np.cumprod([(n - 30 - i) / (n - i) for i in range(n - 30)])
    survival = np.concatenate([[1.0], left, np.zeros(n - len(left) - 1)])
    expected = float(np.sum(costs * (survival - np.append(survival[1:], 0.0))))
    best = []
    for seed in range(5):
        _, values, _ = _drive(_problem(seed=seed), {"preset": "paper"}, 30)
        best.append(min(v for v in values if v is not None))
    assert np.mean(best) < 0.75 * expected
