"""The constraint language: what it means, what it refuses, and that both evaluators agree."""

from __future__ import annotations

import ast
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.errors import SpaceError
from daybreak.space import Categorical, Integer, Permutation, Program, Real, Space, parse_constraint
from daybreak.space.expression import (
    Arithmetic,
    Call,
    Compare,
    Constant,
    Item,
    Logic,
    Member,
    Name,
    Negative,
    Not,
    Position,
    write,
)
from daybreak.space.parser import parse
from daybreak.space.scalar import compile_scalar
from daybreak.space.vector import column_of, holds

VALUES = {"a": 6, "b": 4, "c": 0, "x": 0.5, "s": "static", "p": (2, 0, 1), "t": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > b", True),
        ("1 < b < a <= 6", True),
        ("1 < b > a", False),
        ("a % b == 2", True),
        ("-7 // 2 == -4", True),
        ("-7 % 3 == 2", True),
        ("7 / 2 == 3.5", True),
        ("1/3*3 >= 1", True),
        ("2 ** 3 ** 2 == 512", True),
        ("-2 ** 2 == -4", True),
        ("2 ** -1 == x", True),
        ("min(a, b, 3) == 3 and max(a, b) == 6", True),
        ("abs(b - a) == 2", True),
        ("a in [1, 2, 6]", True),
        ("a in {1, 2}", False),
        ("a not in (1, 2,)", True),
        ("a in [b + 2]", True),
        ("s == 'static'", True),
        ('s in ["static", "dynamic"]', True),
        ("s != 'static'", False),
        ("not a > b or t", True),
        ("not (a > b)", False),
        ("t", True),
        ("c", False),
        ("(a > b) + (a > c) == 2", True),
        # both readings of a permutation
        ("pos(p, 2) == 0", True),
        ("p[0] == 2", True),
        ("pos(p, 0) == 1 and p[1] == 0", True),
        ("pos(p, 1) == 2 and p[2] == 1", True),
        ("p == [2, 0, 1]", True),
        ("p in [[0, 1, 2], [2, 0, 1]]", True),
        ("p[p[0]] == 1", True),
        ("p[b - 4] == 2", True),
        # undefined values: the constraint does not hold, whichever way it is put
        ("a % c == 0", False),
        ("not (a % c == 0)", False),
        ("a / c > 1", False),
        ("a // c != 1", False),
        ("0 ** -1 > 0", False),
        ("p[a] == 0", False),
        ("not p[a] == 0", False),
        ("p[x] == 0", False),
        ("pos(p, a) == 0", False),
        ("10 ** 10 ** 10 > 1", False),
        ("1e308 * 10 > 1", False),
        ("(0 - 8) ** 0.5 > 0", False),
        # ... unless the other side of `and`, `or` decides, in either order
        ("c == 0 or a % c == 0", True),
        ("a % c == 0 or c == 0", True),
        ("not (a % c == 0 and c != 0)", True),
        ("not (c != 0 and a % c == 0)", True),
        ("not (1 > 2 > a % c)", True),
    ],
)
def test_meaning(text: str, expected: bool) -> None:
    tree = parse(text)
    assert compile_scalar(tree)(VALUES) is expected
    columns = {name: column_of([value] * 3) for name, value in VALUES.items()}
    assert holds(tree, columns, 3).tolist() == [expected] * 3


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("a <", 4, "a parameter"),
        ("", 1, "a parameter"),
        ("a & b", 3, "`and`"),
        ("a | b", 3, "`or`"),
        ("a = 3", 3, "`==`"),
        ("a b", 3, "an operator"),
        ("(a > 1", 7, "')'"),
        ("a > 1)", 6, "an operator"),
        ("foo(3)", 1, "min, max, abs or pos"),
        ("__import__('os')", 1, "min, max, abs or pos"),
        ("a.real > 1", 2, "no attributes"),
        ("lambda: 1", 7, None),
        ("'x", 1, "a closing '"),
        ("1x > 1", 1, None),
        ("0x10 > 1", 1, None),
        ("a in []", 7, "a parameter"),
        ("a in b", 6, "a list"),
        ("a not 3", 7, "'in' after 'not'"),
        ("a < b in [1]", 7, "parentheses"),
        ("pos(3, 1) == 1", 5, "a permutation parameter"),
        ("pos(p) == 1", 6, "','"),
        ("abs(a, b) > 1", 1, None),
        ("min(a) > 1", 1, None),
        ("[a, 1] == p", 1, "e.g. [2, 0, 1]"),
        ("1e999 > a", 1, None),
        ("9" * 301 + " > a", 1, None),
        ("(" * 200 + "a" + ")" * 200, 41, None),
        ("not " * 200 + "a", 161, None),
        ("-" * 200 + "a", 41, None),
        ("+".join("a" * 500), 1, "several shorter"),
        ("a >\n\t@", 6, None),
        ("a > \N{GREEK SMALL LETTER ALPHA}", 5, None),
    ],
)
def test_syntax_errors_name_their_column(text: str, column: int, expected: str | None) -> None:
    with pytest.raises(SpaceError) as caught:
        parse_constraint(text)
    assert caught.value.column == column
    assert f"column {column}" in caught.value.message
    if expected is not None:
        assert expected in (caught.value.expected or "")


@pytest.mark.parametrize("text", [3, None, ["a > 1"], b"a > 1"])
def test_a_constraint_must_be_text(text: Any) -> None:
    with pytest.raises(SpaceError, match="must be text"):
        parse_constraint(text)


def test_a_constraint_may_not_be_endless() -> None:
    with pytest.raises(SpaceError, match="too long"):
        parse_constraint("a > 1 or " * 20_000 + "a > 2")


PARAMETERS = [
    Integer("tile", 1, 8),
    Categorical("schedule", ["static", "dynamic"]),
    Categorical("flag", [True, False]),
    Categorical("mode", ["auto", 1, 2]),
    Permutation("order", 3),
    Program("kernel", ""),
    Real("x", 0, 1),
]


@pytest.mark.parametrize(
    ("text", "column", "message", "close"),
    [
        ("tiel > 1", 1, "no parameter 'tiel'", "tile"),
        ("1 < tiel", 5, "no parameter 'tiel'", "tile"),
        ("schedule == 'statc'", 13, "never is 'statc'", "static"),
        ("schedule in ['static', 'guided']", 24, "never is 'guided'", None),
        ("schedule > 'a'", 1, "takes numbers", None),
        ("schedule + 1 > 2", 10, "takes numbers, not a text", None),
        ("schedule == 1", 1, "never equal", None),
        ("tile == 'a'", 1, "never equal", None),
        ("order == 1", 1, "never equal", None),
        ("order == [0, 1]", 10, "never is (0, 1)", None),
        ("order", 1, "neither true nor false", None),
        ("schedule", 1, "neither true nor false", None),
        ("not schedule", 1, "takes numbers", None),
        ("tile > 1 or schedule", 13, "takes numbers", None),
        ("order[3] == 1", 7, "no position 3", None),
        ("order[-1] == 1", None, None, None),
        ("pos(order, 3) == 1", 12, "no element 3", None),
        ("pos(tile, 3) == 1", 1, "needs a permutation", None),
        ("tile[0] == 1", 1, "needs a permutation", None),
        ("kernel == 'x'", 1, "is a program", None),
        ("min(order, 1) == 1", 1, "takes numbers, not an order", None),
        ("flag and mode == 'auto' and mode == 1 and x < 1", None, None, None),
        ("mode == order", 1, "never equal", None),
        ("mode + 1 > 2", 6, "takes numbers", None),
    ],
)
def test_constraints_are_checked_against_the_parameters(
    text: str, column: int | None, message: str | None, close: str | None
) -> None:
    if message is None:
        Space(PARAMETERS, [text])
        return
    with pytest.raises(SpaceError) as caught:
        Space(PARAMETERS, [text])
    assert message in caught.value.message
    assert caught.value.column == column
    assert caught.value.nearest == close


def test_constraints_compare_by_meaning_of_the_text() -> None:
    assert parse_constraint("a<b") == parse_constraint("( a < b )")
    assert parse_constraint("a<b") != parse_constraint("b>a")
    constraint = pickle.loads(pickle.dumps(parse_constraint("a < b % 3")))
    assert constraint.holds({"a": 1, "b": 5})
    assert constraint.names == ("a", "b")


# -- properties ---------------------------------------------------------------------------------

_NUMBERS = st.one_of(
    st.integers(-20, 20),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**53 + 1, 2**62, -(2**63), 2**31]),
    st.floats(-10, 10),
    st.floats(allow_nan=False, allow_infinity=False),
)
_ROWS = 5
_COLUMNS = st.fixed_dictionaries(
    {
        "i": st.lists(st.integers(-6, 6), min_size=_ROWS, max_size=_ROWS),
        "j": st.lists(st.integers(-(2**40), 2**40), min_size=_ROWS, max_size=_ROWS),
        "f": st.lists(st.floats(-1e3, 1e3), min_size=_ROWS, max_size=_ROWS),
        "g": st.lists(st.booleans(), min_size=_ROWS, max_size=_ROWS),
        "s": st.lists(st.sampled_from(["u", "v", "w"]), min_size=_ROWS, max_size=_ROWS),
        "p": st.lists(st.permutations(range(4)).map(tuple), min_size=_ROWS, max_size=_ROWS),
    }
)


def _numeric(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arguments = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), inner, inner),
        st.builds(Negative, inner),
        st.builds(Call, st.sampled_from(["min", "max"]), arguments),
        st.builds(Call, st.just("abs"), st.tuples(inner)),
        st.builds(Position, st.just("p"), inner),
        st.builds(Item, st.just("p"), inner),
    )


_VALUE = st.recursive(
    st.one_of(
        # a negative constant is written as a Negative node
        st.builds(Constant, _NUMBERS.filter(lambda v: v >= 0 and str(v)[0] != "-")),
        st.builds(Name, st.sampled_from(["i", "j", "f", "g"])),
    ),
    _numeric,
    max_leaves=6,
)
_RELATION = st.one_of(
    st.builds(
        lambda first, links: Compare((first, *(v for _, v in links)), tuple(o for o, _ in links)),
        _VALUE,
        st.lists(
            st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _VALUE),
            min_size=1,
            max_size=2,
        ),
    ),
    st.builds(Member, _VALUE, st.lists(_VALUE, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(
        Member,
        st.just(Name("s")),
        st.lists(st.builds(Constant, st.sampled_from(["u", "x"])), min_size=1).map(tuple),
        st.booleans(),
    ),
    st.builds(
        lambda order: Compare((Name("p"), Constant(order)), ("==",)),
        st.permutations(range(4)).map(tuple),
    ),
    st.just(Name("g")),
)
_TRUTH = st.recursive(
    _RELATION,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(
            Logic,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(_TRUTH, _COLUMNS)
def test_vector_and_scalar_evaluation_agree(tree: Any, columns: dict[str, list[Any]]) -> None:
    scalar = compile_scalar(tree)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    expected = [scalar(row) for row in rows]
    arrays = {name: column_of(values) for name, values in columns.items()}
    assert holds(tree, arrays, _ROWS).tolist() == expected


@settings(max_examples=300, deadline=None)
@given(_TRUTH)
def test_what_is_written_parses_to_the_same_tree(tree: Any) -> None:
    assert parse(write(tree)) == tree


# infix text without parentheses, so that precedence and associativity decide
_OPERAND = st.builds(
    "".join,
    st.tuples(st.sampled_from(["", "-", "- -", "+"]), st.sampled_from(["i", "k", "2", "1.5"])),
)
_SUM = st.builds(
    lambda first, rest: first + "".join(f" {op} {operand}" for op, operand in rest),
    _OPERAND,
    st.lists(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), _OPERAND), max_size=4
    ),
)
_CHAIN = st.builds(
    lambda first, rest: first + "".join(f" {op} {operand}" for op, operand in rest),
    _SUM,
    st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _SUM), max_size=2),
)
_INFIX = st.builds(
    lambda first, rest: first + "".join(f" {op} {negation}{x}" for op, negation, x in rest),
    _CHAIN,
    st.lists(
        st.tuples(
            st.sampled_from(["and", "or"]), st.sampled_from(["", "not ", "not not "]), _CHAIN
        ),
        max_size=3,
    ),
)
_PYTHON = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}


def _from_python(node: ast.AST) -> Any:
    """Turn Python's own syntax tree into ours."""
    match node:
        case ast.Expression(body):
            return _from_python(body)
        case ast.Constant(value):
            return Constant(value)
        case ast.Name(name):
            return Name(name)
        case ast.UnaryOp(ast.USub(), operand):
            return Negative(_from_python(operand))
        case ast.UnaryOp(ast.UAdd(), operand):
            return _from_python(operand)
        case ast.UnaryOp(ast.Not(), operand):
            return Not(_from_python(operand))
        case ast.BinOp(left, op, right):
            return Arithmetic(_PYTHON[type(op)], _from_python(left), _from_python(right))
        case ast.BoolOp(op, values):
            return Logic(_PYTHON[type(op)], tuple(map(_from_python, values)))
        case ast.Compare(left, ops, comparators):
            return Compare(
                tuple(map(_from_python, [left, *comparators])), tuple(_PYTHON[type(o)] for o in ops)
            )
    raise AssertionError(node)


@settings(max_examples=500, deadline=None)
@given(_INFIX)
def test_the_grammar_is_that_of_python(text: str) -> None:
    assert parse(text) == _from_python(ast.parse(text, mode="eval"))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab01 +-*/%<>=!()[]{},.'\"\\andorti&\n", max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    column = None
    try:
        tree = parse(text)
    except SpaceError as error:
        column = error.column
    else:
        assert parse(write(tree)) == tree
        return
    assert column is not None
    assert 1 <= column <= len(text) + 1


def test_large_columns_stay_exact() -> None:
    big = [2**62 + 1, 2**70, -(2**63), 3]
    tree = parse("n % 2 == 1 and n + 1 > n")
    assert holds(tree, {"n": column_of(big)}, 4).tolist() == [True, False, False, True]
    # int64 would overflow
    tree = parse("n * n * n > 0")
    column = np.array([2**40, 2**41, 1], dtype=np.int64)
    assert holds(tree, {"n": column}, 3).tolist() == [True, True, True]
    # 2**53 + 1 is no float64
    tree = parse("n == 9007199254740992.0")
    assert holds(tree, {"n": column_of([2**53, 2**53 + 1])}, 2).tolist() == [True, False]
