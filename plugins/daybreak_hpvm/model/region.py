"""What a region costs: its statements, walked over once.

The same rules as the hardware's (docs/targets/hpvm-rtl.md), but without a schedule: each value is
ready as early as its operands allow (`model.operators`); accesses that share a port follow one another
(`model.accesses`); the initiation interval is the larger one of what ports and recurrences ask for
(`model.pipeline`).
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from daybreak_hpvm.ir import (
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    If,
    Index,
    IntType,
    Load,
    Reduce,
    Scalar,
    Select,
    Stmt,
    Store,
    Unary,
)
from daybreak_hpvm.ir.walk import statements, subexpressions
from daybreak_hpvm.model.accesses import Accesses
from daybreak_hpvm.model.nest import Item, Lane, Region
from daybreak_hpvm.model.operators import Operators, never, tree_levels
from daybreak_hpvm.model.pipeline import RegionCost, pipeline_cost
from daybreak_hpvm.model.values import Ints, Value
from daybreak_hpvm.rtl.costs import mul_latency
from daybreak_hpvm.rtl.storage import Storage

__all__ = ["cost_of"]

_BIT: Final = IntType(1)


def cost_of(region: Region, storage: Mapping[str, Storage]) -> RegionCost:
    """Return what `region` costs, given where each array is kept."""
    return _Walk(region, storage).run()


class _Walk:
    """One pass over a region's statements, each of which stands for its copies in all lanes."""

    def __init__(self, region: Region, storage: Mapping[str, Storage]) -> None:
        self.region = region
        self.storage = storage
        self.lanes = _lanes(region.items)
        counters = frozenset(counter.var for counter in region.counters)
        self.operators = Operators(self.lanes, counters)
        self.accesses = Accesses(storage, self.operators)
        self.written = _written(region.items)
        self.env: dict[str, Value] = {}
        # reductions that may still grow: operator, what they began with, leaves, first and last
        self.trees: dict[str, tuple[str, Value | None, int, int, int]] = {}
        # how often an array was stored to: what was loaded before is another value
        self.epoch: Tally[str] = Tally()
        self.memo: dict[tuple[object, ...], Value] = {}
        self.recurrence = 1
        self.end = 0
        self.context: tuple[Lane, ...] = ()

    def run(self) -> RegionCost:
        for item in self.region.items:
            self.context = item.lanes
            self.stmt(item.stmt, None)
        return pipeline_cost(
            self.region,
            self.storage,
            self.operators,
            self.accesses,
            recurrence=self.recurrence,
            end=self.end,
        )

    # -- statements

    def stmt(self, stmt: Stmt, enable: Value | None) -> None:
        if isinstance(stmt, Assign):
            self.assign(stmt, enable)
        elif isinstance(stmt, Reduce):
            self.reduce(stmt, enable)
        elif isinstance(stmt, Store):
            self.store(stmt, enable)
        elif isinstance(stmt, If):
            self.branch(stmt, enable)

    def branch(self, stmt: If, enable: Value | None) -> None:
        condition = self.expr(stmt.condition)
        inner = condition
        if enable is not None:
            inner = self.operators.operate("and", _BIT, (enable, condition))
        for one in (*stmt.then, *stmt.otherwise):
            self.stmt(one, inner)

    def assign(self, stmt: Assign, enable: Value | None) -> None:
        value = self.operators.renamed(self.expr(stmt.value), stmt.target.type)
        if enable is not None:
            value = self.operators.operate(
                "select", stmt.target.type, (enable, value, self.scalar(stmt.target))
            )
        self.put(stmt.target, value)

    def put(self, target: Scalar, value: Value) -> None:
        name = target.name
        self.trees.pop(name, None)
        repeats = math.prod(len(lane.offsets) for lane in self.context if lane.ordered)
        if name in value.since:
            self.recurrence = max(self.recurrence, value.since[name] * repeats)
            value.last += value.since[name] * (repeats - 1)
        self.env[name] = value
        self.end = max(self.end, value.last if value.registered else value.last + 1)

    def reduce(self, stmt: Reduce, enable: Value | None) -> None:
        name, kind = stmt.target.name, stmt.target.type
        value = self.operators.renamed(self.expr(stmt.value), kind)
        if enable is not None:
            neutral = self.operators.constant(0, kind)
            value = self.operators.operate("select", kind, (enable, value, neutral))
        shared = [
            lane for lane in self.context if name not in lane.scalars and len(lane.offsets) > 1
        ]
        total = math.prod(len(lane.offsets) for lane in shared)
        own = tuple(axis for axis in value.axes if axis not in {lane.var for lane in shared})
        latency = mul_latency(kind.bits, kind.bits) if stmt.op == "mul" else 1
        known = self.trees.get(name)
        if known is not None and known[0] == stmt.op and self.env.get(name) is not None:
            _, base, leaves, first, last = known
            leaves, last = leaves + total, max(last, value.last)
        else:
            base = self.env.get(name) or self.scalar(stmt.target)
            leaves, first, last = total, value.first, value.last
        copies = math.prod(len(self.lanes[axis].offsets) for axis in own) if own else 1
        # copies that are equal are worked out once
        copies = min(copies, value.count) if own else 1
        ready = last + tree_levels(leaves) * latency
        self.operators.count(stmt.op, kind, kind, kind, max(total - 1, 0) * copies)
        value.use(value.last)
        since: dict[str, int] = {}
        merged = base is not None and base.fixed is None
        if merged and base is not None:
            base.use(max(ready, base.last))
            ready = max(ready, base.last) + latency
            self.operators.count(stmt.op, kind, kind, kind, copies)
            since = {key: cycles + latency for key, cycles in base.since.items()}
        axes = own
        shape = self.operators.sizes(axes)
        ids: Ints = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
        # copies whose elements come first are done first
        early = ready if copies == 1 else ready - (last - first) + (last - first) // copies
        result = Value(
            kind, axes, ids, max(1, int(ids.size)), early, ready, since=since, registered=True
        )
        self.operators.values.append(result)
        self.put(stmt.target, result)
        self.trees[name] = (stmt.op, base, leaves, first, last)

    def store(self, stmt: Store, enable: Value | None) -> None:
        kind = self.storage[stmt.array].array.type
        value = self.operators.renamed(self.expr(stmt.value), kind)
        indices = self.indices(stmt.array, stmt.indices)
        ready, recurrence = self.accesses.store(stmt, indices, value, enable, self.context)
        self.recurrence = max(self.recurrence, recurrence)
        self.epoch[stmt.array] += 1
        self.end = max(self.end, ready + 1)

    # -- expressions

    def indices(self, array: str, indices: Sequence[Expr]) -> list[Value]:
        """Return the indices of an access; a stream gives the next element whatever they are."""
        if self.storage[array].kind == "stream":
            return []
        return [self.expr(index, lazy=True) for index in indices]

    def expr(self, expr: Expr, *, lazy: bool = False) -> Value:
        """Return the value of `expr`; `lazy`: an affine form may be left without its additions."""
        versions = tuple((lane.var, len(lane.offsets)) for lane in self.context)
        scalars, arrays = _reads(expr)
        state = tuple((name, self.env[name]) for name in sorted(scalars) if name in self.env)
        stores = tuple((name, self.epoch[name]) for name in sorted(arrays))
        key = (expr, versions, state, stores)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self.evaluate(expr)
        return found if lazy else self.operators.made(found)

    def evaluate(self, expr: Expr) -> Value:
        if isinstance(expr, Const):
            return self.operators.constant(expr.value, expr.type)
        if isinstance(expr, Index):
            return self.operators.index(expr, self.context)
        if isinstance(expr, Scalar):
            return self.scalar(expr)
        if isinstance(expr, Load):
            return self.accesses.load(expr, self.indices(expr.array, expr.indices), self.context)
        if isinstance(expr, Cast):
            return self.operators.renamed(self.expr(expr.operand), expr.type)
        if isinstance(expr, Unary):
            operand = self.expr(expr.operand)
            if expr.op == "not":
                return self.operators.renamed(operand, expr.type)
            return self.operators.operate(expr.op, expr.type, (operand,))
        if isinstance(expr, Select):
            condition = self.expr(expr.condition)
            yes, no = self.expr(expr.yes), self.expr(expr.no)
            if condition.fixed is not None and condition.fixed.ndim == 0:
                return yes if condition.fixed.item() else no
            return self.operators.operate("select", expr.type, (condition, yes, no))
        if isinstance(expr, Binary):
            return self.binary(expr)
        raise TypeError(f"{type(expr).__name__} is no expression")

    def scalar(self, expr: Scalar) -> Value:
        found = self.env.get(expr.name)
        if found is None:
            since = {expr.name: 0} if expr.name in self.written else {}
            found = Value(expr.type, (), np.zeros((), np.int64), 1, 0, 0, since=since)
            found.stable = expr.name not in self.written
            self.env[expr.name] = found
        return found

    def binary(self, expr: Binary) -> Value:
        affine = expr.op in ("add", "sub", "mul", "shl")
        left = self.expr(expr.left, lazy=affine)
        right = self.expr(expr.right, lazy=affine)
        found = self.operators.affine(expr, left, right) if affine else None
        if found is not None:
            return found
        left, right = self.operators.made(left), self.operators.made(right)
        op = expr.op
        if op in ("shl", "shr") and right.fixed is not None and right.fixed.ndim == 0:
            amount = int(right.fixed)
            return self.operators.shifted(left, amount if op == "shl" else -amount, expr.type)
        if op == "mul" and left.fixed is not None:
            left, right = right, left
        if op == "mul" and right.fixed is not None and right.fixed.ndim == 0:
            return self.operators.scaled(left, int(right.fixed), expr.type)
        zero = right.fixed is not None and not right.fixed.any()
        if zero and op in ("add", "sub", "or", "xor"):
            return self.operators.renamed(left, expr.type)
        if op in ("min", "max"):
            for one, other in ((left, right), (right, left)):
                if never(op, one, other):
                    return self.operators.renamed(other, expr.type)
        return self.operators.operate(op, expr.type, (left, right))


def _lanes(items: Iterable[Item]) -> dict[str, Lane]:
    """Return the region's lanes by variable, the one with most copies where there are several."""
    found: dict[str, Lane] = {}
    for item in items:
        for lane in item.lanes:
            known = found.get(lane.var)
            if known is None or len(lane.offsets) > len(known.offsets):
                found[lane.var] = lane
    return found


def _written(items: Iterable[Item]) -> frozenset[str]:
    return frozenset(
        one.target.name
        for item in items
        for one in statements((item.stmt,))
        if isinstance(one, Assign | Reduce)
    )


@lru_cache(maxsize=20_000)
def _reads(expr: Expr) -> tuple[frozenset[str], frozenset[str]]:
    """Return the scalars and the arrays that `expr` reads."""
    parts = list(subexpressions(expr))
    return (
        frozenset(part.name for part in parts if isinstance(part, Scalar)),
        frozenset(part.array for part in parts if isinstance(part, Load)),
    )
