"""Which iterations depend on which: may they run side by side, may two loops become one?

The tests are sufficient, not complete: where they cannot tell, the answer is no, with the reason.
Two accesses of an array in iterations i and j are shown apart for all i != j when in some dimension
both indices are the same affine function of the loop's variable (with a factor that is not zero)
and otherwise only of constants and the variables of enclosing loops.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daybreak_hpvm.ir.expr import Scalar
from daybreak_hpvm.ir.program import Array, Assign, If, Loop, Reduce, Stmt
from daybreak_hpvm.ir.walk import expressions, loops, statements, subexpressions
from daybreak_hpvm.transforms.access import Access, accesses, in_order
from daybreak_hpvm.transforms.affine import affine

__all__ = ["Parallel", "ScalarUse", "first_use", "parallel", "same_iteration", "scalar_use"]


def same_iteration(a: Access, b: Access, var_a: str, var_b: str, inner: frozenset[str]) -> bool:
    """Whether `a` and `b` can only meet where their loops' variables are equal.

    `inner` names the variables of loops inside of either loop.
    """
    for left, right in zip(a.indices, b.indices, strict=True):
        x, y = affine(left), affine(right)
        if x is None or y is None:
            continue
        factor = x.factor(var_a)
        rest = x.without(var_a)
        if (
            factor
            and factor == y.factor(var_b)
            and rest == y.without(var_b)
            and not rest.variables & inner
            and var_b not in rest.variables
        ):
            return True
    return False


@dataclass(frozen=True, slots=True)
class ScalarUse:
    """How an iteration uses a scalar.

    `fresh`: assigned, whatever happens, before anything else is done with it. `reductions`: the
    operators of reductions if it is only reduced into, else None.
    """

    name: str
    read: bool
    written: bool
    fresh: bool
    reductions: frozenset[str] | None


def scalar_use(body: Sequence[Stmt], name: str) -> ScalarUse:
    """Return how one run of `body` uses scalar `name`."""
    read = written = False
    only: set[str] | None = set()
    for stmt in statements(body):
        for expr in expressions(stmt):
            if any(isinstance(p, Scalar) and p.name == name for p in subexpressions(expr)):
                read, only = True, None
        if isinstance(stmt, Assign) and stmt.target.name == name:
            written, only = True, None
        elif isinstance(stmt, Reduce) and stmt.target.name == name:
            written = True
            if only is not None:
                only.add(stmt.op)
    fresh = first_use(body, name) == "assign"
    return ScalarUse(name, read, written, fresh, frozenset(only) if only else None)


def first_use(body: Iterable[Stmt], name: str) -> str:
    """Return what surely happens first to scalar `name`: "assign", "other", or "" for nothing."""
    for stmt in body:
        for expr in expressions(stmt):
            if any(isinstance(p, Scalar) and p.name == name for p in subexpressions(expr)):
                return "other"
        if isinstance(stmt, Assign) and stmt.target.name == name:
            return "assign"
        if isinstance(stmt, Reduce) and stmt.target.name == name:
            return "other"
        if isinstance(stmt, Loop):  # runs at least once
            found = first_use(stmt.body, name)
            if found:
                return found
        elif isinstance(stmt, If):
            branches = {first_use(stmt.then, name), first_use(stmt.otherwise, name)}
            if branches == {"assign"}:
                return "assign"
            if branches != {""}:
                return "other"
    return ""


@dataclass(frozen=True, slots=True)
class Parallel:
    """Whether iterations of a loop may run side by side, and what each then needs of its own.

    Attributes:
        legal: whether they may.
        reason: why not.
        scalars: scalars that every iteration assigns before use: one copy for each lane.
        arrays: local arrays that every iteration fills before use: likewise.
    """

    legal: bool
    reason: str = ""
    scalars: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()


def parallel(loop: Loop, locals_: Iterable[Array] = (), elsewhere: Iterable[Stmt] = ()) -> Parallel:
    """Return whether iterations of `loop` may run side by side.

    Args:
        loop: the loop.
        locals_: the node's local arrays; only those can be given to each lane separately.
        elsewhere: the node's whole body, to see which arrays are also used outside of `loop`.
    """
    mine: list[str] = []
    names = {p.target.name for p in statements(loop.body) if isinstance(p, Assign | Reduce)}
    for name in sorted(names):
        use = scalar_use(loop.body, name)
        if use.fresh:
            mine.append(name)
        elif use.reductions is None or len(use.reductions) != 1:
            return Parallel(False, f"scalar '{name}' goes from one iteration to the next")
    inner = frozenset(x.var for x in loops(loop.body))
    found = list(accesses(loop.body))
    owned: list[str] = []
    for array in sorted({a.array for a in found if a.store}):
        touching = [a for a in found if a.array == array]
        if all(
            same_iteration(store, other, loop.var, loop.var, inner)
            for store in touching
            if store.store
            for other in touching
        ):
            continue
        local = next((a for a in locals_ if a.name == array), None)
        if local is None or not _private(loop, local, list(elsewhere)):
            return Parallel(False, f"iterations may share elements of '{array}'")
        owned.append(array)
    return Parallel(True, scalars=tuple(mine), arrays=tuple(owned))


def _private(loop: Loop, array: Array, whole: Sequence[Stmt]) -> bool:
    """Whether every iteration fills `array` before it loads from it, and nobody else uses it."""
    inside = sum(a.array == array.name for a in accesses(loop.body))
    if inside != sum(a.array == array.name for a in accesses(whole)):
        return False
    for stmt in loop.body:
        touching = [a for a in accesses([stmt]) if a.array == array.name]
        if not touching:
            continue
        stores = [a for a in touching if a.store]
        return len(stores) == len(touching) == 1 and in_order([stmt], array)
    return False
