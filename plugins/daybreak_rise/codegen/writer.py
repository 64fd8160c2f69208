"""Writing statements: the present block, registers, buffers, loops and stores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from daybreak import BuildFailed
from daybreak_rise.codegen.index import Index, Variable, constant, of
from daybreak_rise.codegen.ir import (
    Block,
    Buffer,
    Define,
    Filling,
    For,
    Guard,
    Level,
    ParallelFor,
    Space,
    Statement,
    Store,
)
from daybreak_rise.codegen.launch import Launch
from daybreak_rise.codegen.turns import Turns
from daybreak_rise.codegen.values import Choice, Constant, Inside, Load, Register, Value, loads
from daybreak_rise.codegen.vectors import Lanes, Scratch, lanes_of
from daybreak_rise.codegen.views import (
    ArrayView,
    Memory,
    PairView,
    Scalar,
    View,
    as_array,
    as_pair,
    as_scalar,
)
from daybreak_rise.types import ArrayType, PairType, Type

__all__ = ["Writer"]

_HINTS = {Space.PRIVATE: "r", Space.LOCAL: "tile", Space.GLOBAL: "temp", Space.TABLE: "table"}
_INDICES = {Level.GLOBAL: "g", Level.GROUP: "w", Level.LOCAL: "l"}


class Writer:
    """The block being written and the parallel loops around it."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.one_item = launch.global_ == (1, 1, 1)
        self.block = Block()
        self.around: list[ParallelFor] = []
        self.buffers: list[Buffer] = []
        self.places: dict[tuple[Level, int], Variable] = {}
        self._names = itertools.count()
        self.loops: list[int] = []
        self.turns: list[Turns] = []
        self.filling = Filling(frozenset())
        self.scratch = Scratch(self.attempt, self.add, self.register)

    def once(self, view: Scalar) -> Scalar:
        """Return a view that computes the value here, when it is first asked for."""
        place = Block()
        self.add(place)
        found: list[Register | Constant] = []

        def value() -> Value:
            if not found:
                with self.into(place):
                    found.append(self.define(view.value()))
            return found[0]

        return Scalar(value)

    def define(self, value: Value) -> Register | Constant:
        """Return a register that holds `value` from here on."""
        if isinstance(value, Register | Constant):
            return value
        register = self.register(value.scalar, value.width)
        self.add(Define(register, value))
        return register

    # ---- statements

    def add(self, statement: Statement) -> None:
        """Append a statement to the present block."""
        self.block.statements.append(statement)

    @contextmanager
    def into(self, block: Block) -> Iterator[None]:
        """Write to `block` for a while."""
        before, self.block = self.block, block
        try:
            yield
        finally:
            self.block = before

    @contextmanager
    def fill(self) -> Iterator[None]:
        """Say that what is written from here on fills a place anew."""
        before, self.filling = self.filling, Filling(frozenset(self.loops))
        try:
            yield
        finally:
            self.filling = before

    def attempt(self, function: Callable[[], Value]) -> tuple[Value, Block]:
        """Return what `function` returns and a block with what it added, which is not kept."""
        block = Block()
        with self.into(block):
            value = function()
        return value, block

    def register(self, scalar: str, width: int) -> Register:
        """Return a new register."""
        return Register(f"t{next(self._names)}", scalar, width)

    def buffer(
        self,
        scalar: str,
        length: int,
        space: Space,
        *,
        table: tuple[float, ...] = (),
    ) -> Buffer:
        """Return a new buffer."""
        made = Buffer(f"{_HINTS[space]}{next(self._names)}", scalar, length, space, table=table)
        self.buffers.append(made)
        return made

    def loop(
        self,
        size: int,
        body: Callable[[Index], object],
        unroll: bool = False,
        threads: bool = False,
    ) -> None:
        """Add a sequential loop."""
        variable = Variable("i", size)
        if size == 1:
            body(of(variable))
            return
        statement = For(variable, Block(), unroll, threads)
        turns = Turns(statement, len(self.turns), tuple(self.loops), tuple(self.around))
        self.loops.append(id(statement))
        # threads of a CPU take turns in no order
        self.turns += [] if threads else [turns]
        with self.into(statement.body):
            self.add(turns.top)
            body(of(variable))
            self.add(turns.end)
        del self.turns[turns.number :]
        self.loops.pop()
        self.add(turns.front)
        self.add(statement)

    @contextmanager
    def before(self, turns: Turns) -> Iterator[None]:
        """Write in front of a loop that is being written, as if it had not begun."""
        with self._at(turns.front, turns.loops, turns.around, self.turns[: turns.number]):
            yield

    @contextmanager
    def within(self, turns: Turns, block: Block) -> Iterator[None]:
        """Write to `block` right in a turn of a loop that is being written, whatever is in there."""
        loops = (*turns.loops, id(turns.loop))
        with self._at(block, loops, turns.around, self.turns[: turns.number + 1]):
            yield

    @contextmanager
    def _at(
        self,
        block: Block,
        loops: tuple[int, ...],
        around: tuple[ParallelFor, ...],
        turns: list[Turns],
    ) -> Iterator[None]:
        kept = self.loops, self.around, self.turns
        self.loops, self.around, self.turns = list(loops), list(around), list(turns)
        try:
            with self.into(block):
                yield
        finally:
            self.loops, self.around, self.turns = kept

    def parallel(
        self, size: int, level: Level, dimension: int, body: Callable[[Index], object]
    ) -> None:
        """Add a loop whose indices the work-items share out.

        Raises:
            BuildFailed: levels are nested in a way that devices do not know.
        """
        name = {"global": "mapGlobal", "group": "mapWorkGroup", "local": "mapLocal"}.get(level, "")
        for outer in self.around:
            if outer.dimension == dimension and _clash(outer.level, level):
                other = {"global": "mapGlobal", "group": "mapWorkGroup"}.get(
                    outer.level, "mapLocal"
                )
                raise BuildFailed(f"{name}({dimension}) stands inside {other}({dimension})")
        local, groups = self.launch.local[dimension], self.launch.groups[dimension]
        count = {Level.GLOBAL: local * groups, Level.GROUP: groups, Level.LOCAL: local}[level]
        if count == 1:
            self.loop(size, body)
            return
        place = self.place(level, dimension, count)
        turn = Variable("k", -(-size // count))
        variable = Variable(f"{_INDICES[level]}{dimension}", size)
        block = Block()
        statement = ParallelFor(variable, level, dimension, count, place, turn, block)
        self.add(statement)
        self.around.append(statement)
        self.loops.append(id(statement))
        with self.into(block):
            body(of(variable))
        self.loops.pop()
        self.around.pop()

    def place(self, level: Level, dimension: int, count: int) -> Variable:
        """Return the variable of the own place among `count` of a level and dimension."""
        key = (level, dimension)
        if key not in self.places:
            names = {Level.GLOBAL: "gid", Level.GROUP: "wg", Level.LOCAL: "lid"}
            self.places[key] = Variable(f"{names[level]}{dimension}", count)
        return self.places[key]

    # ---- writing

    def write(self, view: View, out: View) -> View:
        """Copy what `view` shows to `out`: scalars at once, arrays by loops."""
        if isinstance(view, ArrayView):
            target = as_array(out)
            self.loop(view.size, lambda i: self.write(view.at(i), target.at(i)))
            return out
        written: list[tuple[Scalar, Value]] = []
        self._collect(view, out, written)
        self.assign(written)
        return out

    def _collect(self, view: View, out: View, found: list[tuple[Scalar, Value]]) -> None:
        if isinstance(view, PairView):
            target = as_pair(out)
            self._collect(view.first, target.first, found)
            self._collect(view.second, target.second, found)
        elif isinstance(view, Scalar):
            found.append((as_scalar(out), view.value()))
        else:
            self.write(view, out)

    def assign(self, written: list[tuple[Scalar, Value]]) -> None:
        """Store several values; none sees what the others wrote."""
        buffers: set[Buffer] = set()
        ready = []
        for place, value in written:
            if buffers and any(load.buffer in buffers for load in loads(value)):
                ready.append((place, self.define(value) if len(written) > 1 else value))
            else:
                ready.append((place, value))
            buffers |= _buffers_of(place)
        for place, value in ready:
            self.store(place, value)

    def store(self, place: Scalar, value: Value) -> None:
        """Store a value at a place in memory."""
        if isinstance(place, Lanes):
            whole = place.side_by_side()
            if whole is not None:
                self.store(whole, value)
                return
            held = self.define(value)
            for lane in range(place.width):
                one = as_scalar(lanes_of(Scalar(held), constant(lane))).value()
                self.store(as_scalar(place.lane(constant(lane))), one)
            return
        if not isinstance(place, Memory):
            raise BuildFailed("a result is written through something that is no place in memory")
        if isinstance(value, Load) and _same_place(value, place):
            return
        self.add(Store(place.buffer, place.offset, value, self.filling))

    # ---- choices

    def guarded(
        self, test: Inside | Value, yes: Callable[[], View], no: Callable[[], View], type_: Type
    ) -> View:
        """Return `yes` where `test` holds, else `no`; what is not chosen is not computed."""
        if isinstance(test, Inside):
            if test.always:
                return yes()
            if test.never:
                return no()
        if isinstance(type_, ArrayType):
            inner = type_.element
            size = int(type_.size)  # type: ignore[arg-type]
            return ArrayView(
                size,
                lambda i: self.guarded(
                    test, lambda: as_array(yes()).at(i), lambda: as_array(no()).at(i), inner
                ),
            )
        if isinstance(type_, PairType):
            return PairView(
                self.guarded(
                    test, lambda: as_pair(yes()).first, lambda: as_pair(no()).first, type_.first
                ),
                self.guarded(
                    test, lambda: as_pair(yes()).second, lambda: as_pair(no()).second, type_.second
                ),
            )
        return Scalar(
            lambda: self._chosen(
                test, lambda: as_scalar(yes()).value(), lambda: as_scalar(no()).value()
            )
        )

    def _chosen(self, test: Value, yes: Callable[[], Value], no: Callable[[], Value]) -> Value:
        first, before_first = self.attempt(yes)
        second, before_second = self.attempt(no)
        if _empty(before_first) and _empty(before_second):
            return Choice(test, first, second)
        held = self.register(first.scalar, first.width)
        self.add(Define(held, None))
        before_first.statements.append(Define(held, first))
        before_second.statements.append(Define(held, second))
        self.add(Guard(test, before_first, before_second))
        return held


def _clash(outer: Level, inner: Level) -> bool:
    return (
        outer is inner
        or Level.GLOBAL in (outer, inner)
        or (outer, inner)
        == (
            Level.LOCAL,
            Level.GROUP,
        )
    )


def _buffers_of(place: Scalar) -> set[Buffer]:
    if isinstance(place, Memory):
        return {place.buffer}
    if isinstance(place, Lanes):
        return _buffers_of(as_scalar(place.lane(constant(0))))
    return set()


def _same_place(value: Load, place: Memory) -> bool:
    return (
        value.buffer is place.buffer and value.offset == place.offset and value.width == place.width
    )


def _empty(block: Block) -> bool:
    return all(isinstance(one, Block) and _empty(one) for one in block.statements)
