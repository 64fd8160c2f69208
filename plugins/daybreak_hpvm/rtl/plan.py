"""A program's hardware before it is built: parts, schedules, memories, and their cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from daybreak_hpvm.ir import Loop, Node, Program, Scalar
from daybreak_hpvm.rtl.costs import MAX_REPLICAS, QUEUE_DEPTH
from daybreak_hpvm.rtl.operations import Port
from daybreak_hpvm.rtl.schedule import Schedule, least_interval, port_counts, schedule
from daybreak_hpvm.rtl.storage import Storage, storage_plan
from daybreak_hpvm.rtl.structure import Branch, Part, Region, Repeat, Sequence, structure
from daybreak_hpvm.rtl.trace import Trace, trace
from daybreak_hpvm.transforms import can_block, expand

__all__ = ["NodePlan", "PlannedRegion", "ProgramPlan", "plan_program"]


@dataclass(frozen=True)
class PlannedRegion:
    """A region with its operations and their cycles."""

    region: Region
    traced: Trace
    schedule: Schedule

    @property
    def cycles(self) -> int:
        """From its start to its end."""
        return self.schedule.cycles(self.region.iterations)


@dataclass(frozen=True)
class NodePlan:
    """A node: its tree of parts, its regions planned, its memories and registers."""

    node: Node
    part: Part | None
    regions: Mapping[Region, PlannedRegion]
    storage: Mapping[str, Storage]
    scalars: tuple[Scalar, ...]

    @property
    def cycles(self) -> tuple[int, int]:
        """Fewest and most cycles from start to end, streams always ready; equal without branches."""
        return (1, 1) if self.part is None else self._cycles(self.part)

    def _cycles(self, part: Part) -> tuple[int, int]:
        if isinstance(part, Region):
            cycles = self.regions[part].cycles
            return cycles, cycles
        if isinstance(part, Sequence):
            each = [self._cycles(one) for one in part.parts]
            return sum(low for low, _ in each), sum(high for _, high in each)
        if isinstance(part, Repeat):
            low, high = self._cycles(part.part)
            return part.loop.trips * low, part.loop.trips * high
        ways = [(1, 1) if way is None else self._cycles(way) for way in (part.then, part.otherwise)]
        return min(low for low, _ in ways), max(high for _, high in ways)


@dataclass(frozen=True)
class ProgramPlan:
    """An expanded program and the plans of its nodes; `queues` are the streams' lengths."""

    program: Program
    nodes: tuple[NodePlan, ...]
    queues: Mapping[str, int]

    @property
    def cycles(self) -> tuple[int, int] | None:
        """Fewest and most cycles from start to end; None where streams decide."""
        if self.program.streams:
            return None
        each = {one.node.name: one.cycles for one in self.nodes}
        if not self.program.concurrent:
            return sum(low for low, _ in each.values()), sum(high for _, high in each.values())
        ends: dict[str, tuple[int, int]] = {}
        for node in self.program.nodes:
            writers = [self.program.writer(name) for name in node.inputs]
            begins = [ends[writer.name] for writer in writers if writer is not None]
            begin = max((b[0] for b in begins), default=0), max((b[1] for b in begins), default=0)
            ends[node.name] = begin[0] + each[node.name][0], begin[1] + each[node.name][1]
        return max(low for low, _ in ends.values()), max(high for _, high in ends.values())


def plan_program(program: Program) -> ProgramPlan:
    """Expand, trace and schedule `program`.

    Raises:
        IllegalTransformationError: it becomes too large when it is unrolled.
    """
    expanded = expand(program)
    risky = bool(expanded.streams) and can_block(expanded, expanded.streams)
    queues = {
        name: max(QUEUE_DEPTH, expanded.array(name).size) if risky else QUEUE_DEPTH
        for name in expanded.streams
    }
    return ProgramPlan(expanded, tuple(_plan_node(expanded, n) for n in expanded.nodes), queues)


def _plan_node(program: Program, node: Node) -> NodePlan:
    part, conditions = structure(node.body)
    storage = storage_plan(program, node)
    traces: dict[Region, Trace] = {}
    for region, outer in _regions(part, ()):
        scope = {loop.var: loop for loop in (*outer, *region.loops)}
        traces[region] = trace(region, scope, storage)
    storage = _replicated(storage, traces)
    capacity = {
        Port(name, "load", bank): kept.replicas
        for name, kept in storage.items()
        if kept.kind == "ram"
        for bank in range(kept.banks)
    }
    regions = {
        region: PlannedRegion(
            region, traced, schedule(traced, capacity, pipelined=region.iterations > 1)
        )
        for region, traced in traces.items()
    }
    return NodePlan(node, part, regions, storage, (*node.scalars, *conditions))


def _regions(
    part: Part | None, outer: tuple[Loop, ...]
) -> Iterator[tuple[Region, tuple[Loop, ...]]]:
    if isinstance(part, Region):
        yield part, outer
    elif isinstance(part, Sequence):
        for one in part.parts:
            yield from _regions(one, outer)
    elif isinstance(part, Repeat):
        yield from _regions(part.part, (*outer, part.loop))
    elif isinstance(part, Branch):
        yield from _regions(part.then, outer)
        yield from _regions(part.otherwise, outer)


def _replicated(
    storage: Mapping[str, Storage], traces: Mapping[Region, Trace]
) -> dict[str, Storage]:
    """Give each RAM so many replicas that its loads do not set the pace of a pipeline."""
    unlimited = {
        Port(name, "load", bank): 1 << 30
        for name, kept in storage.items()
        if kept.kind == "ram"
        for bank in range(kept.banks)
    }
    wanted: dict[str, int] = {}
    for region, traced in traces.items():
        if region.iterations == 1:
            continue
        pace = least_interval(traced.ops, unlimited)
        for port, loads in port_counts(traced.ops).items():
            if port in unlimited:
                copies = min(MAX_REPLICAS, -(-loads // pace))
                wanted[port.memory] = max(wanted.get(port.memory, 1), copies)
    return {name: replace(kept, replicas=wanted.get(name, 1)) for name, kept in storage.items()}
