"""From a typed low-level expression to kernels: all passes in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from daybreak import BuildFailed
from daybreak_rise.codegen.barriers import exclusive, sharing, synchronise, used_coordinates
from daybreak_rise.codegen.c import C
from daybreak_rise.codegen.cuda import Cuda
from daybreak_rise.codegen.dialect import Dialect
from daybreak_rise.codegen.index import Index, Variable, of
from daybreak_rise.codegen.index import Read as ReadAtom
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
from daybreak_rise.codegen.opencl import OpenCL
from daybreak_rise.codegen.ownership import Coordinate, places_of
from daybreak_rise.codegen.printing import Printer
from daybreak_rise.codegen.program import SCALAR_BYTES, Argument, Kernel, Program
from daybreak_rise.codegen.registers import keep_own, plan
from daybreak_rise.codegen.reuse import reuse_local
from daybreak_rise.codegen.tidy import stores_of, tidy, values_of
from daybreak_rise.codegen.translate import Translator
from daybreak_rise.codegen.values import Register, loads, registers
from daybreak_rise.codegen.views import (
    IndexView,
    Leaf,
    Scalar,
    Storage,
    View,
    layout,
    memory,
    scalar_of,
)
from daybreak_rise.expr import Expr, Lambda, nodes
from daybreak_rise.nat import Nat
from daybreak_rise.types import (
    ArrayType,
    FunType,
    IndexType,
    PairType,
    Type,
    VectorType,
    inputs,
)

__all__ = ["Lowered", "Target", "generate", "lower"]


class Target(StrEnum):
    """The language to generate."""

    OPENCL = "opencl"
    C = "c"
    CUDA = "cuda"


@dataclass(slots=True)
class Lowered:
    """The imperative programs of the kernels, before they are printed (see `simulate`).

    Attributes:
        blocks: one for each kernel, with barriers and guards.
        launch: the work-items that were asked for.
        used: for each kernel the coordinates it uses; the others are run with one work-item.
        places: the variables that stand for a work-item's own place.
        arguments: every buffer and value that a kernel may be given.
        buffers: the buffer of each argument; None for values.
        values: the register of each argument that is passed by value.
    """

    blocks: list[Block]
    launch: Launch
    used: list[frozenset[Coordinate]]
    places: dict[Variable, tuple[Level, int]]
    arguments: list[Argument]
    buffers: dict[str, Buffer]
    values: dict[str, Register]

    def sizes(self, number: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return work-items of a group and number of groups of a kernel."""
        used = self.used[number]
        local = tuple(n if ("local", d) in used else 1 for d, n in enumerate(self.launch.local))
        group = tuple(n if ("group", d) in used else 1 for d, n in enumerate(self.launch.groups))
        return three(local), three(group)


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
    _check(expression)
    launch = Launch.of(local_size, global_size)
    translator = Translator(launch)
    lowered = Lowered([], launch, [], {}, [], {}, {})
    names = _Names()
    environment: dict[str, View] = {}
    body = expression
    number = 0
    while isinstance(body, Lambda):
        param = body.param
        environment[param.name] = _parameter(lowered, names, param.name, param.type, number)
        body = body.body
        number += 1
    if isinstance(body.type, FunType):
        taken, _ = inputs(body.type)
        extra = []
        for place, type_ in enumerate(taken):
            extra.append(_parameter(lowered, names, f"x{place}", type_, number + place))
        out = _result(lowered, names, inputs(body.type)[1])
        translator.apply(body, environment, tuple(extra), out)
    else:
        out = _result(lowered, names, body.type)
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
    used = [b for b in _buffers(block)]
    return Kernel(
        source,
        name,
        tuple(arguments),
        three(tuple(a * b for a, b in zip(local, groups, strict=True))),
        local,
        sum(b.length * SCALAR_BYTES[b.scalar] for b in used if b.space is Space.LOCAL),
        sum(b.length for b in decided.widths),
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


# ---- parameters and results


_KEYWORDS = frozenset(
    "auto bool break case char const constant continue default do double else enum extern float "
    "for global goto half if image1d_t in inline int kernel local long out private register "
    "restrict return short signed sizeof static struct switch typedef uint ulong union unsigned "
    "void volatile while class new template this true false operator vec load store copies".split()
)


# what the printer and the translation call things
_GENERATED = re.compile(r"(lid|gid|wg|tile|temp|[glortwk])\d+|[ik](_\d+)?")


class _Names:
    """Names of parameters that clash with nothing."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, hint: str) -> str:
        """Return a name like `hint`."""
        name = re.sub(r"\W", "_", hint.split("_")[0]) or "x"
        if name in _KEYWORDS or _GENERATED.fullmatch(name):
            name = f"{name}_"
        base, number = name, 1
        while name in self.taken:
            number += 1
            name = f"{base}{number}_"
        self.taken.add(name)
        return name


def _parameter(lowered: Lowered, names: _Names, hint: str, type_: Type, number: int) -> View:
    if isinstance(type_, FunType):
        raise BuildFailed("a kernel cannot take a function")
    base = names.of(hint)
    if not isinstance(type_, ArrayType | PairType | VectorType):
        scalar, _ = scalar_of(type_)
        register = Register(base, scalar, 1)
        lowered.arguments.append(Argument(base, "input", scalar, (), True, number))
        lowered.values[base] = register
        if isinstance(type_, IndexType):
            return IndexView(of(ReadAtom(register, int(type_.size))))  # type: ignore[arg-type]
        return Scalar(register)
    return _buffers_for(lowered, base, type_, "input", number)


def _result(lowered: Lowered, names: _Names, type_: Type) -> View:
    return _buffers_for(lowered, names.of("result"), type_, "output", 0)


def _buffers_for(lowered: Lowered, base: str, type_: Type, role: str, number: int) -> View:
    made: dict[str, Buffer] = {}
    for leaf in layout(type_):
        name = f"{base}{'_' if leaf.path else ''}{leaf.path}"
        buffer = Buffer(name, leaf.scalar, leaf.length, Space.GLOBAL, role)
        made[leaf.path] = buffer
        lowered.buffers[name] = buffer
        lowered.arguments.append(_argument(name, role, leaf, number))
    return memory(type_, _tree(type_, made, ""), Index((), 0))


def _argument(name: str, role: str, leaf: Leaf, number: int) -> Argument:
    return Argument(name, role, leaf.scalar, leaf.shape, False, number, leaf.path)


def _tree(type_: Type, made: Mapping[str, Buffer], path: str) -> Storage:
    match type_:
        case ArrayType():
            return _tree(type_.element, made, path)
        case PairType():
            return _tree(type_.first, made, path + "0"), _tree(type_.second, made, path + "1")
    return made[path]


def _check(expression: Expr) -> None:
    """Refuse what has no numbers or no meaning.

    Raises:
        BuildFailed: a size is a symbol, or an identifier is free.
    """
    if expression.free:
        raise BuildFailed(f"free identifiers: {', '.join(sorted(expression.free))}")
    seen: set[Type] = set()
    for one in nodes(expression):
        statics = getattr(one, "statics", ())
        symbol = next((s for s in statics if isinstance(s, Nat)), None)
        if one.type not in seen:
            seen.add(one.type)
            symbol = symbol or _symbol(one.type)
        if symbol is not None:
            raise BuildFailed(f"the size {symbol} is not known; code needs numbers")


def _symbol(type_: Type) -> Nat | None:
    match type_:
        case ArrayType() | VectorType():
            return type_.size if isinstance(type_.size, Nat) else _symbol(type_.element)
        case IndexType():
            return type_.size if isinstance(type_.size, Nat) else None
        case PairType():
            return _symbol(type_.first) or _symbol(type_.second)
        case FunType():
            return _symbol(type_.input) or _symbol(type_.output)
    return None
