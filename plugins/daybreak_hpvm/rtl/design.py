"""A whole program as hardware, and its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import Elaboratable, EnableInserter, Module, Signal, Value
from amaranth.lib.fifo import SyncFIFOBuffered

from daybreak_hpvm.rtl.memories import External
from daybreak_hpvm.rtl.node import NodeHardware
from daybreak_hpvm.rtl.plan import ProgramPlan
from daybreak_hpvm.rtl.ports import MemoryPort

__all__ = ["Hardware", "Wired", "rtlil"]


@dataclass(frozen=True)
class Wired:
    """A port to external memory with its signals."""

    port: MemoryPort
    signals: External


class Hardware(Elaboratable):  # type: ignore[misc]  # amaranth has no types
    """A program. `start` is held up; `done` stays up from the cycle after the last one on."""

    def __init__(self, plan: ProgramPlan) -> None:
        self._plan = plan
        self.start = Signal(name="start")
        self.done = Signal(name="done")
        self._prefixes = _prefixes(plan)
        self.nodes = {
            one.node.name: NodeHardware(one, self._prefixes[one.node.name]) for one in plan.nodes
        }

    @property
    def wired(self) -> list[Wired]:
        """Every port to external memory, in the order of nodes and their arrays."""
        return [
            Wired(
                MemoryPort(
                    node=name,
                    array=array,
                    store=external.store,
                    address_bits=len(external.addr),
                    bits=external.storage.array.type.bits,
                    signed=external.storage.array.type.signed,
                    size=external.storage.array.size,
                    stalls=node.stalls,
                    prefix=self._prefixes[name][array],
                ),
                external,
            )
            for name, node in self.nodes.items()
            for array, external in node.external.items()
        ]

    @property
    def ports(self) -> list[Signal]:
        """Every signal to the outside."""
        return list(self._ports())

    def _ports(self) -> Iterator[Signal]:
        yield from (self.start, self.done)
        for wired in self.wired:
            yield from (wired.signals.addr, wired.signals.data, wired.signals.enable)
        for node in self.nodes.values():
            if node.stalls and node.external:
                yield node.go

    def elaborate(self, platform: object) -> Module:
        """Build it."""
        del platform
        m = Module()
        program = self._plan.program
        done: dict[str, Signal] = {}
        previous: Value = Value.cast(1)
        for name, node in self.nodes.items():
            begun = Signal(name=f"{name}_begun")
            done[name] = Signal(name=f"{name}_done")
            if program.concurrent:
                ready: Value = self.start
                for array in program.node(name).inputs:
                    writer = program.writer(array)
                    if writer is not None and array not in program.streams:
                        ready = ready & done[writer.name]
            else:
                ready = self.start & previous
                previous = done[name]
            m.d.comb += node.start.eq(ready & ~begun)
            with m.If(node.start & node.go):
                m.d.sync += begun.eq(1)
            with m.If(node.finishing & node.go):
                m.d.sync += done[name].eq(1)
            if node.stalls:
                m.submodules[f"n_{name}"] = EnableInserter(node.go)(node)
            else:
                m.submodules[f"n_{name}"] = node
                m.d.comb += node.go.eq(1)
        everything: Value = Value.cast(1)
        for one in done.values():
            everything = everything & one
        m.d.comb += self.done.eq(everything)
        self._queues(m)
        return m

    def _queues(self, m: Module) -> None:
        program = self._plan.program
        ready: dict[str, Value] = {}
        for name in program.streams:
            writer, (reader,) = program.writer(name), program.readers(name)
            assert writer is not None  # noqa: S101 - validated
            source = self.nodes[writer.name]
            target = self.nodes[reader.name]
            push, pop = source.streams[name], target.streams[name]
            queue = SyncFIFOBuffered(width=len(push.data), depth=self._plan.queues[name])
            m.submodules[f"q_{name}"] = queue
            m.d.comb += [
                queue.w_data.eq(push.data),
                queue.w_en.eq(push.want & source.go),
                push.ready.eq(queue.w_rdy),
                pop.data.eq(queue.r_data),
                queue.r_en.eq(pop.want & target.go),
                pop.ready.eq(queue.r_rdy),
            ]
            for node, end in ((writer.name, push), (reader.name, pop)):
                ready[node] = ready.get(node, Value.cast(1)) & (end.ready | ~end.want)
        for name, value in ready.items():
            m.d.comb += self.nodes[name].go.eq(value)


def _prefixes(plan: ProgramPlan) -> dict[str, dict[str, str]]:
    """Return a name for each node's end of each array: ``a_b_c`` may be of two nodes, ``a`` and ``a_b``."""
    taken: set[str] = set()
    found: dict[str, dict[str, str]] = {}
    for one in plan.nodes:
        node = one.node
        for array in (*node.inputs, *node.outputs):
            base = name = f"{node.name}_{array}"
            number = 0
            while name in taken:
                number += 1
                name = f"{base}_{number}"
            taken.add(name)
            found.setdefault(node.name, {})[array] = name
    return found


def rtlil(plan: ProgramPlan) -> tuple[str, tuple[MemoryPort, ...]]:
    """Return the hardware of `plan` in Yosys's own language, and its ports; deterministic."""
    from amaranth.back import rtlil as back

    hardware = Hardware(plan)
    ports = tuple(wired.port for wired in hardware.wired)
    text = back.convert(hardware, name="top", ports=hardware.ports, emit_src=False)
    return _LOAD.sub(_undefined, text), ports


# Amaranth promises the old element where a RAM is loaded from and stored to at one place in one
# cycle, and block memory does not keep that promise without extra logic. Schedules never do it.
_LOAD = re.compile(
    r'cell \$memrd_v2 [^\n]*\n\s+parameter \\MEMID "\\\\\w+_b\d+_\d+"\n(?:\s+parameter [^\n]*\n)+'
)


def _undefined(cell: re.Match[str]) -> str:
    return cell[0].replace("\\COLLISION_X_MASK 1'0", "\\COLLISION_X_MASK 1'1")
