"""Registers that are written and never read: the corners of windows that move on, say.

Of a window of planes a step may use only some elements; the others would be loaded and moved on
for nothing. An element is read if anything but a move within its own buffer reads it, or if it
moves to an element that is.
"""

from __future__ import annotations

from collections.abc import Mapping

from daybreak_rise.codegen.index import Index, Variable
from daybreak_rise.codegen.ir import (
    Block,
    Buffer,
    For,
    ParallelFor,
    Statement,
    Store,
    blocks,
    statements,
)
from daybreak_rise.codegen.tidy import values_of
from daybreak_rise.codegen.values import Load, loads

__all__ = ["unread"]

_Element = tuple[Buffer, int]


def unread(
    block: Block, widths: Mapping[Buffer, int], unrolled: set[int]
) -> dict[Buffer, frozenset[int]]:
    """Return the numbers of the elements that nobody reads, of buffers with moves within them.

    Args:
        block: a kernel.
        widths: the buffers kept in registers, with the lanes of an element.
        unrolled: ids of the loops that are written out: in them every offset is a number.
    """
    moving = {
        one.buffer
        for one in statements(block)
        if isinstance(one, Store) and one.buffer in widths and _moves(one)
    }
    if not moving:
        return {}
    walk = _Walk({buffer: widths[buffer] for buffer in moving}, unrolled)
    walk.go(block, {})
    read = walk.read()
    found: dict[Buffer, frozenset[int]] = {}
    for buffer in moving:
        numbers = range(buffer.length // widths[buffer])
        found[buffer] = frozenset(n for n in numbers if (buffer, n) not in read)
    return {buffer: numbers for buffer, numbers in found.items() if numbers}


def _moves(one: Store) -> bool:
    return isinstance(one.value, Load) and one.value.buffer is one.buffer


class _Walk:
    """What is read, seen while going through a kernel with its loops written out."""

    def __init__(self, widths: Mapping[Buffer, int], unrolled: set[int]) -> None:
        self.widths = widths
        self.unrolled = unrolled
        self.used: set[_Element] = set()
        self.moved: dict[_Element, set[_Element]] = {}  # to each element, from these

    def go(self, block: Block, now: Mapping[Variable, Index]) -> None:
        """Note what the statements in `block` read, their loops' counters being `now`."""
        for one in block.statements:
            self._note(one, now)
            if id(one) not in self.unrolled:
                for inner in blocks(one):
                    self.go(inner, now)
            elif any(self._touches(s) for inner in blocks(one) for s in statements(inner)):
                assert isinstance(one, For | ParallelFor)  # noqa: S101  (a loop)
                counter = one.variable if isinstance(one, For) else one.turn
                for number in range(counter.size):
                    self.go(one.body, {**now, counter: Index((), number)})

    def _touches(self, one: Statement) -> bool:
        return any(x.buffer in self.widths for v in values_of(one) for x in loads(v))

    def _note(self, one: Statement, now: Mapping[Variable, Index]) -> None:
        for value in values_of(one):
            for load in loads(value):
                if load.buffer not in self.widths:
                    continue
                for element in self._elements(load.buffer, load.offset, load.width, now):
                    if isinstance(one, Store) and load is one.value and _moves(one):
                        (to,) = self._elements(one.buffer, one.offset, 1, now)
                        self.moved.setdefault(to, set()).add(element)
                    else:
                        self.used.add(element)

    def _elements(
        self, buffer: Buffer, offset: Index, width: int, now: Mapping[Variable, Index]
    ) -> list[_Element]:
        place, held = offset.replaced(now), self.widths[buffer]
        assert place.known, (buffer, place)  # noqa: S101  (it is in registers)
        return [
            (buffer, n) for n in range(place.rest // held, (place.rest + width - 1) // held + 1)
        ]

    def read(self) -> set[_Element]:
        """Return the elements that are read, by way of others too."""
        found, waiting = set(self.used), list(self.used)
        while waiting:
            more = self.moved.get(waiting.pop(), set()) - found
            found |= more
            waiting += more
        return found
