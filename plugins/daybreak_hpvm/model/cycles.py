"""How many cycles a program takes: parts of a node put together, then nodes of a program.

Without streams that is arithmetic. With streams, writer and reader run at the same time, and the
slower one sets the pace: each node is taken as a line on which it pops and pushes within known
spans, and the spans are moved until none begins or ends before what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daybreak_hpvm.ir import Program
from daybreak_hpvm.ir.walk import loads, statements
from daybreak_hpvm.model.nest import Branch, Item, Part, Region, Repeat, Series
from daybreak_hpvm.model.pipeline import RegionCost
from daybreak_hpvm.rtl.costs import QUEUE_DEPTH

__all__ = ["Span", "Timeline", "program_cycles", "timeline"]

#: rounds after which moving spans has settled, or is given up (cycles of a few dozens are left)
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last access to an array, in cycles from the node's start."""

    first: int
    last: int


@dataclass(slots=True)
class Timeline:
    """A node's cycles, and when it touches which array, if nobody keeps it waiting."""

    cycles: int = 0
    spans: dict[str, Span] = field(default_factory=dict)

    def add(self, other: Timeline, times: int = 1) -> None:
        """Let `other` follow, `times` over."""
        for name, span in other.spans.items():
            begin = self.cycles + span.first
            end = self.cycles + (times - 1) * other.cycles + span.last
            known = self.spans.get(name)
            self.spans[name] = Span(
                begin if known is None else min(known.first, begin),
                end if known is None else max(known.last, end),
            )
        self.cycles += times * other.cycles


def timeline(part: Part, costs: Mapping[int, RegionCost]) -> Timeline:
    """Return when a part does what; `costs` are by the regions' ids."""
    found = Timeline()
    if isinstance(part, Region):
        cost = costs[id(part)]
        found.cycles = cost.cycles
        whole = Span(0, max(0, cost.cycles - 1))
        late = Span(max(0, cost.depth - 1), max(0, cost.cycles - 1))
        early = Span(0, max(0, cost.cycles - cost.depth))
        for item in part.items:
            for name, store in _touched(item):
                known = found.spans.get(name)
                found.spans[name] = whole if known is not None else late if store else early
    elif isinstance(part, Series):
        for one in part.parts:
            found.add(timeline(one, costs))
    elif isinstance(part, Repeat):
        times = part.copies if part.counter is None else part.counter.trips
        found.add(timeline(part.body, costs), times)
    elif isinstance(part, Branch):
        found.add(timeline(part.condition, costs))
        ways = [timeline(way, costs) for way in (part.then, part.otherwise)]
        # which way is taken depends on the data: the longer one counts
        longest = max(ways, key=lambda one: one.cycles)
        longest.cycles = max(1, longest.cycles)
        found.add(longest)
    return found


def _touched(item: Item) -> list[tuple[str, bool]]:
    from daybreak_hpvm.ir import Store

    found = [(load.array, False) for load in loads((item.stmt,))]
    found += [(one.array, True) for one in statements((item.stmt,)) if isinstance(one, Store)]
    return found


def program_cycles(program: Program, lines: Mapping[str, Timeline]) -> int:
    """Return the cycles from start to end; `lines` are by the nodes' names."""
    if not program.concurrent:
        return sum(line.cycles for line in lines.values())
    begin = {node.name: 0 for node in program.nodes}
    end = {name: lines[name].cycles for name in begin}
    # spans of streams as they are now: (node, stream) -> absolute first and last
    spans = {
        (node.name, name): lines[node.name].spans[name]
        for node in program.nodes
        for name in (*node.inputs, *node.outputs)
        if name in program.streams and name in lines[node.name].spans
    }
    for _ in range(_ROUNDS):
        before = (dict(end), dict(spans))
        for node in program.nodes:
            _settle(program, node.name, lines, begin, end, spans)
        if before == (end, spans):
            break
    return max(end.values())


def _settle(
    program: Program,
    name: str,
    lines: Mapping[str, Timeline],
    begin: dict[str, int],
    end: dict[str, int],
    spans: dict[tuple[str, str], Span],
) -> None:
    """Move a node behind what it waits for; each delay moves all that comes after it."""
    node = program.node(name)
    start = 0
    for array in node.inputs:
        writer = program.writer(array)
        if writer is not None and array not in program.streams:
            start = max(start, end[writer.name])
    begin[name] = start
    line = lines[name]
    events: list[tuple[int, str]] = sorted(
        (line.spans[array].first, array)
        for array in (*node.inputs, *node.outputs)
        if (name, array) in spans
    )
    delay = 0
    finish = start + line.cycles
    for _, array in events:
        own = line.spans[array]
        at = start + own.first + delay
        last = start + own.last + delay
        other = spans.get((_partner(program, name, array), array))
        if other is not None and array in node.inputs:
            at_least, ends = other.first + 1, other.last + 1
        elif other is not None:
            # a full queue: the last elements may wait in it
            size = program.array(array).size
            pace = (other.last - other.first) / max(1, size - 1)
            at_least, ends = 0, other.last - round(pace * min(QUEUE_DEPTH, size - 1))
        else:
            at_least, ends = 0, 0
        waits = max(0, at_least - at)
        delay += waits
        at, last = at + waits, last + waits
        longer = max(0, ends - last)
        spans[name, array] = Span(at, last + longer)
        finish = max(finish, start + line.cycles + delay + longer)
        if own.last < line.cycles // 2:
            delay += longer  # what is read in at the beginning holds up all the rest
    end[name] = finish


def _partner(program: Program, name: str, array: str) -> str:
    writer = program.writer(array)
    if writer is not None and writer.name != name:
        return writer.name
    readers = program.readers(array)
    return readers[0].name if readers else ""
