"""Local memory used again: places whose lives do not overlap share an array.

What is taken in one part of a kernel is not needed in the next one, so arrays are given out as on a
stack. It comes before the barriers, which then keep the two uses apart.
"""

from __future__ import annotations

from daybreak_rise.codegen.ir import (
    Allocate,
    Block,
    Buffer,
    Define,
    Guard,
    Space,
    Store,
    blocks,
    statements,
)
from daybreak_rise.codegen.tidy import mapped
from daybreak_rise.codegen.values import Load, Value

__all__ = ["reuse_local"]


def reuse_local(block: Block) -> None:
    """Let local buffers of parts of `block` that follow one another share memory."""
    chosen: dict[Buffer, Buffer] = {}
    _place(block, [], chosen)
    if all(buffer is slot for buffer, slot in chosen.items()):
        return
    for buffer, slot in chosen.items():
        slot.length = max(slot.length, buffer.length)

    def change(value: Value) -> Value:
        if isinstance(value, Load) and value.buffer in chosen:
            return Load(chosen[value.buffer], value.offset, value.width)
        return value

    for one in statements(block):
        match one:
            case Allocate():
                one.buffer = chosen.get(one.buffer, one.buffer)
            case Store():
                one.buffer = chosen.get(one.buffer, one.buffer)
                one.value = mapped(one.value, change, lambda _b, offset: offset)
            case Define():
                if one.value is not None:
                    one.value = mapped(one.value, change, lambda _b, offset: offset)
            case Guard():
                one.test = mapped(one.test, change, lambda _b, offset: offset)
    _once(block, set())


def _place(block: Block, taken: list[Buffer], chosen: dict[Buffer, Buffer]) -> list[Buffer]:
    """Give every local buffer in `block` an array; return all arrays that there are then.

    `taken` are the arrays in use around the block. Those that only its parts use are free again
    in the next part.
    """
    own = list(taken)
    known = list(dict.fromkeys(chosen.values()))
    for one in block.statements:
        if isinstance(one, Allocate) and one.buffer.space is Space.LOCAL:
            free = [b for b in known if b not in own and b.scalar == one.buffer.scalar]
            slot = min(
                free, key=lambda b: (abs(b.length - one.buffer.length), b.name), default=None
            )
            chosen[one.buffer] = slot or one.buffer
            own.append(chosen[one.buffer])
        for inner in blocks(one):
            known = list(dict.fromkeys([*known, *_place(inner, own, chosen)]))
    return list(dict.fromkeys([*known, *own]))


def _once(block: Block, seen: set[Buffer]) -> None:
    """Drop what allocates an array a second time: the first is for the whole kernel."""
    kept = []
    for one in block.statements:
        if isinstance(one, Allocate) and one.buffer.space is Space.LOCAL:
            if one.buffer in seen:
                continue
            seen.add(one.buffer)
        kept.append(one)
        for inner in blocks(one):
            _once(inner, seen)
    block.statements = kept
