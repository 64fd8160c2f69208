"""Who may write, and where work-items have to wait for each other.

First, a store to memory that work-items share is done by one of those that would all do the same
(`exclusive`). Then (`synchronise`) a barrier goes before every statement that touches an element
of shared memory which another work-item may have touched since the last barrier, one of the two
writing; loops are gone round twice, so that a turn waits for the one before. A barrier never stands
where only some work-items come by: guards around it are split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daybreak import BuildFailed
from daybreak_rise.codegen.index import Variable, of
from daybreak_rise.codegen.ir import (
    Allocate,
    Barrier,
    Block,
    Buffer,
    Define,
    Filling,
    For,
    Guard,
    ParallelFor,
    Space,
    Statement,
    Store,
    blocks,
    statements,
)
from daybreak_rise.codegen.ownership import (
    Access,
    Coordinate,
    accesses,
    coordinates,
    shared_across,
)
from daybreak_rise.codegen.settling import settle
from daybreak_rise.codegen.tidy import values_of
from daybreak_rise.codegen.values import Inside, Operation, Register, Value, loads, registers

__all__ = ["exclusive", "sharing", "synchronise", "used_coordinates"]


def used_coordinates(block: Block, sizes: Mapping[Coordinate, int]) -> frozenset[Coordinate]:
    """Return the coordinates that parallel loops in `block` share out among more than one."""
    found: set[Coordinate] = set()
    for one in statements(block):
        if isinstance(one, ParallelFor):
            found |= {c for c in coordinates(one.level, one.dimension) if sizes[c] > 1}
    return frozenset(found)


# ---- one writer


def exclusive(
    block: Block,
    used: frozenset[Coordinate],
    places: Mapping[Coordinate, Variable],
) -> None:
    """Guard stores to shared memory so that one work-item does each."""
    _exclusive(block, used, places)


def _exclusive(
    block: Block, missing: frozenset[Coordinate], places: Mapping[Coordinate, Variable]
) -> None:
    done: list[Statement] = []
    run: list[Statement] = []
    current: frozenset[Coordinate] = frozenset()

    def flush() -> None:
        if run:
            done.append(_guarded(list(run), current, places))
            run.clear()

    for one in block.statements:
        need = _needed(one, missing)
        if need is not None and need:
            if run and need != current:
                flush()
            current = need
            run.append(one)
            continue
        flush()
        if need is None:
            inner = missing
            if isinstance(one, ParallelFor):
                inner = missing - set(coordinates(one.level, one.dimension))
            for part in blocks(one):
                _exclusive(part, inner, places)
        done.append(one)
    flush()
    block.statements = done


def _needed(one: Statement, missing: frozenset[Coordinate]) -> frozenset[Coordinate] | None:
    """Return the coordinates to guard a statement by as a whole, None where parts differ."""
    if isinstance(one, Store):
        if one.buffer.space is Space.PRIVATE:
            return frozenset()
        if one.buffer.space is Space.LOCAL:
            return frozenset(c for c in missing if c[0] == "local")
        return missing
    if isinstance(one, For):
        found: set[frozenset[Coordinate]] = set()
        for part in one.body.statements:
            need = _needed(part, missing)
            if need is None:
                return None
            found.add(need)
        return found.pop() if len(found) == 1 else None
    if isinstance(one, ParallelFor | Guard):
        return None
    return frozenset()


def _guarded(
    body: list[Statement], need: frozenset[Coordinate], places: Mapping[Coordinate, Variable]
) -> Statement:
    for coordinate in sorted(need, reverse=True):
        test = Inside(of(places[coordinate]), 0, 1)
        body = [Guard(test, Block(body))]
    return body[0]


# ---- barriers


def sharing(
    block: Block, places: Mapping[Variable, Coordinate], used: frozenset[Coordinate]
) -> dict[Buffer, frozenset[Coordinate]]:
    """Return, for each buffer that is written, across which coordinates it is shared."""
    touched: dict[Buffer, list[Access]] = {}
    for access in accesses(block, places):
        if access.buffer.space in (Space.GLOBAL, Space.LOCAL):
            touched.setdefault(access.buffer, []).append(access)
    return {
        buffer: shared_across(buffer, found, places, used)
        for buffer, found in touched.items()
        if any(access.writes for access in found)
    }


# a buffer and the filling that a store belongs to; None: one of an earlier turn
_Write = tuple[Buffer, "Filling | None"]


@dataclass(slots=True)
class _State:
    """What was read and written since the last barrier; writes with their fillings."""

    reads: set[Buffer] = field(default_factory=set)
    writes: set[_Write] = field(default_factory=set)

    def conflicts(self, reads: set[Buffer], writes: set[_Write]) -> set[Buffer]:
        before: dict[Buffer, set[Filling | None]] = {}
        for buffer, filling in self.writes:
            before.setdefault(buffer, set()).add(filling)
        found = {b for b in reads if b in before}
        for buffer, filling in writes:
            # stores of one filling go to different elements
            if buffer in self.reads or before.get(buffer, set()) - {filling}:
                found.add(buffer)
        return found

    def union(self, other: _State) -> _State:
        return _State(self.reads | other.reads, self.writes | other.writes)

    def again(self, loop: int) -> _State:
        """Return the state as the next turn of a loop finds it: its fillings were others."""
        old = {(b, None if f is None or loop in f.loops else f) for b, f in self.writes}
        return _State(self.reads, old)


def synchronise(block: Block, shared: Mapping[Buffer, frozenset[Coordinate]]) -> None:
    """Insert barriers.

    Raises:
        BuildFailed: work-groups would have to wait for each other, which they cannot.
    """
    _Synchroniser(shared).go(block, _State())
    settle(block)


class _Synchroniser:
    def __init__(self, shared: Mapping[Buffer, frozenset[Coordinate]]) -> None:
        self.shared = {b: c for b, c in shared.items() if c}
        self.known: dict[Statement, tuple[set[Buffer], set[_Write]]] = {}
        self.met = 0  # barriers that were come by, or put in

    def touched(self, one: Statement) -> tuple[set[Buffer], set[_Write]]:
        """Return what a statement reads and writes, inside too.

        It is remembered: barriers that are added later, and guards parted by them, change nothing.
        """
        found = self.known.get(one)
        if found is not None:
            return found
        reads: set[Buffer] = set()
        writes: set[_Write] = set()
        for value in values_of(one):
            reads |= {load.buffer for load in loads(value) if load.buffer in self.shared}
        if isinstance(one, Store) and one.buffer in self.shared:
            writes.add((one.buffer, one.filling))
        for block in blocks(one):
            for inner in block.statements:
                more, stored = self.touched(inner)
                reads |= more
                writes |= stored
        self.known[one] = reads, writes
        return reads, writes

    def go(self, block: Block, state: _State) -> _State:
        """Insert barriers in `block` that begins after `state`; return the state at its end."""
        done: list[Statement] = []
        for one in block.statements:
            if isinstance(one, Barrier):
                self.met += 1
                done.append(one)
                state = _State()
                continue
            reads, writes = self.touched(one)
            if not reads and not writes:
                done.append(one)
                continue
            clash = state.conflicts(reads, writes)
            if clash:
                done.append(self.barrier(clash))
                state = _State()
            if not blocks(one):
                done.append(one)
                state = state.union(_State(reads, writes))
                continue
            added, state = self.inside(one, state)
            done += added
        block.statements = done
        return state

    def inside(self, one: Statement, state: _State) -> tuple[list[Statement], _State]:
        before = self.met
        if isinstance(one, Guard):
            ends = [self.go(block, state) for block in blocks(one)]
            if one.other is None:
                ends.append(state)
            if self.met == before:
                return [one], _joined(ends)
            if one.other is not None:
                raise BuildFailed("a barrier is needed where only some work-items come by")
            return _fission(one.body.statements, one.test), _joined(ends)
        assert isinstance(one, For | ParallelFor)  # noqa: S101
        turns = one.variable.size if isinstance(one, For) else one.turn.size
        end = self.go(one.body, state)
        if turns > 1:
            end = self.go(one.body, end.again(id(one))).union(end)
        if isinstance(one, For) or one.whole or one.ragged:
            return [one], end
        if self.met > before:
            test = Inside(one.index(), 0, one.variable.size)
            one.body.statements = _fission(one.body.statements, test)
            one.ragged = True
            return [one], end
        return [one], end.union(state)

    def barrier(self, clash: set[Buffer]) -> Barrier:
        self.met += 1
        for buffer in sorted(clash, key=lambda b: b.name):
            if any(kind == "group" for kind, _ in self.shared[buffer]):
                raise BuildFailed(
                    f"work-groups would have to wait for each other at {buffer.name}: "
                    "what all groups write can only be read by the next kernel"
                )
        local = any(b.space is Space.LOCAL for b in clash)
        return Barrier(local, any(b.space is Space.GLOBAL for b in clash))


def _joined(states: list[_State]) -> _State:
    found = _State()
    for one in states:
        found = found.union(one)
    return found


def _has_barrier(one: Statement) -> bool:
    return isinstance(one, Barrier) or any(
        isinstance(s, Barrier) for block in blocks(one) for s in statements(block)
    )


def _fission(body: list[Statement], test: Value) -> list[Statement]:
    """Return `if (test) body` as guarded stretches between unguarded barriers."""
    done: list[Statement] = []
    stretch: list[Statement] = []
    stretches: list[list[Statement]] = []

    def flush() -> None:
        if stretch:
            stretches.append(list(stretch))
            done.append(Guard(test, Block(stretches[-1])))
            stretch.clear()

    for one in body:
        if isinstance(one, Allocate):
            done.append(one)
        elif not _has_barrier(one):
            stretch.append(one)
        else:
            flush()
            if isinstance(one, For | ParallelFor):
                one.body.statements = _fission(one.body.statements, test)
                done.append(one)
            elif isinstance(one, Guard):
                done += _fission(one.body.statements, Operation("and", (test, one.test), "bool"))
            else:
                done.append(one)
    flush()
    return [*_declared(stretches, done), *done]


def _declared(stretches: list[list[Statement]], done: list[Statement]) -> list[Statement]:
    """Return declarations of the registers that one stretch defines and another reads."""
    found: list[Statement] = []
    for stretch in stretches:
        defined = {one.register for one in stretch if isinstance(one, Define)}
        if not defined:
            continue
        for other in done:
            if isinstance(other, Guard) and other.body.statements is stretch:
                continue
            for register in sorted(_used(other) & defined, key=lambda r: r.name):
                found.append(Define(register, None))
                defined.discard(register)
    return found


def _used(one: Statement) -> set[Register]:
    inner = [s for block in blocks(one) for s in statements(block)]
    return {r for s in (one, *inner) for v in values_of(s) for r in registers(v)}
