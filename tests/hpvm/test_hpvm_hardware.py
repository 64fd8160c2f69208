"""Hardware computes what the interpreter says, in as many cycles as its plan says."""

from __future__ import annotations

from typing import Any

import pytest
from hpvm_programs import configurations, inputs_of, programs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybreak_hpvm.ir import Program, ProgramBuilder, interpret, s
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.rtl.plan import plan_program
from daybreak_hpvm.transforms import transform

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
