"""Parts of spaces and programs that several benchmarks have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from daybreak import Ordinal
from daybreak_hpvm.ir.build import NodeBuilder
from daybreak_hpvm.ir.expr import Expr, Operand, lift, maximum, minimum, select
from daybreak_hpvm.ir.types import u

__all__ = ["clamped", "digit_divide", "digit_sqrt", "factors", "flags"]


def factors(values: Mapping[str, Iterable[int]]) -> list[Ordinal]:
    """Return unroll factors: ordinal parameters with default 1, by name."""
    return [Ordinal(name, tuple(each), default=1) for name, each in values.items()]


def flags(names: Iterable[str]) -> list[Ordinal]:
    """Return switches: ordinal parameters 0 or 1 with default 0."""
    return [Ordinal(name, (0, 1), default=0) for name in names]


def clamped(position: Expr, extent: int) -> Expr:
    """Return `position` moved into ``0 .. extent - 1``."""
    return minimum(maximum(position, 0), extent - 1)


def digit_divide(
    node: NodeBuilder, label: str, numerator: int, divisor: Operand, bits: int
) -> Expr:
    """Write ``floor(2**numerator / divisor)`` by restoring division, one bit an iteration.

    The result has `bits` bits: 2**(numerator - bits) must be at most `divisor`. The loop's
    variable is called `label`.
    """
    start = 1 << (numerator - bits)
    kept = node.scalar(f"{label}_d", u(lift(divisor).type.bits), divisor)
    rest = node.scalar(f"{label}_r", u(kept.type.bits + 1), start)
    quotient = node.scalar(f"{label}_q", u(bits), 0)
    with node.loop(label, bits):
        doubled = rest << 1
        fits = doubled >= kept
        node.set(quotient, (quotient << 1) + fits)
        node.set(rest, select(fits, doubled - kept, doubled))
    return quotient


def digit_sqrt(node: NodeBuilder, label: str, value: Operand, bits: int) -> Expr:
    """Write ``floor(sqrt(value))`` for a value below 4**bits, one bit an iteration.

    The digit-by-digit method: the remainder takes in two bits of the value at a time and is
    compared with four times the root so far, plus one.
    """
    shifted = node.scalar(f"{label}_x", u(2 * bits), value)
    rest = node.scalar(f"{label}_r", u(bits + 2), 0)
    root = node.scalar(f"{label}_q", u(bits), 0)
    with node.loop(label, bits):
        taken = (rest << 2) + (shifted >> (2 * bits - 2))
        trial = (root << 2) + 1
        # a register: `rest` changes before the root takes its bit
        fits = node.scalar(f"{label}_f", u(1), taken >= trial)
        node.set(rest, select(fits, taken - trial, taken))
        node.set(root, (root << 1) + fits)
        node.set(shifted, shifted << 2)
    return root
