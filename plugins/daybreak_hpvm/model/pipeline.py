"""A region as a pipeline: its initiation interval, its depth, and the registers that it keeps values in."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from daybreak_hpvm.model.accesses import Access, Accesses
from daybreak_hpvm.model.nest import Region
from daybreak_hpvm.model.operators import Operators
from daybreak_hpvm.model.values import Value
from daybreak_hpvm.rtl.costs import MAX_REPLICAS
from daybreak_hpvm.rtl.storage import Storage

__all__ = ["RegionCost", "pipeline_cost"]


@dataclass(slots=True)
class RegionCost:
    """What one region needs.

    Attributes:
        iterations: how often it runs through.
        interval: cycles between two iterations.
        depth: cycles of one iteration.
        amounts: how much of each kind of operator it has: see `model.features`.
        multipliers: widths of products, and how many of each.
        private: copies of local arrays that lanes have to themselves.
        ports: accesses in an iteration, by array and side.
        chain: bits of the widest operator with a carry.
        replicas: copies of a memory's banks with which its loads do not set the pace.
    """

    iterations: int
    interval: int
    depth: int
    amounts: Tally[str] = field(default_factory=Tally)
    multipliers: Tally[tuple[int, int]] = field(default_factory=Tally)
    replicas: Mapping[str, int] = field(default_factory=dict)
    private: Mapping[str, int] = field(default_factory=dict)
    ports: Tally[tuple[str, str]] = field(default_factory=Tally)
    chain: int = 0

    @property
    def cycles(self) -> int:
        """Cycles from its start to its end."""
        return (self.iterations - 1) * self.interval + self.depth


def pipeline_cost(
    region: Region,
    storage: Mapping[str, Storage],
    operators: Operators,
    accesses: Accesses,
    *,
    recurrence: int,
    end: int,
) -> RegionCost:
    """Return what a region costs whose values and accesses are known.

    Args:
        region: the region.
        storage: where each array is kept.
        operators: what its statements compute.
        accesses: what they load and store.
        recurrence: the least interval that scalars and arrays allow which one iteration hands on to
            the next.
        end: the cycle after the last effect of an iteration.
    """
    pipelined = region.iterations > 1
    ports, replicas = _interval_of_ports(storage, accesses, recurrence)
    interval = max(recurrence, ports) if pipelined else 1
    depth = max(end, 1)
    # what runs through once keeps every value in one register for as long as it takes
    between = interval if pipelined else depth
    operators.settle(between)
    cost = RegionCost(
        region.iterations,
        interval,
        depth,
        operators.amounts,
        operators.multipliers,
        replicas if pipelined else {},
        accesses.private,
        chain=operators.chain,
    )
    cost.amounts["pipeline"] += sum(_kept_bits(value, between) for value in operators.values)
    _count_control(cost, region)
    _count_ports(cost, storage, accesses.listed)
    return cost


def _interval_of_ports(
    storage: Mapping[str, Storage], accesses: Accesses, recurrence: int
) -> tuple[int, dict[str, int]]:
    """Return the interval that ports ask for, and how many replicas memories had better have."""
    loads, stores = _by_bank(storage, accesses.listed)
    found = 1
    for name, banks in stores.items():
        if storage[name].kind != "registers":
            found = max(found, *banks.values())
    for name, banks in loads.items():
        if storage[name].kind in ("external", "stream"):
            found = max(found, *banks.values())
    pace = max(found, recurrence)
    replicas: dict[str, int] = {}
    for name, banks in loads.items():
        if storage[name].kind == "ram":
            most = max(banks.values())
            replicas[name] = min(MAX_REPLICAS, -(-most // pace))
            found = max(found, -(-most // storage[name].replicas))
    return found, replicas


def _by_bank(
    storage: Mapping[str, Storage], accesses: Iterable[Access]
) -> tuple[dict[str, Tally[int]], dict[str, Tally[int]]]:
    """Return how many loads, and how many stores, each bank of each array has."""
    found: tuple[dict[str, Tally[int]], dict[str, Tally[int]]] = ({}, {})
    for access in accesses:
        tally = found[int(access.store)].setdefault(access.array, Tally())
        banks = storage[access.array].banks
        if access.places is None or banks == 1:
            tally[0] += -(-access.count // access.copies)
            continue
        for bank in (np.unique(access.places) % banks).tolist():
            tally[bank] += 1
    return found


def _kept_bits(value: Value, interval: int) -> int:
    """Return the bits of registers that carry `value` from where it is made to its last use."""
    if value.fixed is not None or value.stable or value.wires:
        return 0
    made = value.last - 1 if value.registered else value.last
    stages = -(-max(0, value.used - made) // interval)
    return value.count * value.type.bits * stages


def _count_control(cost: RegionCost, region: Region) -> None:
    """Count what issues iterations and follows them through the pipeline."""
    cost.amounts["valid"] += 2 * (cost.depth - 1)
    for counter in region.counters:
        last = counter.start + counter.step * (counter.trips - 1)
        cost.amounts["counters"] += last.bit_length() + counter.trips.bit_length()
    if cost.interval > 1:
        cost.amounts["counters"] += cost.interval.bit_length()
    cost.amounts["regions"] += 1


def _count_ports(
    cost: RegionCost, storage: Mapping[str, Storage], accesses: Iterable[Access]
) -> None:
    """Count what leads addresses and data of several accesses to the port that they share."""
    for access in accesses:
        where = storage[access.array]
        if where.kind == "registers":
            continue
        width = where.address_bits + (where.array.type.bits if access.store else 0)
        cost.amounts["onehot"] += access.count * width
        side = "store" if access.store else "load"
        cost.ports[access.array, side] += access.count
