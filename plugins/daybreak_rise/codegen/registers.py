"""Private memory: each work-item keeps only its own elements, in registers where it can.

A private buffer that is written inside a loop over work-items has an element for every index of
that loop, of which a work-item only ever touches its own: index `place + count * turn`. The digit
of the index (see `ownership`) is replaced by that of the turn. What is left goes to registers if
all offsets become numbers once the loops around are written out, and if that is not too much code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daybreak import BuildFailed
from daybreak_rise.codegen.index import Index, Variable, of
from daybreak_rise.codegen.ir import (
    Block,
    Buffer,
    For,
    ParallelFor,
    Space,
    blocks,
)
from daybreak_rise.codegen.ownership import Access, Coordinate, Digit, accesses, digits
from daybreak_rise.codegen.tidy import rewrite
from daybreak_rise.codegen.unread import unread

__all__ = ["MOST_ELEMENTS", "MOST_STATEMENTS", "Registers", "keep_own", "plan"]

#: more scalars than this stay an array: no device has so many registers for a work-item
MOST_ELEMENTS = 256
#: a loop is written out only while the kernel stays below so many statements
MOST_STATEMENTS = 640


def keep_own(block: Block, places: Mapping[Variable, Coordinate]) -> None:
    """Cut private buffers down to the elements that one work-item touches.

    Raises:
        BuildFailed: a work-item would have to read what another one keeps for itself.
    """
    touched: dict[Buffer, list[Access]] = {}
    for access in accesses(block, places):
        if access.buffer.space is Space.PRIVATE:
            touched.setdefault(access.buffer, []).append(access)
    moves: dict[Buffer, list[Digit]] = {}
    turns: dict[Variable, ParallelFor] = {}
    for buffer, found in touched.items():
        shares = _shares(buffer, found, places)
        if not shares:
            continue
        moves[buffer] = sorted(shares, key=lambda d: -d.weight)
        for access in found:
            for loop in access.loops:
                turns[loop.variable] = loop
    if not moves:
        return

    def move(buffer: Buffer, offset: Index) -> Index:
        for digit in moves.get(buffer, ()):
            offset = _cut(offset, digit, turns)
        return offset

    rewrite(block, move)
    for buffer, cut in moves.items():
        for digit in cut:
            buffer.length = buffer.length // digit.size * -(-digit.size // digit.count)


def _shares(
    buffer: Buffer, found: list[Access], places: Mapping[Variable, Coordinate]
) -> set[Digit]:
    """Return the digits by which work-items share a private buffer out."""
    wanted: set[tuple[object, ...]] = set()
    for access in found:
        if access.writes:
            wanted |= {_kind(loop) for loop in access.loops[access.depth :]}
    if not wanted:
        return set()
    common: set[Digit] | None = None
    for access in found:
        inner = access.loops[access.depth :]
        if not wanted <= {_kind(loop) for loop in inner}:
            raise _unshared(buffer)
        own = {d for d, v in digits(access, places).items() if any(v is x.variable for x in inner)}
        own = {d for d in own if (d.level, d.dimension, d.size, d.count) in wanted}
        common = own if common is None else common & own
    assert common is not None  # noqa: S101  (there is a store)
    needed = {kind for kind in wanted if kind[2] != 1}
    if {(d.level, d.dimension, d.size, d.count) for d in common} != needed:
        raise _unshared(buffer)
    return common


def _kind(loop: ParallelFor) -> tuple[object, ...]:
    return loop.level, loop.dimension, loop.variable.size, loop.count


def _unshared(buffer: Buffer) -> BuildFailed:
    return BuildFailed(
        f"private memory ({buffer.length} x {buffer.scalar}) is written by one work-item and read "
        "by another: keep it in local memory"
    )


def _cut(offset: Index, digit: Digit, turns: Mapping[Variable, ParallelFor]) -> Index:
    """Return the offset with the digit's variable replaced by its loop's turn."""
    rounds = -(-digit.size // digit.count)
    high = digit.weight * digit.size
    above, below = [], []
    replaced = Index((), 0)
    for atom, factor in offset.terms:
        if factor % high == 0:
            above.append((atom, factor // high * digit.weight * rounds))
        elif isinstance(atom, Variable) and factor == digit.weight and atom in turns:
            replaced = of(turns[atom].turn, digit.weight)
        else:
            below.append((atom, factor))
    upper, rest = divmod(offset.rest, high)
    whole = Index(tuple(above), upper * digit.weight * rounds)
    return whole + replaced + Index(tuple(below), rest)


# ---- what becomes registers


@dataclass(slots=True)
class Registers:
    """Decisions about a kernel.

    Attributes:
        widths: the private buffers kept in registers, with the lanes of each.
        unrolled: ids of the loops that are written out.
        unread: the numbers of elements that are only ever written.
    """

    widths: dict[Buffer, int]
    unrolled: set[int]
    unread: dict[Buffer, frozenset[int]] = field(default_factory=dict)

    @property
    def scalars(self) -> int:
        """How many scalars are kept in registers."""
        return sum(
            buffer.length - width * len(self.unread.get(buffer, ()))
            for buffer, width in self.widths.items()
        )


def plan(block: Block, places: Mapping[Variable, Coordinate]) -> Registers:
    """Return what to keep in registers and which loops to write out for it."""
    unrolled = {
        id(one)
        for one in _loops(block)
        if isinstance(one, For) and one.unroll and one.variable.size <= MOST_ELEMENTS
    }
    if _size(block, unrolled) > 2 * MOST_STATEMENTS:
        unrolled = set()
    touched: dict[Buffer, list[Access]] = {}
    for access in accesses(block, places):
        if access.buffer.space is Space.PRIVATE:
            touched.setdefault(access.buffer, []).append(access)
    widths: dict[Buffer, int] = {}
    for buffer, found in sorted(touched.items(), key=lambda item: item[0].length):
        width = _width(found)
        needed = _needed(found)
        if width is None or needed is None or buffer.length > MOST_ELEMENTS:
            continue
        more = unrolled | needed
        if more == unrolled or _size(block, more) <= MOST_STATEMENTS:
            widths[buffer] = width
            unrolled = more
    return Registers(widths, unrolled, unread(block, widths, unrolled))


def _width(found: list[Access]) -> int | None:
    """Return the lanes of a buffer's elements; None where vectors of several sizes overlap.

    What is computed scalar by scalar and only read as vectors in the end stays scalars, which are
    packed there: of vectors whose lanes are added to one by one compilers make less.
    """
    wide = {access.width for access in found if access.width > 1}
    written = {access.width for access in found if access.writes}
    if not wide or written <= {1}:
        return 1
    if len(wide) > 1:
        return None
    (width,) = wide
    aligned = all(
        access.width == 1
        or (access.offset.rest % width == 0 and all(f % width == 0 for _, f in access.offset.terms))
        for access in found
    )
    return width if aligned else None


def _needed(found: list[Access]) -> set[int] | None:
    """Return the ids of the loops on whose counters offsets depend; None where others matter."""
    needed: set[int] = set()
    for access in found:
        counters: dict[Variable, int] = {one.variable: id(one) for one in access.sequential}
        counters |= {one.turn: id(one) for one in access.loops}
        if access.offset.reads():
            return None
        for variable in access.offset.variables():
            loop = counters.get(variable)
            if loop is None:
                return None
            needed.add(loop)
    return needed


def _loops(block: Block) -> list[For | ParallelFor]:
    found: list[For | ParallelFor] = []
    for one in block.statements:
        if isinstance(one, For | ParallelFor):
            found.append(one)
        for inner in blocks(one):
            found += _loops(inner)
    return found


def _size(block: Block, unrolled: set[int]) -> int:
    """Return how many statements there are once these loops are written out."""
    total = 0
    for one in block.statements:
        inner = sum(_size(part, unrolled) for part in blocks(one))
        if id(one) in unrolled:
            inner *= one.variable.size if isinstance(one, For) else one.turn.size  # type: ignore[union-attr]
        total += inner + 1
    return total
