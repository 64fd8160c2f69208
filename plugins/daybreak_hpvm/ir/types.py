"""Integer types of stated width: the only scalars of a dataflow program.

Operators are exact: the type of a result is wide enough for every value of its operands, by the
rules of `grown`. Values wrap around (two's complement) only where they are put into something of a
stated type: a cast, an assignment, a store, a reduction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["BOOL", "MAX_BITS", "MAX_STORED_BITS", "IntType", "fitting", "s", "u"]

#: Widest value inside an expression, and widest element of an array or scalar.
MAX_BITS: Final = 256
MAX_STORED_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class IntType:
    """Integers of `bits` bits, two's complement if `signed`."""

    bits: int
    signed: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise ValueError(f"an integer of {self.bits} bits; from 1 to {MAX_BITS} are possible")

    @property
    def low(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    def holds(self, value: int) -> bool:
        """Whether `value` is representable."""
        return self.low <= value <= self.high

    def wrap(self, value: int) -> int:
        """Return the representable value that equals `value` modulo 2**bits."""
        value &= (1 << self.bits) - 1
        if self.signed and value >> (self.bits - 1):
            value -= 1 << self.bits
        return value

    def __str__(self) -> str:
        """Return ``s16`` or ``u8``."""
        return f"{'s' if self.signed else 'u'}{self.bits}"


def u(bits: int) -> IntType:
    """Return the unsigned type of `bits` bits."""
    return IntType(bits, signed=False)


def s(bits: int) -> IntType:
    """Return the signed (two's complement) type of `bits` bits."""
    return IntType(bits, signed=True)


def fitting(low: int, high: int) -> IntType:
    """Return the narrowest type that holds every integer from `low` to `high`."""
    if low >= 0:
        return IntType(max(1, high.bit_length()), signed=False)
    return IntType(max((~low).bit_length(), max(high, 0).bit_length()) + 1, signed=True)


BOOL: Final = u(1)
