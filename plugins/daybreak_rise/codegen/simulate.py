"""Running imperative programs work-item by work-item, with a check for races.

Every work-item is a generator that stops at barriers. Within a kernel every element of shared
memory remembers who touched it since the last barrier of its group: a write beside another
work-item's access is a race, so is any access beside another group's write. Reading what nobody
wrote, leaving a buffer, and barriers that not all work-items reach are errors too. Made for small
sizes: it shows that a program is right for all schedules, at some thousand statements a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from daybreak_rise.codegen.index import Index, Variable
from daybreak_rise.codegen.ir import (
    Allocate,
    Barrier,
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
from daybreak_rise.codegen.lowered import Lowered
from daybreak_rise.codegen.values import (
    Broadcast,
    Choice,
    Constant,
    Inside,
    Lane,
    Load,
    Number,
    Operation,
    Pack,
    Register,
    Value,
)

__all__ = ["Fault", "simulate"]

_Item: TypeAlias = tuple[tuple[int, int, int], tuple[int, int, int]]  # group, place in it


class Fault(Exception):  # noqa: N818  (what it found, not what went wrong here)
    """The program is wrong: a race, an access outside a buffer, a barrier that some miss."""


def simulate(lowered: Lowered, inputs: Mapping[str, Any]) -> dict[str, list[float]]:
    """Run all kernels and return the outputs' scalars by argument name.

    Args:
        lowered: the programs.
        inputs: for each input argument, by name, its scalars in order (a number if by value).

    Raises:
        Fault: see the module's docstring.
    """
    memory: dict[Buffer, list[Any]] = {}
    for argument in lowered.arguments:
        if not argument.by_value:
            buffer = lowered.buffers[argument.name]
            given = inputs[argument.name] if argument.role == "input" else None
            memory[buffer] = [None] * argument.length if given is None else list(given)
    values = {register: inputs[name] for name, register in lowered.values.items()}
    for number, block in enumerate(lowered.blocks):
        local, groups = lowered.sizes(number)
        shared = _Shared(memory)
        for group in _places(groups):
            _run_group(block, lowered, shared, values, group, local)
    return {
        argument.name: memory[lowered.buffers[argument.name]]
        for argument in lowered.arguments
        if argument.role == "output"
    }


class _Shared:
    """Global memory, and who touched what in this kernel."""

    def __init__(self, memory: dict[Buffer, list[Any]]) -> None:
        self.memory = memory
        self.local: dict[Buffer, list[Any]] = {}
        self.readers: dict[tuple[Buffer, int], set[_Item]] = {}
        self.writer: dict[tuple[Buffer, int], _Item] = {}
        self.group_readers: dict[tuple[Buffer, int], set[tuple[int, int, int]]] = {}
        self.group_writer: dict[tuple[Buffer, int], tuple[int, int, int]] = {}

    def new_group(self) -> None:
        self.local = {}
        self.barrier()

    def barrier(self) -> None:
        self.readers.clear()
        self.writer.clear()

    def cells(self, buffer: Buffer) -> list[Any]:
        if buffer.space is Space.LOCAL:
            return self.local.setdefault(buffer, [None] * buffer.length)
        return self.memory[buffer]

    def note(self, buffer: Buffer, place: int, item: _Item, writes: bool) -> None:
        cell = (buffer, place)
        other = self.writer.get(cell)
        if other is not None and other != item:
            raise Fault(f"race at {buffer.name}[{place}]: written by {other}, touched by {item}")
        if writes:
            readers = self.readers.get(cell, set()) - {item}
            if readers:
                raise Fault(f"race at {buffer.name}[{place}]: read by {readers}, written by {item}")
            self.writer[cell] = item
        else:
            self.readers.setdefault(cell, set()).add(item)
        if buffer.space is Space.GLOBAL:
            self._note_group(cell, item[0], writes)

    def _note_group(
        self, cell: tuple[Buffer, int], group: tuple[int, int, int], writes: bool
    ) -> None:
        other = self.group_writer.get(cell)
        readers = self.group_readers.get(cell, set()) - {group} if writes else set()
        if (other is not None and other != group) or readers:
            raise Fault(f"race between work-groups at {cell[0].name}[{cell[1]}]")
        if writes:
            self.group_writer[cell] = group
        else:
            self.group_readers.setdefault(cell, set()).add(group)


def _run_group(
    block: Block,
    lowered: Lowered,
    shared: _Shared,
    values: Mapping[Register, Any],
    group: tuple[int, int, int],
    local: tuple[int, int, int],
) -> None:
    shared.new_group()
    running = []
    for place in _places(local):
        now: dict[Variable, int] = {}
        for variable, (level, dimension) in lowered.places.items():
            now[variable] = {
                Level.LOCAL: place[dimension],
                Level.GROUP: group[dimension],
                Level.GLOBAL: group[dimension] * local[dimension] + place[dimension],
            }[level]
        item = (group, place)
        running.append(_WorkItem(shared, item, now, dict(values)).run(block))
    while running:
        stopped = [next(one, None) for one in running]
        if all(one is None for one in stopped):
            return
        if len({id(one) for one in stopped}) != 1:
            raise Fault("work-items of a group wait at different barriers")
        shared.barrier()


def _places(sizes: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    return [(x, y, z) for x in range(sizes[0]) for y in range(sizes[1]) for z in range(sizes[2])]


class _WorkItem:
    def __init__(
        self,
        shared: _Shared,
        item: _Item,
        now: dict[Variable, int],
        registers: dict[Register, Any],
    ) -> None:
        self.shared = shared
        self.item = item
        self.now = now
        self.registers = registers
        self.private: dict[Buffer, list[Any]] = {}

    def run(self, block: Block) -> Iterator[Barrier]:
        for one in block.statements:
            match one:
                case Barrier():
                    yield one
                case Store():
                    self.store(one)
                case Define():
                    if one.value is not None:
                        self.registers[one.register] = self.value(one.value)
                case Allocate():
                    if one.buffer.space is Space.PRIVATE:
                        self.private[one.buffer] = [None] * one.buffer.length
                case For():
                    for number in range(one.variable.size):
                        self.now[one.variable] = number
                        yield from self.run(one.body)
                case ParallelFor():
                    yield from self.parallel(one)
                case Guard():
                    if self.value(one.test):
                        yield from self.run(one.body)
                    elif one.other is not None:
                        yield from self.run(one.other)
                case Block():
                    yield from self.run(one)

    def parallel(self, one: ParallelFor) -> Iterator[Barrier]:
        for turn in range(one.turn.size):
            number = self.now.get(one.place, 0) + one.count * turn
            if number >= one.variable.size and not one.ragged:
                return
            self.now[one.variable] = number
            self.now[one.turn] = turn
            yield from self.run(one.body)

    def index(self, index: Index) -> int:
        return index.evaluate(self.now, lambda value: int(self.value(value)))

    def cells(self, buffer: Buffer) -> list[Any]:
        return self.private[buffer] if buffer in self.private else self.shared.cells(buffer)

    def touch(self, buffer: Buffer, place: int, writes: bool) -> None:
        if not 0 <= place < buffer.length:
            raise Fault(f"{buffer.name}[{place}] is outside its {buffer.length} elements")
        if buffer not in self.private and buffer.role != "input":
            self.shared.note(buffer, place, self.item, writes)

    def store(self, one: Store) -> None:
        value = self.value(one.value)
        start = self.index(one.offset)
        lanes = value if one.value.width > 1 else [value]
        cells = self.cells(one.buffer)
        for lane, number in enumerate(lanes):
            self.touch(one.buffer, start + lane, True)
            cells[start + lane] = number

    def value(self, value: Value) -> Any:
        match value:
            case Constant():
                return value.value
            case Number():
                return self.index(value.of)
            case Register():
                return self.registers[value]
            case Load():
                return self.load(value)
            case Operation():
                return self.operation(value)
            case Choice():
                return self.value(value.yes if self.value(value.test) else value.no)
            case Inside():
                return value.low <= self.index(value.of) < value.high
            case Broadcast():
                return [self.value(value.of)] * value.width
            case Pack():
                return [self.value(lane) for lane in value.lanes]
            case Lane():
                return self.value(value.of)[self.index(value.place)]
        raise AssertionError(value)

    def load(self, value: Load) -> Any:
        start = self.index(value.offset)
        if value.buffer.space is Space.TABLE:
            found: list[Any] = list(value.buffer.table[start : start + value.width])
        else:
            cells = self.cells(value.buffer)
            found = []
            for place in range(start, start + value.width):
                self.touch(value.buffer, place, False)
                if cells[place] is None:
                    raise Fault(f"{value.buffer.name}[{place}] is read before it is written")
                found.append(cells[place])
        return found if value.width > 1 else found[0]

    def operation(self, value: Operation) -> Any:
        given = [self.value(one) for one in value.arguments]
        function = _OPERATIONS[value.name]
        if value.name == "cast":
            function = _CASTS[value.scalar]
        elif value.name in ("div", "mod") and value.scalar == "i32":
            function = _WHOLE[value.name]
        if value.width > 1:
            return [function(*lanes) for lanes in zip(*given, strict=True)]
        return function(*given)


def _quotient(a: float, b: float) -> float:
    return a / b if b else math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)


def _whole(a: int, b: int) -> int:
    return int(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


_CASTS: dict[str, Callable[..., Any]] = {"f32": float, "f64": float, "i32": int, "bool": bool}
_WHOLE: dict[str, Callable[..., Any]] = {
    "div": _whole,
    "mod": lambda a, b: a - b * _whole(a, b),
}
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _quotient,
    "mod": math.fmod,
    "min": min,
    "max": max,
    "neg": lambda a: -a,
    "abs": abs,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "exp": math.exp,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "cast": lambda a: a,
}
