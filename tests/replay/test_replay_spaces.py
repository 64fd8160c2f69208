"""The space of a table: T1, YAML, conditions in other languages, and what the table lacks."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_files import result, t4, write

from daybreak.errors import UserError
from daybreak.space import Ordinal, Space, parse_constraint
from daybreak_replay.formats.conditions import translate
from daybreak_replay.formats.t1 import read_t1
from daybreak_replay.formats.values import values_of

NAMES = ("a", "b", "c")


def t1(parameters, conditions=()):
    return {
        "ConfigurationSpace": {
            "TuningParameters": [
                {"Name": name, "Type": type_, "Values": values}
                for name, type_, values in parameters
            ],
            "Conditions": [{"Parameters": [], "Expression": text} for text in conditions],
        },
        "KernelSpecification": {"KernelName": "gemm"},
    }


XY = [("x", "int", "[1, 2, 4]"), ("y", "int", "[0, 1]")]
ROWS = [result({"x": x, "y": y}, (x + y / 10,)) for x in (1, 2, 4) for y in (0, 1) if x > y]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[1, 2, 4]", [1, 2, 4]),
        ("(1, -2)", [1, -2]),
        ("range(1, 4)", [1, 2, 3]),
        ("list(range(0, 10, 5))", [0, 5]),
        ("[16 * i for i in range(1, 4)]", [16, 32, 48]),
        ("[2**i for i in range(4)]", [1, 2, 4, 8]),
        ("[1] + [32 * i for i in range(1, 3)]", [1, 32, 64]),
        ("['row', \"col\"]", ["row", "col"]),
        ("[True, False]", [True, False]),
        ("[0.5, 1e3]", [0.5, 1000.0]),
        ("[1 << i for i in range(3)]", [1, 2, 4]),
        ([1, 2], [1, 2]),
    ],
)
def test_lists_of_values(text, values):
    assert values_of(text, "int") == values


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "5",
        "[x]",
        "__import__('os').system('true')",
        "[i for i in range(10**9)]",
        "[2**10**9]",
        "[9**64**2]",
        "[i for i in range(3) if i]",
        "open('x')",
        "[().__class__]",
        "[1, 2",
        "[1/0]",
        "range(1, 2, 0)",
        "'ab'",
    ],
)
def test_what_is_no_list_of_values(text):
    with pytest.raises(ValueError, match=r"\S"):
        values_of(text)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("a * b <= 8", lambda a, b, c: a * b <= 8),
        ("a == 1 or b % 2 == 0 and not c == 3", lambda a, b, c: a == 1 or (b % 2 == 0 and c != 3)),
        ("a == 1 || b != 2 && !(c > 2)", lambda a, b, c: a == 1 or (b != 2 and not c > 2)),
        ('p["a"] * p["b"] >= config["c"]', lambda a, b, c: a * b >= c),
        ("lambda p: p['a'] < 3", lambda a, b, c: a < 3),
        ("1 <= a < b", lambda a, b, c: 1 <= a < b),
        ("a in [1, 3]", lambda a, b, c: a in (1, 3)),
        ("a not in (1, 3)", lambda a, b, c: a not in (1, 3)),
        ("a // 2 + b / 2 > c - 1", lambda a, b, c: a // 2 + b / 2 > c - 1),
        ("a <= b if c == 2 else a >= b", lambda a, b, c: a <= b if c == 2 else a >= b),
        ("(a == 1) | (b == 1) & (c == 1)", lambda a, b, c: a == 1 or (b == 1 and c == 1)),
        ("min(a, b) < max([b, c])", lambda a, b, c: min(a, b) < max(b, c)),
        ("any([a == 1, b == 2]) and all((c > 0, a > 0))", lambda a, b, c: a == 1 or b == 2),
        ("sum([a, b, c]) < 7", lambda a, b, c: a + b + c < 7),
        ("abs(a - b) <= 1", lambda a, b, c: abs(a - b) <= 1),
        ("-a + b ** 2 > -c", lambda a, b, c: -a + b**2 > -c),
        ("a << 1 > b", lambda a, b, c: a * 2 > b),
        ("a * b < LIMIT", lambda a, b, c: a * b < 6),
        ("(a % 2 == 0) == (b % 2 == 0)", lambda a, b, c: (a % 2 == 0) == (b % 2 == 0)),
        ("True", lambda a, b, c: True),
    ],
)
def test_conditions_of_other_tools_mean_the_same(expression, holds):
    text = translate(expression, NAMES, {"LIMIT": 6})
    space = Space([Ordinal(n, (1, 2, 3, 4)) for n in NAMES], [text])
    expected = {v for v in itertools.product((1, 2, 3, 4), repeat=3) if holds(*v)}
    assert {tuple(c.values()) for c in space.grid()} == expected


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("__import__('os').system('true')", "no counterpart"),
        ("a.__class__ == 1", "no counterpart"),
        ("math.ceil(a) > 1", "no counterpart"),
        ("a & 1 == 0 & b", "single bits"),
        ("a ^ b == 1", "single bits"),
        ("d > 1", "'d' is no parameter"),
        ("a >", "."),
        ("", "."),
        ("a if b else c", "truth values only"),
        ("[x for x in (1, 2)]", "no counterpart"),
        ("f(a)", "no counterpart"),
        ("a in b", "no counterpart"),
        ("a in (1, 2) in (3, 4)", "chained"),
        ("(" * 300 + "a" + ")" * 300, "."),
    ],
)
def test_conditions_without_counterpart(expression, says):
    with pytest.raises(ValueError, match=says):
        translate(expression, NAMES)


_leaf = st.sampled_from(["a", "b", "c", "1", "2", "3"])
_number = st.recursive(
    _leaf,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    ),
    max_leaves=4,
)
_truth = st.recursive(
    st.tuples(_number, st.sampled_from(["<", "<=", "==", "!=", ">"]), _number).map(" ".join),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({' '.join(t)})"),
        inner.map(lambda t: f"not ({t})"),
    ),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(_truth)
def test_any_condition_means_what_python_says(expression):
    constraint = parse_constraint(translate(expression, NAMES))
    for values in itertools.product((1, 2, 3), repeat=3):
        names = dict(zip(NAMES, values, strict=True))
        # the text is made of names, numbers and operators above: nothing else is evaluated
        assert constraint.holds(names) == bool(eval(expression, {"__builtins__": {}}, names))


def test_a_t1_file(tmp_path):
    path = write(tmp_path / "t1.json", t1(XY, ["x > y"]))
    space = read_t1(path)
    assert {tuple(c.values()) for c in space.grid()} == {(1, 0), (2, 0), (2, 1), (4, 0), (4, 1)}
    assert space.name == "gemm"
    assert space["x"].log


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({}, "this is no T1 file"),
        ([], "this is no T1 file"),
        ("{", "not JSON"),
        (t1([("x", "int", "range(")]), "values of 'x' are not understood"),
        (t1(XY, ["x.real > 1"]), "the condition `x.real > 1` is not understood"),
        (t1(XY, ["z > 1"]), "'z' is no parameter"),
        (t1(XY, ["x > 'a'"]), "is not understood"),
    ],
)
def test_what_is_no_t1(tmp_path, content, says):
    path = write(tmp_path / "t1.json", content)
    with pytest.raises(UserError, match=says) as caught:
        read_t1(path)
    assert str(path) in str(caught.value)


def test_a_condition_that_cannot_be_parsed_names_the_remedy(tmp_path):
    path = write(tmp_path / "t1.json", t1(XY, ["x > y", "f(x) == 1"]))
    with pytest.raises(UserError, match=r"Conditions\[1\]") as caught:
        read_t1(path)
    assert "take the rows of the table as the space" in caught.value.remedy


def test_constants_of_conditions(tmp_path, define):
    space = write(tmp_path / "t1.json", t1(XY, ["x * (y + 1) <= max_threads", "x > y"]))
    path = write(
        tmp_path / "a.json", t4([r for r in ROWS if r["configuration"] != {"x": 4, "y": 1}])
    )
    with pytest.raises(UserError, match=r"constants: \{max_threads: NUMBER\}"):
        define(path=path, space=str(space))
    assert define(path=path, space=str(space), constants={"max_threads": 4}).space.count() == 4


class TestMissing:
    @pytest.fixture
    def files(self, tmp_path):
        table = write(tmp_path / "a.json", t4(ROWS))
        return {"path": table, "space": str(write(tmp_path / "t1.json", t1(XY)))}

    def test_refused_by_default(self, files, define):
        with pytest.raises(
            UserError, match="lacks 1 of 6 feasible configurations, for one x=1, y=1"
        ) as caught:
            define(**files)
        assert caught.value.field == "missing"
        assert "missing: failed" in caught.value.remedy
        assert "missing: exclude" in caught.value.remedy

    def test_failed(self, files, opened):
        benchmark, bench = opened(**files, missing="failed")
        assert benchmark.space.count() == 6
        assert benchmark.hidden_constraints
        outcome = bench.measure({"x": 1, "y": 1})
        assert outcome.failure_kind == "missing"
        assert outcome.simulated_s == 0.0
        assert bench.measure({"x": 2, "y": 1}).status == "ok"

    def test_excluded(self, files, define):
        benchmark = define(**files, missing="exclude")
        assert benchmark.space.count() == 5
        assert {"x": 1, "y": 1} not in benchmark.space
        assert any("narrowed to the 5" in note for note in benchmark.notes)

    def test_complete_with_conditions(self, files, tmp_path, define):
        files["space"] = str(write(tmp_path / "t1.json", t1(XY, ["x > y"])))
        assert define(**files).space.count() == 5

    def test_conditions_as_an_option(self, files, define):
        del files["space"]
        assert define(**files, constraints=["x > y"]).space.count() == 5
        with pytest.raises(UserError, match="lacks 1 of 6"):
            define(**files, constraints=["x >= y"])
        with pytest.raises(UserError, match="is not understood"):
            define(**files, constraints=["x >= ceil(y)"])

    def test_rows_whatever_the_file_declares(self, files, define):
        assert define(**{**files, "space": "rows"}).space.count() == 5

    def test_rows_that_are_not_feasible_are_left_out(self, files, tmp_path, define):
        files["space"] = str(write(tmp_path / "t1.json", t1(XY, ["x > y", "x > 1"])))
        benchmark = define(**files)
        assert benchmark.space.count() == 4
        assert any("1 rows of the table are not feasible" in note for note in benchmark.notes)

    def test_a_value_outside_the_space(self, files, tmp_path, define):
        files["space"] = str(write(tmp_path / "t1.json", t1([("x", "int", "[1, 2]"), XY[1]])))
        with pytest.raises(UserError, match="result 3: x = 4 is outside the space") as caught:
            define(**files)
        assert caught.value.nearest == "2"

    def test_other_parameters(self, files, tmp_path, define):
        files["space"] = str(write(tmp_path / "t1.json", t1([*XY, ("z", "int", "[1]")])))
        with pytest.raises(UserError, match="lacks the parameter 'z' of the space"):
            define(**files)

    def test_recorded_violations_are_named_as_such(self, files, tmp_path, define):
        outside = result({"x": 1, "y": 1}, None, invalidity="constraints")
        files["path"] = write(tmp_path / "b.json", t4([*ROWS, outside]))
        with pytest.raises(UserError, match="recorded as violating a constraint"):
            define(**files)

    def test_innumerable(self, files, tmp_path, define):
        space = tmp_path / "space.yaml"
        space.write_text(
            "parameters:\n- {name: x, type: real, low: 0, high: 9}\n"
            "- {name: y, type: ordinal, values: [0, 1]}\n"
        )
        files["space"] = str(space)
        with pytest.raises(UserError, match="lacks innumerable feasible"):
            define(**files)
        assert define(**files, missing="failed").space.continuous


def test_a_space_in_yaml(tmp_path, define):
    path = write(tmp_path / "a.json", t4(ROWS))
    space = tmp_path / "space.yaml"
    space.write_text(json.dumps({
        "parameters": [
            {"name": "y", "type": "ordinal", "values": [0, 1]},
            {"name": "x", "type": "ordinal", "values": [1, 2, 4]},
        ],
        "constraints": ["x > y"],
    }))  # fmt: skip
    benchmark = define(path=path, space=str(space))
    assert benchmark.space.names == ("y", "x")
    assert benchmark.space.count() == 5


def test_references(tmp_path, define):
    rows = [result({"x": x, "y": 0, "fixed": 7}, (x * 1.0,)) for x in (1, 2, 4)]
    path = write(tmp_path / "a.json", t4(rows))
    benchmark = define(path=path, references={"expert": {"x": 2, "y": 0}})
    found = {one.name: dict(one.configuration) for one in benchmark.references}
    assert found == {
        "expert": {"x": 2, "y": 0, "fixed": 7},
        "optimum": {"x": 1, "y": 0, "fixed": 7},
    }
    with pytest.raises(UserError, match=r"references\.expert: the reference 'expert' is not in"):
        define(path=path, references={"expert": {"x": 3}})
    with pytest.raises(ValueError, match="cannot be given"):
        define(path=path, references={"optimum": {"x": 2}})
