"""Small clean-ups of a translated program: flat blocks, no unused or needless registers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from daybreak_rise.codegen.index import Index
from daybreak_rise.codegen.ir import (
    Allocate,
    Barrier,
    Block,
    Buffer,
    Define,
    Guard,
    Statement,
    Store,
    blocks,
    statements,
)
from daybreak_rise.codegen.values import Load, Register, Value, loads, registers

__all__ = ["mapped", "offset_registers", "rewrite", "stores_of", "tidy", "values_of"]


def values_of(statement: Statement) -> Iterator[Value]:
    """Yield the values right in a statement, those in a store's offset among them."""
    match statement:
        case Store():
            yield statement.value
            yield from statement.offset.reads()
        case Define():
            if statement.value is not None:
                yield statement.value
        case Guard():
            yield statement.test


def stores_of(statement: Statement) -> set[Buffer]:
    """Return the buffers that a statement writes, inside too."""
    found = {statement.buffer} if isinstance(statement, Store) else set()
    for block in blocks(statement):
        found |= {one.buffer for one in statements(block) if isinstance(one, Store)}
    return found


def offset_registers(index: Index) -> Iterator[Register]:
    """Yield the registers that an index is computed from."""
    for read in index.reads():
        yield from registers(read)


def tidy(block: Block) -> None:
    """Flatten blocks, drop registers that nobody reads and put those used once in their place."""
    _flatten(block)
    while True:
        if _drop_unread(block):
            _flatten(block)
        uses: Counter[Register] = Counter()
        for one in statements(block):
            for value in values_of(one):
                uses.update(registers(value))
        if not _inline(block, uses):
            return


def _drop_unread(block: Block) -> bool:
    """Drop stores to memory that nobody reads; return whether there were any."""
    read = {x.buffer for one in statements(block) for v in values_of(one) for x in loads(v)}
    return _drop_in(block, read)


def _drop_in(block: Block, read: set[Buffer]) -> bool:
    def needed(one: Statement) -> bool:
        if isinstance(one, Store | Allocate):
            return one.buffer in read or one.buffer.role != "temporary"
        return True

    kept = [one for one in block.statements if needed(one)]
    changed = len(kept) < len(block.statements)
    block.statements = kept
    for one in kept:
        for inner in blocks(one):
            changed |= _drop_in(inner, read)
    return changed


def _flatten(block: Block) -> None:
    """Put blocks' statements in their place and leave out loops and guards around nothing."""
    flat: list[Statement] = []
    for one in block.statements:
        if isinstance(one, Block):
            _flatten(one)
            flat += one.statements
            continue
        inside = blocks(one)
        for inner in inside:
            _flatten(inner)
        if not inside or any(inner.statements for inner in inside):
            flat.append(one)
    block.statements = flat


def _inline(block: Block, uses: Counter[Register]) -> bool:
    """Drop and put in place what can be in one pass; return whether to look again."""
    assigned = Counter(one.register for one in statements(block) if isinstance(one, Define))
    return _inline_in(block, uses, assigned)


def _inline_in(block: Block, uses: Counter[Register], assigned: Counter[Register]) -> bool:
    changed = False
    kept: list[Statement] = []
    body = block.statements
    for number, one in enumerate(body):
        for inner in blocks(one):
            changed |= _inline_in(inner, uses, assigned)
        if isinstance(one, Define) and one.value is not None and assigned[one.register] == 1:
            count = uses[one.register]
            if count == 0:
                changed = True
                continue
            if count == 1 and _moved(one.register, one.value, body[number + 1 :]):
                uses[one.register] = 0
                continue
        kept.append(one)
    block.statements = kept
    return changed


def _moved(register: Register, value: Value, after: list[Statement]) -> bool:
    """Put `value` where its register is used, if nothing before that changes what it reads."""
    read = {one.buffer for one in loads(value)}
    for one in after:
        if isinstance(one, Store | Define):
            if any(register is r for v in values_of(one) for r in registers(v)):
                if isinstance(one, Store) and any(
                    register is r for r in offset_registers(one.offset)
                ):
                    return False
                if any(register is r for v in values_of(one) for r in _in_indices(v)):
                    return False
                assert one.value is not None  # noqa: S101  (it uses the register)
                one.value = mapped(
                    one.value, lambda v: value if v is register else v, lambda _b, o: o
                )
                return True
            if isinstance(one, Store) and one.buffer in read:
                return False
        elif isinstance(one, Barrier):
            if read:
                return False
        elif blocks(one):
            if stores_of(one) & read:
                return False
            if isinstance(one, Guard) and any(register is r for r in registers(one.test)):
                return False
            if any(
                register is r
                for inner in blocks(one)
                for s in statements(inner)
                for v in values_of(s)
                for r in registers(v)
            ):
                return False
    return False


def _in_indices(value: Value) -> Iterator[Register]:
    index = value.index()
    if index is not None:
        yield from offset_registers(index)
    for part in value.parts():
        yield from _in_indices(part)


def mapped(
    value: Value,
    change: Callable[[Value], Value],
    move: Callable[[Buffer, Index], Index],
) -> Value:
    """Return `value` with `move` applied to loads' offsets and then `change` to every part."""
    parts = value.parts()
    after = tuple(mapped(part, change, move) for part in parts)
    index = value.index()
    moved = index
    if isinstance(value, Load):
        moved = move(value.buffer, value.offset)
    if moved is not index or any(a is not b for a, b in zip(parts, after, strict=True)):
        value = value.rebuilt(after, moved)
    return change(value)


def rewrite(block: Block, move: Callable[[Buffer, Index], Index]) -> None:
    """Change the offsets of all loads and stores in `block`."""

    def same(value: Value) -> Value:
        return value

    for one in statements(block):
        match one:
            case Store():
                one.offset = move(one.buffer, one.offset)
                one.value = mapped(one.value, same, move)
            case Define():
                if one.value is not None:
                    one.value = mapped(one.value, same, move)
            case Guard():
                one.test = mapped(one.test, same, move)
