"""Hardware computes what the interpreter says, in as many cycles as its plan says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hpvm_programs import configurations, inputs_of, programs
from hpvm_tangles import tangles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybreak_hpvm.ir import (
    REDUCTIONS,
    Expr,
    IntType,
    Program,
    ProgramBuilder,
    absolute,
    cast,
    eq,
    interpret,
    maximum,
    minimum,
    ne,
    s,
    select,
    u,
)
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.rtl.plan import plan_program
from daybreak_hpvm.transforms import directives, transform

pytest.importorskip("amaranth", reason="needs Amaranth (extra `hpvm`)")

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(program: Program, made: Program, inputs: dict[str, Any]) -> int:
    """Simulate `made` and compare with the meaning of `program`; return the cycles."""
    from daybreak_hpvm.rtl.python_simulation import simulate_in_python

    plan = plan_program(made)
    flat = {name: flatten(inputs[name], program.array(name).shape) for name in program.inputs}
    found = simulate_in_python(plan, flat, 100_000)
    assert found is not None, "the hardware does not come to an end"
    outputs, cycles = found
    assert outputs == interpret(program, inputs)
    if plan.cycles is not None:
        fewest, most = plan.cycles
        assert fewest <= cycles <= most
    return cycles


@relaxed
@given(st.data(), st.integers(0, 1000))
def test_random_programs_in_any_configuration(data: Any, seed: int) -> None:
    program = data.draw(programs())
    configuration = data.draw(configurations(program))
    check(program, transform(program, configuration), inputs_of(program, seed))


@settings(relaxed, max_examples=10)
@given(st.data(), st.integers(0, 1000))
def test_random_dependences_in_any_configuration(data: Any, seed: int) -> None:
    program = data.draw(tangles())
    configuration = data.draw(configurations(program))
    check(program, transform(program, configuration), inputs_of(program, seed))


def kinds(widest: int) -> st.SearchStrategy[IntType]:
    """Draw types, widths around those of a multiplier and of its parts most often."""
    bits = st.one_of(st.sampled_from([1, 2, 17, 18, 19, 34, 35, 36]), st.integers(1, widest))
    return st.builds(IntType, bits.map(lambda n: min(n, widest)), st.booleans())


def edges_of(kind: IntType, random: Random, count: int) -> list[int]:
    """Return the extremes of a type, what lies beside 0, and random values."""
    known = [value for value in (kind.low, kind.high, 0, 1, -1, kind.low + 1) if kind.holds(value)]
    return (known + [random.randint(kind.low, kind.high) for _ in range(count)])[:count]


OPERATIONS: dict[str, Callable[[Expr, Expr, Expr, int], Expr]] = {
    "add": lambda a, b, n, c: a + b,
    "sub": lambda a, b, n, c: a - b,
    "mul": lambda a, b, n, c: a * b,
    "mul by a constant": lambda a, b, n, c: a * c,
    "add a constant": lambda a, b, n, c: c - a,
    "bitwise": lambda a, b, n, c: ((a & b) ^ (a | c)) ^ ~b,
    "shift left": lambda a, b, n, c: a << n,
    "shift right": lambda a, b, n, c: a >> n,
    "shift right by a constant": lambda a, b, n, c: a >> (abs(c) % 70),
    "shift left by a constant": lambda a, b, n, c: a << (abs(c) % 70),
    "min": lambda a, b, n, c: minimum(a, b) - minimum(a, c),
    "max": lambda a, b, n, c: maximum(a, b) - maximum(b, c),
    "neg and abs": lambda a, b, n, c: absolute(a) + absolute(-b),
    "compare": lambda a, b, n, c: ((a < b) << 3) | ((a <= c) << 2) | (eq(a, b) << 1) | ne(b, c),
    "compare the other way": lambda a, b, n, c: ((a > b) << 1) | (a >= b),
    "select": lambda a, b, n, c: select(a, b, c) + select(a > b, a, b),
    "cast": lambda a, b, n, c: cast(a, s(5)) + cast(b, u(7)),
    "not": lambda a, b, n, c: ~a,
    "saturate": lambda a, b, n, c: minimum(maximum(a + b, -100), 100),
}


@settings(relaxed, max_examples=12)
@given(kinds(64), kinds(64), st.integers(-(1 << 20), 1 << 20), st.integers(0, 1000))
def test_every_operator_on_values_of_every_width(
    left: IntType, right: IntType, constant: int, seed: int
) -> None:
    random = Random(seed)
    count = 10
    amount = u(random.randint(1, 5))
    p = ProgramBuilder("operators")
    a, b = p.input("a", left, (count,)), p.input("b", right, (count,))
    n = p.input("n", amount, (count,))
    # a result may be wider than an element: its lower bits, and its upper ones
    low = [p.output(f"low{k}", s(64), (count,)) for k in range(len(OPERATIONS))]
    high = [p.output(f"high{k}", s(64), (count,)) for k in range(len(OPERATIONS))]
    with p.node("node") as node, node.loop("i", count) as i:
        for k, operation in enumerate(OPERATIONS.values()):
            value = operation(a[i], b[i], n[i], constant)
            low[k][i] = value
            high[k][i] = value >> 60
    program = p.build()
    inputs = {
        "a": edges_of(left, random, count),
        "b": edges_of(right, random, count)[::-1],
        "n": edges_of(amount, random, count),
    }
    check(program, program, inputs)


@settings(relaxed, max_examples=12)
@given(kinds(64), kinds(40), st.integers(1, 9), st.integers(1, 5), st.integers(0, 1000))
def test_reductions_of_every_width_in_trees_of_every_size(
    total: IntType, element: IntType, trips: int, factor: int, seed: int
) -> None:
    random = Random(seed)
    p = ProgramBuilder("reductions")
    x = p.input("x", element, (trips,))
    ops = sorted(REDUCTIONS)
    y = p.output("y", s(64), (len(ops),))
    with p.node("node") as node:
        sums = [node.scalar(f"t{k}", total, random.randint(-5, 5)) for k in range(len(ops))]
        with node.loop("i", trips) as i:
            for op, one in zip(ops, sums, strict=True):
                with node.when(x[i] > random.randint(-2, 1)):
                    node.reduce(one, op, x[i] * 3)
        for k, one in enumerate(sums):
            y[k] = one
    program = p.build()
    made = transform(program, {"node_UnrollL0": factor})
    check(program, made, {"x": edges_of(element, random, trips)})


@st.composite
def chains(draw: st.DrawFn) -> Program:
    """Draw nodes that hand streams on, at different paces, over queues that run full or empty."""
    size = draw(st.sampled_from([1, 2, 15, 16, 17, 33]))
    ways = ["straight", "scaled", "slow", "window", "late"]
    chosen = draw(st.lists(st.sampled_from(ways), min_size=2, max_size=4))
    p = ProgramBuilder("chain")
    before = p.input("x", s(9), (size,))
    w = p.input("w", s(3), (3,)) if {"slow", "late"} & set(chosen) else before
    count = len(chosen)
    for k, how in enumerate(chosen):
        declare = p.output if k == count - 1 else p.array
        after = declare(f"t{k}", draw(kinds(20)), (size,))
        with p.node(f"N{k}") as node:
            if how == "window":  # all is read in before anything is put out
                kept = node.local(f"kept{k}", s(20), (size,))
                with node.loop(f"a{k}", size) as i:
                    kept[i] = before[i]
                with node.loop(f"b{k}", size) as i:
                    after[i] = kept[size - 1 - i] - kept[maximum(i - 1, 0)]
            else:
                if how == "late":
                    waited = node.scalar(f"v{k}", s(8), 0)
                    with node.loop(f"c{k}", 3) as i:
                        node.reduce(waited, "add", w[i])
                with node.loop(f"b{k}", size) as i:
                    if how == "slow":
                        total = node.scalar(f"v{k}", s(14), before[i])
                        with node.loop(f"d{k}", 3) as j:
                            node.reduce(total, "add", w[j] * i)
                        after[i] = total
                    elif how == "late":
                        after[i] = before[i] * waited
                    else:
                        after[i] = before[i] * (i if how == "scaled" else 1)
        before = after
    return p.build()


@settings(relaxed, max_examples=20)
@given(st.data(), st.integers(0, 1000))
def test_streams_of_every_length_and_pace(data: Any, seed: int) -> None:
    program = data.draw(chains())
    inner = [name for name, d in directives(program).items() if d.kind == "unroll"]
    factors = {name: data.draw(st.sampled_from([1, 1, 2, 3, 40])) for name in inner}
    made = transform(program, {**factors, "TLP": 1})
    check(program, made, inputs_of(program, seed))


def test_a_scalar_that_is_only_read_and_only_under_a_condition() -> None:
    p = ProgramBuilder("read")
    x, y = p.input("x", s(5), (6,)), p.output("y", s(7), (6,))
    with p.node("n") as n:
        bound = n.scalar("bound", s(5), 3)
        with n.loop("i", 6) as i:
            y[i] = 0
            with n.when(x[i] > 0):
                y[i] = bound
            with n.otherwise():
                y[i] = bound + x[i]
    program = p.build()
    inputs = {"x": [1, -1, 0, 5, -16, 15]}
    assert interpret(program, inputs)["y"] == (3, 2, 3, 3, -13, 3)
    for factor in (1, 2, 6):
        check(program, transform(program, {"n_UnrollL0": factor}), inputs)
