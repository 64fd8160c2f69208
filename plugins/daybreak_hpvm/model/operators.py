"""Values that a region makes, and the operators that make them.

A value stands for all its copies in lanes; equal copies are one operator (see `model.values`). Each is
ready as early as its operands allow, after the latency that the hardware's operator has.
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from daybreak_hpvm.ir import Binary, Index, IntType
from daybreak_hpvm.model.nest import Lane
from daybreak_hpvm.model.values import Form, Ints, Value, classes, common, spread
from daybreak_hpvm.rtl.costs import (
    COMMUTING,
    CONSTANT_DIGITS,
    LIMB_BITS,
    mul_latency,
    signed_digits,
)

__all__ = ["Operators", "never", "tree_levels"]

_COMPARISONS: Final = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_LOGIC: Final = frozenset({"and", "or", "xor"})
#: operators whose delay grows with their width
_CARRIES: Final = _COMPARISONS | {"add", "sub", "neg", "abs", "min", "max"}

_FOLDS: Final = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


class Operators:
    """The operators of a region.

    Attributes:
        order: variables of the region's lanes, in the order of values' axes.
        counters: variables of the region's own loops: what is affine in others is stable.
        amounts: bits of each kind of operator (`model.features.LUT_FEATURES` tells which).
        multipliers: widths of products' operands, and how many of each.
        chain: bits of the widest operator with a carry.
        values: all that were made, for what carries them to where they are used.
    """

    def __init__(self, lanes: Mapping[str, Lane], counters: frozenset[str]) -> None:
        self._lanes = lanes
        self._added: dict[tuple[object, ...], Value] = {}
        self.order = tuple(lanes)
        self.counters = counters
        self.amounts: Tally[str] = Tally()
        self.multipliers: Tally[tuple[int, int]] = Tally()
        self.chain = 0
        self.values: list[Value] = []
        # counts of operators that take what a port gives, which depend on the interval
        self._at_ports: list[Callable[[int], None]] = []
        # operators by kind and signals, and numbers of what these come from
        self._made: set[tuple[object, ...]] = set()
        self._sources: dict[object, int] = {}

    def sizes(self, axes: tuple[str, ...]) -> tuple[int, ...]:
        """Return how many copies each of the lanes `axes` has."""
        return tuple(len(self._lanes[axis].offsets) for axis in axes)

    def made(self, value: Value) -> Value:
        """Return `value`, with the additions that an affine form takes."""
        form = value.form
        if form is None or value.fixed is not None or value.registered or not form.terms:
            return value
        adds = len(form.terms) - 1 + sum(len(signed_digits(f)) - 1 for _, f in form.terms)
        nonzero = int(np.count_nonzero(np.unique(form.constants)))
        if adds == 0 and nonzero == 0:
            return value
        key = (form.terms, form.constants.tobytes(), value.type)
        found = self._added.get(key)
        if found is None:
            cycles = adds + (1 if nonzero else 0)
            self.count("add", value.type, value.type, value.type, adds + nonzero)
            found = Value(
                value.type, value.axes, value.ids, value.count, cycles, cycles, registered=True
            )
            self.values.append(found)
            self._added[key] = found
        return found

    def constant(self, number: int, kind: IntType) -> Value:
        """Return a constant."""
        array = np.asarray(number, dtype=np.int64)
        return Value(kind, (), np.zeros((), np.int64), 1, 0, 0, fixed=array, form=Form((), array))

    def index(self, expr: Index, context: Sequence[Lane]) -> Value:
        """Return the variable of a loop around the region, of one of its own, or of a lane."""
        lane = next((one for one in context if one.var == expr.name), None)
        if lane is None:
            form = Form(((expr.name, 1),), np.asarray(0, dtype=np.int64))
            moving = expr.name in self.counters
            value = Value(expr.type, (), np.zeros((), np.int64), 1, 0, 0, form=form)
            value.stable = not moving
            return value
        offsets: Ints = np.asarray(lane.offsets, dtype=np.int64)
        if len(lane.offsets) == 1:
            offsets = offsets.reshape(())
        axes = (expr.name,) if offsets.ndim else ()
        ids: Ints = np.arange(offsets.size, dtype=np.int64).reshape(offsets.shape)
        if lane.fixed:
            form = Form((), offsets)
            return Value(expr.type, axes, ids, offsets.size, 0, 0, fixed=offsets, form=form)
        form = Form(((expr.name, 1),), offsets)
        return Value(expr.type, axes, ids, offsets.size, 0, 0, form=form)

    def renamed(self, value: Value, kind: IntType) -> Value:
        """Return `value` as wires of another type."""
        if kind == value.type:
            return value
        form = value.form if value.form is not None and kind.bits >= value.type.bits else None
        return Value(
            kind, value.axes, value.ids, value.count, value.first, value.last, fixed=value.fixed,
            form=form, since=value.since, registered=value.registered, stable=value.stable,
            wires=(value,), width=value.width, port=value.port,
        )  # fmt: skip

    def shifted(self, value: Value, amount: int, kind: IntType) -> Value:
        """Return ``value * 2**amount``, rounded down: wires."""
        found = self.renamed(value, kind)
        if found is value:
            found = replace(value, wires=(value,))
        found.form = None
        found.width = max(1, value.bits + amount)
        return found

    def affine(self, expr: Binary, left: Value, right: Value) -> Value | None:
        """Return an affine combination of affine forms; None where it is none."""
        if left.form is None or right.form is None:
            return None
        one, other = left.form, right.form
        order = common((left, right), self.order)
        sizes = self.sizes(order)
        a = spread(one.constants, left.axes, order)
        b = spread(other.constants, right.axes, order)
        terms: Tally[str] = Tally()
        if expr.op in ("add", "sub"):
            sign = 1 if expr.op == "add" else -1
            constants = a + sign * b
            for name, factor in one.terms:
                terms[name] += factor
            for name, factor in other.terms:
                terms[name] += sign * factor
        else:
            moving, still = (other, one) if other.terms else (one, other)
            if still.terms or (moving.terms and still.constants.ndim):
                return None
            if expr.op == "shl" and (other.terms or other.constants.ndim):
                return None
            by = 1 << int(other.constants) if expr.op == "shl" else 1
            constants = a * by if expr.op == "shl" else a * b
            factor = by if expr.op == "shl" else int(still.constants.flat[0])
            for name, each in moving.terms:
                terms[name] += each * factor
        constants = np.broadcast_to(constants, sizes).astype(np.int64)
        listed = tuple(sorted((n, f) for n, f in terms.items() if f))
        ids, count = classes([constants], sizes)
        fixed = None if listed else constants
        form = Form(listed, constants)
        value = Value(expr.type, order, ids, count, 0, 0, fixed=fixed, form=form)
        value.stable = all(name not in self.counters for name, _ in listed)
        return value

    def scaled(self, value: Value, factor: int, kind: IntType) -> Value:
        """Return ``value * factor``: shifts and an addition if that will do, as in the hardware."""
        digits = signed_digits(factor)
        if not digits:
            return self.constant(0, kind)
        if len(digits) == 1 and digits[0][0] > 0:
            return self.shifted(value, digits[0][1], kind)
        if len(digits) <= CONSTANT_DIGITS:
            return self.operate("add" if len(digits) > 1 else "neg", kind, (value,))
        constant = self.constant(factor, IntType(factor.bit_length() + (factor < 0), factor < 0))
        return self.operate("mul", kind, (value, constant))

    def operate(self, op: str, kind: IntType, operands: tuple[Value, ...]) -> Value:
        """Return the value of an operation, and count its operators."""
        if all(one.fixed is not None for one in operands) and op != "select":
            fixed = self._folded(op, kind, operands)
            if fixed is not None:
                return fixed
        axes = common(operands, self.order)
        keys = [spread(one.ids, one.axes, axes) for one in operands]
        ids, count = classes(keys, self.sizes(axes))
        types = [one.type for one in operands]
        latency = 1
        if op == "mul":
            latency = mul_latency(types[0].bits, types[-1].bits)
        first = max(one.first for one in operands)
        last = max(one.last for one in operands)
        for one in operands:
            one.use(last)
        bits = operands[0].bits, operands[-1].bits
        if any(one.port for one in operands):
            self._at_ports.append(
                lambda interval: self.count(
                    op, kind, types[0], types[-1], self._new(op, operands, axes, interval), bits
                )
            )
        else:
            self.count(op, kind, types[0], types[-1], count, bits)
        since: dict[str, int] = {}
        for one in operands:
            for name, cycles in one.since.items():
                since[name] = max(since.get(name, 0), cycles + latency)
        value = Value(kind, axes, ids, count, first + latency, last + latency, since=since)
        value.registered = True
        self.values.append(value)
        return value

    def settle(self, interval: int) -> None:
        """Count what depends on the interval, now that it is known.

        What comes through a port stands on the same wires each time, and what it meets there is held
        in a register: operators of the same wires and register are one, used in several cycles.
        """
        for one in self._at_ports:
            one(interval)
        self._at_ports.clear()

    def _new(self, op: str, operands: Sequence[Value], axes: tuple[str, ...], interval: int) -> int:
        """Return how many operators there are in this place that no other place has already."""
        sizes = self.sizes(axes)
        ready = [spread(one.ready(), one.axes, axes) for one in operands]
        cycle = ready[0]
        for one in ready[1:]:
            cycle = np.maximum(cycle, one)
        signals = []
        for value, since in zip(operands, ready, strict=True):
            ids = spread(value.ids, value.axes, axes)
            registers: Ints = np.zeros((), dtype=np.int64)
            if value.fixed is None and not value.stable:
                registers = -((since - cycle) // interval)
            source = np.full((), self._number(id(value.source)))
            if value.port:
                source = np.where(registers == 0, self._number(value.port), source)
                ids = np.where(registers == 0, 0, ids)
            columns = (np.broadcast_to(x, sizes).ravel() for x in (source, ids, registers))
            signals.append(list(zip(*(x.tolist() for x in columns), strict=True)))
        # Lanes are served one after the other: what another statement loads for the same lane comes
        # a cycle or so later, mostly before it can be used, and not after all lanes.
        kind = (op,) if math.prod(sizes) == 1 else (op, id(operands))
        before = len(self._made)
        for taken in zip(*signals, strict=True):
            self._made.add((*kind, *(sorted(taken) if op in COMMUTING else taken)))
        return len(self._made) - before

    def _number(self, source: object) -> int:
        return self._sources.setdefault(source, len(self._sources))

    def _folded(self, op: str, kind: IntType, operands: tuple[Value, ...]) -> Value | None:
        fold = _FOLDS.get(op)
        if fold is None or len(operands) != 2:
            return None
        axes = common(operands, self.order)
        a, b = (spread(one.fixed, one.axes, axes) for one in operands if one.fixed is not None)
        values: Ints = np.asarray(fold(a, b), dtype=np.int64)
        ids, count = classes([values], values.shape)
        form = Form((), values)
        return Value(kind, axes, ids, count, 0, 0, fixed=values, form=form)

    def count(
        self,
        op: str,
        kind: IntType,
        left: IntType,
        right: IntType,
        number: int,
        bits: tuple[int, int] | None = None,
    ) -> None:
        """Note `number` operators; `bits` of a product's operands, if fewer than their types'."""
        if number <= 0:
            return
        amounts = self.amounts
        if op in _CARRIES:
            self.chain = max(self.chain, kind.bits, left.bits, right.bits)
        wide = max(left.bits, right.bits)
        if op in ("add", "sub", "neg"):
            amounts["add"] += number * kind.bits
        elif op == "abs":
            amounts["add"] += number * kind.bits
            amounts["mux"] += number * kind.bits
        elif op in _COMPARISONS:
            amounts["compare"] += number * wide
        elif op in ("min", "max"):
            amounts["minmax"] += number * wide
        elif op == "select":
            amounts["mux"] += number * kind.bits
        elif op in _LOGIC:
            amounts["logic"] += number * kind.bits
        elif op in ("shl", "shr"):
            amounts["shift"] += number * kind.bits * max(1, right.bits)
        elif op == "mul":
            self.multipliers[bits or (left.bits, right.bits)] += number
            if mul_latency(left.bits, right.bits) > 1:
                cuts = [max(1, -(-(one.bits - 1) // LIMB_BITS)) for one in (left, right)]
                amounts["products"] += number * kind.bits * (cuts[0] * cuts[1] - 1)


def tree_levels(leaves: int) -> int:
    """Return the levels of a tree of operators over so many leaves."""
    return math.ceil(math.log2(leaves)) if leaves > 1 else 0


def never(op: str, bound: Value, other: Value) -> bool:
    """Whether the constant `bound` never is the smaller (larger) one."""
    if bound.fixed is None:
        return False
    if op == "min":
        return int(bound.fixed.min()) >= other.type.high
    return int(bound.fixed.max()) <= other.type.low
