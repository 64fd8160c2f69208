"""Simulation by Amaranth's own simulator: slow, but it needs no tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.sim import Simulator

from daybreak_hpvm.rtl.costs import EXTERNAL_LATENCY
from daybreak_hpvm.rtl.design import Hardware
from daybreak_hpvm.rtl.plan import ProgramPlan

__all__ = ["simulate_in_python"]


def simulate_in_python(
    plan: ProgramPlan, inputs: Mapping[str, Sequence[int]], most_cycles: int
) -> tuple[dict[str, tuple[int, ...]], int] | None:
    """Run the hardware of `plan` once.

    Args:
        plan: the program.
        inputs: flat elements of each input.
        most_cycles: when to give up.

    Returns:
        Flat elements of each output, and the cycles; None when it did not end.
    """
    hardware = Hardware(plan)
    program = plan.program
    memory = {array.name: [0] * array.size for array in program.arrays}
    for name in program.inputs:
        memory[name] = list(inputs[name])
    cycles = 0

    async def bench(ctx: Any) -> None:
        nonlocal cycles
        loads = [(w, [0] * EXTERNAL_LATENCY) for w in hardware.wired if not w.port.store]
        stores = [w for w in hardware.wired if w.port.store]
        ctx.set(hardware.start, 1)
        while cycles < most_cycles and not ctx.get(hardware.done):
            # the elements that are asked for in this cycle, and those that come in the next
            coming = []
            for wired, pipe in loads:
                node = hardware.nodes[wired.port.node]
                if not wired.port.stalls or ctx.get(node.go):
                    place = ctx.get(wired.signals.addr)
                    data = memory[wired.port.array]
                    pipe.append(data[place] if place < len(data) else 0)
                    del pipe[0]
                coming.append((wired.signals.data, pipe[0]))
            for wired in stores:
                if ctx.get(wired.signals.enable):
                    data = memory[wired.port.array]
                    data[ctx.get(wired.signals.addr)] = ctx.get(wired.signals.data)
            await ctx.tick()
            cycles += 1
            for signal, value in coming:
                ctx.set(signal, value)

    simulator = Simulator(hardware)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    if cycles >= most_cycles:
        return None
    return {name: tuple(memory[name]) for name in program.outputs}, cycles
