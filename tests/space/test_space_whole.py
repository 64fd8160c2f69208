"""A space as a whole: construction, violations, conditions, neighbours, clipping, exchange."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.errors import SpaceError
from daybreak.space import Categorical, Integer, Ordinal, Permutation, Program, Real, Space

SPACE = Space(
    [
        Ordinal("tile", [1, 2, 4, 8, 16], log=True, default=4),
        Ordinal("unroll", [1, 2, 4, 8]),
        Categorical("schedule", ["static", "dynamic", "guided"]),
        Integer("chunk", 1, 100, default=10, when="schedule != 'static'"),
        Permutation("order", 4),
        Real("ratio", 0.1, 10, log=True, when="chunk > 10"),
        Program("kernel", "for (;;);", "c"),
    ],
    ["tile % unroll == 0", "pos(order, 0) < pos(order, 3)", "ratio * unroll < 40"],
    "sample",
)


# -- construction ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space([]), "at least one"),
        (lambda: Space([Integer("a", 0, 1), Integer("a", 0, 2)]), "two parameters are named 'a'"),
        (lambda: Space(["a"]), "no parameter"),  # type: ignore[list-item]
        (lambda: Space([Integer("a", 0, 1)], "a > 0"), "list of texts"),
        (lambda: Space([Integer("a", 0, 1)], 3), "list of texts"),  # type: ignore[arg-type]
        (lambda: Space(3), "must be a list"),  # type: ignore[arg-type]
        (lambda: Space([Integer("a", 0, 1)], ["a >"]), "column 4"),
        (lambda: Space([Integer("a", 0, 1)], [3]), "must be text"),  # type: ignore[list-item]
        (lambda: Space([Integer("a", 0, 1, when="b > 0")]), "no parameter 'b'"),
        (lambda: Space([Integer("a", 0, 1, when="a > 0")]), "circle"),
        (lambda: Space([Integer("a", 0, 1, when="b>0"), Integer("b", 0, 1, when="a>0")]), "circle"),
    ],
)
def test_senseless_spaces_are_refused(make: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        make()


def test_sizes() -> None:
    assert SPACE.size is None
    assert SPACE.count() is None
    assert SPACE.continuous
    countable = Space([p for p in SPACE.parameters if p.type not in ("real", "program")])
    assert countable.size == 5 * 4 * 3 * 100 * 24
    # inactive under one of three schedules
    assert countable.count() == 5 * 4 * (1 + 2 * 100) * 24
    with pytest.raises(SpaceError, match="cannot be listed"):
        SPACE.grid()


def test_a_parameter_is_found_by_name() -> None:
    assert SPACE["tile"].default == 4
    with pytest.raises(SpaceError) as caught:
        SPACE["tiel"]
    assert caught.value.nearest == "tile"


# -- checking ----------------------------------------------------------------------------------


def configuration(**changes: Any) -> dict[str, Any]:
    base = {
        "tile": 8,
        "unroll": 4,
        "schedule": "dynamic",
        "chunk": 20,
        "order": (0, 1, 2, 3),
        "ratio": 2.0,
        "kernel": "x",
    }
    return {**base, **changes}


def test_violations_are_all_listed() -> None:
    assert SPACE.violations(configuration()) == []
    assert configuration() in SPACE
    wrong = configuration(tile=3, unroll=8, ratio=9, order=[3, 1, 2, 0], chnk=3)
    del wrong["kernel"]
    found = "\n".join(SPACE.violations(wrong))
    assert "'tile': 3 is not a value" in found
    assert "no parameter 'chnk'; did you mean 'chunk'?" in found
    assert "'kernel' has no value" in found
    assert "`ratio * unroll < 40` does not hold for ratio = 9.0, unroll = 8" in found
    assert "pos(order, 0)" in found
    with pytest.raises(SpaceError) as caught:
        SPACE.check(wrong)
    assert len(SPACE.violations(wrong)) == 5
    assert all(v in str(caught.value) for v in SPACE.violations(wrong))
    SPACE.check(configuration())
    assert SPACE.violations(3) == ["3 is not a mapping of names to values"]  # type: ignore[arg-type]


def test_inactive_parameters_must_rest() -> None:
    assert configuration(schedule="static", chunk=20) not in SPACE
    resting = configuration(schedule="static", chunk=10, ratio=SPACE["ratio"].rest)
    assert resting in SPACE
    (violation,) = SPACE.violations({**resting, "chunk": 10, "ratio": 3.0})
    assert violation.startswith("`ratio is 1.0 unless chunk > 10` does not hold")
    assert SPACE.settle(configuration(schedule="static")) == resting
    assert SPACE.active(resting) == {
        **dict.fromkeys(SPACE.names, True),
        "chunk": False,
        "ratio": False,
    }


def test_samples_keep_to_conditions_and_constraints() -> None:
    drawn = SPACE.sample(300, 0)
    assert all(SPACE.violations(c) == [] for c in drawn)
    assert {c["chunk"] for c in drawn if c["schedule"] == "static"} == {10}
    assert {c["ratio"] for c in drawn if c["chunk"] <= 10} == {1.0}
    assert len({c["ratio"] for c in drawn if c["chunk"] > 10}) > 100
    assert {c["kernel"] for c in drawn} == {"for (;;);"}


def test_json_comes_back_normalised() -> None:
    drawn = SPACE.sample(20, 1)
    for one in drawn:
        back = SPACE.normalise(json.loads(json.dumps(one)))
        assert back == one
        assert list(back) == list(SPACE.names)
        assert json.loads(json.dumps(one)) in SPACE


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (configuration(tiel=3), "no parameter 'tiel'"),
        ({"tile": 4}, "no value for 'unroll', 'schedule'"),
        (configuration(tile="4"), "is not a value"),
        ([], "not a mapping"),
    ],
)
def test_what_cannot_be_normalised_is_refused(given_: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SPACE.normalise(given_)


def test_defaults() -> None:
    assert SPACE.default() == {
        "tile": 4,
        "unroll": 1,
        "schedule": "static",
        "chunk": 10,
        "order": (0, 1, 2, 3),
        "ratio": 1.0,
        "kernel": "for (;;);",
    }
    assert SPACE.default() in SPACE


# -- neighbours --------------------------------------------------------------------------------


def test_neighbours_by_type() -> None:
    space = Space(
        [
            Ordinal("o", [1, 2, 4, 8]),
            Integer("n", 0, 10),
            Categorical("c", ["x", "y", "z"]),
            Permutation("p", 3),
            Real("r", 0, 1),
            Program("k", "x"),
        ],
        ["o % 4 != 2", "n % 3 == 0"],
    )
    start = {"o": 4, "n": 3, "c": "y", "p": (0, 1, 2), "r": 0.95, "k": "x"}
    changes: dict[str, list[Any]] = {name: [] for name in space.names}
    for neighbour in space.neighbours(start):
        assert neighbour in space
        (changed,) = [name for name in space.names if neighbour[name] != start[name]]
        changes[changed].append(neighbour[changed])
    assert changes["o"] == [1, 8], "2 is not feasible, the search goes on to 1"
    assert changes["n"] == [0, 6]
    assert changes["c"] == ["x", "z"]
    assert sorted(changes["p"]) == [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    assert changes["r"] == pytest.approx([0.85, 0.92, 0.98, 1.0])
    assert changes["k"] == []


def test_long_permutations_have_swaps_as_neighbours() -> None:
    space = Space([Permutation("p", 7)])
    found = space.neighbours({"p": list(range(7))})
    assert len(found) == 21
    assert all(sum(a != i for i, a in enumerate(c["p"])) == 2 for c in found)


def test_a_neighbour_puts_what_it_switches_off_at_rest() -> None:
    start = configuration(chunk=20, ratio=2.0)
    off = [c for c in SPACE.neighbours(start) if c["schedule"] == "static"]
    assert off == [configuration(schedule="static", chunk=10, ratio=1.0)]
    inactive = configuration(schedule="static", chunk=10, ratio=1.0)
    assert all(c["ratio"] == 1.0 for c in SPACE.neighbours(inactive))


def test_neighbours_of_something_else_are_refused() -> None:
    with pytest.raises(SpaceError):
        SPACE.neighbours({"tile": 4})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_neighbours_are_feasible_distinct_and_mutual(seed: int) -> None:
    space = Space([p for p in SPACE.parameters if p.type != "real"], SPACE.constraints[:2])
    (start,) = space.sample(1, seed)
    found = space.neighbours(start)
    assert len({tuple(c.values()) for c in found}) == len(found)
    assert start not in found
    for neighbour in found[:10]:
        assert space.violations(neighbour) == []
        differing = [n for n in space.names if neighbour[n] != start[n]]
        if len(differing) == 1:
            assert start in space.neighbours(neighbour)


# -- clipping ----------------------------------------------------------------------------------


def test_restrict_clips_each_type() -> None:
    assert SPACE.restrict("tile", [2, 8, 999])["tile"] == Ordinal("tile", [2, 8], True, default=2)
    guided = SPACE.restrict("schedule", ["guided"])
    assert guided["schedule"].rest == "guided"
    assert Space.from_dict(guided.to_dict()) == guided, "its condition still names 'static'"
    assert SPACE.restrict("chunk", (0, 5))["chunk"] == Integer(
        "chunk", 1, 5, default=5, when="schedule != 'static'"
    )
    assert SPACE.restrict("ratio", (1, 99))["ratio"].to_dict()["high"] == 10
    orders = SPACE.restrict("order", [[0, 1, 2, 3], [1, 0, 3, 2]])
    assert {c["order"] for c in orders.sample(50, 0)} == {(0, 1, 2, 3), (1, 0, 3, 2)}
    assert SPACE["tile"].size == 5, "the space itself stays as it is"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tile", [3]),
        ("tile", []),
        ("schedule", ["x"]),
        ("chunk", (200, 300)),
        ("chunk", (1, 2, 3)),
        ("chunk", ("a", "b")),
        ("chunk", 3),
        ("order", []),
        ("order", [[0, 1]]),
        ("kernel", ["x"]),
        ("tiel", [1]),
    ],
)
def test_clipping_to_nothing_is_refused(name: str, values: Any) -> None:
    with pytest.raises(SpaceError):
        SPACE.restrict(name, values)


# -- exchange ----------------------------------------------------------------------------------


def test_round_trips() -> None:
    described = json.loads(json.dumps(SPACE.to_dict()))
    for other in (
        Space.from_dict(described),
        pickle.loads(pickle.dumps(SPACE)),
        copy.deepcopy(SPACE),
    ):
        assert other == SPACE
        assert hash(other) == hash(SPACE)
        assert other.fingerprint() == SPACE.fingerprint()
        assert other.name == "sample"
        assert other.sample(5, 0) == SPACE.sample(5, 0)


@pytest.mark.parametrize(
    "described",
    [
        {},
        [],
        {"parameters": 3},
        {"parameters": {"a": 1}},
        {"parameters": []},
        {"space": 99, "parameters": [{}]},
    ],
)
def test_senseless_descriptions_are_refused(described: Any) -> None:
    with pytest.raises(SpaceError):
        Space.from_dict(described)


def test_the_fingerprint_sees_meaning_and_not_spelling() -> None:
    def space(constraint: str = "a<b", when: str = "a>1", **changes: Any) -> str:
        b = {"name": "b", "low": 0, "high": 5, "when": when, **changes}
        return Space([Integer("a", 0, 5), Integer(**b)], [constraint], "n").fingerprint()

    assert space() == space("( a  <  b )", " a > 1 ")
    assert len({space(), space("a<=b"), space(when="a>2"), space(high=6), space(default=1)}) == 5


def test_the_fingerprint_is_the_same_in_another_process() -> None:
    code = (
        "import json, sys; from daybreak.space import Space; "
        "print(Space.from_dict(json.load(sys.stdin)).fingerprint())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(SPACE.to_dict()),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "123"},
    )
    assert ran.stdout.strip() == SPACE.fingerprint()


def test_the_fingerprint_is_pinned() -> None:
    """A changed fingerprint would orphan every stored result."""
    space = Space([Ordinal("a", [1, 2], log=True, default=2), Permutation("p", 3)], ["p[0] < a"])
    assert space.fingerprint() == PINNED


PINNED = "196545a2cb8db341000d03dff05f2be8baa5529fc997d7a1eae4ac26c3a0405e"


def test_importing_spaces_is_light() -> None:
    code = "import sys, daybreak.space; print([m for m in ('numpy', 'yaml') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# -- encodings ---------------------------------------------------------------------------------

MODEL = Space(
    [
        Ordinal("o", [1, 10, 100], log=True),
        Ordinal("l", [1, 10, 100]),
        Integer("n", 2, 6),
        Real("r", 0.01, 100, log=True),
        Categorical("c", ["x", "y"]),
        Permutation("p", 3),
        Program("k", ""),
        Ordinal("one", [5]),
    ]
)
CONFIGURATIONS = [
    {"o": 10, "l": 10, "n": 3, "r": 1, "c": "y", "p": (2, 0, 1), "k": "", "one": 5},
    {"o": 100, "l": 1, "n": 6, "r": 0.01, "c": "x", "p": [0, 1, 2], "k": "z", "one": 5.0},
]


def test_numbers_and_categories_are_encoded() -> None:
    encoded = MODEL.encode(CONFIGURATIONS)
    names = MODEL.encoded_names()
    assert encoded.shape == (2, len(names))
    table = {name: encoded[:, i].tolist() for i, name in enumerate(names)}
    assert table["o"] == pytest.approx([0.5, 1])
    assert table["l"] == pytest.approx([9 / 99, 0]), "values, not ranks"
    assert table["n"] == pytest.approx([0.25, 1])
    assert table["r"] == pytest.approx([0.5, 0])
    assert (table["c=x"], table["c=y"]) == ([0, 1], [1, 0])
    assert table["one"] == [0, 0]
    # (2, 0, 1): element 0 stands at 1, element 1 at 2, element 2 at 0
    assert [table[f"pos(p, {e})"][0] for e in range(3)] == pytest.approx([1 / 3, 2 / 3, 0])


@pytest.mark.parametrize(
    ("permutation", "expected"),
    [
        ("kendall", [0, 0, 1]),  # 2<0, 2<1, 0<1
        ("hamming", [0, 0, 1, 1, 0, 0, 0, 1, 0]),
        ("naive", [0, 0, 0, 0, 1, 0]),  # number 4 of (012 021 102 120 201 210)
    ],
)
def test_permutation_encodings(permutation: str, expected: list[float]) -> None:
    space = Space([Permutation("p", 3)])
    encoded = space.encode([{"p": (2, 0, 1)}], permutation=permutation)
    assert encoded.tolist() == [expected]
    assert len(space.encoded_names(permutation=permutation)) == len(expected)


def test_every_encoding_lies_in_the_unit_cube_and_tells_configurations_apart() -> None:
    space = Space([p for p in SPACE.parameters if p.type not in ("real", "program")])
    drawn = space.sample(200, 0, unique=True)
    for permutation in ("spearman", "kendall", "hamming", "naive"):
        encoded = space.encode(drawn, permutation=permutation)
        assert encoded.dtype == np.float64
        assert encoded.min() >= 0
        assert encoded.max() <= 1
        assert len(np.unique(encoded.round(12), axis=0)) == 200


def test_encoding_nothing_keeps_the_width() -> None:
    assert MODEL.encode([]).shape == (0, len(MODEL.encoded_names()))


def test_senseless_encodings_are_refused() -> None:
    with pytest.raises(SpaceError) as caught:
        MODEL.encode(CONFIGURATIONS, permutation="spearmn")
    assert caught.value.nearest == "spearman"
    with pytest.raises(SpaceError, match="column per order"):
        Space([Permutation("p", 8)]).encode([], permutation="naive")
    with pytest.raises(SpaceError, match="no value"):
        MODEL.encode([{"o": 1}])
    with pytest.raises(SpaceError, match="not a value"):
        MODEL.encode([{**CONFIGURATIONS[0], "o": 3}])
    with pytest.raises(SpaceError, match="not a value"):
        MODEL.encode([{**CONFIGURATIONS[0], "o": [10]}])
    with pytest.raises(SpaceError, match="no value"):
        MODEL.encode([3])  # type: ignore[list-item]
