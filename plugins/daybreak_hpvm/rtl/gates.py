"""Simulation of the netlist: what the device's cells compute, for synthesisers make mistakes too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from daybreak import WrongResult
from daybreak_hpvm.devices import Device
from daybreak_hpvm.ir import Program
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.rtl.cache import Cache
from daybreak_hpvm.rtl.cells import cell_models, unmodelled
from daybreak_hpvm.rtl.cxxrtl import build_simulator
from daybreak_hpvm.rtl.flow import Design, Simulation, default_cache, generate, most_cycles
from daybreak_hpvm.rtl.process import Progress, ToolLimits, silent

__all__ = ["has_models", "no_model_of", "simulate_netlist"]

_SCRIPT: Final = (
    # without the many names that other tools have for the same cells
    "read_verilog -D NO_INCLUDES +/ecp5/cells_sim.v; read_verilog -overwrite design; "
    "hierarchy -check -top top; proc; flatten; opt_clean"
)


def has_models(device: Device) -> bool:
    """Whether netlists for `device` can be simulated.

    Not those of 7-series: Yosys's model of its block memory knows times only.
    """
    return device.family == "ecp5"


def no_model_of(design: Design) -> str | None:
    """Return what the netlist of `design` holds that cannot be simulated, None if there is nothing."""
    return unmodelled(design.netlist, design.cells)


def simulate_netlist(
    program: Program,
    design: Design,
    inputs: Mapping[str, Any],
    limits: ToolLimits = ToolLimits(),  # noqa: B008 - frozen
    *,
    cache: Cache | None = None,
    progress: Progress = silent,
) -> Simulation:
    """Simulate the ECP5 netlist of `design`, which was made of `program`, once.

    Raises:
        RequirementError: there is no Yosys or no C++ compiler.
        WrongResult: it does not come to an end, as the hardware does.
        TrialFailed: a tool fails.
    """
    cache = cache or default_cache()
    plan, _, ports = generate(program)
    flat = {name: flatten(inputs[name], program.array(name).shape, name) for name in program.inputs}
    arrays = {array.name: array.size for array in plan.program.arrays}
    text = cell_models() + design.netlist

    def told(fraction: float | None, what: str) -> None:
        progress(fraction, f"netlist: {what}")

    simulator = build_simulator(
        text, ports, arrays, cache, limits, script=_SCRIPT, optimise="-O0", progress=told
    )
    told(None, "simulating")
    most = most_cycles(plan)
    found = simulator.run(arrays, flat, program.outputs, most, limits)
    if found is None:
        raise WrongResult(f"the netlist does not end within {most} cycles")
    outputs = {
        name: tuple(program.array(name).type.wrap(value) for value in values)
        for name, values in found[0].items()
    }
    return Simulation(outputs, found[1], "netlist")
