from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from daybreak import Categorical, Integer, Ordinal, Permutation, Reference, Space, UserError
from daybreak_baco.default.belief import UNIFORM, Belief, believed
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.prior_options import PriorOptions

SPACE = Space(
    [
        Ordinal("tile", [1, 2, 4, 8, 16]),
        Integer("depth", 0, 10),
        Categorical("layout", ["row", "column"]),
        Permutation("order", 3),
    ],
    ["tile * depth <= 100"],
)
EXPERT = {"tile": 4, "depth": 5, "layout": "row", "order": (2, 0, 1)}


def make(**options: object) -> Belief:
    return believed(
        SPACE,
        Coding(SPACE),
        PriorOptions.model_validate(options),
        [Reference("expert", EXPERT), Reference("bare", {"tile": 1}, in_space=False)],
        60,
    )


def density(belief: Belief, **changed: object) -> float:
    row = Coding(SPACE).codes([SPACE.normalise({**EXPERT, **changed})])
    return float(belief.log_density(row)[0])


def factor(raw: float) -> float:
    return math.log(UNIFORM + (1 - UNIFORM) * raw)


def test_a_belief_is_highest_at_its_centre_and_a_normal_bump_around_it() -> None:
    belief = make(near="expert", spread=0.25)
    assert density(belief) == pytest.approx(0.0)
    # tile 8 is one of four steps away: a quarter of the range, one deviation
    assert density(belief, tile=8) == pytest.approx(factor(math.exp(-0.5)))
    assert density(belief, depth=10) == pytest.approx(factor(math.exp(-0.5 * 4)))
    # (0, 2, 1) turns one of three pairs of (2, 0, 1)
    assert density(belief, order=(0, 2, 1)) == pytest.approx(factor(math.exp(-(1 / 3) / 0.25)))
    both = density(belief, tile=8, depth=10)
    assert both == pytest.approx(factor(math.exp(-0.5)) + factor(math.exp(-2)))


def test_the_least_believed_configuration_is_never_ruled_out() -> None:
    belief = make(near="expert", spread=1e-3)
    rows = Coding(SPACE).codes(list(SPACE.grid()))
    least = 4 * math.log(UNIFORM)
    assert belief.log_density(rows).min() == pytest.approx(least)


def test_values_among_which_the_optimum_is_believed_to_be() -> None:
    belief = make(parameters={"tile": {"among": [4, 16], "weights": [1, 3]}})
    assert density(belief, tile=16) == pytest.approx(0.0)
    assert density(belief, tile=4) == pytest.approx(factor(1 / 3))
    assert density(belief, tile=1) == pytest.approx(math.log(UNIFORM))
    assert belief.centre is None
    order = make(parameters={"order": {"among": [[2, 1, 0]]}})
    assert density(order, order=(2, 1, 0)) > density(order, order=(0, 1, 2))


def test_a_parameter_s_own_belief_overrides_near() -> None:
    belief = make(near="expert", parameters={"tile": {"around": 16, "spread": 0.1}})
    assert density(belief, tile=16) > density(belief, tile=4)
    assert belief.centre == SPACE.normalise(EXPERT)
    assert belief.weight == pytest.approx(6.0)
    assert make(near={"tile": 4}).centre is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"near": "exprt"}, ["exprt", "prior.near", "expert"]),
        ({"near": "bare"}, ["bare", "no point of the search space"]),
        ({"near": {"tiel": 4}}, ["tiel", "tile"]),
        ({"near": {"tile": 5}}, ["tile", "5"]),
        ({"parameters": {"dept": {"around": 1}}}, ["dept", "depth"]),
        ({"parameters": {"layout": {"among": ["rwo"]}}}, ["layout", "row"]),
    ],
)
def test_what_a_prior_names_wrongly_is_said(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        make(**options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"near": "expert", "spread": 0},
        {"parameters": {"tile": {"among": [1, 2], "weights": [1]}}},
        {"parameters": {"tile": {"among": [1], "weights": [0]}}},
        {"parameters": {"tile": {"around": 1, "sprad": 2}}},
    ],
)
def test_a_prior_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PriorOptions.model_validate(options)


def test_integers_on_a_logarithmic_range() -> None:
    space = Space([Integer("n", 1, 100, log=True)])
    belief = believed(space, Coding(space), PriorOptions(near={"n": 10}, spread=0.5), [], None)
    rows = Coding(space).codes([{"n": 1}, {"n": 100}, {"n": 10}])
    low, high, middle = belief.log_density(rows)
    assert low == pytest.approx(high)
    assert low == pytest.approx(factor(math.exp(-0.5)))
    assert middle == pytest.approx(0.0)
    assert np.isclose(belief.weight, 10.0)
