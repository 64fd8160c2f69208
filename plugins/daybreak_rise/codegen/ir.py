"""The imperative programs that expressions are translated to.

A program is a block of statements that every work-item runs. Buffers hold scalars and are
addressed by offsets in scalars; a loop over a parallel level is a `ParallelFor`, in which the
work-item takes the indices `place, place + count, ...`. Barriers, kernels' ends and registers are
decided by later passes over this form (`barriers`, `kernels`, `registers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from daybreak_rise.codegen.index import Index, Variable
from daybreak_rise.codegen.values import Register, Value

__all__ = [
    "Allocate",
    "Barrier",
    "Block",
    "Buffer",
    "Define",
    "Filling",
    "For",
    "Guard",
    "Level",
    "ParallelFor",
    "Space",
    "Statement",
    "Store",
    "blocks",
    "statements",
]


class Space(StrEnum):
    """Where a buffer lives."""

    #: given to the kernel: an input, the output or a temporary in global memory
    GLOBAL = "global"
    LOCAL = "local"
    PRIVATE = "private"
    #: numbers known in advance
    TABLE = "table"


class Level(StrEnum):
    """What a parallel loop runs over."""

    GLOBAL = "global"
    GROUP = "group"
    LOCAL = "local"


@dataclass(eq=False, slots=True)
class Buffer:
    """Memory for `length` scalars.

    `role` is "input", "output" or "temporary". `table` holds the numbers of a TABLE.
    `wide` is the natural width of accesses, 1 unless every access is a vector of that width.
    """

    name: str
    scalar: str
    length: int
    space: Space
    role: str = "temporary"
    table: tuple[float, ...] = ()


@dataclass(slots=True, eq=False)
class Block:
    """Statements one after the other; a block in a block is a place to add more later."""

    statements: list[Statement] = field(default_factory=list)


@dataclass(slots=True, eq=False, frozen=True)
class Filling:
    """One writing of a whole value: its stores go to different elements.

    `loops` are the loops around the whole; each of their turns is another filling.
    """

    loops: frozenset[int]


@dataclass(slots=True, eq=False)
class Store:
    """`buffer[offset ...] = value`, as many scalars as the value is wide."""

    buffer: Buffer
    offset: Index
    value: Value
    filling: Filling | None = None


@dataclass(slots=True, eq=False)
class Define:
    """`register = value`; `mutable` ones were declared before by `value` None."""

    register: Register
    value: Value | None


@dataclass(slots=True, eq=False)
class Allocate:
    """From here to the end of the block there is `buffer` (private: one for each work-item)."""

    buffer: Buffer


@dataclass(slots=True, eq=False)
class For:
    """`for variable in 0 .. variable.size - 1`.

    `unroll` asks for straight-line code, `threads` for the threads of a CPU.
    """

    variable: Variable
    body: Block
    unroll: bool = False
    threads: bool = False


@dataclass(slots=True, eq=False)
class ParallelFor:
    """The work-item's share of `variable`: place, place + count, ... below variable.size.

    Attributes:
        variable: the index; a variable of its own, from 0 to size - 1.
        level: whose places are shared out.
        dimension: 0, 1 or 2.
        count: how many work-items or groups share (`place` is below it); known before.
        place: the variable that stands for the own place.
        turn: the variable that counts the rounds: variable = place + count * turn.
        body: what is done for each.
        ragged: all work-items go round equally often and the body's guards keep out what is past
            the end, because they have to meet at barriers in it.
    """

    variable: Variable
    level: Level
    dimension: int
    count: int
    place: Variable
    turn: Variable
    body: Block
    ragged: bool = False

    @property
    def whole(self) -> bool:
        """Whether every work-item goes round equally often."""
        return self.variable.size % self.count == 0

    def index(self) -> Index:
        """Return place + count * turn."""
        terms = [(v, f) for v, f in ((self.place, 1), (self.turn, self.count)) if v.size > 1]
        return Index(tuple(sorted(terms, key=lambda t: t[0].number)), 0)


@dataclass(slots=True, eq=False)
class Guard:
    """`if (test)`; `other` is what happens else."""

    test: Value
    body: Block
    other: Block | None = None


@dataclass(slots=True, eq=False)
class Barrier:
    """All work-items of a group meet; what they wrote to these memories is seen by all."""

    local: bool
    global_: bool


Statement: TypeAlias = "Block | Store | Define | Allocate | For | ParallelFor | Guard | Barrier"


def blocks(statement: Statement) -> tuple[Block, ...]:
    """Return the blocks right inside a statement."""
    # asked of every statement by every pass: comparing types is several times faster than isinstance
    kind = type(statement)
    if kind is For or kind is ParallelFor:
        return (statement.body,)
    if kind is Guard:
        return (statement.body,) if statement.other is None else (statement.body, statement.other)
    return (statement,) if kind is Block else ()


def statements(block: Block) -> Iterator[Statement]:
    """Yield every statement in `block`, outer ones first; blocks themselves are left out."""
    waiting: list[Statement] = [block]
    while waiting:
        one = waiting.pop()
        if type(one) is Block:
            waiting += reversed(one.statements)
            continue
        yield one
        waiting += reversed(blocks(one))
