"""The clock period: the longest way of a signal from one register to another.

A design has a few kinds of ways. What logic they pass is known from how the hardware is made; how
long its cells take, from the router's own timing; how long the wires between them are is fitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daybreak_hpvm.model.memory import memory_blocks
from daybreak_hpvm.rtl.storage import Storage

__all__ = ["CLOCK_TERMS", "Way", "longest_ns", "ways_of"]

#: what is fitted: nanoseconds of a wire for each doubling of the design's look-up tables; and for the
#: square root of its multipliers, whose few columns lie the farther away the more of them are used
CLOCK_TERMS: Final = ("wires", "multipliers")

# Nanoseconds of ECP5's cells at speed grade 6, as nextpnr 0.11 reports them: a register from its clock,
# a look-up table, into a carry chain, along it for each bit, out of it, a multiplier, a block memory
# from its clock.
_REGISTER: Final = 0.52
_TABLE: Final = 0.24
_CARRY_IN: Final = 0.45
_CARRY_BIT: Final = 0.035
_CARRY_OUT: Final = 0.44
_MULTIPLIER: Final = 3.93
_BLOCK_RAM: Final = 5.83

#: look-up tables from a pipeline's counter to the signal that says that an access takes place
_ISSUE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way between two registers.

    Attributes:
        logic_ns: nanoseconds in cells.
        wires: how many there are.
        multiplier: whether it goes through a multiplier, and its wires to one and back.
    """

    logic_ns: float
    wires: float
    multiplier: bool = False


def ways_of(
    chain: int,
    multipliers: int,
    ports: Sequence[tuple[Storage, str, int]],
    family: str,
) -> tuple[Way, ...]:
    """Return the ways that may be a design's longest.

    Args:
        chain: bits of the widest operator with a carry.
        multipliers: how many multiplier blocks it has.
        ports: memories, whether they are written (``store``) or read (``load``) and how many
            accesses do so.
        family: of devices.
    """
    ways = {Way(_REGISTER + _CARRY_IN + _CARRY_BIT * chain + _CARRY_OUT + _TABLE, 3.0)}
    if multipliers:
        ways.add(Way(_REGISTER + _MULTIPLIER, 2.0, multiplier=True))
    for storage, side, accesses in ports:
        ways.update(_of_port(storage, side, accesses, family))
    return tuple(ways)


def _of_port(storage: Storage, side: str, accesses: int, family: str) -> Iterator[Way]:
    """Yield the ways through a port: an access's time and address are chosen among those of all."""
    tables = _ISSUE
    if storage.kind == "ram":
        accesses = -(-accesses // storage.banks)
        if side == "load":
            accesses = -(-accesses // storage.replicas)
            if memory_blocks(storage.depth, storage.array.type.bits, family)[0]:
                yield Way(_BLOCK_RAM, 1.0)
            else:
                # read, then selected among parts of 16 words, four of which take half a table's time
                tables += 0.5 + _levels(storage.depth / 16) / 2
    tables += _levels(accesses)
    yield Way(_REGISTER + _TABLE * tables, tables + 1.0)


def _levels(inputs: float) -> float:
    """Return the levels of tables with four inputs that join so many; a mean, not rounded."""
    return math.log(max(1.0, inputs), 4)


def longest_ns(
    ways: Sequence[Way], luts: float, multipliers: int, terms: Mapping[str, float]
) -> float:
    """Return the clock period in ns of a design of so many look-up tables and multipliers."""
    wire = terms["wires"] * math.log2(1 + luts)
    to_multiplier = wire + terms["multipliers"] * math.sqrt(multipliers)
    return max(
        way.logic_ns + way.wires * (to_multiplier if way.multiplier else wire) for way in ways
    )
