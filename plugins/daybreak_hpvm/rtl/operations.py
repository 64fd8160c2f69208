"""The operations of one iteration, as a graph without duplicates.

An operation's value is that of its kind on its operands' values, wrapped to its type. Kinds beyond
those of the IR's expressions:

==========  ===================================================================================
const       the attribute
index       variable of a loop of the region (attribute); of an outer one: `stable`
count       how many iterations of a loop came before (attribute: the loop's variable)
scalar      a register that the region does not write
read        a register that the region writes: its value before this iteration
shlc, shrc  shift by a constant (attribute)
load        element of a memory; operand: the place within the bank
pop         next element of a stream
write       to a register (attribute); operand: the value
store       operands: place, value, condition (if any)
push        operand: the value
==========  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from daybreak_hpvm.ir import BOOL, IntType
from daybreak_hpvm.rtl.costs import COMMUTING, CONSTANT_DIGITS, mul_latency, signed_digits

__all__ = ["EFFECTS", "Graph", "Op", "Port"]

#: kinds that are carried out for what they do; everything else is needed only for its value
EFFECTS: Final = frozenset({"pop", "push", "store", "write"})
_STABLE: Final = frozenset({"const", "scalar"})
_WIRES: Final = frozenset({"cast", "not", "shlc", "shrc"})

_FOLD: Final[dict[str, Callable[..., int]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b,
    "shr": lambda a, b: a >> b,
    "min": min,
    "max": max,
    "eq": lambda a, b: int(a == b),
    "ne": lambda a, b: int(a != b),
    "lt": lambda a, b: int(a < b),
    "le": lambda a, b: int(a <= b),
    "gt": lambda a, b: int(a > b),
    "ge": lambda a, b: int(a >= b),
    "neg": lambda a: -a,
    "abs": abs,
    "select": lambda c, a, b: a if c else b,
    "cast": lambda a: a,
}


@dataclass(frozen=True, slots=True)
class Port:
    """Where a memory is accessed: `side` is load, store, pop or push; `bank` counts from 0."""

    memory: str
    side: str
    bank: int = 0


@dataclass(eq=False, slots=True)
class Op:
    """An operation; see the module.

    Attributes:
        kind: what it does.
        type: of its value.
        operands: operations whose values it takes.
        attribute: a constant, name or number that goes with the kind.
        latency: cycles until an operation may take its value.
        wire: cycles until its value stands on a wire, in front of the register where there is one.
        port: what it occupies for a cycle.
        number: its place in the order of creation, in which operands come first.
    """

    kind: str
    type: IntType
    operands: tuple[Op, ...]
    attribute: Any
    latency: int
    wire: int
    port: Port | None
    number: int

    @property
    def stable(self) -> bool:
        """Whether its value is the same throughout the region."""
        return self.kind in _STABLE or (
            self.transparent and all(one.stable for one in self.operands)
        )

    @property
    def transparent(self) -> bool:
        """Whether it is made of wires: computed wherever its value is taken."""
        return self.kind in _WIRES


def _side(op: Op) -> tuple[int, bool, int]:
    return op.type.bits, op.type.signed, op.number


@dataclass
class Graph:
    """Operations in order of creation, equal ones made once."""

    ops: list[Op] = field(default_factory=list)
    _made: dict[tuple[Any, ...], Op] = field(default_factory=dict)

    def make(
        self,
        kind: str,
        type_: IntType,
        operands: Iterable[Op] = (),
        attribute: Any = None,
        *,
        latency: int = 0,
        wire: int = 0,
        port: Port | None = None,
        unique: Any = None,
    ) -> Op:
        """Return the operation, an earlier one if nothing differs; `unique` may make it differ."""
        listed = tuple(operands)
        if kind in COMMUTING:
            # by type first: synthesis merges operators of the same wires, but only if these stand
            # on the same sides
            listed = tuple(sorted(listed, key=_side))
        numbers = tuple(one.number for one in listed)
        key = (kind, type_, numbers, attribute, port, unique)
        found = self._made.get(key)
        if found is None:
            found = Op(kind, type_, listed, attribute, latency, wire, port, len(self.ops))
            self.ops.append(found)
            self._made[key] = found
        return found

    def const(self, value: int, type_: IntType) -> Op:
        """Return a constant, wrapped to `type_`."""
        return self.make("const", type_, (), type_.wrap(value))

    def cast(self, operand: Op, type_: IntType) -> Op:
        """Return `operand` wrapped to `type_`."""
        if operand.type == type_:
            return operand
        if operand.kind == "const":
            return self.const(operand.attribute, type_)
        return self.make("cast", type_, (operand,))

    def shift(self, operand: Op, amount: int, type_: IntType) -> Op:
        """Return ``operand * 2**amount`` (floor for a negative amount), wrapped to `type_`."""
        if operand.kind == "const":
            value = operand.attribute
            return self.const(value << amount if amount >= 0 else value >> -amount, type_)
        if amount == 0:
            return self.cast(operand, type_)
        kind = "shlc" if amount > 0 else "shrc"
        return self.make(kind, type_, (operand,), abs(amount))

    def unary(self, kind: str, operand: Op, type_: IntType) -> Op:
        """Return neg, abs or not of `operand`."""
        if kind == "not":
            if operand.kind == "const":
                return self.const(~operand.attribute, type_)
            return self.make("not", type_, (operand,))
        if operand.kind == "const":
            return self.const(_FOLD[kind](operand.attribute), type_)
        return self.make(kind, type_, (operand,), latency=1)

    def binary(self, kind: str, left: Op, right: Op, type_: IntType) -> Op:
        """Return ``left kind right`` wrapped to `type_`, in the cheapest form known."""
        if left.kind == "const" and right.kind == "const":
            return self.const(_FOLD[kind](left.attribute, right.attribute), type_)
        if kind in ("shl", "shr") and right.kind == "const":
            amount = right.attribute
            return self.shift(left, amount if kind == "shl" else -amount, type_)
        if left.kind == "const" and kind in ("add", "mul", "or", "xor", "and"):
            left, right = right, left
        if right.kind == "const":
            value = right.attribute
            if value == 0 and kind in ("add", "sub", "or", "xor"):
                return self.cast(left, type_)
            if value == 0 and kind in ("mul", "and"):
                return self.const(0, type_)
            if kind == "mul":
                return self.scaled(left, value, type_)
        if kind == "mul":
            cycles = mul_latency(left.type.bits, right.type.bits)
            return self.make("mul", type_, (left, right), latency=cycles, wire=cycles - 1)
        if left is right and kind in ("min", "max", "and", "or"):
            return self.cast(left, type_)
        return self.make(kind, type_, (left, right), latency=1)

    def scaled(self, operand: Op, factor: int, type_: IntType) -> Op:
        """Return ``operand * factor``: shifts and an addition if that will do."""
        digits = signed_digits(factor)
        if len(digits) == 1 and digits[0][0] > 0:
            return self.shift(operand, digits[0][1], type_)
        if len(digits) == 1:
            return self.make("neg", type_, (self._shifted(operand, digits[0][1]),), latency=1)
        if len(digits) <= CONSTANT_DIGITS and any(sign > 0 for sign, _ in digits):
            (low, by_low), (high, by_high) = digits
            parts = (self._shifted(operand, by_high), self._shifted(operand, by_low))
            if low > 0 and high > 0:
                return self.make("add", type_, parts, latency=1)
            return self.make("sub", type_, parts if high > 0 else parts[::-1], latency=1)
        from daybreak_hpvm.ir import fitting

        constant = self.const(factor, fitting(factor, factor))
        cycles = mul_latency(operand.type.bits, constant.type.bits)
        return self.make("mul", type_, (operand, constant), latency=cycles, wire=cycles - 1)

    def _shifted(self, operand: Op, amount: int) -> Op:
        kind = IntType(operand.type.bits + amount, operand.type.signed)
        return self.shift(operand, amount, kind)

    def select(self, condition: Op, yes: Op, no: Op, type_: IntType) -> Op:
        """Return `yes` where `condition` is not zero, else `no`."""
        if condition.kind == "const":
            return self.cast(yes if condition.attribute else no, type_)
        if yes is no:
            return self.cast(yes, type_)
        if yes.kind == no.kind == "const" and yes.attribute == no.attribute:
            return self.const(yes.attribute, type_)
        return self.make("select", type_, (condition, yes, no), latency=1)

    def truth(self, operand: Op) -> Op:
        """Return u1: whether `operand` is not zero."""
        if operand.type == BOOL:
            return operand
        if operand.kind == "const":
            return self.const(int(operand.attribute != 0), BOOL)
        return self.binary("ne", operand, self.const(0, operand.type), BOOL)

    def both(self, left: Op | None, right: Op) -> Op:
        """Return the conjunction of two conditions; None stands for a true one."""
        if left is None:
            return right
        if left.kind == "const":
            return right if left.attribute else left
        if right.kind == "const":
            return left if right.attribute else right
        return self.binary("and", left, right, BOOL)
