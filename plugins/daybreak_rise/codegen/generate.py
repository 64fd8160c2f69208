"""From a typed low-level expression to kernels: all passes in order."""

from __future__ import annotations

from enum import StrEnum

from daybreak_rise.codegen.barriers import exclusive, sharing, synchronise, used_coordinates
from daybreak_rise.codegen.c import C
from daybreak_rise.codegen.cuda import Cuda
from daybreak_rise.codegen.dialect import Dialect
from daybreak_rise.codegen.ir import (
    Barrier,
    Block,
    Buffer,
    Level,
    Space,
    Store,
    statements,
)
from daybreak_rise.codegen.kernels import cut
from daybreak_rise.codegen.launch import Launch, three
from daybreak_rise.codegen.lowered import Lowered, Names, check, parameter, result
from daybreak_rise.codegen.opencl import OpenCL
from daybreak_rise.codegen.ownership import Coordinate, places_of
from daybreak_rise.codegen.printing import Printer
from daybreak_rise.codegen.program import SCALAR_BYTES, Argument, Kernel, Program
from daybreak_rise.codegen.registers import keep_own, plan
from daybreak_rise.codegen.reuse import reuse_local
from daybreak_rise.codegen.tidy import stores_of, tidy, values_of
from daybreak_rise.codegen.translate import Translator
from daybreak_rise.codegen.values import loads, registers
from daybreak_rise.codegen.views import (
    View,
)
from daybreak_rise.expr import Expr, Lambda
from daybreak_rise.types import (
    FunType,
    inputs,
)

__all__ = ["Target", "generate", "lower"]


class Target(StrEnum):
    """The language to generate."""

    OPENCL = "opencl"
    C = "c"
    CUDA = "cuda"


def lower(
    expression: Expr,
    *,
    local_size: int | tuple[int, ...] = 1,
    global_size: int | tuple[int, ...] = 1,
) -> Lowered:
    """Return the imperative programs of an expression; see `generate` for the arguments.

    Raises:
        BuildFailed: the expression cannot be generated for these sizes.
    """
    check(expression)
    launch = Launch.of(local_size, global_size)
    translator = Translator(launch)
    lowered = Lowered([], launch, [], {}, [], {}, {})
    names = Names()
    environment: dict[str, View] = {}
    body = expression
    number = 0
    while isinstance(body, Lambda):
        param = body.param
        environment[param.name] = parameter(lowered, names, param.name, param.type, number)
        body = body.body
        number += 1
    if isinstance(body.type, FunType):
        taken, _ = inputs(body.type)
        extra = []
        for place, type_ in enumerate(taken):
            extra.append(parameter(lowered, names, f"x{place}", type_, number + place))
        out = result(lowered, names, inputs(body.type)[1])
        translator.apply(body, environment, tuple(extra), out)
    else:
        out = result(lowered, names, body.type)
        translator.run(body, environment, out)
    _finish(translator, lowered)
    return lowered


def _finish(translator: Translator, lowered: Lowered) -> None:
    """Run the passes over the whole program."""
    launch, block = lowered.launch, translator.block
    tidy(block)
    sizes: dict[Coordinate, int] = {}
    for dimension in range(3):
        sizes["local", dimension] = launch.local[dimension]
        sizes["group", dimension] = launch.groups[dimension]
    guards = {
        (kind, dimension): translator.place(level, dimension, sizes[kind, dimension])
        for kind, level in (("local", Level.LOCAL), ("group", Level.GROUP))
        for dimension in range(3)
    }
    places = places_of(translator.places)
    keep_own(block, places)
    everything = used_coordinates(block, sizes)
    for part in cut(block, sharing(block, places, everything)):
        used = used_coordinates(part, sizes)
        reuse_local(part)
        exclusive(part, used, guards)
        synchronise(part, sharing(part, places, used))
        lowered.blocks.append(part)
        lowered.used.append(used)
    lowered.places = {variable: key for key, variable in translator.places.items()}
    for buffer in translator.buffers:
        if buffer.space is Space.GLOBAL:
            lowered.arguments.append(
                Argument(buffer.name, "temporary", buffer.scalar, (buffer.length,))
            )
            lowered.buffers[buffer.name] = buffer


def generate(
    expression: Expr,
    *,
    target: Target | str = Target.OPENCL,
    name: str = "rise",
    local_size: int | tuple[int, ...] = 1,
    global_size: int | tuple[int, ...] = 1,
    openmp: bool = False,
) -> Program:
    """Return the kernels that compute an expression.

    Args:
        expression: a function with concrete sizes, without free identifiers, lowered: its maps and
            reductions say how to run (what does not, runs as plain loops).
        target: the language; C runs as one work-item, whatever the sizes.
        name: of the kernels; the second one is called `name_1`.
        local_size: work-items of a group, in up to three dimensions.
        global_size: all work-items; what a loop's extent exceeds, a work-item takes several turns.
        openmp: let `mapPar` use the threads of a CPU (C only).

    Returns:
        One kernel, or several where all groups must be done before the rest.

    Raises:
        BuildFailed: the expression cannot be generated for these sizes or in this language.
    """
    target = Target(target)
    if target is Target.C:
        local_size = global_size = 1
    lowered = lower(expression, local_size=local_size, global_size=global_size)
    kernels = []
    for number, block in enumerate(lowered.blocks):
        dialect: Dialect = (
            OpenCL() if target is Target.OPENCL else Cuda() if target is Target.CUDA else C(openmp)
        )
        kernels.append(
            _print(lowered, number, block, dialect, name if number == 0 else f"{name}_{number}")
        )
    by_role: dict[str, list[Argument]] = {"input": [], "output": [], "temporary": []}
    used = {argument.name for kernel in kernels for argument in kernel.arguments}
    for argument in lowered.arguments:
        if argument.role != "temporary" or argument.name in used:
            by_role[argument.role].append(argument)
    return Program(
        target.value,
        tuple(kernels),
        tuple(by_role["input"]),
        tuple(by_role["output"]),
        tuple(by_role["temporary"]),
    )


def _print(lowered: Lowered, number: int, block: Block, dialect: Dialect, name: str) -> Kernel:
    local, groups = lowered.sizes(number)
    coordinates = places_of({key: variable for variable, key in lowered.places.items()})
    decided = plan(block, coordinates)
    printer = Printer(dialect, decided, lowered.places)
    lines = printer.body(block)
    read = {x.buffer for one in statements(block) for v in values_of(one) for x in loads(v)}
    written = {b for one in block.statements for b in stores_of(one)}
    held = {r for one in statements(block) for v in values_of(one) for r in registers(v)}
    arguments, parameters = [], []
    for argument in lowered.arguments:
        if argument.by_value:
            if lowered.values[argument.name] in held:
                arguments.append(argument)
                parameters.append(f"const {dialect.type(argument.scalar)} {argument.name}")
            continue
        buffer = lowered.buffers[argument.name]
        if buffer in read or buffer in written:
            arguments.append(argument)
            parameters.append(dialect.parameter(buffer, buffer in written))
    head = dialect.header(name, parameters, local)
    top = [*dialect.prelude.values(), *printer.tables.values()]
    # includes first, since the rest uses them
    top.sort(key=lambda text: not text.startswith(("#include", "#pragma OPENCL")))
    source = "\n".join([*top, f"{head} {{", *lines, "}", ""])
    used = _buffers(block)
    return Kernel(
        source,
        name,
        tuple(arguments),
        three(tuple(a * b for a, b in zip(local, groups, strict=True))),
        local,
        sum(b.length * SCALAR_BYTES[b.scalar] for b in used if b.space is Space.LOCAL),
        decided.scalars,
        sum(
            b.length * SCALAR_BYTES[b.scalar]
            for b in used
            if b.space is Space.PRIVATE and b not in decided.widths
        ),
        sum(isinstance(one, Barrier) for one in statements(block)),
    )


def _buffers(block: Block) -> list[Buffer]:
    found: dict[Buffer, None] = {}
    for one in statements(block):
        if isinstance(one, Store):
            found[one.buffer] = None
        for value in values_of(one):
            for load in loads(value):
                found[load.buffer] = None
    return list(found)
