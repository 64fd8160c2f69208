"""Expressions: exact integer arithmetic over loop indices, scalars and array elements.

Every expression knows its type. The type of an operator's result is the narrowest that holds the
operator's value for all values of the operands' *types*, so nothing wraps inside an expression:

=========  =====================================================================
operator   value
=========  =====================================================================
add, sub   exact sum, difference
mul        exact product
min, max   exact
and, or,   bitwise on two's complement of unbounded length (so an unsigned
xor        operand is extended by zeros, a signed one by its sign)
shl        left * 2**right; right is unsigned
shr        floor(left / 2**right); right is unsigned (arithmetic if left is signed)
eq .. ge   comparison of the exact values, u1
neg, abs   exact
not        bitwise complement: of a signed operand ``-x - 1``; of an unsigned one
           of n bits ``2**n - 1 - x`` (so ``not`` of a u1 is the logical one)
select     `yes` where the condition is not zero, else `no`; both are evaluated
cast       wraps to the stated type
load       element of an array; each index must be shown to be within its extent
=========  =====================================================================

In Python: ``+ - * & | ^ << >> ~ < <= > >=``, `eq`, `ne`, `minimum`, `maximum`, `select`, `cast`;
plain integers become constants. (`==` compares expressions themselves, as dataclasses do.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Union

from daybreak_hpvm.ir.types import BOOL, MAX_BITS, IntType, fitting

__all__ = [
    "BINARY",
    "COMPARISONS",
    "UNARY",
    "Binary",
    "Cast",
    "Const",
    "Expr",
    "Index",
    "Load",
    "Operand",
    "Scalar",
    "Select",
    "Unary",
    "absolute",
    "cast",
    "eq",
    "lift",
    "maximum",
    "minimum",
    "ne",
    "select",
]

COMPARISONS: Final = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
BINARY: Final = COMPARISONS | {"add", "sub", "mul", "and", "or", "xor", "shl", "shr", "min", "max"}
UNARY: Final = frozenset({"neg", "abs", "not"})


class Expr:
    """Base of all expressions; `type` is set by each of them."""

    __slots__ = ()

    type: IntType

    def __add__(self, other: Operand) -> Expr:
        return Binary("add", self, lift(other))

    def __radd__(self, other: int) -> Expr:
        return Binary("add", lift(other), self)

    def __sub__(self, other: Operand) -> Expr:
        return Binary("sub", self, lift(other))

    def __rsub__(self, other: int) -> Expr:
        return Binary("sub", lift(other), self)

    def __mul__(self, other: Operand) -> Expr:
        return Binary("mul", self, lift(other))

    def __rmul__(self, other: int) -> Expr:
        return Binary("mul", lift(other), self)

    def __and__(self, other: Operand) -> Expr:
        return Binary("and", self, lift(other))

    def __or__(self, other: Operand) -> Expr:
        return Binary("or", self, lift(other))

    def __xor__(self, other: Operand) -> Expr:
        return Binary("xor", self, lift(other))

    def __lshift__(self, other: Operand) -> Expr:
        return Binary("shl", self, lift(other))

    def __rshift__(self, other: Operand) -> Expr:
        return Binary("shr", self, lift(other))

    def __lt__(self, other: Operand) -> Expr:
        return Binary("lt", self, lift(other))

    def __le__(self, other: Operand) -> Expr:
        return Binary("le", self, lift(other))

    def __gt__(self, other: Operand) -> Expr:
        return Binary("gt", self, lift(other))

    def __ge__(self, other: Operand) -> Expr:
        return Binary("ge", self, lift(other))

    def __neg__(self) -> Expr:
        return Unary("neg", self)

    def __invert__(self) -> Expr:
        return Unary("not", self)

    def __bool__(self) -> bool:
        raise TypeError(
            "an expression has no truth value while a program is written; "
            "use select() or `with node.when(...)`"
        )


Operand = Union[Expr, int]  # noqa: UP007  (a forward reference; evaluated at import)


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A constant; `type` is the narrowest that holds it unless stated."""

    value: int
    type: IntType = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.type is None:
            object.__setattr__(self, "type", fitting(self.value, self.value))
        elif not self.type.holds(self.value):
            raise ValueError(f"{self.value} does not fit {self.type}")


@dataclass(frozen=True, slots=True)
class Index(Expr):
    """The variable of an enclosing loop."""

    name: str
    type: IntType


@dataclass(frozen=True, slots=True)
class Scalar(Expr):
    """A scalar (register) of the node."""

    name: str
    type: IntType


@dataclass(frozen=True, slots=True)
class Load(Expr):
    """Element `indices` (one for each dimension) of array `array`, whose elements are `type`."""

    array: str
    indices: tuple[Expr, ...]
    type: IntType


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """`operand` wrapped around to `type`."""

    operand: Expr
    type: IntType


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """`op` is one of `UNARY`."""

    op: str
    operand: Expr
    type: IntType = field(init=False, compare=False)

    def __post_init__(self) -> None:
        t = self.operand.type
        if self.op == "neg":
            found = fitting(-t.high, -t.low)
        elif self.op == "abs":
            found = fitting(0, max(t.high, -t.low))
        elif self.op == "not":
            found = t
        else:
            raise ValueError(f"unknown operator '{self.op}'; known: {', '.join(sorted(UNARY))}")
        object.__setattr__(self, "type", found)


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """`op` is one of `BINARY`."""

    op: str
    left: Expr
    right: Expr
    type: IntType = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", grown(self.op, self.left.type, self.right.type))


@dataclass(frozen=True, slots=True)
class Select(Expr):
    """`yes` where `condition` is not zero, else `no`."""

    condition: Expr
    yes: Expr
    no: Expr
    type: IntType = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", _union(self.yes.type, self.no.type))


def _union(a: IntType, b: IntType) -> IntType:
    return fitting(min(a.low, b.low), max(a.high, b.high))


def grown(op: str, a: IntType, b: IntType) -> IntType:
    """Return the type of ``a op b``: the narrowest that holds all its values.

    Raises:
        ValueError: unknown operator, a signed shift amount, or wider than `MAX_BITS` bits.
    """
    if op in COMPARISONS:
        return BOOL
    if op == "add":
        return fitting(a.low + b.low, a.high + b.high)
    if op == "sub":
        return fitting(a.low - b.high, a.high - b.low)
    if op == "mul":
        corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        return fitting(min(corners), max(corners))
    if op == "min":
        return fitting(min(a.low, b.low), min(a.high, b.high))
    if op == "max":
        return fitting(max(a.low, b.low), max(a.high, b.high))
    if op in ("and", "or", "xor"):
        return _union(a, b)
    if op in ("shl", "shr"):
        if b.signed:
            raise ValueError(f"the amount of a shift is unsigned, not {b}")
        if op == "shr":
            return a
        if a.bits + b.high > MAX_BITS:
            raise ValueError(f"{a} << {b} may need {a.bits + b.high} bits; at most {MAX_BITS}")
        return fitting(a.low << b.high, a.high << b.high)
    raise ValueError(f"unknown operator '{op}'; known: {', '.join(sorted(BINARY))}")


def lift(value: Operand) -> Expr:
    """Return `value` as an expression; a plain integer becomes a constant.

    Raises:
        TypeError: neither an expression nor an integer (floats have no hardware here).
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer expression; scale to fixed point first")
    return Const(value)


def cast(value: Operand, dtype: IntType) -> Expr:
    """Return `value` wrapped around to `dtype`; a constant is wrapped at once."""
    lifted = lift(value)
    if isinstance(lifted, Const):
        return Const(dtype.wrap(lifted.value), dtype)
    return lifted if lifted.type == dtype else Cast(lifted, dtype)


def select(condition: Expr, yes: Operand, no: Operand) -> Expr:
    """Return `yes` where `condition` is not zero, else `no`."""
    return Select(condition, lift(yes), lift(no))


def eq(left: Operand, right: Operand) -> Expr:
    """Return u1: whether both are equal."""
    return Binary("eq", lift(left), lift(right))


def ne(left: Operand, right: Operand) -> Expr:
    """Return u1: whether they differ."""
    return Binary("ne", lift(left), lift(right))


def minimum(left: Operand, right: Operand) -> Expr:
    """Return the smaller one."""
    return Binary("min", lift(left), lift(right))


def maximum(left: Operand, right: Operand) -> Expr:
    """Return the larger one."""
    return Binary("max", lift(left), lift(right))


def absolute(value: Operand) -> Expr:
    """Return the magnitude."""
    return Unary("abs", lift(value))
