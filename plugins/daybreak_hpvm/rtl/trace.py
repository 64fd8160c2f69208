"""Carries a region's body out on symbols: statements in, one iteration's operations out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from daybreak_hpvm.ir import (
    BOOL,
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    If,
    Index,
    IntType,
    Load,
    Loop,
    Reduce,
    Scalar,
    Select,
    Stmt,
    Store,
    Unary,
)
from daybreak_hpvm.ir.walk import loads, statements
from daybreak_hpvm.rtl.costs import EXTERNAL_LATENCY, RAM_LATENCY
from daybreak_hpvm.rtl.operations import EFFECTS, Graph, Op, Port
from daybreak_hpvm.rtl.places import AccessRecord, Order, memory_order, place_op
from daybreak_hpvm.rtl.storage import Storage, flat_affine
from daybreak_hpvm.rtl.structure import Region
from daybreak_hpvm.transforms.affine import Affine

__all__ = ["Trace", "trace"]


@dataclass
class Trace:
    """One iteration of a region.

    Attributes:
        ops: what is to be done, operands first; only what is needed for an effect.
        order: further dependences, within an iteration and between successive ones.
    """

    ops: list[Op]
    order: list[Order]


@dataclass
class _Value:
    """A scalar's value: `base`, into which `extra` values are still to be reduced by `op`."""

    base: Op
    op: str = ""
    extra: list[Op] = field(default_factory=list)


def trace(region: Region, scope: Mapping[str, Loop], storage: Mapping[str, Storage]) -> Trace:
    """Return the operations of one iteration of `region`.

    Args:
        region: its loops must be expanded.
        scope: every loop around the body, the region's own included, by variable.
        storage: of all arrays of the node.
    """
    tracer = _Tracer(region, scope, storage)
    tracer.body(region.body)
    return tracer.finish()


_IDENTITY: Final = {"add": 0, "or": 0, "xor": 0, "and": -1, "mul": 1}


def _identity(op: str, type_: IntType) -> int:
    if op == "min":
        return type_.high
    return type_.low if op == "max" else _IDENTITY[op]


class _Tracer:
    def __init__(
        self, region: Region, scope: Mapping[str, Loop], storage: Mapping[str, Storage]
    ) -> None:
        self.region = region
        self.scope = scope
        self.storage = storage
        self.graph = Graph()
        self.own = {loop.var for loop in region.loops}
        self.written = {
            s.target.name: s.target
            for s in statements(region.body)
            if isinstance(s, Assign | Reduce)
        }
        self.stored = {s.array for s in statements(region.body) if isinstance(s, Store)}
        self.loaded = {load.array for load in loads(region.body)}
        self.env: dict[str, _Value] = {}
        self.condition: Op | None = None
        self.versions: dict[str, int] = {}
        self.records: dict[str, list[AccessRecord]] = {}
        self.memo: dict[int, Op] = {}

    # -- statements

    def body(self, body: Iterable[Stmt]) -> None:
        for stmt in body:
            self.memo.clear()
            if isinstance(stmt, Assign):
                value = self.graph.cast(self.expr(stmt.value), stmt.target.type)
                self.env[stmt.target.name] = _Value(value)
            elif isinstance(stmt, Reduce):
                self.reduce(stmt)
            elif isinstance(stmt, Store):
                self.store(stmt)
            elif isinstance(stmt, If):
                self.branch(stmt)
            else:
                raise TypeError(f"{type(stmt).__name__} in a region's body")

    def reduce(self, stmt: Reduce) -> None:
        name, type_ = stmt.target.name, stmt.target.type
        value = self.graph.cast(self.expr(stmt.value), type_)
        old = self.value(stmt.target)
        if old.extra and old.op != stmt.op:
            old = _Value(self.settle(stmt.target))
        self.env[name] = _Value(old.base, stmt.op, [*old.extra, value])

    def store(self, stmt: Store) -> None:
        storage = self.storage[stmt.array]
        array = storage.array
        value = self.graph.cast(self.expr(stmt.value), array.type)
        condition = () if self.condition is None else (self.condition,)
        if storage.kind == "stream":
            port = Port(array.name, "push")
            self.graph.make("push", array.type, (value,), port=port, unique=len(self.graph.ops))
            return
        form, bank, place = self.place(stmt.array, stmt.indices)
        op = self.graph.make(
            "store",
            array.type,
            (place, value, *condition),
            (array.name, bank),
            port=self.port(storage, "store", bank),
            unique=len(self.graph.ops),
        )
        self.versions[array.name] = self.versions.get(array.name, 0) + 1
        self.records.setdefault(array.name, []).append(AccessRecord(op, True, form, bank))

    def branch(self, stmt: If) -> None:
        condition = self.graph.truth(self.expr(stmt.condition))
        before, outer = dict(self.env), self.condition
        self.condition = self.graph.both(outer, condition)
        self.body(stmt.then)
        then, self.env = self.env, dict(before)
        if stmt.otherwise:
            inverse = self.graph.unary("not", condition, BOOL)
            self.condition = self.graph.both(outer, inverse)
            self.body(stmt.otherwise)
        self.condition = outer
        otherwise, self.env = self.env, before
        # scalars that a branch only reads, and nobody in the region writes, stay what they are
        for name in sorted((then.keys() | otherwise.keys()) & self.written.keys()):
            one, two = then.get(name), otherwise.get(name)
            if one is not two:
                self.env[name] = self.merge(name, condition, one, two)

    def merge(self, name: str, condition: Op, one: _Value | None, two: _Value | None) -> _Value:
        target = self.written[name]
        one = one or self.initial(target)
        two = two or self.initial(target)
        type_ = target.type
        op = one.op if one.extra else two.op
        shared = 0
        while shared < min(len(one.extra), len(two.extra)) and (
            one.extra[shared] is two.extra[shared]
        ):
            shared += 1
        alike = one.base is two.base and all(not v.extra or v.op == op for v in (one, two))
        if alike:
            # a reduction that is left out is one of the neutral element
            neutral = self.graph.const(_identity(op, type_), type_) if op else one.base
            extra = list(one.extra[:shared])
            longest = max(len(one.extra), len(two.extra))
            for k in range(shared, longest):
                yes = one.extra[k] if k < len(one.extra) else neutral
                no = two.extra[k] if k < len(two.extra) else neutral
                extra.append(self.graph.select(condition, yes, no, type_))
            return _Value(one.base, op, extra)
        return _Value(
            self.graph.select(condition, self.settled(one, type_), self.settled(two, type_), type_)
        )

    # -- scalars

    def initial(self, scalar: Scalar) -> _Value:
        """Return what is in the register when the iteration begins."""
        kind = "read" if scalar.name in self.written else "scalar"
        return _Value(self.graph.make(kind, scalar.type, (), scalar.name))

    def value(self, scalar: Scalar) -> _Value:
        found = self.env.get(scalar.name)
        if found is None:
            found = self.env[scalar.name] = self.initial(scalar)
        return found

    def settled(self, value: _Value, type_: IntType) -> Op:
        """Return the value with all reductions done: a tree of the new ones, then the old one."""
        level = list(value.extra)
        while len(level) > 1:
            pairs = [
                self.graph.binary(value.op, level[k], level[k + 1], type_)
                for k in range(0, len(level) - 1, 2)
            ]
            level = pairs + ([level[-1]] if len(level) % 2 else [])
        if not level:
            return value.base
        return self.graph.binary(value.op, value.base, level[0], type_)

    def settle(self, scalar: Scalar) -> Op:
        found = self.value(scalar)
        if found.extra:
            found = self.env[scalar.name] = _Value(self.settled(found, scalar.type))
        return found.base

    # -- expressions

    def expr(self, expr: Expr) -> Op:
        found = self.memo.get(id(expr))
        if found is None:
            found = self.memo[id(expr)] = self._expr(expr)
        return found

    def _expr(self, expr: Expr) -> Op:
        graph = self.graph
        if isinstance(expr, Const):
            return graph.const(expr.value, expr.type)
        if isinstance(expr, Index):
            return self.index(expr.name)
        if isinstance(expr, Scalar):
            return self.settle(expr)
        if isinstance(expr, Load):
            return self.load(expr)
        if isinstance(expr, Cast):
            return graph.cast(self.expr(expr.operand), expr.type)
        if isinstance(expr, Unary):
            return graph.unary(expr.op, self.expr(expr.operand), expr.type)
        if isinstance(expr, Binary):
            return graph.binary(expr.op, self.expr(expr.left), self.expr(expr.right), expr.type)
        if isinstance(expr, Select):
            condition = graph.truth(self.expr(expr.condition))
            return graph.select(condition, self.expr(expr.yes), self.expr(expr.no), expr.type)
        raise TypeError(f"{type(expr).__name__} is no expression")

    def index(self, name: str, count: bool = False) -> Op:
        loop = self.scope[name]
        if loop.trips == 1:
            return self.graph.const(0 if count else loop.start, loop.index.type)
        kind = ("count" if count else "index") if name in self.own else "scalar"
        prefix = "" if name in self.own else ("#" if count else "@")
        return self.graph.make(kind, loop.index.type, (), prefix + name)

    def load(self, expr: Load) -> Op:
        storage = self.storage[expr.array]
        array = storage.array
        if storage.kind == "stream":
            port = Port(array.name, "pop")
            unique = len(self.graph.ops)
            return self.graph.make(
                "pop", array.type, (), array.name, latency=1, port=port, unique=unique
            )
        form, bank, place = self.place(expr.array, expr.indices)
        if storage.kind == "registers":
            if array.values is not None and place.kind == "const":
                return self.graph.const(array.values[place.attribute], array.type)
            latency = wire = 0
            if place.kind != "const":
                latency = 1
        elif storage.kind == "ram":
            latency, wire = RAM_LATENCY, RAM_LATENCY - 1
        else:
            latency = wire = EXTERNAL_LATENCY
        op = self.graph.make(
            "load",
            array.type,
            (place,),
            (array.name, bank),
            latency=latency,
            wire=wire,
            port=self.port(storage, "load", bank),
            unique=self.versions.get(array.name, 0),
        )
        if array.name in self.stored:
            listed = self.records.setdefault(array.name, [])
            if all(record.op is not op for record in listed):
                listed.append(AccessRecord(op, False, form, bank))
        return op

    # -- memories

    def place(self, name: str, indices: tuple[Expr, ...]) -> tuple[Affine | None, int, Op]:
        storage = self.storage[name]
        form = flat_affine(indices, storage.array.shape)
        computed = () if form is not None else tuple(self.expr(index) for index in indices)
        bank, op = place_op(self.graph, storage, form, computed, self.scope, self.index)
        return form, bank, op

    @staticmethod
    def port(storage: Storage, side: str, bank: int) -> Port | None:
        """Return what the access occupies; registers are free for all."""
        return None if storage.kind == "registers" else Port(storage.array.name, side, bank)

    # -- the end

    def finish(self) -> Trace:
        order: list[Order] = []
        for name, scalar in sorted(self.written.items()):
            final = self.settle(scalar)
            if final.kind == "read" and final.attribute == name:
                continue
            write = self.graph.make("write", scalar.type, (final,), name)
            for op in self.graph.ops:
                if op.kind == "read" and op.attribute == name:
                    order.append(Order(op, write, 0, 0))
                    order.append(Order(write, op, 1, 1))
        for name, records in self.records.items():
            overlap = self.storage[name].kind == "registers"
            order.extend(memory_order(records, self.region.loops, overlap=overlap))
        order.extend(_in_turn(self.graph.ops))
        needed = self._needed()
        kept = [op for op in self.graph.ops if op.number in needed]
        order = [o for o in order if o.first.number in needed and o.second.number in needed]
        return Trace(kept, order)

    def _needed(self) -> set[int]:
        needed: set[int] = set()
        for op in reversed(self.graph.ops):
            if op.kind in EFFECTS or op.number in needed:
                needed.add(op.number)
                needed.update(operand.number for operand in op.operands)
        return needed


def _in_turn(ops: Iterable[Op]) -> list[Order]:
    """Keep the elements of a stream in order, also from one iteration to the next."""
    order: list[Order] = []
    lines: dict[Port, list[Op]] = {}
    for op in ops:
        if op.kind in ("pop", "push") and op.port is not None:
            lines.setdefault(op.port, []).append(op)
    for line in lines.values():
        order.extend(Order(a, b, 1, 0) for a, b in itertools.pairwise(line))
        if len(line) > 1:
            order.append(Order(line[-1], line[0], 1, 1))
    return order
