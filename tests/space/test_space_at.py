"""Configurations by number."""

from __future__ import annotations

import pytest

from daybreak import Integer, Ordinal, Permutation, Real, Space, SpaceError


def test_at_numbers_the_grid() -> None:
    space = Space(
        [Ordinal("a", [1, 2, 4]), Integer("b", 1, 5), Permutation("p", 3), Ordinal("c", [1, 2])],
        ["a * b <= 8", "p[0] != 1", "c <= a"],
    )
    assert [space.at(i) for i in range(space.count() or 0)] == list(space.grid())


@pytest.mark.parametrize("index", [-1, 3])
def test_at_refuses_numbers_outside(index: int) -> None:
    with pytest.raises(IndexError):
        Space([Ordinal("a", [1, 2, 4])]).at(index)


def test_at_needs_countable_parameters() -> None:
    with pytest.raises(SpaceError, match="real"):
        Space([Real("x", 0, 1)]).at(0)
