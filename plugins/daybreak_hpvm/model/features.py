"""What a design is made of, counted: what resources and clock are worked out from.

Multipliers and memories follow rules of the synthesiser, and are counted in blocks; of look-up
tables and flip-flops only amounts are known, whose prices `constants` has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from daybreak_hpvm.ir import Program
from daybreak_hpvm.model.clock import Way, ways_of
from daybreak_hpvm.model.memory import memory_blocks
from daybreak_hpvm.model.nodes import NodeCost
from daybreak_hpvm.rtl.costs import LIMB_BITS, MUL_BITS, QUEUE_DEPTH
from daybreak_hpvm.rtl.storage import Storage

__all__ = [
    "FF_FEATURES",
    "LUT_FEATURES",
    "Features",
    "features_of",
]

#: amounts that look-up tables pay for, in bits unless said otherwise
LUT_FEATURES = (
    "add",  # additions, subtractions, negations
    "compare",  # comparisons, which often share the carry chain of a subtraction beside them
    "minmax",  # minima and maxima: a comparison and a selection
    "mux",  # selections
    "logic",  # and, or, xor
    "shift",  # shifts by a value, times the bits of the amount
    "products",  # sums of the parts of wide products
    "onehot",  # addresses and data that share a port
    "register_reads",  # bits of a register file, for each read at a changing place
    "register_writes",  # elements, for each write
    "control",  # bits of counters, pulses of pipelines
    "regions",  # number of pipelines
    "lutram",  # memories of 16 x 4 bits in look-up tables
    "queues",  # bits of width of streams
)
#: amounts that flip-flops pay for, in bits
FF_FEATURES = (
    "pipeline",  # values on their way
    "control",
    "scalars",
    "register_files",
    "ram_output",  # of memories
    "queues",
)


@dataclass(frozen=True, slots=True)
class Features:
    """A design, counted.

    Attributes:
        amounts: of each of `LUT_FEATURES` and `FF_FEATURES`.
        dsp: multiplier blocks.
        bram: 18-kbit memories.
        ways: that may be the longest between two registers.
    """

    amounts: Mapping[str, float]
    dsp: int
    bram: int
    ways: tuple[Way, ...]


def features_of(program: Program, nodes: Mapping[str, NodeCost], family: str) -> Features:
    """Return what `program` is made of on a family of devices, given its nodes' costs by name."""
    amounts: Counter[str] = Counter()
    dsp = bram = chain = 0
    shared: list[tuple[Storage, str, int]] = []
    for node in program.nodes:
        cost = nodes[node.name]
        ports: Counter[tuple[str, str]] = Counter()
        for placed in cost.regions:
            for name, amount in placed.cost.amounts.items():
                amounts[name] += placed.copies * amount
            for (left, right), number in placed.cost.multipliers.items():
                dsp += placed.copies * number * _blocks_of_product(left, right)
            chain = max(chain, placed.cost.chain)
            for port, number in placed.cost.ports.items():
                ports[port] += placed.copies * number
        shared += [(cost.storage[array], side, n) for (array, side), n in ports.items()]
        amounts["scalars"] += sum(one.type.bits for one in node.scalars)
        private: Counter[str] = Counter()
        for placed in cost.regions:
            for name, copies in placed.cost.private.items():
                private[name] = max(private[name], copies)
        for name, storage in cost.storage.items():
            bram += _kept(storage, max(1, private[name]), amounts, family)
    for name in program.streams:
        amounts["queues"] += program.array(name).type.bits
        amounts["lutram"] += math.ceil(QUEUE_DEPTH / 16) * math.ceil(
            program.array(name).type.bits / 4
        )
    amounts["control"] += amounts["counters"] + amounts["valid"]
    return Features(dict(amounts), dsp, bram, ways_of(chain, dsp, shared, family))


def _blocks_of_product(left: int, right: int) -> int:
    """Return the multipliers of a product; one by a single bit is done in look-up tables."""
    return sum(a > 1 and b > 1 for a in _parts(left) for b in _parts(right))


def _parts(bits: int) -> list[int]:
    """Return the widths of the parts that an operand is cut into."""
    parts = []
    while bits > MUL_BITS:
        parts.append(LIMB_BITS)
        bits -= LIMB_BITS
    return [*parts, bits]


def _kept(storage: Storage, private: int, amounts: Counter[str], family: str) -> int:
    """Add what an array, or its `private` copies, are kept in; return its blocks."""
    array = storage.array
    if storage.kind == "registers" and array.values is None:
        amounts["register_files"] += private * array.bits
    if storage.kind != "ram":
        return 0
    copies = private * storage.banks * storage.replicas
    amounts["ram_output"] += copies * array.type.bits
    blocks, parts = memory_blocks(storage.depth, array.type.bits, family)
    amounts["lutram"] += copies * parts
    return copies * blocks
