"""Vectors as views of scalars, and scalars as lanes of vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daybreak_rise.codegen.index import Index, Variable, constant, of
from daybreak_rise.codegen.ir import Block, Define, Statement
from daybreak_rise.codegen.values import (
    Broadcast,
    Choice,
    Lane,
    Load,
    Operation,
    Pack,
    Register,
    Value,
)
from daybreak_rise.codegen.values import registers as used
from daybreak_rise.codegen.views import ArrayView, Memory, Scalar, View, as_array, as_scalar

__all__ = ["Lanes", "Scratch", "joined_vectors", "lanes_of", "split_vectors"]


class Scratch:
    """What reading a vector lane by lane needs of the translation.

    Attributes:
        attempt: calls a function and returns its value with the statements that it added.
        add: adds a statement for good.
        fresh: makes a register of a scalar type and width.
    """

    __slots__ = ("add", "attempt", "fresh")

    def __init__(
        self,
        attempt: Callable[[Callable[[], Value]], tuple[Value, Block]],
        add: Callable[[Statement], None],
        fresh: Callable[[str, int], Register],
    ) -> None:
        self.attempt = attempt
        self.add = add
        self.fresh = fresh


class Lanes(Scalar):
    """A vector seen in an array of scalars: the `width` elements from `start` on.

    Reading it is one load where the scalars stand side by side in memory, an operation on vectors
    where they are computed lane by lane, else scalars packed together.
    """

    __slots__ = ("base", "scratch", "start", "width")

    def __init__(self, base: ArrayView, start: Index, width: int, scratch: Scratch) -> None:
        self.base = base
        self.start = start
        self.width = width
        self.scratch = scratch

    @property
    def cheap(self) -> bool:
        """Whether using the value twice costs nothing: no."""
        return False

    def lane(self, place: Index) -> View:
        """Return the view of one lane."""
        return self.base.at(self.start + place)

    def side_by_side(self) -> Memory | None:
        """Return the memory of all lanes, if they stand side by side."""
        probe = Variable("lane", self.width)
        place = self.lane(of(probe))
        if not isinstance(place, Memory) or place.width != 1:
            return None
        start = _without(place.offset, probe)
        return None if start is None else Memory(place.buffer, start, self.width)

    def value(self) -> Value:
        """Return the vector."""
        if self.width == 1:
            return as_scalar(self.lane(constant(0))).value()
        probe = Variable("lane", self.width)
        lane, added = self.scratch.attempt(lambda: as_scalar(self.lane(of(probe))).value())
        whole = self._widened(lane, added, probe)
        if whole is not None:
            return whole
        return Pack(tuple(as_scalar(self.lane(constant(i))).value() for i in range(self.width)))

    def _widened(self, lane: Value, added: Block, probe: Variable) -> Value | None:
        """Return the vector of `lane` for every probe, with its definitions made vectors too."""
        registers: dict[Register, Value] = {}
        defined = []
        for one in _plain(added):
            if not isinstance(one, Define) or one.value is None:
                return None
            value = _widen(one.value, probe, registers)
            if value is None:
                return None
            register = self.scratch.fresh(value.scalar, value.width)
            registers[one.register] = register
            defined.append(Define(register, value))
        whole = _widen(lane, probe, registers)
        if whole is not None:
            for statement in defined:
                self.scratch.add(statement)
        return whole


def split_vectors(array: ArrayView, width: int, scratch: Scratch) -> ArrayView:
    """Return the view of an array of scalars as vectors."""
    return ArrayView(array.size // width, lambda i: Lanes(array, i * width, width, scratch))


def joined_vectors(array: View, width: int) -> ArrayView:
    """Return the view of an array of vectors as scalars."""
    vectors = as_array(array)
    return ArrayView(
        vectors.size * width, lambda i: lanes_of(as_scalar(vectors.at(i // width)), i % width)
    )


def lanes_of(vector: Scalar, place: Index) -> View:
    """Return one lane of a vector."""
    if isinstance(vector, Memory):
        return Memory(vector.buffer, vector.offset + place, 1)
    if isinstance(vector, Lanes):
        return vector.lane(place)
    return Scalar(_lane(vector.value, place))


def _lane(vector: Callable[[], Value], place: Index) -> Callable[[], Value]:
    def found() -> Value:
        value = vector()
        if value.width == 1:
            return value
        if isinstance(value, Broadcast):
            return value.of
        if isinstance(value, Load):
            return Load(value.buffer, value.offset + place)
        if isinstance(value, Pack) and place.known:
            return value.lanes[place.rest]
        return Lane(value, place)

    return found


def _plain(block: Block) -> list[Statement]:
    found: list[Statement] = []
    for one in block.statements:
        found += _plain(one) if isinstance(one, Block) else [one]
    return found


def _without(offset: Index, probe: Variable) -> Index | None:
    """Return offset - probe if that does not depend on the probe any more."""
    rest = offset - of(probe)
    return None if any(v is probe for v in rest.variables()) else rest


def _widen(lane: Value, probe: Variable, registers: Mapping[Register, Value]) -> Value | None:
    """Return the vector whose lane `probe` is `lane`, None where only packing helps."""
    if isinstance(lane, Register):
        return registers.get(lane) or Broadcast(lane, probe.size)
    if isinstance(lane, Load):
        if lane.offset.reads():
            return None
        if all(v is not probe for v in lane.offset.variables()):
            return Broadcast(lane, probe.size)
        start = _without(lane.offset, probe)
        return None if start is None else Load(lane.buffer, start, probe.size)
    if isinstance(lane, Operation) and lane.scalar in ("f32", "f64") and lane.name != "cast":
        parts = [_widen(part, probe, registers) for part in lane.arguments]
        if any(part is None for part in parts):
            return None
        return Operation(lane.name, tuple(p for p in parts if p is not None), lane.scalar)
    if isinstance(lane, Choice) and _same(lane.test, probe, registers):
        yes, no = _widen(lane.yes, probe, registers), _widen(lane.no, probe, registers)
        return None if yes is None or no is None else Choice(lane.test, yes, no)
    return Broadcast(lane, probe.size) if _same(lane, probe, registers) else None


def _same(value: Value, probe: Variable, registers: Mapping[Register, Value]) -> bool:
    """Return whether `value` is the same for every lane."""
    return all(v is not probe for v in value.variables()) and not any(
        r in registers for r in used(value)
    )
