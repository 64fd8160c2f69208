"""Sizes compute like integers, whatever the symbols turn out to be."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daybreak_rise.nat import (
    Nat,
    Size,
    divide_exactly,
    evaluate,
    nat,
    replace_sizes,
    symbols_of,
)

N, M = nat("n"), nat("m")
VALUES = st.fixed_dictionaries({"n": st.integers(1, 9), "m": st.integers(1, 9)})


@st.composite
def sizes(draw: st.DrawFn, depth: int = 3) -> tuple[Size, object]:
    """A size, and a function of the symbols' values that computes it with integers."""
    if depth == 0 or draw(st.booleans()):
        leaf = draw(st.sampled_from(["n", "m", 1, 2, 3, 7]))
        if isinstance(leaf, str):
            return nat(leaf), lambda v: v[leaf]
        return leaf, lambda v: leaf
    (left, f), (right, g) = draw(sizes(depth - 1)), draw(sizes(depth - 1))
    sign = draw(st.sampled_from("+-*/%"))
    if sign == "+":
        return left + right, lambda v: f(v) + g(v)
    if sign == "-":
        return left - right, lambda v: f(v) - g(v)
    if sign == "*":
        return left * right, lambda v: f(v) * g(v)
    assume(right != 0)
    if sign == "/":
        return left // right, lambda v: f(v) // g(v)
    return left % right, lambda v: f(v) % g(v)


@given(sizes(), VALUES)
def test_arithmetic_is_that_of_integers(made: tuple[Size, object], values: dict[str, int]) -> None:
    size, compute = made
    try:
        expected = compute(values)
    except ZeroDivisionError:
        assume(False)
    try:
        found = evaluate(size, values)
    except ZeroDivisionError:
        assume(False)
    assert found == expected


@given(sizes(), sizes(), VALUES)
def test_what_divides_exactly_divides(
    one: tuple[Size, object], other: tuple[Size, object], values: dict[str, int]
) -> None:
    top, bottom = one[0] * other[0], other[0]
    found = divide_exactly(top, bottom)
    if found is None:  # a sum of several terms is not divided by another
        return
    try:
        numbers = [evaluate(size, values) for size in (top, bottom, found)]
    except ZeroDivisionError:
        assume(False)
    assume(numbers[1] != 0)
    assert numbers[1] * numbers[2] == numbers[0]


def test_equal_sizes_are_one_object() -> None:
    assert N + M is M + N
    assert (N + 1) * (N - 1) is N * N - 1
    assert N - N == 0
    assert isinstance(N * 0, int)
    assert N * M // M is N
    assert (4 * N) // 4 is N
    assert 4 * N % 2 == 0
    assert pickle.loads(pickle.dumps(N * M + 1)) is N * M + 1


def test_a_size_is_printed_as_people_write_it() -> None:
    assert str(2 * N * M + N - 1) == "2*m*n + n - 1"
    assert str((N + 1) // 2) == "((n + 1) // 2)"
    assert str(N * N) == "n^2"


def test_replacing_and_asking() -> None:
    size = N * M + N // 4
    assert symbols_of(size) == {"n", "m"}
    assert replace_sizes(size, {"n": 8}) is 8 * M + 2
    assert evaluate(size, {"n": 8, "m": 3}) == 26
    with pytest.raises(ValueError, match=r"\['m'\] unknown"):
        evaluate(size, {"n": 8})
    with pytest.raises(ZeroDivisionError):
        _ = N // 0
    assert isinstance(N, Nat)
