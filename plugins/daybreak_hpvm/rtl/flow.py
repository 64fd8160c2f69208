"""From a transformed program to what its hardware costs and computes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from daybreak import BuildFailed, ResourceExceeded, cache_folder
from daybreak_hpvm.devices import Device, overflows
from daybreak_hpvm.ir import Program
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.plan import ProgramPlan, plan_program
from daybreak_hpvm.rtl.ports import MemoryPort
from daybreak_hpvm.rtl.process import Progress, ToolLimits, silent
from daybreak_hpvm.rtl.tools import find_compiler

__all__ = [
    "Design",
    "Simulation",
    "default_cache",
    "generate",
    "most_cycles",
    "simulate",
    "synthesise",
]

#: cycles after which a design is taken to hang, unless its plan knows better
_MOST_CYCLES = 200_000_000


@dataclass(frozen=True)
class Design:
    """A program as hardware on a device.

    Attributes:
        used: look-up tables, registers, multipliers, memories (`daybreak_hpvm.devices.RESOURCES`).
        fmax_hz: highest clock rate; None where there is no placing and routing (7-series).
        cells: the device's cells by kind.
        code: hash of the hardware's text.
        netlist: Verilog of the device's cells.
        phases: seconds of `generate`, `synthesise`, `place`.
    """

    used: Mapping[str, float]
    fmax_hz: float | None
    cells: Mapping[str, int]
    code: str
    netlist: str = field(repr=False, default="")
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Simulation:
    """What the hardware computes: flat elements of each output, in how many cycles."""

    outputs: Mapping[str, tuple[int, ...]]
    cycles: int
    engine: str


def default_cache() -> Cache:
    """Return the user's cache of designs."""
    return Cache(cache_folder("hpvm") / "rtl")


@lru_cache(maxsize=8)
def generate(program: Program) -> tuple[ProgramPlan, str, tuple[MemoryPort, ...]]:
    """Return the plan of `program`, its hardware's text (RTLIL) and its ports; deterministic.

    Raises:
        IllegalTransformationError: it becomes too large when it is unrolled.
    """
    from daybreak_hpvm.rtl.design import rtlil

    plan = plan_program(program)
    text, ports = rtlil(plan)
    return plan, text, ports


def most_cycles(plan: ProgramPlan) -> int:
    """Return the cycles after which hardware of `plan` is taken to hang."""
    return _MOST_CYCLES if plan.cycles is None else plan.cycles[1] + 1


def synthesise(
    program: Program,
    device: Device,
    limits: ToolLimits = ToolLimits(),  # noqa: B008 - frozen
    *,
    cache: Cache | None = None,
    progress: Progress = silent,
    place: bool = True,
) -> Design:
    """Build `program` for `device`.

    Args:
        program: a transformed program.
        device: what it shall fit.
        limits: of each tool.
        cache: where results are kept; None: the user's.
        progress: told what is going on.
        place: whether to place and route where that is possible.

    Raises:
        RequirementError: a tool is missing or too old.
        ResourceExceeded: it does not fit; `numbers` holds NAME and NAME_available.
        TrialFailed: a tool takes too long (`timeout`), too much memory, or fails (`build`).
    """
    from daybreak_hpvm.rtl.place import place_and_route
    from daybreak_hpvm.rtl.synthesis import synthesise as run_yosys

    cache = cache or default_cache()
    began = time.perf_counter()
    progress(None, "generating hardware")
    _, text, ports = generate(program)
    generated = time.perf_counter()
    netlist = run_yosys(text, ports, device, cache, limits, progress)
    synthesised = time.perf_counter()
    _check_room(netlist.used, device)
    fmax = None
    if place and device.family == "ecp5":
        fmax = place_and_route(netlist.ring, device, cache, limits, progress)
    done = time.perf_counter()
    phases = {"generate": generated - began, "synthesise": synthesised - generated}
    if fmax is not None:
        phases["place"] = done - synthesised
    return Design(netlist.used, fmax, netlist.cells, digest(text), netlist.verilog, phases)


def _check_room(used: Mapping[str, float], device: Device) -> None:
    short = overflows(used, device)
    if not short:
        return
    numbers: dict[str, float] = {}
    parts = []
    for name, amount in short.items():
        available = device.capacity[name]
        numbers[name], numbers[f"{name}_available"] = amount, available
        parts.append(f"{amount:g} of {available} {name}")
    raise ResourceExceeded(f"does not fit {device.name}: {', '.join(parts)}", numbers=numbers)


def simulate(
    program: Program,
    inputs: Mapping[str, Any],
    limits: ToolLimits = ToolLimits(),  # noqa: B008 - frozen
    *,
    cache: Cache | None = None,
    engine: str | None = None,
    progress: Progress = silent,
) -> Simulation:
    """Simulate the hardware of `program` once, cycle by cycle.

    Args:
        program: a transformed program.
        inputs: elements of every input: nested sequences, flat ones, or NumPy arrays.
        limits: of each tool.
        cache: where simulators are kept; None: the user's.
        engine: ``cxxrtl`` or ``python``; None: `cxxrtl` where there is a C++ compiler and a Yosys.
        progress: told what is going on.

    Raises:
        RequirementError: a tool of the engine named is missing.
        BuildFailed: the hardware does not come to an end.
        TrialFailed: a tool takes too long (`timeout`), too much memory, or fails.
    """
    cache = cache or default_cache()
    plan, text, ports = generate(program)
    flat = {name: flatten(inputs[name], program.array(name).shape, name) for name in program.inputs}
    most = most_cycles(plan)
    chosen = engine or _engine()
    if chosen == "python":
        from daybreak_hpvm.rtl.python_simulation import simulate_in_python

        progress(None, "simulating in Python")
        found = simulate_in_python(plan, flat, most)
    else:
        from daybreak_hpvm.rtl.cxxrtl import build_simulator

        arrays = {array.name: array.size for array in plan.program.arrays}
        simulator = build_simulator(text, ports, arrays, cache, limits, progress=progress)
        progress(None, "simulating")
        found = simulator.run(arrays, flat, program.outputs, most, limits)
    if found is None:
        raise BuildFailed(f"the hardware does not end within {most} cycles")
    outputs = {
        name: tuple(program.array(name).type.wrap(value) for value in values)
        for name, values in found[0].items()
    }
    return Simulation(outputs, found[1], chosen)


def _engine() -> str:
    from daybreak import RequirementError
    from daybreak_hpvm.rtl.tools import find_yosys

    try:
        native = find_compiler() is not None and find_yosys().share is not None
    except RequirementError:
        native = False
    return "cxxrtl" if native else "python"
