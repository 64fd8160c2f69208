"""Task-level parallelism: nodes run at the same time, joined by streams where the order allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from daybreak_hpvm.ir.program import Program
from daybreak_hpvm.transforms.access import in_order

__all__ = ["can_block", "parallel_tasks", "streamable"]


def streamable(program: Program, array: str) -> str:
    """Return why `array` cannot be a stream whatever the others are; empty if it can.

    It can if one node writes every element once and in order, one node reads every element once
    and in order (both also with their loops unrolled), and nobody else needs it.
    """
    writer, readers = program.writer(array), program.readers(array)
    if writer is None:
        return "it is an input of the program"
    if array in program.outputs:
        return "it is an output of the program"
    if len(readers) != 1:
        return f"{len(readers)} nodes read it"
    declared = program.array(array)
    if not in_order(writer.body, declared, unrolled=True):
        return f"'{writer.name}' does not surely write each element once, in order"
    if not in_order(readers[0].body, declared, unrolled=True):
        return f"'{readers[0].name}' does not surely read each element once, in order"
    return ""


def parallel_tasks(program: Program) -> Program:
    """Let nodes run at the same time, with arrays as streams where order and waiting allow it.

    A node starts as soon as its inputs other than streams are complete. Arrays become streams in
    the order in which the program lists them, each unless the nodes could then block each other
    with queues of any length (see `can_block`).
    """
    streams: tuple[str, ...] = ()
    for array in program.arrays:
        if not streamable(program, array.name) and not can_block(program, (*streams, array.name)):
            streams += (array.name,)
    return replace(program, concurrent=True, streams=streams)


def can_block(program: Program, streams: Iterable[str]) -> bool:
    """Whether nodes might wait for each other in a circle if `streams` were streams.

    Writer and reader of a stream may each wait for the other (queue full, queue empty); the reader
    of any other array waits for the writer's end. So nothing can block if streams join nodes into
    trees, and the graph of the trees and the other arrays has no cycle.
    """
    listed = set(streams)
    tree = {node.name: node.name for node in program.nodes}

    def root(name: str) -> str:
        while tree[name] != name:
            name = tree[name]
        return name

    for edge in program.edges:
        if edge.array in listed and edge.source is not None and edge.target is not None:
            a, b = root(edge.source), root(edge.target)
            if a == b:
                return True
            tree[a] = b
    waits: dict[str, set[str]] = {root(name): set() for name in tree}
    for edge in program.edges:
        if edge.array not in listed and edge.source is not None and edge.target is not None:
            waits[root(edge.target)].add(root(edge.source))
    while waits:
        free = [name for name, others in waits.items() if not others & waits.keys()]
        if not free:
            return True
        for name in free:
            del waits[name]
    return False
