"""Spaces whose feasible configurations are listed one by one."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.errors import SpaceError
from daybreak.space import (
    Categorical,
    Integer,
    Ordinal,
    Permutation,
    Real,
    Rows,
    Space,
    load_space,
)

LISTED = [
    {"x": 16, "y": "a", "z": True},
    {"x": 1, "y": "b", "z": False},
    {"x": 4, "y": "a", "z": False},
    {"x": 4, "y": "b", "z": True},
]


def key(configuration):
    return tuple(sorted((n, type(v).__name__, v) for n, v in configuration.items()))


def test_exactly_the_listed_rows_are_feasible():
    space = Space.from_rows(LISTED)
    assert space.count() == 4
    assert space.size == 3 * 2 * 2
    assert {key(c) for c in space.grid()} == {key(c) for c in LISTED}
    for x, y, z in itertools.product((1, 4, 16), "ab", (True, False)):
        assert ({"x": x, "y": y, "z": z} in space) == ({"x": x, "y": y, "z": z} in LISTED)


def test_types_of_the_derived_parameters():
    space = Space.from_rows([{"n": 4, "s": "u", "b": True, "o": (1, 0)}])
    assert [p.type for p in space.parameters] == [
        "ordinal",
        "categorical",
        "categorical",
        "permutation",
    ]
    assert list(space.grid()) == [{"n": 4, "s": "u", "b": True, "o": (1, 0)}]


def test_columns_serve_as_well_as_rows():
    columns = {name: [row[name] for row in LISTED] for name in LISTED[0]}
    assert Space.from_rows(columns).fingerprint() == Space.from_rows(LISTED).fingerprint()


def test_order_and_repeats_of_rows_do_not_matter():
    other = Space.from_rows([LISTED[i] for i in (3, 0, 0, 2, 1, 3)])
    assert other == Space.from_rows(LISTED)
    assert other.fingerprint() == Space.from_rows(LISTED).fingerprint()
    assert other.fingerprint() != Space.from_rows(LISTED[:3]).fingerprint()


def test_fingerprint_is_fixed():
    # computed once by hand-written code: sha256 of parameters and the rows' canonical text
    import hashlib

    rows = hashlib.sha256(
        json.dumps([["x", "y"], [[1, 2], [3, 4]]], separators=(",", ":")).encode()
        + np.array([[0, 1], [1, 0]], dtype="<u4").tobytes()
    ).hexdigest()
    parameters = [
        {"name": "x", "type": "ordinal", "values": [1, 2], "log": False},
        {"name": "y", "type": "ordinal", "values": [3, 4], "log": False},
    ]
    text = json.dumps(
        {"parameters": parameters, "constraints": [f"rows:{rows}"]},
        sort_keys=True,
        separators=(",", ":"),
    )
    space = Space.from_rows([{"x": 2, "y": 3}, {"x": 1, "y": 4}])
    assert space.fingerprint() == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("many", [False, True])
def test_description_survives_json(many):
    rows = (
        [{"x": i % 37, "y": i % 41, "s": f"v{i % 3}"} for i in range(37 * 41)] if many else LISTED
    )
    space = Space.from_rows(rows, name="listed")
    text = json.dumps(space.to_dict())
    again = Space.from_dict(json.loads(text))
    assert again == space
    assert again.fingerprint() == space.fingerprint()
    assert again.count() == space.count() == len(rows)
    assert ("packed" in text) is many
    for copied in (pickle.loads(pickle.dumps(space)), copy.deepcopy(space)):
        assert copied == space
        assert copied.count() == len(rows)


def test_a_damaged_packed_description_is_refused():
    space = Space.from_rows([{"x": i % 37, "y": i % 41} for i in range(37 * 41)])
    described = space.to_dict()
    for change in (
        {"packed": "!!!"},
        {"packed": described["constraints"][0]["packed"][:40]},
        {"count": 10**12},
        {"bytes": 3},
        {"domains": [[1], [2]]},
    ):
        broken = {**described, "constraints": [{**described["constraints"][0], **change}]}
        with pytest.raises(SpaceError, match="packed rows cannot be read"):
            Space.from_dict(broken)


def test_violations_say_so_in_words():
    space = Space.from_rows(LISTED)
    (violation,) = space.violations({"x": 1, "y": "a", "z": True})
    assert "is one of 4 listed rows" in violation
    assert "x = 1, y = 'a', z = True" in violation


def test_truth_values_are_no_numbers():
    space = Space.from_rows([{"b": True, "x": 1}, {"b": False, "x": 2}])
    assert {"b": True, "x": 1} in space
    assert {"b": 1, "x": 1} not in space
    assert {"b": True, "x": True} not in space
    space.count()  # builds the tree, which then answers
    assert {"b": 1, "x": 1} not in space
    assert {"b": True, "x": True} not in space
    assert {"b": True, "x": 1} in space


def test_known_parameters_keep_their_kind_and_values():
    space = Space.from_rows(
        [{"x": 2, "y": 1}, {"x": 8, "y": 2}],
        [Ordinal("x", (2, 4, 8), log=True), Integer("y", 0, 5)],
    )
    assert space.size == 18
    assert space.count() == 2
    assert space["x"].log
    assert {"x": 8.0, "y": 2} in space


def test_floats_and_whole_numbers_agree():
    space = Space.from_rows([{"x": 1, "y": 2.0}, {"x": 2.5, "y": 4}])
    assert {"x": 1, "y": 2} in space
    assert {"x": 1.0, "y": 2.0} in space
    assert {"x": 2.5, "y": 2} not in space


def test_rows_and_expressions_hold_together():
    rows = Rows({"x": [1, 2, 4, 8, 8], "y": [1, 1, 2, 2, 4]})
    space = Space(
        [
            Ordinal("x", (1, 2, 4, 8)),
            Ordinal("y", (1, 2, 4)),
            Ordinal("z", (1, 2, 3)),
            Ordinal("w", (1, 2)),
        ],
        [rows, "x % y == 0", "x >= 2", "y <= z"],
    )
    expected = {
        (x, y, z, w)
        for x, y in ((1, 1), (2, 1), (4, 2), (8, 2), (8, 4))
        for z in (1, 2, 3)
        for w in (1, 2)
        if x % y == 0 and x >= 2 and y <= z
    }
    assert {tuple(c.values()) for c in space.grid()} == expected
    assert space.count() == len(expected)


def test_two_lists_hold_together():
    first = Rows({"x": [1, 1, 2, 3], "y": [1, 2, 1, 3]})
    second = Rows({"y": [1, 1, 3], "z": [5, 6, 7]})
    space = Space(
        [Ordinal("x", (1, 2, 3)), Ordinal("y", (1, 2, 3)), Ordinal("z", (5, 6, 7))],
        [first, second],
    )
    assert {tuple(c.values()) for c in space.grid()} == {
        (1, 1, 5),
        (1, 1, 6),
        (2, 1, 5),
        (2, 1, 6),
        (3, 3, 7),
    }


def test_rows_beside_real_parameters():
    space = Space(
        [Ordinal("x", (1, 2)), Ordinal("y", (1, 2)), Real("r", 0.0, 4.0)],
        [Rows({"x": [1, 2], "y": [2, 1]}), "r <= x"],
    )
    drawn = space.sample(200, 0)
    assert {(c["x"], c["y"]) for c in drawn} == {(1, 2), (2, 1)}
    assert all(c["r"] <= c["x"] for c in drawn)


def test_rows_of_orders():
    space = Space(
        [Permutation("p", 3), Ordinal("x", (1, 2))],
        [Rows({"p": [(0, 1, 2), [2, 1, 0]], "x": [1, 2]}), "pos(p, 0) >= 0"],
    )
    assert [c["p"] for c in space.grid()] == [(0, 1, 2), (2, 1, 0)]


def test_clipping_keeps_the_rows_that_fit():
    space = Space.from_rows(LISTED).restrict("x", [4])
    assert {key(c) for c in space.grid()} == {key(c) for c in LISTED if c["x"] == 4}
    with pytest.raises(SpaceError, match="is empty"):
        Space.from_rows(LISTED).restrict("x", [1]).restrict("y", ["a"]).count()


def test_neighbours_step_to_the_next_listed_row():
    space = Space.from_rows(
        [{"x": 1, "y": 1}, {"x": 8, "y": 1}, {"x": 2, "y": 2}, {"x": 8, "y": 4}]
    )
    assert space.neighbours({"x": 8, "y": 1}) == [{"x": 1, "y": 1}, {"x": 8, "y": 4}]


def test_drawing_is_uniform_over_rows():
    space = Space.from_rows([{"x": 1, "y": i} for i in range(9)] + [{"x": 2, "y": 0}])
    drawn = space.sample(20_000, 3)
    share = sum(c["x"] == 2 for c in drawn) / len(drawn)
    assert abs(share - 0.1) < 4 * (0.1 * 0.9 / 20_000) ** 0.5
    assert len(space.sample(100, 1, unique=True)) == 10


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Space.from_rows([]), "no rows"),
        (lambda: Rows({}), "at least one column"),
        (lambda: Rows({"x": []}), "no rows"),
        (lambda: Rows({"x": [1], "y": [1, 2]}), "different lengths"),
        (lambda: Rows({"x": [float("nan")]}), "nan"),
        (lambda: Rows({"x": [None]}), "None"),
        (lambda: Space.from_rows([{"x": 1}, {"y": 1}]), "row 1 has values for y"),
        (lambda: Space.from_rows([{"x": 1}], [Ordinal("y", (1,))]), "no column for the parameter"),
        (lambda: Space([Ordinal("x", (1, 2))], [Rows({"x": [3]})]), "which 'x' cannot take"),
        (lambda: Space([Ordinal("x", (1, 2))], [Rows({"xx": [1]})]), "no such parameter"),
        (lambda: Space([Real("x", 0.0, 1.0)], [Rows({"x": [0.5]})]), "real parameter"),
        (lambda: Space([Integer("x", 0, 10**9)], [Rows({"x": [5]})]), "integer parameter"),
        (lambda: Space([Ordinal("x", (1,))], [{"names": "x", "rows": [[1]]}]), "no listed rows"),
        (lambda: Space([Ordinal("x", (1,))], [{"names": ["x"], "rows": [[1, 2]]}]), "row 0"),
        (lambda: Space([Ordinal("x", (1,))], [{"names": ["x"], "rows": 3}]), "list of rows"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(SpaceError, match=says):
        make()


def test_a_space_file_may_list_rows(tmp_path: Path):
    file = tmp_path / "listed.yaml"
    file.write_text(
        "parameters:\n"
        "  - {name: x, type: ordinal, values: [1, 2, 4]}\n"
        "  - {name: y, type: categorical, values: [a, b]}\n"
        "constraints:\n"
        "  - {names: [x, y], rows: [[1, a], [4, b]]}\n"
    )
    assert list(load_space(file).grid()) == [{"x": 1, "y": "a"}, {"x": 4, "y": "b"}]
    file.write_text(file.read_text().replace("[4, b]", "[4, c]"))
    with pytest.raises(SpaceError, match=r"listed.yaml:5: .*'c'"):
        load_space(file)


VALUES = {
    "numbers": st.integers(-5, 5) | st.sampled_from([0.5, -2.25]),
    "names": st.sampled_from(["a", "b", "", "ü"]),
    "truth": st.booleans(),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_rows_equal_brute_force(data):
    kinds = data.draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    rows = data.draw(
        st.lists(st.tuples(*(VALUES[kind] for kind in kinds)), min_size=1, max_size=25)
    )
    listed = [{f"p{i}": value for i, value in enumerate(row)} for row in rows]
    space = Space.from_rows(listed)
    assert space.count() == len(set(rows))
    domains = [sorted({row[i] for row in rows}) for i in range(len(kinds))]
    for combination in itertools.product(*domains):
        configuration = {f"p{i}": value for i, value in enumerate(combination)}
        assert (configuration in space) == (combination in set(rows))
        fresh = Space.from_dict(json.loads(json.dumps(space.to_dict())))
        assert fresh.feasible(fresh.normalise(configuration)) == (combination in set(rows))
    encoded = space.encode(listed)
    assert np.isfinite(encoded).all()
    assert {tuple(c.values()) for c in space.sample(1000, 0, unique=True)} == set(rows)


def test_categorical_rows_may_mix_numbers_and_texts():
    space = Space(
        [Categorical("c", ("auto", 1, 2)), Ordinal("x", (1, 2))],
        [Rows({"c": ["auto", 2], "x": [1, 2]})],
    )
    assert list(space.grid()) == [{"c": "auto", "x": 1}, {"c": 2, "x": 2}]
