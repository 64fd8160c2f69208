"""Loop fusion within a node, and what it makes unnecessary: arrays that become scalars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daybreak_hpvm.ir.expr import Expr, Load, Scalar
from daybreak_hpvm.ir.program import Array, Assign, If, Loop, Node, Program, Stmt, Store
from daybreak_hpvm.ir.walk import loops, map_body, statements, subexpressions
from daybreak_hpvm.transforms.access import accesses, effects, independent
from daybreak_hpvm.transforms.affine import substitute
from daybreak_hpvm.transforms.dependence import same_iteration, scalar_use
from daybreak_hpvm.transforms.errors import IllegalTransformationError
from daybreak_hpvm.transforms.names import Names
from daybreak_hpvm.transforms.unroll import find_node, replace_node

__all__ = ["fusable", "fuse_loops"]


def fuse_loops(program: Program, node: str) -> Program:
    """Fuse neighbouring loops of `node` wherever that is legal, outer ones first.

    Two loops are fused if they have the same range and no iteration of the second needs what a
    later iteration of the first leaves behind (see `fusable`). Statements between the two move in
    front of both where nothing they touch is touched by the first. The fused loop has the first
    one's variable and the larger one of the unroll factors. A local array of which each element
    is then read only in the iteration that wrote it becomes a scalar.

    Raises:
        UnknownDirectiveError: no such node.
        IllegalTransformationError: there is nothing to fuse, with the reason for each pair.
    """
    found = find_node(program, node)
    work = _Fusion()
    body = work.body(found.body)
    if not work.count:
        why = "; ".join(work.reasons) or "no two loops follow one another"
        raise IllegalTransformationError(f"no loops can be fused: {why}", field=node)
    fused = _contract(program, replace(found, body=body))
    return replace_node(program, fused)


def fusable(first: Loop, second: Loop) -> str:
    """Return why `first` and `second`, which follows it, cannot be fused; empty if they can.

    Arrays: an element that both touch, and one writes, must be touched in the same iteration.
    Scalars: what both touch, and one writes, must be assigned before use in every iteration of
    both, or reduced by the same operator in both.
    """
    ranges = [(x.start, x.stop, x.step) for x in (first, second)]
    if ranges[0] != ranges[1]:
        return f"'{first.var}' and '{second.var}' have different ranges"
    inner = frozenset(x.var for x in loops((*first.body, *second.body)))
    for a in accesses(first.body):
        for b in accesses(second.body):
            if a.array != b.array or not (a.store or b.store):
                continue
            if not same_iteration(a, b, first.var, second.var, inner):
                return (
                    f"'{second.var}' may {'write' if b.store else 'read'} elements of "
                    f"'{a.array}' that '{first.var}' {'writes' if a.store else 'reads'} in another "
                    "iteration"
                )
    one, two = effects(first.body), effects(second.body)
    touched = (one.scalars_read | one.scalars_written) & (two.scalars_read | two.scalars_written)
    for name in sorted(touched & (one.scalars_written | two.scalars_written)):
        x, y = scalar_use(first.body, name), scalar_use(second.body, name)
        same = x.reductions is not None and len(x.reductions) == 1 and x.reductions == y.reductions
        if not same and not (x.fresh and y.fresh):
            return f"scalar '{name}' goes from '{first.var}' to '{second.var}'"
    return ""


class _Fusion:
    """Fuses through one node's body; counts what was fused, notes what was not."""

    def __init__(self) -> None:
        self.count = 0
        self.reasons: list[str] = []

    def body(self, body: Sequence[Stmt]) -> tuple[Stmt, ...]:
        done: list[Stmt] = []
        for stmt in body:
            if isinstance(stmt, Loop):
                self.add(done, stmt)
            else:
                done.append(stmt)
        return tuple(self.inside(stmt) for stmt in done)

    def inside(self, stmt: Stmt) -> Stmt:
        if isinstance(stmt, Loop):
            return replace(stmt, body=self.body(stmt.body))
        if isinstance(stmt, If):
            return If(stmt.condition, self.body(stmt.then), self.body(stmt.otherwise))
        return stmt

    def add(self, done: list[Stmt], loop: Loop) -> None:
        """Append `loop` to `done`, fused with the last loop there if possible."""
        place = next((i for i in reversed(range(len(done))) if isinstance(done[i], Loop)), None)
        if place is None:
            done.append(loop)
            return
        first = done[place]
        assert isinstance(first, Loop)  # noqa: S101  (narrows the type)
        between = done[place + 1 :]
        if between and not independent([first], between):
            self.reasons.append(f"what is between '{first.var}' and '{loop.var}' needs the first")
            done.append(loop)
            return
        reason = fusable(first, loop)
        if reason:
            self.reasons.append(reason)
            done.append(loop)
            return
        self.count += 1
        second = substitute(loop.body, {loop.var: first.index})
        fused = replace(first, body=first.body + second, unroll=max(first.unroll, loop.unroll))
        done[place:] = [*between, fused]


def _contract(program: Program, node: Node) -> Node:
    """Turn local arrays into scalars where each element lives within one iteration."""
    names = Names(program, node)
    for array in node.locals:
        if array.values is None and _transient(node.body, array):
            scalar = Scalar(names.fresh(f"{array.name}_value"), array.type)
            node = replace(
                node,
                body=_scalarised(node.body, array.name, scalar),
                locals=tuple(a for a in node.locals if a.name != array.name),
                scalars=(*node.scalars, scalar),
            )
    return node


def _transient(body: Sequence[Stmt], array: Array) -> bool:
    """Whether `array` has one store, and loads of the same element only after it, in its block."""
    found = [a for a in accesses(body) if a.array == array.name]
    stores = [a for a in found if a.store]
    if len(stores) != 1 or any(a.indices != stores[0].indices for a in found):
        return False
    parts = [part for index in stores[0].indices for part in subexpressions(index)]
    if any(isinstance(part, Load | Scalar) for part in parts):  # may change in between
        return False
    block = _block(body, array.name)
    after = False
    inside = 0
    for stmt in block:
        count = sum(a.array == array.name for a in accesses([stmt]))
        if isinstance(stmt, Store) and stmt.array == array.name:
            if count != 1:  # its own value loads from the array
                return False
            after = True
        elif count and not after:
            return False
        inside += count
    return inside == len(found)


def _block(body: Sequence[Stmt], array: str) -> Sequence[Stmt]:
    """Return the statement list that directly holds the store to `array`."""
    if any(isinstance(stmt, Store) and stmt.array == array for stmt in body):
        return body
    for stmt in statements(body):
        if isinstance(stmt, Loop):
            blocks = [stmt.body]
        elif isinstance(stmt, If):
            blocks = [stmt.then, stmt.otherwise]
        else:
            continue
        for block in blocks:
            if any(isinstance(s, Store) and s.array == array for s in block):
                return block
    return ()


def _scalarised(body: Sequence[Stmt], array: str, scalar: Scalar) -> tuple[Stmt, ...]:
    def expr(found: Expr) -> Expr:
        return scalar if isinstance(found, Load) and found.array == array else found

    def stmt(found: Stmt) -> Iterable[Stmt]:
        if isinstance(found, Store) and found.array == array:
            return (Assign(scalar, found.value),)
        return (found,)

    return map_body(body, expr=expr, stmt=stmt)
