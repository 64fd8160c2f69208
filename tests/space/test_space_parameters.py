"""Parameters accept what they should, refuse the rest, and number their values."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.errors import SpaceError
from daybreak.space import Categorical, Integer, Ordinal, Parameter, Permutation, Program, Real
from daybreak.space.parameters import parameter_from_dict

EXAMPLES: list[Parameter] = [
    Real("x", 0.5, 8, log=True, default=1, when="y > 1"),
    Integer("y", -3, 9, default=2),
    Ordinal("z", [1, 2, 4], log=True, default=4),
    Categorical("c", ["a", True, 3]),
    Permutation("p", 4, default=[3, 1, 0, 2]),
    Program("k", "for (;;) {}", language="c"),
]


@pytest.mark.parametrize("parameter", EXAMPLES, ids=lambda p: p.type)
def test_round_trips(parameter: Parameter) -> None:
    assert parameter_from_dict(parameter.to_dict()) == parameter
    for copied in (copy.deepcopy(parameter), pickle.loads(pickle.dumps(parameter))):
        assert copied == parameter
        assert hash(copied) == hash(parameter)
        if parameter.size is not None:
            assert copied.index_of(copied.value_at(1)) == 1


@pytest.mark.parametrize("parameter", EXAMPLES, ids=lambda p: p.type)
def test_rest_is_a_value(parameter: Parameter) -> None:
    assert parameter.contains(parameter.rest)


@pytest.mark.parametrize("parameter", [p for p in EXAMPLES if p.size], ids=lambda p: p.type)
def test_values_are_numbered(parameter: Parameter) -> None:
    values = [parameter.value_at(i) for i in range(parameter.size or 0)]
    assert [parameter.index_of(value) for value in values] == list(range(len(values)))
    assert len(set(map(repr, values))) == len(values)


@given(st.integers(0, math.factorial(15) - 1))
def test_orders_are_numbered_lexicographically(index: int) -> None:
    parameter = Permutation("p", 15)
    order = parameter.value_at(index)
    assert parameter.index_of(order) == index
    if index:
        assert parameter.value_at(index - 1) < order


def test_values_are_brought_into_their_type() -> None:
    ordinal = Ordinal("z", [1, 2, 4])
    assert type(ordinal.normalise(4.0)) is int
    assert type(ordinal.normalise(np.int64(4))) is int
    assert type(Integer("y", 0, 5).normalise(np.float32(3))) is int
    assert type(Real("x", 0, 5).normalise(3)) is float
    assert Permutation("p", 3).normalise(np.array([2, 0, 1])) == (2, 0, 1)
    assert Ordinal("z", [1, 2.5]).values == (1.0, 2.5)
    assert Ordinal("z", [4, 1]).values == (1, 4)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Ordinal("z", [0, 1]), True),
        (Ordinal("z", [0, 1]), "1"),
        (Ordinal("z", [0, 1]), None),
        (Ordinal("z", [0, 1]), float("nan")),
        (Integer("y", 0, 5), 2.5),
        (Integer("y", 0, 5), 6),
        (Integer("y", 0, 5), False),
        (Real("x", 0, 5), float("inf")),
        (Real("x", 0, 5), "3"),
        (Categorical("c", [True, "a"]), 1),
        (Categorical("c", [1, "a"]), True),
        (Categorical("c", ["a"]), ["a"]),
        (Permutation("p", 3), [0, 1, 1]),
        (Permutation("p", 3), [0, 1]),
        (Permutation("p", 3), [0, 1, 2, 3]),
        (Permutation("p", 3), "012"),
        (Permutation("p", 3), 3),
        (Program("k", "x"), 3),
    ],
)
def test_wrong_values_are_refused(parameter: Parameter, value: object) -> None:
    assert not parameter.contains(value)
    with pytest.raises(SpaceError, match="is not a value of this"):
        parameter.normalise(value)


def test_the_nearest_value_is_named() -> None:
    with pytest.raises(SpaceError) as caught:
        Ordinal("z", [1, 64, 128]).normalise(100)
    assert caught.value.nearest == "128"
    with pytest.raises(SpaceError) as caught:
        Categorical("c", ["static", "dynamic"]).normalise("statc")
    assert caught.value.nearest == "static"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Real("x", 1, 0), "above `high`"),
        (lambda: Real("x", 0, 1, log=True), "above 0"),
        (lambda: Real("x", 0, float("inf")), "finite"),
        (lambda: Real("x", "0", 1), "finite"),
        (lambda: Real("x", -1e308, 1e308), "too wide"),
        (lambda: Integer("x", 0, 10**400), "whole numbers"),
        (lambda: Ordinal("x", [1, 10**400]), "not a number"),
        (lambda: Integer("x", 0.5, 1), "whole"),
        (lambda: Integer("x", 0, 5, default=9), "default 9"),
        (lambda: Ordinal("x", []), "empty"),
        (lambda: Ordinal("x", [1, 1.0]), "twice"),
        (lambda: Ordinal("x", ["a"]), "not a number"),
        (lambda: Ordinal("x", [True]), "not a number"),
        (lambda: Ordinal("x", [0, 1], log=True), "above 0"),
        (lambda: Ordinal("x", 3), "must be a list"),
        (lambda: Ordinal("x", "12"), "must be a list"),
        (lambda: Categorical("x", []), "empty"),
        (lambda: Categorical("x", ["a", "a"]), "twice"),
        (lambda: Categorical("x", [None]), "cannot be a value"),
        (lambda: Categorical("x", ["a"], default="b"), "default 'b'"),
        (lambda: Permutation("x", 0), "whole number in 1"),
        (lambda: Permutation("x", 3, default=[0, 1]), "default"),
        (lambda: Program("x", 3), "must be text"),
        (lambda: Program("and", ""), "cannot name"),
        (lambda: Integer("", 0, 1), "cannot name"),
        (lambda: Integer("a b", 0, 1), "cannot name"),
        (lambda: Integer("min", 0, 1), "constraint language"),
        (lambda: Integer("x", 0, 1, when=3), "constraint expression"),
    ],
)
def test_senseless_parameters_are_refused(make: object, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("described", "message", "close"),
    [
        ({"type": "integer"}, "no `name`", None),
        ({"name": "x"}, "no `type`", None),
        ({"name": "x", "type": "ordnal"}, "unknown parameter type", "ordinal"),
        ({"name": "x", "type": "ordinal", "value": [1]}, "unknown key", "values"),
        ({"name": "x", "type": "ordinal"}, "lacks a key", None),
        ({"name": "x", "type": "program"}, "lacks a key", None),
        ([], "must be a mapping", None),
    ],
)
def test_senseless_descriptions_are_refused(
    described: dict[str, object], message: str, close: str | None
) -> None:
    with pytest.raises(SpaceError, match=message) as caught:
        parameter_from_dict(described)
    assert caught.value.nearest == close
