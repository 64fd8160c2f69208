"""Which work-item touches which element of a buffer.

An offset is read as digits: where it is `... + c*v + rest` with `0 <= rest < c` and everything
else a multiple of `c * size(v)`, the element tells `v`; and where v is a work-item's place, or an
index that work-items share out, it tells the work-item. If all accesses to a buffer have the same
digit for a coordinate, then only one work-item in that coordinate ever touches an element: nobody
has to wait for anybody, and private memory can be cut down to the own elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from daybreak_rise.codegen.index import Index, Variable
from daybreak_rise.codegen.ir import (
    Allocate,
    Block,
    Buffer,
    Define,
    For,
    Guard,
    Level,
    ParallelFor,
    Space,
    Store,
)
from daybreak_rise.codegen.values import Inside, Value, loads

__all__ = [
    "Access",
    "Coordinate",
    "Digit",
    "accesses",
    "coordinates",
    "digits",
    "places_of",
    "shared_across",
]

# ("local" | "group", dimension)
Coordinate = tuple[str, int]


def coordinates(level: Level, dimension: int) -> tuple[Coordinate, ...]:
    """Return the coordinates that a loop of this level fixes."""
    if level is Level.GLOBAL:
        return ("group", dimension), ("local", dimension)
    return (("group" if level is Level.GROUP else "local", dimension),)


@dataclass(frozen=True, slots=True)
class Digit:
    """That an offset tells a work-item's share.

    It has a digit of weight `weight` from 0 to `size` - 1, every `count`-th value of which is the
    same work-item's (at `level` and `dimension`).
    """

    level: Level
    dimension: int
    weight: int
    size: int
    count: int


# the parallel loops around an access, the sequential ones, and where one work-item is alone
_Around: TypeAlias = "tuple[tuple[ParallelFor, ...], tuple[For, ...], frozenset[Coordinate]]"


# not frozen: thousands are made for a kernel, which then takes thrice as long
@dataclass(slots=True, eq=False)
class Access:
    """A load or a store.

    `loops` are the parallel loops around it, `after` those of them inside the buffer's scope;
    `alone` the coordinates in which a guard lets only the first work-item through.
    """

    buffer: Buffer
    offset: Index
    width: int
    writes: bool
    loops: tuple[ParallelFor, ...]
    sequential: tuple[For, ...]
    alone: frozenset[Coordinate]
    depth: int


def accesses(block: Block, places: Mapping[Variable, Coordinate]) -> list[Access]:
    """Return every load and store in `block`."""
    found: list[Access] = []
    scopes: dict[Buffer, int] = {}

    def go(block: Block, around: _Around) -> None:
        loops, sequential, alone = around

        def note(value: Value) -> None:
            for one in loads(value):
                depth = scopes.get(one.buffer, 0)
                found.append(Access(one.buffer, one.offset, one.width, False, *around, depth))

        for one in block.statements:
            match one:
                case Allocate():
                    scopes[one.buffer] = len(loops)
                case Store():
                    note(one.value)
                    for read in one.offset.reads():
                        note(read)
                    depth, width = scopes.get(one.buffer, 0), one.value.width
                    found.append(Access(one.buffer, one.offset, width, True, *around, depth))
                case Define():
                    if one.value is not None:
                        note(one.value)
                case For():
                    go(one.body, (loops, (*sequential, one), alone))
                case ParallelFor():
                    go(one.body, ((*loops, one), sequential, alone))
                case Guard():
                    note(one.test)
                    go(one.body, (loops, sequential, alone | _alone(one.test, places)))
                    if one.other is not None:
                        go(one.other, around)

    go(block, ((), (), frozenset()))
    return found


def _alone(test: Value, places: Mapping[Variable, Coordinate]) -> frozenset[Coordinate]:
    if isinstance(test, Inside) and (test.low, test.high) == (0, 1) and test.of.rest == 0:
        match test.of.terms:
            case ((Variable() as place, 1),) if place in places:
                return frozenset((places[place],))
    return frozenset()


def digits(access: Access, places: Mapping[Variable, Coordinate]) -> dict[Digit, Variable]:
    """Return the digits of an access's offset that tell work-items, with their variables."""
    shares = {loop.variable: loop for loop in access.loops}
    found: dict[Digit, Variable] = {}
    for atom, weight in access.offset.terms:
        if not isinstance(atom, Variable) or weight <= 0:
            continue
        loop = shares.get(atom)
        if loop is not None:
            digit = Digit(loop.level, loop.dimension, weight, atom.size, loop.count)
        elif atom in places:
            kind, dimension = places[atom]
            level = Level.GROUP if kind == "group" else Level.LOCAL
            if kind == "both":
                level = Level.GLOBAL
            digit = Digit(level, dimension, weight, atom.size, atom.size)
        else:
            continue
        if _separate(access, atom, weight):
            found[digit] = atom
    return found


def _separate(access: Access, variable: Variable, weight: int) -> bool:
    """Return whether the offset's other terms leave the digit of `variable` alone."""
    high = weight * variable.size
    low_end, high_end = 0, access.offset.rest % high + access.width - 1
    for atom, factor in access.offset.terms:
        if atom is variable or factor % high == 0:
            continue
        if factor > 0:
            low_end += factor * atom.low
            high_end += factor * atom.high
        else:
            return False
    return low_end >= 0 and high_end < weight


def places_of(statements_: Mapping[tuple[Level, int], Variable]) -> dict[Variable, Coordinate]:
    """Return what the variables of places stand for; mapGlobal's stands for "both"."""
    names = {Level.GLOBAL: "both", Level.GROUP: "group", Level.LOCAL: "local"}
    return {variable: (names[level], d) for (level, d), variable in statements_.items()}


def shared_across(
    buffer: Buffer,
    touched: list[Access],
    places: Mapping[Variable, Coordinate],
    used: frozenset[Coordinate],
) -> frozenset[Coordinate]:
    """Return the coordinates in which different work-items may touch the same element."""
    open_ = {c for c in used if buffer.space is not Space.LOCAL or c[0] == "local"}
    for coordinate in sorted(open_):
        if all(coordinate in access.alone for access in touched):
            open_.discard(coordinate)
    common: set[Digit] | None = None
    for access in touched:
        own = set(digits(access, places))
        common = own if common is None else common & own
    for digit in common or ():
        open_ -= set(coordinates(digit.level, digit.dimension))
    return frozenset(open_)
