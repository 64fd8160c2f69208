"""Operations as Amaranth expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from amaranth.hdl import Mux, Shape, Value, signed, unsigned

from daybreak_hpvm.ir import IntType
from daybreak_hpvm.rtl.costs import LIMB_BITS, MUL_BITS

__all__ = ["any_of", "combine", "limbs", "one_hot", "shape"]


def shape(type_: IntType) -> Shape:
    """Return the Amaranth shape of a type."""
    return signed(type_.bits) if type_.signed else unsigned(type_.bits)


# Amaranth's operators are exact, as the IR's are; the result is wrapped where it is assigned.
_VALUES: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b,
    "shr": lambda a, b: a >> b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "min": lambda a, b: Mux(a < b, a, b),
    "max": lambda a, b: Mux(a > b, a, b),
    "neg": lambda a: -a,
    "abs": lambda a: Mux(a < 0, -a, a),
    "not": lambda a: ~a,
    "select": Mux,
    "cast": lambda a: a,
}


def combine(kind: str, operands: Sequence[Value], attribute: Any = None) -> Value:
    """Return the value of an operation that has no memory or register of its own."""
    if kind in ("shlc", "shrc"):
        (operand,) = operands
        moved = operand.shift_left(attribute) if kind == "shlc" else operand.shift_right(attribute)
        # both return bits without a sign
        return Value.cast(moved.as_signed() if operand.shape().signed else moved)
    return Value.cast(_VALUES[kind](*operands))


def limbs(value: Value) -> list[tuple[int, Value]]:
    """Return parts of `value` that a multiplier block takes, with how far each is shifted."""
    parts: list[tuple[int, Value]] = []
    at, whole = 0, value.shape()
    while whole.width - at > MUL_BITS:
        parts.append((at, value[at : at + LIMB_BITS]))
        at += LIMB_BITS
    top = value[at:]
    parts.append((at, top.as_signed() if whole.signed else top))
    return parts


def one_hot(choices: Sequence[tuple[Value, Value]]) -> Value:
    """Return the value whose condition holds; at most one does, and none gives 0.

    A single choice is taken whether its condition holds or not.
    """
    if len(choices) == 1:
        return choices[0][1]
    return any_of([Value.cast(Mux(condition, value, 0)) for condition, value in choices])


def any_of(values: Sequence[Value]) -> Value:
    """Return the bitwise or of `values`, 0 for none of them.

    A tree: ports are shared by hundreds of accesses, and what walks expressions recurses.
    """
    level = list(values)
    while len(level) > 1:
        pairs = [Value.cast(level[k] | level[k + 1]) for k in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0] if level else Value.cast(0)
