"""Index arithmetic against Python's integers."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from daybreak_rise.codegen.index import Index, Quotient, Remainder, Variable, constant, of

ONE = Variable("i", 5)
TWO = Variable("j", 4)
THREE = Variable("k", 7)
_Meaning = Callable[[int, int, int], int]


@st.composite
def indices(draw: st.DrawFn, depth: int = 4) -> tuple[Index, _Meaning]:
    """An index and the function that it should be."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(
            st.sampled_from(
                [
                    (of(ONE), lambda i, j, k: i),
                    (of(TWO), lambda i, j, k: j),
                    (of(THREE), lambda i, j, k: k),
                    (constant(3), lambda i, j, k: 3),
                ]
            )
        )
    one, meaning = draw(indices(depth - 1))
    other, second = draw(indices(depth - 1))
    by = draw(st.integers(1, 12))
    return draw(
        st.sampled_from(
            [
                (one + other, lambda i, j, k: meaning(i, j, k) + second(i, j, k)),
                (one - other, lambda i, j, k: meaning(i, j, k) - second(i, j, k)),
                (one * by, lambda i, j, k: meaning(i, j, k) * by),
                (one // by, lambda i, j, k: meaning(i, j, k) // by),
                (one % by, lambda i, j, k: meaning(i, j, k) % by),
                (
                    (one // by) * by + one % by,
                    lambda i, j, k: meaning(i, j, k),
                ),
                (
                    one.clamped(0, by),
                    lambda i, j, k: min(max(meaning(i, j, k), 0), by),
                ),
            ]
        )
    )


def _number(index: Index, i: int, j: int, k: int) -> int:
    return index.evaluate({ONE: i, TWO: j, THREE: k}, lambda value: 0)


@given(indices())
def test_an_index_is_what_its_operations_say(drawn: tuple[Index, _Meaning]) -> None:
    index, meaning = drawn
    for i, j, k in itertools.product(range(5), range(4), range(7)):
        found = _number(index, i, j, k)
        assert found == meaning(i, j, k)
        assert index.low <= found <= index.high


@given(indices(), st.integers(0, 4), indices(2))
def test_replacing_a_variable_and_then_evaluating_is_evaluating(
    drawn: tuple[Index, _Meaning], number: int, other: tuple[Index, _Meaning]
) -> None:
    index, meaning = drawn
    place = other[0] % 4
    replaced = index.replaced({ONE: constant(number), TWO: place})
    for i, j, k in itertools.product(range(5), range(4), range(7)):
        value = other[1](i, j, k) % 4
        assert _number(replaced, i, j, k) == meaning(number, value, k)


def test_views_of_views_cancel() -> None:
    i, j = of(ONE), of(TWO)
    assert (i * 4 + j) // 4 == i
    assert (i * 4 + j) % 4 == j
    assert (of(THREE) // 3) * 3 + of(THREE) % 3 == of(THREE)
    assert (i * 8 + j * 2 + 1) // 2 == i * 4 + j
    assert ((i * 12 + j) // 4) // 3 == i
    assert (of(THREE) // 2) // 3 == of(THREE) // 6
    assert (of(THREE) % 6) % 3 == of(THREE) % 3
    # quotients of a remainder: 8*((k % 16) / 2) + 4*(k % 2), the copy of a tile by vectors
    wide = of(Variable("w", 64))
    low = wide % 16
    assert (low // 2) * 8 + (wide % 2) * 4 == low * 4


def test_what_cannot_be_known_stays() -> None:
    k = of(THREE)
    assert (k // 3).terms == ((Quotient(k, 3), 1),)
    assert (k % 3).terms == ((Remainder(k, 3), 1),)
    assert (k // 7, k % 7) == (constant(0), k)
    assert (k - 8).clamped(0, 5) == constant(0)
