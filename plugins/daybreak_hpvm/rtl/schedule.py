"""Gives every operation its cycle: modulo scheduling (Rau, "Iterative Modulo Scheduling", 1996).

Instead of taking operations back out, a pass over the graph that violates a dependence between
iterations is repeated with its second operation later, as long as that ends soon; else the
initiation interval is raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daybreak_hpvm.rtl.operations import EFFECTS, Op, Port
from daybreak_hpvm.rtl.trace import Trace

__all__ = ["Schedule", "least_interval", "port_counts", "schedule"]

#: passes after which an initiation interval is given up
_PASSES = 24


@dataclass(frozen=True)
class Schedule:
    """When the operations of an iteration take place.

    Attributes:
        interval: cycles from one iteration's start to the next one's (II).
        depth: cycles from an iteration's start to the end of its last effect.
        start: cycle of each operation, by its number.
    """

    interval: int
    depth: int
    start: Mapping[int, int]

    def cycles(self, iterations: int) -> int:
        """Return the cycles of so many iterations."""
        return (iterations - 1) * self.interval + self.depth


def port_counts(ops: Sequence[Op]) -> Counter[Port]:
    """Return how many accesses an iteration makes through each port."""
    return Counter(op.port for op in ops if op.port is not None)


def least_interval(ops: Sequence[Op], capacity: Mapping[Port, int]) -> int:
    """Return the least initiation interval that the ports allow."""
    counts = port_counts(ops)
    return max((-(-n // capacity.get(port, 1)) for port, n in counts.items()), default=1)


def schedule(traced: Trace, capacity: Mapping[Port, int], *, pipelined: bool) -> Schedule:
    """Return the schedule with the smallest initiation interval that is found.

    Args:
        traced: the iteration.
        capacity: accesses per cycle of each port; 1 if it is not listed.
        pipelined: whether there is more than one iteration.
    """
    alone = _attempt(traced, capacity, None)
    if alone is None:
        raise RuntimeError("a region's own dependences contradict each other")
    depth = _depth(traced.ops, alone)
    if not pipelined:
        return Schedule(depth, depth, alone)
    for interval in range(least_interval(traced.ops, capacity), depth):
        found = _attempt(traced, capacity, interval)
        if found is not None:
            return Schedule(interval, _depth(traced.ops, found), found)
    # one iteration after the other; every dependence between them then holds
    return Schedule(depth, depth, alone)


def _depth(ops: Sequence[Op], start: Mapping[int, int]) -> int:
    return 1 + max((start[op.number] for op in ops if op.kind in EFFECTS), default=0)


def _attempt(
    traced: Trace, capacity: Mapping[Port, int], interval: int | None
) -> dict[int, int] | None:
    """Return the cycles of all operations for one interval (None: a single iteration)."""
    before: dict[int, list[tuple[int, int]]] = {}
    carried: list[tuple[int, int, int]] = []
    for order in traced.order:
        if order.distance == 0:
            before.setdefault(order.second.number, []).append((order.first.number, order.cycles))
        elif interval is not None:
            slack = order.cycles - interval * order.distance
            carried.append((order.first.number, order.second.number, slack))
    least: dict[int, int] = {}
    for _ in range(_PASSES):
        start = _pass(traced.ops, capacity, interval, before, least)
        late = False
        for first, second, cycles in carried:
            wanted = start[first] + cycles
            if start[second] < wanted:
                least[second] = max(least.get(second, 0), wanted)
                late = True
        if not late:
            return start
    return None


def _pass(
    ops: Sequence[Op],
    capacity: Mapping[Port, int],
    interval: int | None,
    before: Mapping[int, Sequence[tuple[int, int]]],
    least: Mapping[int, int],
) -> dict[int, int]:
    start: dict[int, int] = {}
    # cycle from which the value may be taken: by an operation, by a write to a scalar
    ready: dict[int, tuple[int, int]] = {}
    taken: Counter[tuple[Port, int]] = Counter()
    for op in ops:
        chained = op.kind == "write"
        cycle = max((ready[one.number][chained] for one in op.operands), default=0)
        if op.kind in ("index", "count"):
            cycle = 0
        else:
            cycle = max(cycle, least.get(op.number, 0))
            for first, cycles in before.get(op.number, ()):
                cycle = max(cycle, start[first] + cycles)
        if op.port is not None:
            room = capacity.get(op.port, 1)
            slot = cycle if interval is None else cycle % interval
            while taken[op.port, slot] >= room:
                cycle += 1
                slot = cycle if interval is None else cycle % interval
            taken[op.port, slot] += 1
        start[op.number] = cycle
        if op.transparent:
            early = max((ready[one.number][True] for one in op.operands), default=0)
            ready[op.number] = (cycle, min(cycle, early))
        else:
            ready[op.number] = (cycle + op.latency, cycle + op.wire)
    return start
