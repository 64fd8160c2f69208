"""The quantities that known constraints bound."""

from __future__ import annotations

import math

import pytest

from daybreak import Categorical, Ordinal, Permutation, Space

POWERS = [1, 2, 4, 8]


def space(*constraints: str) -> Space:
    return Space([Ordinal(n, POWERS) for n in "abc"], constraints)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("a * b <= 16", 8),
        ("16 >= a * b", 8),
        ("64 - a * b - c >= 0", 16),
        ("a >= b * c", 2 / 32),
        ("a % b == 0", 0.5),
        ("a > b or b * c < 9", 0.5),
        ("a + b < c + 100", -2),
    ],
)
def test_the_quantity_behind_a_constraint(constraint: str, expected: float) -> None:
    quantity = space(constraint).quantities()[0]
    found = quantity.values({"a": [2, 1], "b": [4, 1], "c": [8, 1]}, 2)
    assert found[0] == pytest.approx(expected)


def test_every_operand_of_a_disjunction_counts() -> None:
    found = space("a > b or b * c < 9").quantities()
    assert [q.names for q in found] == [("a", "b"), ("b", "c")]


def test_the_same_quantity_is_listed_once() -> None:
    assert len(space("a * b <= 16", "a * b >= 2").quantities()) == 1


@pytest.mark.parametrize("constraint", ["a <= 4", "a == b", "a in [1, 2]", "8 % a == 0"])
def test_single_parameters_and_equalities_bound_nothing(constraint: str) -> None:
    assert space(constraint).quantities() == []


def test_orders_and_texts_give_no_quantity() -> None:
    mixed = Space(
        [Permutation("p", 3), Categorical("k", ["x", "y"]), Ordinal("a", POWERS)],
        ["pos(p, 0) < pos(p, 2)", "k == 'x' or a < 4", "p[0] <= a"],
    )
    assert mixed.quantities() == []


def test_undefined_quantities_are_nan() -> None:
    zeros = Space([Ordinal("a", [0, 1]), Ordinal("b", [0, 1])], ["a % b == 0 or b == 0"])
    found = zeros.quantities()[0].values({"a": [1, 1], "b": [0, 1]}, 2)
    assert math.isnan(found[0])
    assert found[1] == 1.0


def test_a_constraint_beyond_exact_arrays_gives_nan_not_a_failure() -> None:
    huge = Space([Ordinal("a", [1, 2**40]), Ordinal("b", [1, 2**40])], ["a * b * b <= 2"])
    assert all(map(math.isnan, huge.quantities()[0].values({"a": [2**40], "b": [2**40]}, 1)))


def test_listed_rows_bound_nothing() -> None:
    assert Space.from_rows([{"a": 1, "b": 2}, {"a": 2, "b": 1}]).quantities() == []
