"""What the hardware is made of: latencies in cycles, sizes of memories, limits.

The numbers of docs/targets/hpvm-rtl.md; the analytic model reads them here.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "COMMUTING",
    "CONSTANT_DIGITS",
    "EXTERNAL_LATENCY",
    "LIMB_BITS",
    "MAX_BANKS",
    "MAX_REPLICAS",
    "MUL_BITS",
    "QUEUE_DEPTH",
    "RAM_LATENCY",
    "REGISTER_ELEMENTS",
    "mul_latency",
    "signed_digits",
]

#: operators whose operands may change sides
COMMUTING: Final = frozenset({"add", "mul", "and", "or", "xor", "min", "max", "eq", "ne"})
#: cycles from an address at the port to external memory to the element
EXTERNAL_LATENCY: Final = 8
#: cycles of a load from on-chip RAM: the memory's own register and one behind it
RAM_LATENCY: Final = 2
#: local arrays of so many elements or fewer are registers
REGISTER_ELEMENTS: Final = 16
#: a local array is spread over at most so many banks
MAX_BANKS: Final = 16
#: a bank is kept in at most so many copies
MAX_REPLICAS: Final = 8
#: elements that a stream's queue holds
QUEUE_DEPTH: Final = 16
#: operands of a multiplication in one cycle have at most so many bits: those of a multiplier block
MUL_BITS: Final = 18
#: unsigned bits of a part of a wider operand
LIMB_BITS: Final = 17
#: a constant factor of so many non-zero signed digits or fewer becomes shifts and an addition
CONSTANT_DIGITS: Final = 2


def mul_latency(left_bits: int, right_bits: int) -> int:
    """Return the cycles of a product of operands of so many bits."""
    return 1 if max(left_bits, right_bits) <= MUL_BITS else 2


def signed_digits(value: int) -> list[tuple[int, int]]:
    """Return the canonical signed digits of `value`: (sign, shift) with ascending shifts.

    Their number is the smallest possible (Reitwiesner, "Binary Arithmetic", 1960).
    """
    digits: list[tuple[int, int]] = []
    shift, sign = 0, 1
    if value < 0:
        value, sign = -value, -1
    while value:
        if value & 1:
            digit = 2 - (value & 3)
            digits.append((sign * digit, shift))
            value -= digit
        value >>= 1
        shift += 1
    return digits
