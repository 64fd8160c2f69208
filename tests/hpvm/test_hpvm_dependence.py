"""Transformations of loops that depend on each other, and of streams whose elements nobody needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hpvm_programs import inputs_of
from hpvm_tangles import tangles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybreak_hpvm.ir import (
    Program,
    ProgramBuilder,
    cast,
    interpret,
    lift,
    maximum,
    minimum,
    s,
    select,
    u,
    validate,
)
from daybreak_hpvm.transforms import apply, directives, expand, transform, unroll

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def configured(data: Any, program: Program) -> dict[str, int]:
    """Draw values of all parameters: factors that divide, that do not, and that unroll completely."""
    return {
        name: data.draw(
            st.sampled_from([1, 1, 2, 3, 6]) if d.kind == "unroll" else st.integers(0, 1)
        )
        for name, d in directives(program).items()
    }


@relaxed
@given(st.data(), st.integers(0, 1000))
def test_no_order_that_matters_is_changed(data: Any, seed: int) -> None:
    program = data.draw(tangles())
    inputs = inputs_of(program, seed)
    expected = interpret(program, inputs)
    made = apply(program, configured(data, program)).program
    validate(made)
    assert interpret(made, inputs) == expected
    straight = expand(made)
    validate(straight)
    assert interpret(straight, inputs) == expected


def joined(value: Callable[[Any, Any], Any], n: int = 6) -> Program:
    """Return two nodes joined by an array; the second may not need all of its elements."""
    p = ProgramBuilder("joined")
    x, t, y = p.input("x", u(8), (n,)), p.array("t", u(8), (n,)), p.output("y", s(14), (n,))
    with p.node("A") as node, node.loop("i", n) as i:
        t[i] = x[i]
    with p.node("B") as node, node.loop("j", n) as j:
        y[j] = value(t[j], j)
    return p.build()


NEEDLESS: dict[str, Callable[[Any, Any], Any]] = {
    "times the index": lambda t, j: t * j,
    "times nothing": lambda t, j: t * 0 + j,
    "nothing of it": lambda t, j: (t & 0) + j,
    "at most 0": lambda t, j: minimum(t, 0) + j,
    "only the first": lambda t, j: select(lift(1) - minimum(j, 1), t, j),
}


@pytest.mark.parametrize("factor", [1, 2, 4, 6])
@pytest.mark.parametrize("value", NEEDLESS.values(), ids=NEEDLESS)
def test_elements_of_a_stream_are_taken_whether_they_are_needed_or_not(
    value: Callable[[Any, Any], Any], factor: int
) -> None:
    program = joined(value)
    made = expand(transform(program, {"TLP": 1, "B_UnrollL0": factor}))
    assert made.streams == ("t",)
    taken: list[int] = []

    def observe(node: str, what: str, array: str, place: int) -> None:
        if (node, what, array) == ("B", "load", "t"):
            taken.append(place)

    inputs = {"x": [3, 1, 4, 1, 5, 9]}
    assert interpret(made, inputs, observe=observe) == interpret(program, inputs)
    assert taken == list(range(6))
    # in memory, elements that are not needed are not asked for
    alone = expand(transform(program, {"B_UnrollL0": 6}))
    taken.clear()
    interpret(alone, inputs, observe=observe)
    assert len(taken) < 6


def test_an_amount_of_a_shift_may_get_a_wider_type() -> None:
    # unrolled, i + 1 may be 128 by its type, though not by the loop's bounds: 67 + 255 bits
    p = ProgramBuilder("wide")
    x, y = p.input("x", u(8), (1,)), p.output("y", u(16), (120,))
    with p.node("n") as node, node.loop("i", 120) as i:
        y[i] = ((cast(x[i * 0], u(64)) * 5) << i) >> i
    program = p.build()
    made = expand(unroll(program, "n", "i", 2))
    assert interpret(made, {"x": [7]})["y"] == (35,) * 120


def test_an_amount_of_a_shift_may_get_a_signed_type() -> None:
    # the bounds tell that i - 1 is never negative, its type does not
    p = ProgramBuilder("signed")
    x, y = p.input("x", s(8), (1,)), p.output("y", s(8), (5,))
    with p.node("n") as node:
        y[0] = 0
        with node.loop("i", 5, start=1) as i:
            y[i] = x[i * 0] >> maximum(i - 1, 0)
    program = p.build()
    for factor in (1, 2, 4):
        made = validate(expand(unroll(program, "n", "i", factor)))
        assert interpret(made, {"x": [-100]})["y"] == (0, -100, -50, -25, -13)
