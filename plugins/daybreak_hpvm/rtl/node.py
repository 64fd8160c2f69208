"""A node as hardware: its pipelines, joined by controllers that cost no cycle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Elaboratable, Module, Signal, Value

from daybreak_hpvm.rtl.memories import Bank, External, Registers, Stream
from daybreak_hpvm.rtl.pipeline import Pipeline
from daybreak_hpvm.rtl.plan import NodePlan
from daybreak_hpvm.rtl.structure import Branch, Part, Region, Repeat, Sequence
from daybreak_hpvm.rtl.values import shape

__all__ = ["NodeHardware"]


class NodeHardware(Elaboratable):  # type: ignore[misc]  # amaranth has no types
    """One node.

    Attributes:
        start: 1 in the first cycle; held for as long as `go` is 0.
        finishing: 1 in the last cycle.
        go: 0: the node stands still in this cycle, its ports to external memory too.
        external: ports to arrays outside, by array.
        streams: ends of queues, by array.
    """

    def __init__(self, plan: NodePlan, prefixes: Mapping[str, str]) -> None:
        """Prepare the node of `plan`; `prefixes` are of the names of its ports, by array."""
        self._plan = plan
        name = plan.node.name
        self.start = Signal(name=f"{name}_start")
        self.finishing = Signal(name=f"{name}_finishing")
        self.go = Signal(name=f"{name}_go", init=1)
        self.banks: dict[tuple[str, int], Bank] = {}
        self.registers: dict[str, Registers] = {}
        self.external: dict[str, External] = {}
        self.streams: dict[str, Stream] = {}
        for array, storage in plan.storage.items():
            store = array in plan.node.outputs
            if storage.kind == "external":
                self.external[array] = External(storage, prefixes[array], store=store)
            elif storage.kind == "stream":
                self.streams[array] = Stream(storage, prefixes[array], push=store)
            elif storage.kind == "registers":
                self.registers[array] = Registers(storage, array)
            else:
                for bank in range(storage.banks):
                    self.banks[array, bank] = Bank(storage, bank, f"{array}_b{bank}")
        self._scalars = {
            scalar.name: Signal(shape(scalar.type), name=f"s_{scalar.name}", reset_less=True)
            for scalar in plan.scalars
        }
        self._regions = 0

    @property
    def stalls(self) -> bool:
        """Whether the node may have to stand still."""
        return bool(self.streams)

    def register(self, name: str) -> Signal:
        """Return a scalar; ``@v``, ``#v``: variable and count of outer loop v."""
        return self._scalars[name]

    def elaborate(self, platform: object) -> Module:
        """Build it."""
        del platform
        m = Module()
        if self._plan.part is None:
            m.d.comb += self.finishing.eq(self.start)
        else:
            _, finishing = self._part(m, self._plan.part, self.start)
            m.d.comb += self.finishing.eq(finishing)
        for bank in self.banks.values():
            bank.build(m)
        for port in self.external.values():
            port.build(m, self.go if self.stalls else Value.cast(1))
        for stream in self.streams.values():
            stream.build(m)
        return m

    def _part(self, m: Module, part: Part, start: Value) -> tuple[Value, Value]:
        """Build `part`; return a pulse in the cycle after its last, and one in its last cycle."""
        if isinstance(part, Region):
            return self._region(m, part, start)
        if isinstance(part, Sequence):
            finishing: Value = start
            for one in part.parts:
                start, finishing = self._part(m, one, start)
            return start, finishing
        if isinstance(part, Repeat):
            return self._repeat(m, part, start)
        return self._branch(m, part, start)

    def _ended(self, m: Module, name: str, finishing: Value) -> Signal:
        ended = Signal(name=f"{name}_ended")
        m.d.sync += ended.eq(finishing)
        return ended

    def _region(self, m: Module, region: Region, start: Value) -> tuple[Value, Value]:
        name = f"p{self._regions}"
        self._regions += 1
        pipeline = Pipeline(m, name, self._plan.regions[region], self, start)
        return self._ended(m, name, pipeline.finishing), pipeline.finishing

    def _repeat(self, m: Module, part: Repeat, start: Value) -> tuple[Value, Value]:
        loop, name = part.loop, f"l_{part.loop.var}"
        var = Signal(shape(loop.index.type), name=name, init=loop.start)
        count = Signal(range(max(loop.trips, 2)), name=f"{name}_n")
        self._scalars["@" + loop.var], self._scalars["#" + loop.var] = var, count
        again = Signal(name=f"{name}_again")
        begin = Signal(name=f"{name}_begin")
        body_ended, body_finishing = self._part(m, part.part, begin)
        last = count == loop.trips - 1
        finishing = Signal(name=f"{name}_finishing")
        with m.If(body_finishing):
            with m.If(last):
                m.d.sync += [var.eq(loop.start), count.eq(0), again.eq(0)]
            with m.Else():
                m.d.sync += [var.eq(var + loop.step), count.eq(count + 1), again.eq(1)]
        m.d.comb += [begin.eq(start | (body_ended & again)), finishing.eq(body_finishing & last)]
        return self._ended(m, name, finishing), finishing

    def _branch(self, m: Module, part: Branch, start: Value) -> tuple[Value, Value]:
        name = part.condition.name
        condition = self._scalars[name]
        finishing = Signal(name=f"{name}_finishing")
        ways: list[Any] = []
        for way, taken, word in (
            (part.then, condition, "then"),
            (part.otherwise, ~condition, "else"),
        ):
            begin = Signal(name=f"{name}_{word}")
            m.d.comb += begin.eq(start & taken)
            # a way without statements takes the one cycle in which it is begun
            ways.append(begin if way is None else self._part(m, way, begin)[1])
        m.d.comb += finishing.eq(ways[0] | ways[1])
        return self._ended(m, name, finishing), finishing
