"""The tree that a constraint is parsed to: plain frozen nodes, no behaviour but writing out.

`column` is the 1-based place in the source text and takes no part in comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Arithmetic",
    "Call",
    "Compare",
    "Constant",
    "Item",
    "Logic",
    "Member",
    "Name",
    "Negative",
    "Node",
    "Not",
    "Position",
    "children",
    "names_in",
    "write",
]


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, text, truth value, or an order written as a list of whole numbers."""

    value: int | float | str | bool | tuple[int, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a parameter."""

    name: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus its operand."""

    operand: Node
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left op right` with op one of + - * / // % **."""

    op: str
    left: Node
    right: Node
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`operands[0] ops[0] operands[1] ops[1] ...`: holds where every link holds."""

    operands: tuple[Node, ...]
    ops: tuple[str, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """`item in [choices]`, or `item not in [choices]` where `negated`."""

    item: Node
    choices: tuple[Node, ...]
    negated: bool
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of its operand."""

    operand: Node
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` over two or more operands."""

    op: str
    operands: tuple[Node, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`min(...)`, `max(...)` or `abs(x)`."""

    function: str
    arguments: tuple[Node, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Position:
    """`pos(permutation, element)`: the position at which `element` stands, counted from 0."""

    permutation: str
    element: Node
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """`permutation[position]`: the element that stands at `position`, counted from 0."""

    permutation: str
    position: Node
    column: int = field(default=0, compare=False)


Node: TypeAlias = (
    Constant
    | Name
    | Negative
    | Arithmetic
    | Compare
    | Member
    | Not
    | Logic
    | Call
    | Position
    | Item
)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`."""
    match node:
        case Constant() | Name():
            return ()
        case Negative(operand) | Not(operand):
            return (operand,)
        case Arithmetic(_, left, right):
            return (left, right)
        case Compare(operands, _) | Logic(_, operands):
            return operands
        case Member(item, choices, _):
            return (item, *choices)
        case Call(_, arguments):
            return arguments
        case Position(_, element):
            return (element,)
        case Item(_, position):
            return (position,)


def names_in(node: Node) -> Iterator[tuple[str, int]]:
    """Yield the name and column of every parameter in `node`, from left to right."""
    match node:
        case Name(name, column) | Position(name, _, column) | Item(name, _, column):
            yield name, column
        case _:
            pass
    for child in children(node):
        yield from names_in(child)


def write(node: Node) -> str:
    """Write `node` out in full, with every pair of parentheses; parses to an equal tree."""
    match node:
        case Constant(value):
            if isinstance(value, str):
                return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
            return str(list(value)) if isinstance(value, tuple) else repr(value)
        case Name(name):
            return name
        case Negative(operand):
            return f"(-{write(operand)})"
        case Not(operand):
            return f"(not {write(operand)})"
        case Arithmetic(op, left, right):
            return f"({write(left)} {op} {write(right)})"
        case Compare(operands, ops):
            links = "".join(f" {op} {write(x)}" for op, x in zip(ops, operands[1:], strict=True))
            return f"({write(operands[0])}{links})"
        case Member(item, choices, negated):
            word = "not in" if negated else "in"
            return f"({write(item)} {word} [{', '.join(map(write, choices))}])"
        case Logic(op, operands):
            return "(" + f" {op} ".join(map(write, operands)) + ")"
        case Call(function, arguments):
            return f"{function}({', '.join(map(write, arguments))})"
        case Position(permutation, element):
            return f"pos({permutation}, {write(element)})"
        case Item(permutation, position):
            return f"{permutation}[{write(position)}]"
