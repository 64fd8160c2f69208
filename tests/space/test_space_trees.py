"""Trees against brute force: counts, order, membership, and uniform sampling, on random spaces."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.errors import SpaceError
from daybreak.space import Categorical, Integer, Ordinal, Permutation, Program, Real, Space
from daybreak.space.building import TooLargeError, build_leaves
from daybreak.space.chain import linked_groups
from daybreak.space.constraint import parse_constraint
from daybreak.space.tree import Tree

CONSTRAINTS = [
    "a % b == 0",
    "a * b <= 16",
    "b < n",
    "n % 2 == 0",
    "c == 'x' or n > 3",
    "c != 'z'",
    "pos(p, 0) < pos(p, 1)",
    "p[2] != 2",
    "p[0] < n",
    "a / n >= 1",
    "d or p == [0, 1, 2]",
    "min(a, n) > 1",
    "a + b + n < 12",
    "a not in [4]",
]


def brute_force(space: Space) -> list[dict[str, Any]]:
    """All feasible configurations, lexicographic, by testing every combination on its own."""
    rows = product(*([p.value_at(i) for i in range(p.size or 0)] for p in space.parameters))
    configurations = (dict(zip(space.names, row, strict=True)) for row in rows)
    everything = (*space.constraints, *space.conditions)
    return [c for c in configurations if all(constraint.holds(c) for constraint in everything)]


def key(configuration: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(configuration.values())


_SPACES = st.builds(
    lambda constraints, when, order: Space(
        [
            [
                Ordinal("a", [1, 2, 4, 8]),
                Ordinal("b", [1, 2, 3], default=2),
                Integer("n", 1, 4, default=3, when=when[0]),
                Categorical("c", ["x", "y", "z"], when=when[1]),
                Permutation("p", 3),
                Categorical("d", [True, False], when=when[2]),
            ][i]
            for i in order
        ],
        constraints,
    ),
    st.lists(st.sampled_from(CONSTRAINTS), max_size=4, unique=True),
    st.tuples(
        st.sampled_from([None, "a > 1", "b > 1 and a > 1"]),
        st.sampled_from([None, "n > 1"]),
        st.sampled_from([None, "p[0] == 1", "a / (b - 1) > 1"]),
    ),
    st.permutations(range(6)),
)


@settings(max_examples=60, deadline=None)
@given(_SPACES)
def test_trees_equal_brute_force(space: Space) -> None:
    expected = brute_force(space)
    if not expected:
        with pytest.raises(SpaceError, match="is empty"):
            space.count()
        return
    assert space.count() == len(expected)
    grid = list(space.grid())
    assert sorted(map(repr, grid)) == sorted(map(repr, expected))
    assert list(grid[0]) == list(space.names)
    assert all(c in space for c in grid)
    feasible = {key(c) for c in expected}
    for row in product(*([p.value_at(i) for i in range(p.size or 0)] for p in space.parameters)):
        assert space.feasible(dict(zip(space.names, row, strict=True))) == (row in feasible)
    for method in ("uniform", "path"):
        drawn = space.sample(20, 3, method=method)
        assert len(drawn) == 20
        assert {key(c) for c in drawn} <= feasible
        everything = space.sample(len(expected) + 5, 3, method=method, unique=True)
        assert {key(c) for c in everything} == feasible
        assert len(everything) == len(expected)
        some = space.sample(max(1, len(expected) // 5), 4, method=method, unique=True)
        assert len({key(c) for c in some}) == len(some) == max(1, len(expected) // 5)


def test_membership_is_the_same_before_and_after_the_trees_are_built() -> None:
    def make() -> Space:
        return Space([Ordinal("a", [1, 2, 4]), Ordinal("b", [1, 2, 3])], ["a % b == 0"])

    fresh, built = make(), make()
    built.count()
    for a, b in product([1, 2, 3, 4, True, "1", None, 2.0, [1]], repeat=2):
        configuration = {"a": a, "b": b}
        assert (configuration in fresh) == (configuration in built)
        assert (configuration in built) == (built.violations(configuration) == [])
    for wrong in ({"a": 1}, {"a": 1, "b": 1, "c": 1}, {}, None, 3, "ab", [("a", 1)]):
        assert wrong not in fresh
        assert wrong not in built


def test_grid_order_is_as_documented() -> None:
    space = Space(
        [Ordinal("a", [2, 1]), Categorical("f", ["y", "x"]), Ordinal("b", [1, 2])], ["a >= b"]
    )
    # parts are (a, b) and (f), the last fastest; ordinals ascend, categories stay as listed
    assert [key(c) for c in space.grid()] == [
        (1, "y", 1),
        (1, "x", 1),
        (2, "y", 1),
        (2, "x", 1),
        (2, "y", 2),
        (2, "x", 2),
    ]


def test_linked_groups_keep_the_order_of_declaration() -> None:
    constraints = [parse_constraint(t) for t in ("e < b", "c < d", "b < f", "1 < 2", "a > 0")]
    assert linked_groups(list("abcdef"), constraints) == [("a",), ("b", "e", "f"), ("c", "d")]


# -- sampling: chi-square tests with fixed seeds ---------------------------------------------------


def chi_square(observed: Counter[Any], expected: dict[Any, float]) -> float:
    """Pearson's statistic."""
    assert set(observed) <= set(expected)
    return sum((observed[k] - e) ** 2 / e for k, e in expected.items())


def critical(freedom: int) -> float:
    """The 0.999 quantile of chi-square, after Wilson and Hilferty (1931)."""
    return freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3


SMALL = Space(
    [
        Ordinal("a", [1, 2, 4, 8]),
        Ordinal("b", [1, 2, 3, 4]),
        Categorical("c", ["x", "y", "z"]),
        Permutation("p", 3),
    ],
    ["a % b == 0", "pos(p, 0) < pos(p, 1)"],
)


def test_uniform_sampling_is_uniform_over_feasible_configurations() -> None:
    count = SMALL.count()
    assert count == 9 * 3 * 3
    n = 40_000
    observed = Counter(key(c) for c in SMALL.sample(n, 1))
    expected = {key(c): n / count for c in SMALL.grid()}
    assert chi_square(observed, expected) < critical(count - 1)


def test_path_sampling_picks_uniformly_among_children() -> None:
    n = 40_000
    space = Space(SMALL.parameters[:2], SMALL.constraints[:1])
    observed = Counter(key(c) for c in space.sample(n, 1, method="path"))
    children = Counter(c["a"] for c in space.grid())
    expected = {key(c): n / 4 / children[c["a"]] for c in space.grid()}
    assert chi_square(observed, expected) < critical(len(expected) - 1)
    # and that is far from uniform
    uniform = {key(c): n / len(expected) for c in space.grid()}
    assert chi_square(observed, uniform) > 10 * critical(len(expected) - 1)


@pytest.mark.parametrize("method", ["uniform", "path"])
@pytest.mark.parametrize("n", [2, 5])
def test_sampling_without_replacement_has_the_same_law_either_way(method: str, n: int) -> None:
    """The first two of a draw without replacement, whether by numbering or by redrawing."""
    from daybreak.space import sampling

    space = Space(SMALL.parameters[:2], SMALL.constraints[:1])
    rounds = 8_000
    leaves = [key(c) for c in space.grid()]
    children = Counter(a for a, _ in leaves)
    weight = {
        leaf: 1 / len(leaves) if method == "uniform" else 1 / 4 / children[leaf[0]]
        for leaf in leaves
    }
    # probability of the ordered pair: w1 * w2 / (1 - w1)
    expected = {
        (x, y): rounds * weight[x] * weight[y] / (1 - weight[x])
        for x in leaves
        for y in leaves
        if x != y
    }
    rng = np.random.default_rng(5)
    draw = sampling._by_redrawing if n == 2 else None
    observed: Counter[Any] = Counter()
    for _ in range(rounds):
        if draw is not None:
            pair = draw(space, rng, 2, path=method == "path")
        else:
            pair = space.sample(n, rng, method=method, unique=True)[:2]
        observed[key(pair[0]), key(pair[1])] += 1
    assert chi_square(observed, expected) < critical(len(expected) - 1)


def test_rejection_sampling_is_uniform_over_the_feasible_region() -> None:
    space = Space([Real("x", 0, 1), Ordinal("k", [1, 2, 4])], ["x * k < 1"])
    n = 30_000
    drawn = space.sample(n, 2)
    # areas 1, 1/2 and 1/4
    observed = Counter(c["k"] for c in drawn)
    expected = {1: n * 4 / 7, 2: n * 2 / 7, 4: n / 7}
    assert chi_square(observed, expected) < critical(2)
    bins = Counter(int(c["x"] * 10) for c in drawn if c["k"] == 1)
    assert chi_square(bins, dict.fromkeys(range(10), observed[1] / 10)) < critical(9)


def test_log_scaled_reals_are_uniform_in_the_logarithm() -> None:
    drawn = Space([Real("x", 1e-4, 1, log=True)]).sample(20_000, 3)
    bins = Counter(min(3, int(-math.log10(c["x"]))) for c in drawn)
    assert chi_square(bins, dict.fromkeys(range(4), 5_000.0)) < critical(3)


def test_the_same_seed_draws_the_same() -> None:
    for method in ("uniform", "path"):
        for unique in (True, False):
            first = SMALL.sample(20, 11, method=method, unique=unique)
            again = SMALL.sample(20, np.random.default_rng(11), method=method, unique=unique)
            assert first == again


def test_values_are_plain_python() -> None:
    space = Space([*SMALL.parameters, Integer("n", 0, 9), Real("r", 0, 1), Program("k", "x")])
    for value in space.sample(1, 0)[0].values():
        assert type(value) in (int, float, str, tuple)


@pytest.mark.parametrize(
    ("n", "method"), [(-1, "uniform"), (1.5, "uniform"), (True, "uniform"), (1, "unifrm")]
)
def test_senseless_draws_are_refused(n: Any, method: str) -> None:
    with pytest.raises(SpaceError):
        SMALL.sample(n, 0, method=method)


@pytest.mark.parametrize("rng", [None, "x", 1.5, -1, True])
def test_a_draw_needs_a_seed(rng: Any) -> None:
    with pytest.raises(SpaceError, match="cannot draw with"):
        SMALL.sample(1, rng)


def test_drawing_nothing_gives_nothing() -> None:
    assert SMALL.sample(0, 0) == []


# -- sizes ----------------------------------------------------------------------------------------


def test_huge_products_are_counted_and_drawn_without_being_listed() -> None:
    parameters = [Integer(f"n{i}", 0, 10**12) for i in range(10)]
    space = Space([*parameters, Permutation("p", 30)])
    assert space.count() == space.size == (10**12 + 1) ** 10 * math.factorial(30)
    drawn = space.sample(500, 0, unique=True)
    assert len({key(c) for c in drawn}) == 500
    assert all(c in space for c in drawn)
    assert next(space.grid())["n9"] == 0


def test_integers_beyond_64_bits() -> None:
    space = Space([Integer("n", -(10**30), 10**30)])
    values = [c["n"] for c in space.sample(200, 0)]
    assert all(isinstance(v, int) and abs(v) <= 10**30 for v in values)
    assert max(map(abs, values)) > 10**28
    constrained = Space([Integer("n", -(10**30), 10**30)], ["n % 2 == 0"])
    assert all(c["n"] % 2 == 0 for c in constrained.sample(50, 0))


def test_long_permutations_without_constraints_are_not_listed() -> None:
    space = Space([Permutation("p", 12), Ordinal("a", [1, 2])])
    assert space.count() == math.factorial(12) * 2
    assert len(space.sample(100, 0, unique=True)) == 100
    assert next(space.grid())["p"] == tuple(range(12))


def test_long_permutations_with_constraints_are_drawn_by_rejection() -> None:
    space = Space([Permutation("p", 12)], ["pos(p, 0) < pos(p, 5)", "p[11] != 3"])
    drawn = space.sample(50, 0, unique=True)
    assert len({c["p"] for c in drawn}) == 50
    assert all(c in space for c in drawn)
    with pytest.raises(SpaceError, match="cannot be counted") as caught:
        space.count()
    assert "sampling still works" in str(caught.value)


def test_what_is_too_large_for_a_tree_is_drawn_by_rejection() -> None:
    space = Space([Integer("a", 0, 10**7), Integer("b", 0, 10**7)], ["a < b"])
    drawn = space.sample(100, 0)
    assert all(c["a"] < c["b"] for c in drawn)
    with pytest.raises(SpaceError, match="cannot be counted"):
        space.count()
    with pytest.raises(SpaceError, match="cannot be counted"):
        space.grid()


def test_hopeless_rejection_ends_with_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybreak.space.open.MAX_DRAWS", 20_000)
    space = Space([Real("x", 0, 1), Real("y", 0, 1)], ["x + y > 3"])
    with pytest.raises(SpaceError, match=r"only 0 of .* draws of x, y satisfy `x \+ y > 3`"):
        space.sample(1, 0)


def test_limits_are_kept_while_building() -> None:
    parameters = [Integer(n, 0, 99) for n in "abc"]
    with pytest.raises(TooLargeError, match="more than 1,000 combinations are feasible"):
        build_leaves(parameters, [parse_constraint("a + b + c > 1")], max_leaves=1_000)
    with pytest.raises(TooLargeError, match="too many combinations"):
        build_leaves(parameters, [parse_constraint("a + b + c == 1")], max_candidates=1_000)


def test_wide_levels_are_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = [Integer(n, 0, 9) for n in "abcdef"]
    constraints = [parse_constraint("a + b + c + d + e + f > 51"), parse_constraint("f != b")]
    whole, _ = build_leaves(parameters, constraints)
    monkeypatch.setattr("daybreak.space.building._BLOCK", 1000)
    cut, _ = build_leaves(parameters, constraints)
    assert np.array_equal(whole, cut)
    # deficits from 9 sum up to at most 2, and those of b and f differ
    expected = sum(sum(row) <= 2 and row[1] != row[5] for row in product(range(3), repeat=6))
    assert len(cut) == expected


def test_keys_beyond_64_bits_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybreak.space.tree._ROWS_AS_SET", 3)
    names = [f"n{i}" for i in range(12)]
    parameters = [Integer(n, 0, 99) for n in names]
    chain = [parse_constraint(f"{a} == {b}") for a, b in pairwise(names)]
    tree = Tree(parameters, chain)
    assert tree.count == 100
    assert tree.find(dict.fromkeys(names, 57))
    assert not tree.find({**dict.fromkeys(names, 57), "n3": 56})


def test_large_trees_are_looked_up_without_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybreak.space.tree._ROWS_AS_SET", 3)
    tree = Tree([Integer("a", 0, 9), Integer("b", 0, 9)], [parse_constraint("a < b")])
    found = {(a, b) for a in range(10) for b in range(10) if tree.find({"a": a, "b": b})}
    assert found == {(a, b) for a in range(10) for b in range(a + 1, 10)}


# -- empty spaces ---------------------------------------------------------------------------------


def test_an_empty_space_names_the_constraints_at_fault() -> None:
    space = Space(
        [Integer("a", 0, 9), Integer("b", 0, 9), Integer("c", 0, 9)],
        ["a < b", "b < c", "c < a", "a + b + c > 3"],
        "mine",
    )
    for use in (space.count, space.grid, lambda: space.sample(1, 0), lambda: space.parts):
        with pytest.raises(SpaceError, match="'mine' is empty") as caught:
            use()
        message = str(caught.value)
        assert all(f"`{text}`" in message for text in ("a < b", "b < c", "c < a"))
        assert "a + b + c > 3" not in message


@pytest.mark.parametrize("text", ["a > 9", "a % 0 == 0", "1 > 2", "p[0] == 1 and p[1] == 1"])
def test_a_constraint_that_never_holds_is_named(text: str) -> None:
    space = Space([Integer("a", 0, 9), Permutation("p", 3)], ["a >= 0", text])
    with pytest.raises(SpaceError) as caught:
        space.count()
    assert f"`{text}`" in str(caught.value)
    assert "a >= 0" not in str(caught.value)
