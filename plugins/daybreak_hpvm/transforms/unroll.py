"""Loop unrolling: first a note on the loop, then (`expand`) straight-line copies of its body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from daybreak import nearest
from daybreak_hpvm.ir.expr import Const, Expr, Index, Scalar
from daybreak_hpvm.ir.program import Array, If, Loop, Node, Program, Stmt
from daybreak_hpvm.ir.walk import loops, map_body
from daybreak_hpvm.transforms.affine import substitute, tighten
from daybreak_hpvm.transforms.dependence import Parallel, parallel
from daybreak_hpvm.transforms.errors import IllegalTransformationError, UnknownDirectiveError
from daybreak_hpvm.transforms.names import Names, rename_body

__all__ = ["EXPANSION_LIMIT", "expand", "expanded_size", "replace_node", "unroll"]

#: Statements of an expanded program, beyond which `expand` refuses.
EXPANSION_LIMIT = 50_000


def replace_node(program: Program, node: Node) -> Program:
    """Return `program` with the node of the same name replaced."""
    nodes = tuple(node if n.name == node.name else n for n in program.nodes)
    return replace(program, nodes=nodes)


def unroll(program: Program, node: str, var: str, factor: int) -> Program:
    """Mark loop `var` of `node`: `factor` iterations make one step of the hardware.

    A factor beyond the number of iterations unrolls the loop completely. The factor need not
    divide the number of iterations: a shorter loop does the rest.

    Raises:
        UnknownDirectiveError: no such node or loop.
        IllegalTransformationError: the factor is less than 1.
    """
    found = find_node(program, node)
    if factor < 1:
        raise IllegalTransformationError(
            f"factor {factor}", field=f"{node}.{var}", expected="1 or more"
        )
    known = [loop.var for loop in loops(found.body)]
    if var not in known:
        raise UnknownDirectiveError(
            f"node '{node}' has no loop '{var}'", field=program.name, nearest=nearest(var, known)
        )

    def mark(stmt: Stmt) -> Iterable[Stmt]:
        if isinstance(stmt, Loop) and stmt.var == var:
            return (replace(stmt, unroll=min(factor, stmt.trips)),)
        return (stmt,)

    return replace_node(program, replace(found, body=map_body(found.body, stmt=mark)))


def find_node(program: Program, name: str) -> Node:
    """Return node `name`.

    Raises:
        UnknownDirectiveError: there is none.
    """
    known = [n.name for n in program.nodes]
    if name not in known:
        raise UnknownDirectiveError(
            f"the program has no node '{name}'", field=program.name, nearest=nearest(name, known)
        )
    return program.node(name)


def _size(body: Iterable[Stmt]) -> int:
    total = 0
    for stmt in body:
        if isinstance(stmt, Loop):
            factor = min(stmt.unroll, stmt.trips)
            whole, rest = divmod(stmt.trips, factor)
            total += _size(stmt.body) * (factor + (1 if rest and whole else 0))
        elif isinstance(stmt, If):
            total += 1 + _size(stmt.then) + _size(stmt.otherwise)
        else:
            total += 1
    return total


def expanded_size(program: Program) -> int:
    """Return how many statements (loops not counted) `expand` would write; cheap."""
    return sum(_size(node.body) for node in program.nodes)


def expand(program: Program, *, limit: int = EXPANSION_LIMIT) -> Program:
    """Write unrolling out: a program with the same value in which every `unroll` is 1.

    A loop of n iterations with factor u becomes a loop of n // u steps whose body holds u copies
    ("lanes"), and, if u does not divide n, a loop over the other n % u iterations. Where iterations
    do not depend on each other, lanes run side by side: inner loops of all lanes become one
    (unroll-and-jam), and every lane gets its own copy of the scalars and local arrays that an
    iteration fills before use. Otherwise the copies follow one another. Reductions of several
    lanes into one scalar stay next to each other, for a generator to make a tree of. Constants are
    folded, and minima and maxima dropped that the loops' bounds decide.

    Raises:
        IllegalTransformationError: the result would have more than `limit` statements.
    """
    size = expanded_size(program)
    if size > limit:
        raise IllegalTransformationError(
            f"unrolled, the program has {size} statements",
            field=program.name,
            expected=f"at most {limit}",
        )
    nodes = tuple(_Expansion(program, node).run() for node in program.nodes)
    return replace(program, nodes=nodes)


class _Expansion:
    """The expansion of one node."""

    def __init__(self, program: Program, node: Node) -> None:
        self.node = node
        # a stream's elements must all be taken, whatever becomes of them
        self.keep = frozenset(program.streams)
        self.names = Names(program, node)
        self.scalars: dict[str, Scalar] = {x.name: x for x in node.scalars}
        self.locals: dict[str, Array] = {a.name: a for a in node.locals}
        # a lane's copy -> the scalar or array of the original program
        self.origin: dict[str, str] = {}

    def run(self) -> Node:
        body = tighten(self.body(self.node.body), keep=self.keep)
        return replace(
            self.node,
            body=body,
            locals=tuple(self.locals.values()),
            scalars=tuple(self.scalars.values()),
        )

    def body(self, body: Iterable[Stmt]) -> tuple[Stmt, ...]:
        done: list[Stmt] = []
        for stmt in body:
            if isinstance(stmt, Loop):
                done.extend(self.loop(stmt))
            elif isinstance(stmt, If):
                done.append(If(stmt.condition, self.body(stmt.then), self.body(stmt.otherwise)))
            else:
                done.append(stmt)
        return tuple(done)

    def loop(self, loop: Loop) -> tuple[Stmt, ...]:
        inner = self.body(loop.body)
        factor = min(loop.unroll, loop.trips)
        if factor == 1:
            return (replace(loop, body=inner, unroll=1),)
        # of the loop as written: what its inner loops became has the same meaning
        verdict = parallel(loop, self.node.locals, self.node.body)
        whole, rest = divmod(loop.trips, factor)
        steps = [k * loop.step for k in range(factor)]
        done: tuple[Stmt, ...]
        if whole == 1:
            done = self.lanes(loop, inner, [Const(loop.start + k) for k in steps], verdict)
        else:
            last = loop.start + (whole - 1) * factor * loop.step
            main = Loop(loop.var, last + 1, (), start=loop.start, step=loop.step * factor)
            body = self.lanes(loop, inner, [_plus(main.index, k) for k in steps], verdict)
            done = (replace(main, body=body),)
        if rest:
            done += self.rest(loop, inner, loop.start + whole * factor * loop.step, rest)
        return done

    def rest(self, loop: Loop, inner: tuple[Stmt, ...], start: int, trips: int) -> tuple[Stmt, ...]:
        body = self.relabel(inner)
        if trips == 1:
            return substitute(body, {loop.var: Const(start)}, self.keep)
        tail = Loop(self.names.fresh(loop.var), loop.stop, (), start=start, step=loop.step)
        return (replace(tail, body=substitute(body, {loop.var: tail.index}, self.keep)),)

    def lanes(
        self, loop: Loop, inner: tuple[Stmt, ...], values: list[Expr], verdict: Parallel
    ) -> tuple[Stmt, ...]:
        copies: list[tuple[Stmt, ...]] = []
        mine = [
            name
            for name in (*self.scalars, *self.locals)
            if self.origin.get(name, name) in (*verdict.scalars, *verdict.arrays)
        ]
        for lane, value in enumerate(values):
            body = inner
            # the last lane keeps the names: what is in them afterwards is the last iteration's
            if verdict.legal and lane < len(values) - 1:
                body = rename_body(body, {name: self.copy(name) for name in mine})
            elif not verdict.legal and lane > 0:
                body = self.relabel(body)
            copies.append(substitute(body, {loop.var: value}, self.keep))
        if verdict.legal:
            return self.jam(copies)
        return tuple(stmt for copy in copies for stmt in copy)

    def copy(self, name: str) -> str:
        fresh = self.names.fresh(name)
        self.origin[fresh] = self.origin.get(name, name)
        if name in self.scalars:
            self.scalars[fresh] = replace(self.scalars[name], name=fresh)
        else:
            self.locals[fresh] = replace(self.locals[name], name=fresh)
        return fresh

    def relabel(self, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        """Give the loops of a copy their own variables."""
        return rename_body(body, {x.var: self.names.fresh(x.var) for x in loops(body)})

    def jam(self, copies: list[tuple[Stmt, ...]]) -> tuple[Stmt, ...]:
        """Merge lanes of the same shape, statement by statement."""
        done: list[Stmt] = []
        for lanes in zip(*copies, strict=True):
            first = lanes[0]
            if isinstance(first, Loop):
                bodies = [stmt.body for stmt in lanes if isinstance(stmt, Loop)]
                done.append(replace(first, body=self.jam(bodies)))
            elif isinstance(first, If):
                done.append(first)
                done.extend(self.relabel((stmt,))[0] for stmt in lanes[1:])
            else:
                done.extend(lanes)
        return tuple(done)


def _plus(index: Index, by: int) -> Expr:
    return index if by == 0 else index + by
