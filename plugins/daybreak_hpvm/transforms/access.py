"""What statements read and write, and in which order elements are touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from daybreak_hpvm.ir.expr import Expr, Load, Scalar
from daybreak_hpvm.ir.program import Array, Assign, If, Loop, Reduce, Stmt, Store
from daybreak_hpvm.ir.walk import expressions, statements, subexpressions
from daybreak_hpvm.transforms.affine import affine

__all__ = ["Access", "Effects", "accesses", "effects", "in_order", "independent"]


@dataclass(frozen=True, slots=True)
class Access:
    """A load or store as written: within `loops` (outermost first), under an `if` or not."""

    array: str
    indices: tuple[Expr, ...]
    store: bool
    loops: tuple[Loop, ...]
    conditional: bool


def accesses(
    body: Iterable[Stmt], loops: tuple[Loop, ...] = (), conditional: bool = False
) -> Iterator[Access]:
    """Yield every access of an array, as often as it is written down, in program order."""
    for stmt in body:
        for expr in expressions(stmt):
            for part in subexpressions(expr):
                if isinstance(part, Load):
                    yield Access(part.array, part.indices, False, loops, conditional)
        if isinstance(stmt, Store):
            yield Access(stmt.array, stmt.indices, True, loops, conditional)
        elif isinstance(stmt, If):
            yield from accesses(stmt.then, loops, True)
            yield from accesses(stmt.otherwise, loops, True)
        elif isinstance(stmt, Loop):
            yield from accesses(stmt.body, (*loops, stmt), conditional)


def in_order(body: Iterable[Stmt], array: Array, *, unrolled: bool = False) -> bool:
    """Whether `body` surely touches every element of `array` once, in row-major order.

    Shown for a single unconditional access whose row-major position is an affine function of
    the enclosing loops' variables that counts up from 0 by ones.

    Args:
        body: the statements.
        array: the array.
        unrolled: the order must also hold when unrolling is written out. Lanes of an unrolled loop
            take turns within its inner loops, so only the innermost loop may be unrolled.
    """
    found = [a for a in accesses(body) if a.array == array.name]
    if len(found) != 1 or found[0].conditional:
        return False
    access = found[0]
    turning = [loop for loop in access.loops if loop.trips > 1]
    if unrolled and any(loop.unroll > 1 for loop in turning[:-1]):
        return False
    constant, factors = 0, dict[str, int]()
    stride = 1
    for index, extent in zip(reversed(access.indices), reversed(array.shape), strict=True):
        form = affine(index)
        if form is None:
            return False
        constant += form.constant * stride
        for name, factor in form.terms:
            factors[name] = factors.get(name, 0) + factor * stride
        stride *= extent
    # from the innermost loop outwards each step must jump over all that the inner ones cover
    expected = 1
    for loop in reversed(access.loops):
        factor = factors.pop(loop.var, 0)
        constant += factor * loop.start
        if loop.trips > 1:
            if factor * loop.step != expected:
                return False
            expected *= loop.trips
    return constant == 0 and not factors and expected == array.size


@dataclass(frozen=True, slots=True)
class Effects:
    """Names that statements read and write."""

    scalars_read: frozenset[str]
    scalars_written: frozenset[str]
    arrays_read: frozenset[str]
    arrays_written: frozenset[str]


def effects(body: Iterable[Stmt]) -> Effects:
    """Return what `body` reads and writes; a reduction does both to its target."""
    read, written, loaded, stored = set[str](), set[str](), set[str](), set[str]()
    for stmt in statements(body):
        for expr in expressions(stmt):
            for part in subexpressions(expr):
                if isinstance(part, Scalar):
                    read.add(part.name)
                elif isinstance(part, Load):
                    loaded.add(part.array)
        if isinstance(stmt, Assign | Reduce):
            written.add(stmt.target.name)
            if isinstance(stmt, Reduce):
                read.add(stmt.target.name)
        elif isinstance(stmt, Store):
            stored.add(stmt.array)
    return Effects(frozenset(read), frozenset(written), frozenset(loaded), frozenset(stored))


def independent(a: Iterable[Stmt], b: Iterable[Stmt]) -> bool:
    """Whether `a` and `b` may change places: neither writes what the other reads or writes."""
    x, y = effects(a), effects(b)
    return not (
        x.scalars_written & (y.scalars_read | y.scalars_written)
        or y.scalars_written & x.scalars_read
        or x.arrays_written & (y.arrays_read | y.arrays_written)
        or y.arrays_written & x.arrays_read
    )
