"""Generated programs compute what the interpreter says: simulated, by GCC and by OpenCL."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from rise_kernels import agree, by_c, by_opencl, by_simulation, launches, low_programs
from rise_programs import programs

from daybreak import BuildFailed
from daybreak_rise.codegen import generate
from daybreak_rise.dsl import (
    LOCAL,
    as_scalar,
    as_vector,
    fun,
    map_,
    map_local,
    map_work_group,
    reduce_seq,
    to_local,
)
from daybreak_rise.expr import Expr
from daybreak_rise.interpret import interpret
from daybreak_rise.types import array, f32

_Drawn = tuple[Expr, tuple[Any, ...]]
_QUIET = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much,
                           HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)  # fmt: skip


def _or_refused(run: Any) -> Any:
    """What `run` returns; a program that is refused with a reason is no example."""
    try:
        return run()
    except BuildFailed:
        assume(False)


@settings(_QUIET, max_examples=60)
@given(programs(), launches())
def test_what_says_nothing_of_how_to_run_is_computed_by_one_work_item(
    drawn: _Drawn, sizes: dict[str, Any]
) -> None:
    expression, arguments = drawn
    agree(by_simulation(expression, arguments, **sizes), interpret(expression, *arguments))


@settings(_QUIET, max_examples=80)
@given(low_programs(), launches())
def test_groups_and_work_items_compute_the_same_without_races(
    drawn: _Drawn, sizes: dict[str, Any]
) -> None:
    expression, arguments = drawn
    found = _or_refused(lambda: by_simulation(expression, arguments, **sizes))
    agree(found, interpret(expression, *arguments))


@settings(_QUIET, max_examples=20)
@given(drawn=programs())
def test_c_computes_the_same(drawn: _Drawn, tmp_path: Path) -> None:
    expression, arguments = drawn
    found = _or_refused(lambda: by_c(expression, arguments, tmp_path))
    agree(found, interpret(expression, *arguments))


@settings(_QUIET, max_examples=20)
@given(drawn=low_programs())
def test_c_runs_groups_and_work_items_as_loops(drawn: _Drawn, tmp_path: Path) -> None:
    expression, arguments = drawn
    found = _or_refused(lambda: by_c(expression, arguments, tmp_path))
    agree(found, interpret(expression, *arguments))


@functools.cache
def opencl_context() -> Any:
    cl = pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    try:
        devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    except cl.Error:
        devices = []
    if not devices:
        pytest.skip("there is no OpenCL device")
    return cl.Context(devices[:1])


@settings(_QUIET, max_examples=8, derandomize=True)  # a driver that crashes takes the tests along
@given(drawn=low_programs(), sizes=launches())
def test_opencl_computes_the_same(drawn: _Drawn, sizes: dict[str, Any]) -> None:
    context = opencl_context()
    expression, arguments = drawn
    program = _or_refused(lambda: generate(expression, **sizes))
    agree(by_opencl(context, program, arguments), interpret(expression, *arguments))


def test_opencl_takes_a_lane_of_a_vector_that_was_just_computed() -> None:
    program = fun(
        array(1, 4, f32),
        lambda a: (
            a
            | map_work_group(0)(
                lambda row: (
                    row
                    | map_local(0)(lambda x: x)
                    | to_local
                    | as_vector(4)
                    | map_(lambda v: v * v)
                    | as_scalar
                    | reduce_seq(LOCAL)(lambda total, x: total + x, 1.0)
                )
            )
        ),
    )
    row = np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    made = generate(program, local_size=(1,), global_size=(1,))
    agree(by_opencl(opencl_context(), made, (row,)), np.array([31.0]))
