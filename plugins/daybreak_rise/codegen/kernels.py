"""Cutting a program where all work-groups have to be done before the next statement."""

from __future__ import annotations

from collections.abc import Mapping

from daybreak import BuildFailed
from daybreak_rise.codegen.ir import (
    Allocate,
    Block,
    Buffer,
    Define,
    Filling,
    Space,
    Statement,
    Store,
    blocks,
    statements,
)
from daybreak_rise.codegen.ownership import Coordinate
from daybreak_rise.codegen.tidy import offset_registers, stores_of, values_of
from daybreak_rise.codegen.values import Register, loads, registers

__all__ = ["cut"]


def cut(block: Block, shared: Mapping[Buffer, frozenset[Coordinate]]) -> list[Block]:
    """Return the parts of `block` to run one after another, each as a kernel.

    Args:
        block: the whole program.
        shared: for each buffer that is written, the coordinates it is shared across.

    Raises:
        BuildFailed: a part needs private or local memory of an earlier one.
    """
    wide = {b for b, c in shared.items() if any(kind == "group" for kind, _ in c)}
    parts: list[list[Statement]] = [[]]
    reads: set[Buffer] = set()
    writes: dict[Buffer, set[Filling | None]] = {}
    for one in block.statements:
        now_reads, now_writes = _reads(one) & wide, _fillings(one, wide)
        if now_reads & writes.keys() or any(
            buffer in reads or writes.get(buffer, fillings) != fillings
            for buffer, fillings in now_writes.items()
        ):
            parts.append([])
            reads, writes = set(), {}
        reads |= now_reads
        for buffer, fillings in now_writes.items():
            writes[buffer] = writes.get(buffer, set()) | fillings
        parts[-1].append(one)
    if len(parts) == 1:
        return [block]
    done: list[Block] = []
    before: list[Statement] = []
    for part in parts:
        done.append(Block([*_again(part, before), *part]))
        before += part
    return done


def _fillings(one: Statement, wide: set[Buffer]) -> dict[Buffer, set[Filling | None]]:
    """Return what a statement writes, with the fillings of its stores."""
    found: dict[Buffer, set[Filling | None]] = {}
    for statement in _all(one):
        if isinstance(statement, Store) and statement.buffer in wide:
            found.setdefault(statement.buffer, set()).add(statement.filling)
    return found


def _reads(one: Statement) -> set[Buffer]:
    inner = [s for block in blocks(one) for s in statements(block)]
    return {load.buffer for s in (one, *inner) for v in values_of(s) for load in loads(v)}


def _again(part: list[Statement], before: list[Statement]) -> list[Statement]:
    """Return the definitions of registers that `part` uses and an earlier part computed."""
    inside = [s for one in part for s in _all(one)]
    own = {s.buffer for s in inside if isinstance(s, Allocate)}
    touched = {b for one in part for b in _reads(one) | stores_of(one)}
    for buffer in sorted(touched, key=lambda b: b.name):
        if buffer.space in (Space.PRIVATE, Space.LOCAL) and buffer not in own:
            raise BuildFailed(
                f"{buffer.space.value} memory does not outlive a kernel: what is kept in it is "
                "read after all work-groups had to be waited for"
            )
    wanted = _registers(inside) - {s.register for s in inside if isinstance(s, Define)}
    found: list[Statement] = []
    for one in reversed(before):
        if isinstance(one, Define) and one.register in wanted:
            if one.value is None or any(x.buffer.space is Space.PRIVATE for x in loads(one.value)):
                raise BuildFailed("a value kept in a register is read by a later kernel")
            found.insert(0, one)
            wanted |= _registers([one])
    return found


def _all(one: Statement) -> list[Statement]:
    return [one, *(s for block in blocks(one) for s in statements(block))]


def _registers(inside: list[Statement]) -> set[Register]:
    found = {r for s in inside for v in values_of(s) for r in registers(v)}
    for one in inside:
        if isinstance(one, Store):
            found |= set(offset_registers(one.offset))
    return found
