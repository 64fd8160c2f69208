"""Whether a reduction's step may overwrite its accumulator while it reads it."""

from __future__ import annotations

from collections.abc import Iterator

from daybreak_rise.codegen.index import Index
from daybreak_rise.codegen.ir import Block, Buffer, Define, For, Guard, ParallelFor, Store
from daybreak_rise.codegen.values import Value, loads

__all__ = ["in_place"]

_Path = tuple[int, ...]


def in_place(block: Block, buffer: Buffer) -> bool:
    """Return whether every element of `buffer` is read before it is overwritten in a step.

    It holds where all stores and loads go to the same offset, the loads in the same turn of the
    loops around the store (or deeper) and before it. Other forms may hold too and are not seen.
    """
    stores: list[tuple[_Path, int, Index]] = []
    reads: list[tuple[_Path, int, Index]] = []
    for number, (path, written, values) in enumerate(_accesses(block, ())):
        for value in values:
            reads += [(path, number, one.offset) for one in loads(value) if one.buffer is buffer]
        if isinstance(written, Store) and written.buffer is buffer:
            stores.append((path, number, written.offset))
    if not stores or not reads:
        return True
    path, first, offset = stores[0]
    if any(p != path or o != offset for p, _, o in stores):
        return False
    if len(stores) > 1 and any(number > first for _, number, _ in reads):
        return False
    return all(p[: len(path)] == path and n <= first and o == offset for p, n, o in reads)


def _accesses(block: Block, path: _Path) -> Iterator[tuple[_Path, Store | None, tuple[Value, ...]]]:
    for one in block.statements:
        match one:
            case Block():
                yield from _accesses(one, path)
            case Store():
                read = one.offset.reads()
                yield path, one, (one.value, *read)
            case Define():
                if one.value is not None:
                    yield path, None, (one.value,)
            case For() | ParallelFor():
                yield from _accesses(one.body, (*path, id(one)))
            case Guard():
                yield path, None, (one.test,)
                yield from _accesses(one.body, path)
                if one.other is not None:
                    yield from _accesses(one.other, path)
