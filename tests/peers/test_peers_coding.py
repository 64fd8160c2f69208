"""Columns and trees: every way of passing constraints, against brute force."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak import (
    Categorical,
    Integer,
    Ordinal,
    Permutation,
    Program,
    Real,
    Space,
    SpaceError,
    load_space,
)
from daybreak.testing.exercises import problems
from daybreak_peers.coding import Coding
from daybreak_peers.trees import Mender, trees_of

SPACES = Path(__file__).parent.parent / "data" / "spaces"
KIT = {name: problem.space for name, problem in problems().items() if name != "program"}
SMALL = Space(
    [Ordinal("a", (1, 2, 4, 8)), Ordinal("b", (1, 2, 4, 8)), Integer("c", 0, 3)],
    ["a * b <= 16", "c < 2 or a > 1"],
)


@pytest.mark.parametrize("name", KIT)
@pytest.mark.parametrize("embed", [False, True])
def test_encoding_and_decoding_gives_the_configuration_back(name: str, embed: bool) -> None:
    coding = Coding(KIT[name], embed=embed)
    for configuration in KIT[name].sample(40, 3):
        columns = coding.encode(configuration)
        assert list(columns) == [column.name for column in coding.columns]
        for column in coding.columns:
            assert column.low <= columns[column.name] <= column.high
            assert column.kind == "float" or isinstance(columns[column.name], int)
        assert coding.decode(columns) == configuration


@pytest.mark.parametrize(
    "name", ["rise_kmeans_gpu", "rise_mm_cpu", "rise_harris_gpu", "taco_spmm", "rise_scal_gpu"]
)
def test_every_embedded_point_of_a_published_space_is_feasible(name: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    coding = Coding(space, embed=True)
    rng = np.random.default_rng(0)
    for _ in range(100):
        columns: dict[str, Any] = {
            c.name: float(rng.uniform(c.low, c.high))
            if c.kind == "float"
            else int(rng.integers(c.low, c.high + 1))
            for c in coding.columns
        }
        assert coding.decode(columns) in space
    for configuration in space.sample(50, 1):
        assert coding.decode(coding.encode(configuration)) == configuration


def test_the_ends_of_the_embedding_are_the_first_and_last_leaf() -> None:
    (tree,) = trees_of(SMALL)
    leaves = list(SMALL.grid())
    assert tree.count == len(leaves)
    assert tree.walk(dict.fromkeys("abc", 0.0)) == leaves[0]
    assert tree.walk(dict.fromkeys("abc", 1.0)) == leaves[-1]


def test_the_embedding_picks_among_feasible_children() -> None:
    """For a = 8 only b in (1, 2) is feasible: a fraction of 0.5 is the second of the two."""
    (tree,) = trees_of(SMALL)
    assert tree.walk({"a": 0.99, "b": 0.49, "c": 0.0}) == {"a": 8, "b": 1, "c": 0}
    assert tree.walk({"a": 0.99, "b": 0.5, "c": 0.99}) == {"a": 8, "b": 2, "c": 3}
    with pytest.raises(SpaceError, match="no leaf"):
        tree.fractions({"a": 8, "b": 4, "c": 0})


@given(st.sampled_from(list(itertools.product((1, 2, 4, 8), (1, 2, 4, 8), range(4)))))
@settings(max_examples=64, deadline=None)
def test_repair_finds_a_nearest_feasible_configuration(point: tuple[int, int, int]) -> None:
    given_ = dict(zip("abc", point, strict=True))
    mended = Mender(SMALL).mend(given_)
    assert mended in SMALL

    def distance(other: dict[str, Any]) -> float:
        # by hand: a and b are on a linear scale over 1..8, c over 0..3
        return (
            abs(other["a"] - given_["a"]) / 7
            + abs(other["b"] - given_["b"]) / 7
            + abs(other["c"] - given_["c"]) / 3
        )

    assert distance(mended) == pytest.approx(min(distance(leaf) for leaf in SMALL.grid()))
    if given_ in SMALL:
        assert mended == given_


def test_repair_of_a_permutation_goes_by_positions() -> None:
    space = Space([Permutation("p", 4)], ["pos(p, 0) < pos(p, 3)"])
    mended = Mender(space).mend({"p": (3, 1, 2, 0)})
    assert mended in space
    # element 3 moved behind 0 with the fewest steps: swapping the two costs 6 steps in all, moving
    # one to the other's neighbouring place and shifting the rest 6 as well; no order does with less
    steps = sum(abs(mended["p"].index(e) - (3, 1, 2, 0).index(e)) for e in range(4))
    best = min(
        sum(abs(order.index(e) - (3, 1, 2, 0).index(e)) for e in range(4))
        for order in itertools.permutations(range(4))
        if order.index(0) < order.index(3)
    )
    assert steps == best


def test_kinds_of_columns() -> None:
    space = Space(
        [
            Real("r", 0.1, 10.0, log=True),
            Integer("i", -3, 5),
            Ordinal("o", (1, 2, 64)),
            Categorical("c", ("x", True, 3)),
            Permutation("short", 5),
            Permutation("long", 6),
            Ordinal("one", (7,)),
            Real("point", 2.0, 2.0),
        ]
    )
    coding = Coding(space)
    assert [(c.name, c.kind, c.low, c.high, c.log) for c in coding.columns] == [
        ("r", "float", 0.1, 10.0, True),
        ("i", "integer", -3, 5, False),
        ("o", "integer", 0, 2, False),
        ("c", "choice", 0, 2, False),
        ("short", "choice", 0, 119, False),
        *((f"long[{i}]", "float", 0.0, 1.0, False) for i in range(6)),
    ]
    for configuration in space.sample(30, 0):
        assert coding.decode(coding.encode(configuration)) == configuration


def test_random_keys_sort_the_elements() -> None:
    space = Space([Permutation("p", 6)])
    keys = {f"p[{i}]": key for i, key in enumerate((0.9, 0.1, 0.5, 0.3, 0.7, 0.2))}
    assert Coding(space).decode(keys) == {"p": (1, 5, 3, 2, 4, 0)}


def test_missing_columns_rest_and_inactive_parameters_settle() -> None:
    coding = Coding(KIT["conditional"])
    direct = coding.decode({"solver": 0, "iterations": 77, "tolerance": 1e-5})
    assert direct in KIT["conditional"]
    assert direct == coding.decode({"solver": 0})


def test_a_program_is_no_column() -> None:
    with pytest.raises(SpaceError, match="program parameter is no column"):
        Coding(Space([Program("source", "x = 1")]))
