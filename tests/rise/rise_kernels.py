"""Random low-level programs, and ways to run generated kernels, for the tests of code generation."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from rise_programs import arguments_of, grow

from daybreak_rise.codegen import Argument, Kernel, Lowered, Program, generate, lower
from daybreak_rise.codegen.simulate import simulate
from daybreak_rise.dsl import (
    GLOBAL,
    LOCAL,
    PRIVATE,
    fst,
    fun,
    map_global,
    map_local,
    map_seq,
    map_seq_unroll,
    map_work_group,
    reduce_seq,
    reduce_seq_unroll,
    snd,
    split,
    to_global,
    to_mem,
    zip_,
)
from daybreak_rise.dsl import generate as generated
from daybreak_rise.expr import Expr
from daybreak_rise.types import ArrayType, array, element, f32

DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "bool": np.bool_}


# ---- random programs that say how to run


@st.composite
def launches(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """Sizes of groups and numbers of them, small and odd ones too."""
    local = tuple(draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 2))))
    groups = tuple(draw(st.integers(1, 3)) for _ in local)
    return {
        "local_size": local,
        "global_size": tuple(a * b for a, b in zip(local, groups, strict=True)),
    }


@st.composite
def low_programs(draw: st.DrawFn) -> tuple[Expr, tuple[Any, ...]]:
    """A function of one or two arrays whose loops run on groups and work-items, and arguments."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=3))
    types = [array(*sizes, f32)] * draw(st.integers(1, 2))

    def body(*arguments: Expr) -> Expr:
        e = zip_(*arguments) if len(arguments) == 2 and draw(st.booleans()) else arguments[0]
        e = grow(draw, e, draw(st.integers(0, 2)), 2, arguments)
        if not isinstance(e.type, ArrayType):
            e = arguments[0]
        for last in (False,) * draw(st.integers(0, 1)) + (True,):
            e = _spread(draw, e, arguments)
            if not last:
                e = _moved(draw, e | to_global, arguments)
        return e

    if len(types) == 1:
        made = fun(types[0], lambda a: body(a))
    else:
        made = fun(*types, lambda a, b: body(a, b))
    return made, draw(arguments_of(made))


def _moved(draw: st.DrawFn, e: Expr, outside: tuple[Expr, ...]) -> Expr:
    """Return e seen in another way, still an array."""
    found = grow(draw, e, draw(st.integers(0, 2)), 3, outside)
    return found if isinstance(found.type, ArrayType) else e


def _spread(draw: st.DrawFn, e: Expr, outside: tuple[Expr, ...]) -> Expr:
    """Return e with something computed for every element, by groups or by work-items."""
    dimension = draw(st.integers(0, 1))
    if draw(st.booleans()):
        return e | map_global(dimension)(lambda v: _alone(draw, v, outside))
    if isinstance(e.type, ArrayType) and not isinstance(e.type.element, ArrayType):
        size = e.type.size
        assert isinstance(size, int)
        e = e | split(draw(st.sampled_from([k for k in range(1, size + 1) if size % k == 0])))
    return e | map_work_group(dimension)(lambda v: _group(draw, v, outside))


def _group(draw: st.DrawFn, e: Expr, outside: tuple[Expr, ...]) -> Expr:
    """Return what a work-group does with e: some stages through memory, then its result."""
    if not isinstance(e.type, ArrayType):
        return _alone(draw, e, outside)
    for _ in range(draw(st.integers(0, 2))):
        space = draw(st.sampled_from([LOCAL, LOCAL, GLOBAL, PRIVATE]))
        e = _items(draw, e, outside) | to_mem(space)
        if space is not PRIVATE:
            e = _moved(draw, e, outside)
    if draw(st.integers(0, 3)) == 0 and element(e.type) is f32:
        return _folded(draw, e)
    return _items(draw, e, outside)


def _items(draw: st.DrawFn, e: Expr, outside: tuple[Expr, ...]) -> Expr:
    assert isinstance(e.type, ArrayType)
    dimension = draw(st.integers(0, 1))
    if isinstance(e.type.element, ArrayType) and draw(st.booleans()):
        return e | map_local(dimension)(
            lambda row: row | map_local(1 - dimension)(lambda v: _alone(draw, v, outside))
        )
    return e | map_local(dimension)(lambda v: _alone(draw, v, outside))


def _folded(draw: st.DrawFn, e: Expr) -> Expr:
    """Return the sum of e's elements, an array of them if they are arrays."""
    assert isinstance(e.type, ArrayType)
    space = draw(st.sampled_from([LOCAL, PRIVATE, GLOBAL]))
    inner = e.type.element
    if inner is f32:
        return e | reduce_seq(space)(lambda a, x: a + x, 1.0)
    if isinstance(inner, ArrayType) and inner.element is f32:
        n = inner.size
        copy = map_local(0)(lambda v: v)
        start = copy(generated(n)(lambda _i: 0.0))
        return (
            e
            | reduce_seq(space)(
                lambda a, x: zip_(a, x) | map_local(0)(lambda p: fst(p) + snd(p)), start
            )
            | copy
        )
    return _items(draw, e, ())


def _alone(draw: st.DrawFn, e: Expr, outside: tuple[Expr, ...]) -> Expr:
    """Return what one work-item does with e."""
    e = grow(draw, e, draw(st.integers(0, 3)), 2, outside)
    kind = draw(st.integers(0, 5))
    if not isinstance(e.type, ArrayType):
        return e
    if kind == 0:
        return e | map_seq(lambda v: v)
    if kind == 1:
        return e | map_seq_unroll(lambda v: v)
    if kind == 2 and e.type.element is f32:
        return e | reduce_seq_unroll()(lambda a, x: a + x, 0.0)
    if kind == 3:
        return e | map_seq(lambda v: v) | to_mem(PRIVATE)
    return e


# ---- running


def flat_inputs(inputs: Iterable[Argument], arguments: tuple[Any, ...]) -> dict[str, Any]:
    """The inputs' buffers by name; numbers for what is passed by value."""
    found: dict[str, Any] = {}
    for one in inputs:
        value = arguments[one.parameter]
        for step in one.path:
            value = value[int(step)]
        if one.by_value:
            found[one.name] = DTYPES[one.scalar](value).item()
        else:
            found[one.name] = np.ascontiguousarray(value, dtype=DTYPES[one.scalar]).reshape(-1)
    return found


def shaped(outputs: Iterable[Argument], flat: dict[str, Any]) -> Any:
    """The outputs as the interpreter returns them."""
    parts = {
        one.path: np.asarray(flat[one.name], dtype=DTYPES[one.scalar]).reshape(one.shape)
        for one in outputs
    }

    def build(path: str) -> Any:
        return parts[path] if path in parts else (build(path + "0"), build(path + "1"))

    return build("")


def by_simulation(expression: Expr, arguments: tuple[Any, ...], **sizes: Any) -> Any:
    """The value by way of the simulated work-items."""
    return simulated(lower(expression, **sizes), arguments)


def simulated(lowered: Lowered, arguments: tuple[Any, ...]) -> Any:
    """The value of programs that were lowered, by way of simulated work-items."""
    flat = flat_inputs((a for a in lowered.arguments if a.role == "input"), arguments)
    lists = {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in flat.items()}
    outputs = [a for a in lowered.arguments if a.role == "output"]
    return shaped(outputs, simulate(lowered, lists))


def by_c(expression: Expr, arguments: tuple[Any, ...], folder: Path, *flags: str) -> Any:
    """The value by way of GCC."""
    program = generate(expression, target="c", name="kernel")
    (kernel,) = program.kernels
    function = compiled(kernel, folder, *flags)
    buffers: dict[str, Any] = flat_inputs(program.inputs, arguments)
    for one in (*program.outputs, *program.temporaries):
        buffers[one.name] = np.zeros(one.length, DTYPES[one.scalar])
    function(*(_passed(one, buffers[one.name]) for one in kernel.arguments))
    return shaped(program.outputs, buffers)


def by_opencl(context: Any, program: Program, arguments: tuple[Any, ...]) -> Any:
    """The value by way of an OpenCL device."""
    import pyopencl as cl

    queue = cl.CommandQueue(context)
    given = flat_inputs(program.inputs, arguments)
    made = {}
    for one in (*program.inputs, *program.outputs, *program.temporaries):
        if not one.by_value:
            host = given.get(one.name, np.zeros(one.length, DTYPES[one.scalar]))
            flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
            made[one.name] = cl.Buffer(context, flags, hostbuf=host)
    for kernel in program.kernels:
        function = cl.Kernel(cl.Program(context, kernel.source).build(), kernel.name)
        function.set_args(
            *(
                DTYPES[a.scalar](given[a.name]) if a.by_value else made[a.name]
                for a in kernel.arguments
            )
        )
        cl.enqueue_nd_range_kernel(queue, function, kernel.global_size, kernel.local_size)
    found = {}
    for one in program.outputs:
        found[one.name] = np.empty(one.length, DTYPES[one.scalar])
        cl.enqueue_copy(queue, found[one.name], made[one.name])
    queue.finish()
    return shaped(program.outputs, found)


def compiled(kernel: Kernel, folder: Path, *flags: str) -> Any:
    """The C function of a kernel."""
    stem = folder / hashlib.sha256(kernel.source.encode()).hexdigest()[:24]
    source, library = stem.with_suffix(".c"), stem.with_suffix(".so")
    source.write_text(kernel.source)
    command = ["gcc", "-std=gnu99", "-O1", "-Wall", "-Werror", "-Wno-unused-variable"]
    command += [
        "-Wno-unused-but-set-variable",
        "-Wno-psabi",
        "-fPIC",
        "-shared",
        *flags,
        "-o",
        str(library),
        str(source),
        "-lm",
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return getattr(ctypes.CDLL(str(library)), kernel.name)


def _passed(argument: Argument, value: Any) -> Any:
    if not argument.by_value:
        return ctypes.c_void_p(value.ctypes.data)
    kinds = {"f32": ctypes.c_float, "f64": ctypes.c_double, "i32": ctypes.c_int}
    return kinds[argument.scalar](value)


def agree(found: Any, expected: Any) -> None:
    """Compare with what the interpreter says, up to rounding."""
    if isinstance(expected, tuple):
        for one, other in zip(found, expected, strict=True):
            agree(one, other)
        return
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
