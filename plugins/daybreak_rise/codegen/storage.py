"""Taking memory, and telling what a place is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from daybreak_rise.codegen.index import Index, constant, of
from daybreak_rise.codegen.ir import Allocate, Buffer, Level, Space
from daybreak_rise.codegen.vectors import Lanes
from daybreak_rise.codegen.views import (
    ArrayView,
    Memory,
    PairView,
    Scalar,
    Storage,
    View,
    memory,
    scalar_of,
)
from daybreak_rise.types import AddressSpace, ArrayType, PairType, Type

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = ["allocate", "leaves", "plain_place"]


def allocate(translator: Translator, type_: Type, space: AddressSpace) -> View:
    """Return a new place for a value of `type_`.

    Memory that work-items share is taken once for the whole kernel, so a place that is taken
    inside parallel loops gets a part for each work-item (or group) that these tell apart.
    """
    kept = Space(space.value)
    if kept is Space.LOCAL and translator.one_item:
        kept = Space.PRIVATE  # nobody to share it with
    copies, position = 1, constant(0)
    if kept is not Space.PRIVATE:
        for loop in translator.around:
            place = loop.place
            if kept is Space.LOCAL and loop.level is Level.GROUP:
                continue
            if kept is Space.LOCAL and loop.level is Level.GLOBAL:
                count = translator.launch.local[loop.dimension]
                if count == 1:
                    continue
                place = translator.place(Level.LOCAL, loop.dimension, count)
            copies *= place.size
            position = position * place.size + of(place)
    return memory(type_, _storage(translator, type_, kept, copies), position)


def _storage(translator: Translator, type_: Type, space: Space, count: int) -> Storage:
    match type_:
        case ArrayType():
            size = int(type_.size)  # type: ignore[arg-type]
            return _storage(translator, type_.element, space, count * size)
        case PairType():
            return (
                _storage(translator, type_.first, space, count),
                _storage(translator, type_.second, space, count),
            )
    scalar, width = scalar_of(type_)
    made: Buffer = translator.buffer(scalar, count * width, space)
    translator.add(Allocate(made))
    return made


def leaves(view: View) -> Iterator[Memory]:
    """Yield the memory that a place is made of, one element of each array standing for all."""
    if isinstance(view, ArrayView):
        yield from leaves(view.at(Index((), 0)))
    elif isinstance(view, PairView):
        yield from leaves(view.first)
        yield from leaves(view.second)
    elif isinstance(view, Memory):
        yield view
    elif isinstance(view, Lanes):
        yield from leaves(view.lane(constant(0)))


def plain_place(view: View, space: str) -> bool:
    """Return whether a place is memory of that space throughout, to be read as well as written."""
    if isinstance(view, ArrayView):
        return plain_place(view.at(Index((), 0)), space)
    if isinstance(view, PairView):
        return plain_place(view.first, space) and plain_place(view.second, space)
    if isinstance(view, Memory):
        return view.buffer.space == space
    return (
        isinstance(view, Scalar)
        and isinstance(view, Lanes)
        and plain_place(view.lane(constant(0)), space)
    )
