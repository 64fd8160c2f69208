"""A region as a pipeline: operations in their cycles, values in registers until they are used."""

from __future__ import annotations

from typing import Any, Protocol

from amaranth.hdl import Const, Module, Signal, Value

from daybreak_hpvm.rtl.memories import Bank, External, Registers, Stream, gated
from daybreak_hpvm.rtl.operations import Op, Port
from daybreak_hpvm.rtl.plan import PlannedRegion
from daybreak_hpvm.rtl.values import combine, limbs, shape

__all__ = ["Environment", "Pipeline"]


class Environment(Protocol):
    """What a pipeline finds in its node."""

    banks: dict[tuple[str, int], Bank]
    registers: dict[str, Registers]
    external: dict[str, External]
    streams: dict[str, Stream]

    def register(self, name: str) -> Signal:
        """Return a scalar; ``@v``, ``#v``: variable and count of outer loop v."""
        ...


class Pipeline:
    """Builds one region into module `m`.

    Attributes:
        finishing: 1 in the last cycle.
    """

    def __init__(
        self, m: Module, name: str, planned: PlannedRegion, around: Environment, start: Value
    ) -> None:
        self._m = m
        self._name = name
        self._planned = planned
        self._around = around
        self._interval = planned.schedule.interval
        self._always = self._interval == 1 and planned.region.iterations > 1
        self._wires: dict[int, Value] = {}
        self._chains: dict[int, list[Signal]] = {}
        self._seen: dict[tuple[int, int], Value] = {}
        self._updates: dict[int, list[Any]] = {}
        self._slots: dict[tuple[Port, int], int] = {}
        self._counters: dict[str, Signal] = {}
        issue, last = self._issue(start)
        self._valid, ended = self._stages(issue, last)
        self.finishing = ended
        for op in planned.traced.ops:
            self._place(op)
        for cycle, statements in sorted(self._updates.items()):
            if cycle < 0:
                m.d.sync += statements
            else:
                with m.If(self._valid[cycle]):
                    m.d.sync += statements

    # -- iterations

    def _issue(self, start: Value) -> tuple[Value, Value]:
        """Return in which cycles an iteration starts, and whether it is the last one."""
        m, name, loops = self._m, self._name, self._planned.region.loops
        if self._planned.region.iterations == 1:
            for loop in loops:
                fixed = Signal(shape(loop.index.type), name=f"{name}_{loop.var}", init=loop.start)
                self._counters[loop.var] = fixed
                self._counters["#" + loop.var] = Signal(name=f"{name}_{loop.var}_n")
            return start, Value.cast(1)
        active = Signal(name=f"{name}_active")
        issue = Signal(name=f"{name}_issue")
        if self._interval == 1:
            m.d.comb += issue.eq(start | active)
        else:
            pause = Signal(range(self._interval), name=f"{name}_pause")
            m.d.comb += issue.eq(start | (active & (pause == 0)))
            with m.If(issue):
                m.d.sync += pause.eq(self._interval - 1)
            with m.Elif(pause != 0):
                m.d.sync += pause.eq(pause - 1)
        last: Value = Value.cast(1)
        for loop in reversed(loops):
            final = loop.start + (loop.trips - 1) * loop.step
            var = Signal(shape(loop.index.type), name=f"{name}_{loop.var}", init=loop.start)
            count = Signal(range(loop.trips), name=f"{name}_{loop.var}_n")
            self._counters[loop.var] = var
            self._counters["#" + loop.var] = count
            # where all inner loops are at their ends, this one goes on
            with m.If(issue & last):
                with m.If(var == final):
                    m.d.sync += [var.eq(loop.start), count.eq(0)]
                with m.Else():
                    m.d.sync += [var.eq(var + loop.step), count.eq(count + 1)]
            last = last & (var == final)
        at_end = Signal(name=f"{name}_last")
        m.d.comb += at_end.eq(last)
        with m.If(issue):
            m.d.sync += active.eq(~at_end)
        return issue, at_end

    def _stages(self, issue: Value, last: Value) -> tuple[list[Value], Value]:
        depth = self._planned.schedule.depth
        valid: list[Value] = [issue]
        ending: Value = issue & last
        for stage in range(1, depth):
            now = Signal(name=f"{self._name}_v{stage}")
            end = Signal(name=f"{self._name}_e{stage}")
            self._m.d.sync += [now.eq(valid[-1]), end.eq(ending)]
            valid.append(now)
            ending = end
        return valid, ending

    # -- operations

    def _cycle(self, op: Op) -> int:
        return self._planned.schedule.start[op.number]

    def _place(self, op: Op) -> None:
        if op.transparent or op.kind == "const":
            return
        effect = getattr(self, f"_{op.kind}", None)
        if effect is not None:
            effect(op, self._cycle(op))
        elif op.kind == "mul" and op.latency > 1:
            self._wide(op, self._cycle(op))
        else:
            self._wires[op.number] = self._wire(op, self._cycle(op))

    def _wire(self, op: Op, cycle: int) -> Value:
        if op.kind == "index":
            return self._counters[op.attribute]
        if op.kind == "count":
            return self._counters["#" + op.attribute]
        if op.kind in ("scalar", "read"):
            return self._around.register(op.attribute)
        operands = [self._at(one, cycle) for one in op.operands]
        return self._named(op, combine(op.kind, operands, op.attribute))

    def _named(self, op: Op, value: Value) -> Signal:
        wire = Signal(shape(op.type), name=f"{self._name}_{op.kind}{op.number}")
        self._m.d.comb += wire.eq(value)
        return wire

    def _wide(self, op: Op, cycle: int) -> None:
        left, right = (self._at(one, cycle) for one in op.operands)
        total: Value = Value.cast(0)
        for up, a in limbs(left):
            for by, b in limbs(right):
                product = Value.cast(a * b)
                name = f"{self._name}_mul{op.number}_{up}_{by}"
                part = Signal(product.shape(), name=name)
                self._update(cycle, part.eq(product))
                total = total + (part << (up + by))
        self._wires[op.number] = self._named(op, total)

    def _write(self, op: Op, cycle: int) -> None:
        target = self._around.register(op.attribute)
        self._update(cycle, target.eq(self._at(op.operands[0], cycle)), state=True)

    def _store(self, op: Op, cycle: int) -> None:
        name, bank = op.attribute
        place, value = (self._at(one, cycle) for one in op.operands[:2])
        condition = self._at(op.operands[2], cycle) if len(op.operands) > 2 else None
        when = gated(self._valid[cycle], condition)
        if name in self._around.registers:
            self._around.registers[name].store(self._m, when, _constant(place), value)
        elif name in self._around.external:
            self._around.external[name].accesses.append((when, place, value))
        else:
            self._around.banks[name, bank].store(when, place, value)

    def _load(self, op: Op, cycle: int) -> None:
        name, bank = op.attribute
        place = self._at(op.operands[0], cycle)
        if name in self._around.registers:
            element = self._around.registers[name].load(_constant(place))
            self._wires[op.number] = self._named(op, element)
            return
        when = self._valid[cycle]
        if name in self._around.external:
            port = self._around.external[name]
            port.accesses.append((when, place, Value.cast(0)))
            self._wires[op.number] = port.data
            return
        slot = cycle if self._planned.region.iterations == 1 else cycle % self._interval
        key = Port(name, "load", bank), slot
        replica = self._slots.get(key, 0)
        self._slots[key] = replica + 1
        self._wires[op.number] = self._around.banks[name, bank].load(replica, when, place)

    def _pop(self, op: Op, cycle: int) -> None:
        stream = self._around.streams[op.attribute]
        stream.access(self._valid[cycle], Value.cast(0))
        self._wires[op.number] = stream.data

    def _push(self, op: Op, cycle: int) -> None:
        assert op.port is not None  # noqa: S101 - streams are reached through ports
        stream = self._around.streams[op.port.memory]
        stream.access(self._valid[cycle], self._at(op.operands[0], cycle))

    # -- values in time

    def _at(self, op: Op, cycle: int) -> Value:
        """Return the value of `op` in `cycle` of the iteration that it belongs to."""
        if op.kind == "const":
            return Const(op.attribute, shape(op.type))
        if op.kind == "scalar":
            return self._wires[op.number]
        key = op.number, cycle
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._found(op, cycle)
        return found

    def _found(self, op: Op, cycle: int) -> Value:
        if op.transparent:
            operands = [self._at(one, cycle) for one in op.operands]
            value = Signal(shape(op.type), name=f"{self._name}_{op.kind}{op.number}_{cycle}")
            self._m.d.comb += value.eq(combine(op.kind, operands, op.attribute))
            return value
        made = self._cycle(op) + op.wire
        if cycle < made:
            raise RuntimeError(f"operation {op.number} ({op.kind}) is used before it is made")
        if cycle == made:
            return self._wires[op.number]
        return self._register(op, made, -(-(cycle - made) // self._interval))

    def _register(self, op: Op, made: int, number: int) -> Signal:
        """Return the value's register `number`, from 1, each one iteration older."""
        chain = self._chains.setdefault(op.number, [])
        while len(chain) < number:
            before = chain[-1] if chain else self._wires[op.number]
            name = f"{self._name}_{op.kind}{op.number}_r{len(chain) + 1}"
            register = Signal(shape(op.type), name=name, reset_less=True)
            self._update(made + len(chain) * self._interval, register.eq(before))
            chain.append(register)
        return chain[number - 1]

    def _update(self, cycle: int, statement: Any, *, state: bool = False) -> None:
        """Carry `statement` out at the end of `cycle`; every cycle if nobody can tell."""
        cycle = -1 if self._always and not state else cycle
        self._updates.setdefault(cycle, []).append(statement)


def _constant(place: Value) -> int | Value:
    return place.value if isinstance(place, Const) else place
