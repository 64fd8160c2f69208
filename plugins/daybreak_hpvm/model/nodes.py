"""What a node costs: its parts, their regions, and where it keeps its arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from daybreak_hpvm.ir import Node, Program
from daybreak_hpvm.model.cycles import Timeline, timeline
from daybreak_hpvm.model.nest import Branch, Part, Region, Repeat, Series, parts_of
from daybreak_hpvm.model.pipeline import RegionCost
from daybreak_hpvm.model.region import cost_of
from daybreak_hpvm.rtl.costs import MAX_REPLICAS
from daybreak_hpvm.rtl.storage import Storage, storage_plan

__all__ = ["NodeCost", "Placed", "node_cost"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A region with its costs, and how many copies of it the node has."""

    region: Region
    cost: RegionCost
    copies: int


@dataclass(frozen=True, slots=True)
class NodeCost:
    """A node: its memories, its regions, and its cycles."""

    storage: Mapping[str, Storage]
    regions: tuple[Placed, ...]
    line: Timeline


def node_cost(program: Program, node: Node) -> NodeCost:
    """Return what `node` of `program`, whose loops may be marked to be unrolled, costs."""
    streams = tuple(x for x in program.streams if x in (*node.inputs, *node.outputs))
    arrays = tuple(program.array(x) for x in (*node.inputs, *node.outputs))
    alone = Program(program.name, arrays, node.inputs, node.outputs, (node,), False, streams)
    return _cost(alone)


@lru_cache(maxsize=512)
def _cost(alone: Program) -> NodeCost:
    """Return the cost of the only node; kept, since most parameters leave most nodes as they were."""
    (node,) = alone.nodes
    part = parts_of(node)
    placed = list(_regions(part, 1))
    storage = _stored(alone, node)
    memories = [name for name, one in storage.items() if one.kind == "ram"]
    if memories:
        roomy = {
            name: replace(one, replicas=MAX_REPLICAS) if name in memories else one
            for name, one in storage.items()
        }
        wanted = dict.fromkeys(memories, 1)
        for region, _ in placed:
            for name, copies in cost_of(region, roomy).replicas.items():
                wanted[name] = max(wanted[name], copies)
        storage = {
            name: replace(one, replicas=wanted[name]) if name in wanted else one
            for name, one in storage.items()
        }
    costs = {id(region): cost_of(region, storage) for region, _ in placed}
    regions = tuple(Placed(region, costs[id(region)], copies) for region, copies in placed)
    return NodeCost(storage, regions, timeline(part, costs))


def _stored(program: Program, node: Node) -> dict[str, Storage]:
    """Return where arrays are kept once loops are unrolled, whose steps decide about banks."""
    from daybreak_hpvm.ir import Loop, Stmt
    from daybreak_hpvm.ir.walk import map_body

    def stepped(stmt: Stmt) -> tuple[Stmt, ...]:
        if not isinstance(stmt, Loop) or stmt.unroll == 1:
            return (stmt,)
        factor = min(stmt.unroll, stmt.trips)
        if stmt.trips % factor:  # the rest goes by single steps
            return (stmt,)
        if stmt.trips == factor:
            return (replace(stmt, stop=stmt.start + 1),)
        return (replace(stmt, step=stmt.step * factor),)

    return storage_plan(program, replace(node, body=map_body(node.body, stmt=stepped)))


def _regions(part: Part, copies: int) -> Iterator[tuple[Region, int]]:
    if isinstance(part, Region):
        yield part, copies
    elif isinstance(part, Series):
        for one in part.parts:
            yield from _regions(one, copies)
    elif isinstance(part, Repeat):
        yield from _regions(part.body, copies * part.copies)
    elif isinstance(part, Branch):
        yield part.condition, copies
        yield from _regions(part.then, copies)
        yield from _regions(part.otherwise, copies)
