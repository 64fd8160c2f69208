"""Types, expressions, well-formedness, meaning and text of dataflow programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hpvm_programs import expressions, inputs_of, programs, types
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_hpvm.ir import (
    Array,
    Assign,
    Const,
    Expr,
    If,
    Index,
    InterpretError,
    IntType,
    Load,
    Loop,
    Node,
    Program,
    ProgramBuilder,
    ProgramError,
    Reduce,
    Scalar,
    Store,
    cast,
    fingerprint,
    fitting,
    interpret,
    lift,
    maximum,
    minimum,
    s,
    select,
    show,
    u,
    validate,
)
from daybreak_hpvm.ir.bounds import interval


def run(expr: Expr) -> int:
    """Return the value of a constant expression by way of a whole program."""
    p = ProgramBuilder("value")
    y = p.output("y", s(64), (1,))
    with p.node("n"):
        y[0] = expr
    return interpret(p.build(), {})["y"][0]


@given(types, st.integers(-5000, 5000))
def test_wrapping_is_twos_complement(kind: IntType, value: int) -> None:
    wrapped = kind.wrap(value)
    assert kind.low <= wrapped <= kind.high
    assert (wrapped - value) % 2**kind.bits == 0
    assert kind.holds(value) == (wrapped == value)


@given(st.integers(-300, 300), st.integers(-300, 300))
def test_the_fitting_type_holds_both_ends_and_no_narrower_one_does(a: int, b: int) -> None:
    low, high = min(a, b), max(a, b)
    kind = fitting(low, high)
    assert kind.holds(low)
    assert kind.holds(high)
    assert kind.signed == (low < 0)
    if kind.bits > 1:
        narrower = IntType(kind.bits - 1, kind.signed)
        assert not (narrower.holds(low) and narrower.holds(high))


def test_types_have_limits() -> None:
    assert str(u(8)) == "u8"
    assert str(s(1)) == "s1"
    assert (s(1).low, s(1).high) == (-1, 0)
    with pytest.raises(ValueError, match="0 bits"):
        u(0)
    with pytest.raises(ValueError, match="257 bits"):
        s(257)


@given(expressions())
def test_expressions_come_to_what_python_says_and_fit_their_type(drawn: tuple[Expr, int]) -> None:
    expr, value = drawn
    assert expr.type.holds(value)
    assert interval(expr, {})[0] <= value <= interval(expr, {})[1]
    assert run(expr) == s(64).wrap(value)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda a, b: a + b, "s9"),
        (lambda a, b: a - b, "s9"),
        (lambda a, b: a * b, "s12"),
        (lambda a, b: a & b, "s8"),
        (lambda a, b: minimum(a, b), "s8"),
        (lambda a, b: maximum(a, b), "u7"),
        (lambda a, b: a << b, "s23"),
        (lambda a, b: a >> b, "s8"),
        (lambda a, b: a < b, "u1"),
        (lambda a, b: -a, "s9"),
        (lambda a, b: ~a, "s8"),
        (lambda a, b: ~b, "u4"),
        (lambda a, b: b - 1, "s5"),
        (lambda a, b: select(a, b, 0), "u4"),
    ],
)
def test_results_have_the_narrowest_type_that_holds_them(
    build: Callable[[Expr, Expr], Expr], expected: str
) -> None:
    assert str(build(Scalar("a", s(8)), Scalar("b", u(4))).type) == expected


def test_complement_depends_on_the_sign_of_the_type() -> None:
    assert run(~Const(5, u(4))) == 10
    assert run(~Const(5, s(4))) == -6
    assert run(~(Const(1) > 0)) == 0


def test_an_expression_cannot_be_used_as_a_truth_value_or_made_of_floats() -> None:
    with pytest.raises(TypeError, match="truth value"):
        bool(lift(1) < 2)
    with pytest.raises(TypeError, match="fixed point"):
        lift(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="fixed point"):
        lift(True)
    with pytest.raises(ValueError, match="unsigned"):
        Scalar("a", u(8)) >> Scalar("b", s(4))
    with pytest.raises(ValueError, match="at most 256"):
        Scalar("a", u(8)) << Scalar("b", u(9))
    with pytest.raises(ValueError, match="does not fit"):
        Const(9, u(3))


def test_values_wrap_where_they_are_kept() -> None:
    p = ProgramBuilder("wrap")
    x, y = p.input("x", u(8), (2,)), p.output("y", s(5), (4,))
    with p.node("n") as n:
        a = n.scalar("a", u(4), x[0] + 1)
        b = n.scalar("b", s(4), x[0])
        n.reduce(b, "add", x[1])
        y[0] = a
        y[1] = b
        y[2] = cast(x[0] + x[1], u(3))
        y[3] = x[0] * x[1]
    # 255 + 1 = 16 * 16; 255 -> -1, + 200 = 8 mod 16, so -1 - 8 = -9 -> 7; 455 mod 8; 51000 mod 32
    assert interpret(p.build(), {"x": [255, 200]})["y"] == (0, 7, 7, -8)


@pytest.mark.parametrize(
    ("op", "expected"),
    [("add", 10), ("mul", -40), ("min", -1), ("max", 5), ("and", 0), ("or", -1), ("xor", -4)],
)
def test_reductions(op: str, expected: int) -> None:
    p = ProgramBuilder("reduce")
    x, y = p.input("x", s(8), (4,)), p.output("y", s(16), (1,))
    with p.node("n") as n:
        r = n.scalar("r", s(16), {"mul": 1, "min": 99, "max": -99, "and": -1}.get(op, 0))
        with n.loop("i", 4) as i:
            n.reduce(r, op, x[i])
        y[0] = r
    assert interpret(p.build(), {"x": [2, -1, 4, 5]})["y"] == (expected,)


def _program(body: Any, **changes: Any) -> Program:
    """Return a one-node program with input x[4] and output y[4] of u8."""
    node = Node("n", ("x",), ("y",), tuple(body), (), (Scalar("v", u(8)),))
    arrays = (Array("x", u(8), (4,)), Array("y", u(8), (4,)))
    return replace(Program("p", arrays, ("x",), ("y",), (node,)), **changes)


BYTE = u(8)


def _x(index: Any, kind: IntType = BYTE) -> Load:
    return Load("x", (lift(index),), kind)


I4 = Index("i", u(2))
COPY = Loop("i", 4, (Store("y", (I4,), _x(I4)),))


def test_a_well_formed_program_is_returned() -> None:
    program = _program([COPY])
    assert validate(program) is program


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([Loop("i", 4, (Store("y", (I4 + 1,), _x(I4)),))], "lies in 1..4"),
        ([Loop("i", 4, (Store("y", (I4 - 1,), _x(I4)),))], "lies in -1..2"),
        ([Loop("i", 4, (Store("y", (_x(I4),), _x(I4)),))], "lies in 0..255"),
        ([Loop("i", 4, (Store("y", (I4, I4), _x(I4)),))], "1 dimensions, not 2"),
        ([Store("y", (I4,), _x(0))], "outside of its loop"),
        ([Loop("i", 3, (Store("y", (Index("i", u(3)),), _x(0)),))], "'i' is u2, not u3"),
        ([COPY, COPY], "'i' is a loop and a loop"),
        ([COPY, Assign(Scalar("w", u(8)), _x(0))], "'w' is not declared"),
        ([COPY, Assign(Scalar("v", u(9)), _x(0))], "'v' is u8, not u9"),
        ([COPY, Assign(Scalar("v", u(8)), _x(0, u(9)))], "are u8, not u9"),
        ([COPY, Store("x", (lift(0),), lift(1))], "'x' is stored to"),
        ([COPY, Assign(Scalar("v", u(8)), Load("y", (lift(0),), u(8)))], "'y' is loaded"),
        ([COPY, Reduce("div", Scalar("v", u(8)), _x(0))], "'div' is no reduction"),
        ([Loop("j", 0, (COPY,))], "from 0 to 0"),
        ([Loop("j", 4, (COPY,), start=4)], "from 4 to 4"),
        ([Loop("j", 4, (COPY,), unroll=0)], "unroll 0"),
        ([Store("y", (lift(0),), lift(0))], "'x' is neither read nor written"),
    ],
)
def test_malformed_bodies_are_refused(body: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        validate(_program(body))


def test_malformed_graphs_are_refused() -> None:
    good = _program([COPY])
    node, (x, y) = good.nodes[0], good.arrays
    cases: list[tuple[dict[str, Any], str]] = [
        ({"inputs": ("x", "z")}, "input 'z' is no array"),
        ({"inputs": ("x", "x")}, "listed twice"),
        ({"outputs": ()}, "no output"),
        ({"outputs": ("x", "y"), "inputs": ()}, "'x' is read before any node writes it"),
        ({"inputs": ("x", "y")}, "'y' is written a second time"),
        ({"nodes": (node, replace(node, name="m"))}, "'y' is written a second time"),
        ({"nodes": (node, node)}, "'n' is a node and a node"),
        ({"nodes": (replace(node, name="x"),)}, "'x' is a array and a node"),
        ({"nodes": (replace(node, outputs=()),)}, "writes nothing"),
        ({"arrays": (x, y, Array("z", u(8), (1,)))}, "'z' is used by no node"),
        ({"arrays": (x, Array("y", u(65), (4,)))}, "elements of 65 bits"),
        ({"arrays": (x, Array("y", u(8), (4, 0)))}, "shape"),
        ({"arrays": (replace(x, values=(1, 2, 3, 4)), y)}, "no local"),
        ({"name": "a b"}, "is no word"),
        ({"streams": ("y",)}, "need a concurrent program"),
        ({"streams": ("y",), "concurrent": True}, "'y' cannot be a stream"),
    ]
    for changes, message in cases:
        with pytest.raises(ProgramError, match=message):
            validate(replace(good, **changes))
    table = replace(node, locals=(Array("t", u(2), (2,), (1, 4)),))
    with pytest.raises(ProgramError, match="4 does not fit u2"):
        validate(replace(good, nodes=(table,)))


def test_the_message_of_a_bad_index_says_what_to_do() -> None:
    with pytest.raises(ProgramError) as caught:
        validate(_program([Loop("i", 4, (Store("y", (I4 + 1,), _x(I4)),))]))
    assert str(caught.value).splitlines() == [
        "p.n: index (i + 1) of 'y' lies in 1..4",
        "  expected: 0..3",
        "  remedy: clamp it with minimum() and maximum(), or give what it is made of a narrower type",
    ]


def test_reading_what_was_not_written_is_an_error() -> None:
    v = Scalar("v", u(8))
    with pytest.raises(InterpretError, match="'v' is read before"):
        interpret(_program([COPY, Assign(v, v + 1)]), {"x": [1, 2, 3, 4]})
    with pytest.raises(InterpretError, match="'v' is reduced into before"):
        interpret(_program([COPY, Reduce("add", v, _x(0))]), {"x": [1, 2, 3, 4]})
    half = _program([Loop("i", 2, (Store("y", (Index("i", u(1)),), _x(0)),))])
    with pytest.raises(InterpretError, match="leaves element 2 of 'y' unwritten"):
        interpret(half, {"x": [1, 2, 3, 4]})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "'x' is missing"),
        ({"x": [1, 2, 3]}, "3 elements"),
        ({"x": [1, 2, 3, 256]}, "'x' holds 256"),
        ({"x": [1, 2, 3, -1]}, "'x' holds -1"),
        ({"x": [1, 2, 3, 1.5]}, "'x' holds 1.5"),
        ({"x": [1, 2, 3, True]}, "'x' holds True"),
    ],
)
def test_bad_inputs_are_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InterpretError, match=message):
        interpret(_program([COPY]), inputs)


def test_inputs_may_be_nested_flat_or_numpy() -> None:
    import numpy as np

    p = ProgramBuilder("shapes")
    x, y = p.input("x", s(8), (2, 3)), p.output("y", s(8), (3, 2))
    with p.node("n") as n, n.loop("i", 2) as i, n.loop("j", 3) as j:
        y[j, i] = x[i, j]
    program = p.build()
    flat = [1, -2, 3, 4, -5, 6]
    for given_ in (flat, [[1, -2, 3], [4, -5, 6]], np.array(flat, np.int8).reshape(2, 3)):
        assert interpret(program, {"x": given_})["y"] == (1, 4, -2, -5, 3, 6)


def test_conditions_choose_and_only_the_chosen_side_runs() -> None:
    p = ProgramBuilder("branch")
    x, y = p.input("x", s(4), (3,)), p.output("y", s(8), (3,))
    with p.node("n") as n, n.loop("i", 3) as i:
        with n.when(x[i] < 0):
            y[i] = x[i] * 10
        with n.otherwise():
            y[i] = x[i]
    program = p.build()
    seen: list[tuple[str, int]] = []
    found = interpret(
        program, {"x": [-1, 0, 5]}, observe=lambda node, what, array, at: seen.append((what, at))
    )
    assert found["y"] == (-10, 0, 5)
    assert seen == [(what, at) for at in range(3) for what in ("load", "load", "store")]


def test_tables_and_local_memories() -> None:
    p = ProgramBuilder("table")
    y = p.output("y", u(8), (4,))
    with p.node("n") as n:
        table = n.table("t", u(8), (2, 2), [[3, 1], [4, 1]])
        local = n.local("l", u(8), (4,))
        with n.loop("i", 2) as i, n.loop("j", 2) as j:
            local[(i << 1) + j] = table[i, j] + 1
        with n.loop("k", 4) as k:
            y[k] = local[3 - k]
    assert interpret(p.build(), {})["y"] == (2, 5, 2, 4)


def test_mistakes_while_writing_are_named() -> None:
    p = ProgramBuilder("mistakes")
    x = p.input("x", u(8), (4,))
    with pytest.raises(ProgramError, match="outside of a node"):
        x[0]
    with pytest.raises(ProgramError, match="does not follow"), p.node("n") as n, n.otherwise():
        pass
    with pytest.raises(ProgramError, match="node 'm' inside node 'n'"), p.node("n"), p.node("m"):
        pass
    with pytest.raises(TypeError, match="write a loop"), p.node("n"):
        list(x)
    with p.node("n") as n:
        n.scalar("a", u(8))
        with pytest.raises(ProgramError, match="declared twice"):
            n.scalar("a", u(9))


def test_edges_follow_from_who_writes_and_who_reads() -> None:
    p = ProgramBuilder("edges")
    x, t, y = p.input("x", u(8), (2,)), p.array("t", u(8), (2,)), p.output("y", u(8), (2,))
    with p.node("A") as n, n.loop("i", 2) as i:
        t[i] = x[i]
    with p.node("B") as n, n.loop("i", 2) as i:
        y[i] = t[i] + x[i]
    found = [(e.array, e.source, e.target) for e in p.build().edges]
    assert found == [
        ("x", None, "A"),
        ("x", None, "B"),
        ("t", "A", "B"),
        ("y", "B", None),
    ]


def test_text() -> None:
    v = Scalar("v", u(8))
    body = [
        Loop("i", 4, (Store("y", (I4,), select(_x(I4) > 1, -_x(I4), ~(_x(I4) >> 1))),), unroll=2),
        Assign(v, cast(_x(0) + 1, u(2))),
        If(v < 2, (Reduce("max", v, maximum(_x(1), 7)),), (Assign(v, Const(0, u(4))),)),
    ]
    assert show(_program(body)) == (
        "program p\n"
        "input x: u8[4]\n"
        "array output y: u8[4]\n"
        "inputs x\n"
        "outputs y\n"
        "\n"
        "node n(x) -> y:\n"
        "  scalar v: u8\n"
        "  for i in 0..4 unroll 2:\n"
        "    y[i] = select((x[i] > 1), -(x[i]), ~((x[i] >> 1)))\n"
        "  v = u2((x[0] + 1))\n"
        "  if (v < 2):\n"
        "    v max= max(x[1], 7)\n"
        "  else:\n"
        "    v = u4(0)\n"
    )


def test_fingerprints_are_the_same_in_every_process_and_tell_programs_apart() -> None:
    program = _program([COPY])
    code = (
        "from daybreak_hpvm.benchmarks import define, names\n"
        "from daybreak_hpvm.ir import fingerprint\n"
        "print([fingerprint(define(n).program) for n in names()])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    others = [
        replace(program, name="q"),
        replace(program, concurrent=True),
        _program([replace(COPY, unroll=2)]),
        _program([Loop("i", 4, (Store("y", (I4,), cast(_x(I4), u(7))),))]),
        _program([Loop("i", 4, (Store("y", (I4,), _x(I4) + Const(0, u(2))),))]),
        _program([Loop("i", 4, (Store("y", (I4,), _x(I4) + Const(0, u(1))),))]),
    ]
    prints = {fingerprint(p) for p in (program, *others)}
    assert len(prints) == 1 + len(others)
    assert len(fingerprint(program)) == 64


@settings(max_examples=40, deadline=None)
@given(programs(), st.integers(0, 99))
def test_random_programs_are_deterministic(program: Program, seed: int) -> None:
    inputs = inputs_of(program, seed)
    assert interpret(program, inputs) == interpret(program, inputs)
    assert set(interpret(program, inputs)) == set(program.outputs)
