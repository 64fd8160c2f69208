"""Lowered programs with their parameters: what a kernel is called with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from daybreak import BuildFailed
from daybreak_rise.codegen.index import Index, Variable, of
from daybreak_rise.codegen.index import Read as ReadAtom
from daybreak_rise.codegen.ir import (
    Block,
    Buffer,
    Level,
    Space,
)
from daybreak_rise.codegen.launch import Launch, three
from daybreak_rise.codegen.ownership import Coordinate
from daybreak_rise.codegen.program import Argument
from daybreak_rise.codegen.values import Register
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
from daybreak_rise.expr import Expr, nodes
from daybreak_rise.nat import Nat
from daybreak_rise.types import (
    ArrayType,
    FunType,
    IndexType,
    PairType,
    Type,
    VectorType,
)

__all__ = ["Lowered", "Names", "check", "parameter", "result"]


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


_KEYWORDS = frozenset(
    (
        "auto",
        "bool",
        "break",
        "case",
        "char",
        "const",
        "constant",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "global",
        "goto",
        "half",
        "if",
        "image1d_t",
        "in",
        "inline",
        "int",
        "kernel",
        "local",
        "long",
        "out",
        "private",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "uint",
        "ulong",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "class",
        "new",
        "template",
        "this",
        "true",
        "false",
        "operator",
        "vec",
        "load",
        "store",
        "copies",
    )
)


# what the printer and the translation call things
_GENERATED = re.compile(r"(lid|gid|wg|tile|temp|[glortwk])\d+|[ik](_\d+)?")


class Names:
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


def parameter(lowered: Lowered, names: Names, hint: str, type_: Type, number: int) -> View:
    """Add the expression's parameter `number` and return the view of it."""
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


def result(lowered: Lowered, names: Names, type_: Type) -> View:
    """Add the result and return the place of it."""
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


def check(expression: Expr) -> None:
    """Refuse what has no numbers or no meaning.

    Raises:
        BuildFailed: a size is a symbol, or an identifier is free.
    """
    if expression.free:
        raise BuildFailed(f"free identifiers: {', '.join(sorted(expression.free))}")
    seen: set[Type] = set()
    for one in nodes(expression, once=True):
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
