"""What building costs a study, and what is never built; with tools that are put on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hpvm_sessions import session

from daybreak import BuildFailed, MeasurementProtocol, ResourceExceeded
from daybreak_hpvm import building, options
from daybreak_hpvm.devices import DEVICES
from daybreak_hpvm.ir import fingerprint, interpret
from daybreak_hpvm.problem import Problem
from daybreak_hpvm.rtl import flow, gates, tools
from daybreak_hpvm.rtl.process import ToolLimits
from daybreak_hpvm.target import HpvmTarget
from daybreak_hpvm.transforms import directives, transform

DEVICE = DEVICES["ecp5-25k"]
USED = {"lut": 100.0, "ff": 50.0, "dsp": 1.0, "bram": 2.0}


class Tools:
    """Stands for Yosys, nextpnr and the simulator: slow at first, quick from the cache."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {"generate": 0.1, "synthesise": 5.0, "place": 20.0}
        self.used: Mapping[str, float] = USED
        self.wrong = False
        self.wrong_netlist = False
        self.cells = {"LUT4": 100}
        self.cycles = self.netlist_cycles = 1000
        self.netlists = 0

    def generate(self, program: Any) -> tuple[Any, str, tuple[Any, ...]]:
        return None, fingerprint(program), ()

    def synthesise(self, program: Any, device: Any, limits: Any, **more: Any) -> flow.Design:
        phases = {k: v for k, v in self.phases.items() if k != "place" or more["place"]}
        flow._check_room(self.used, device)
        fmax = 125e6 if more["place"] else None
        return flow.Design(self.used, fmax, self.cells, fingerprint(program), "", phases)

    def simulate(self, program: Any, inputs: Any, limits: Any, **more: Any) -> flow.Simulation:
        found = interpret(program, inputs)
        if self.wrong:
            found = {name: (values[0] ^ 1, *values[1:]) for name, values in found.items()}
        return flow.Simulation(found, self.cycles, "put on")

    def simulate_netlist(
        self, program: Any, design: flow.Design, inputs: Any, limits: Any, **more: Any
    ) -> flow.Simulation:
        self.netlists += 1
        found = interpret(program, inputs)
        if self.wrong_netlist:
            found = {name: (values[0] ^ 1, *values[1:]) for name, values in found.items()}
        return flow.Simulation(found, self.netlist_cycles, "netlist")


@pytest.fixture
def put_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tools:
    made = Tools()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("generate", "synthesise", "simulate"):
        monkeypatch.setattr(flow, name, getattr(made, name))
    monkeypatch.setattr(gates, "simulate_netlist", made.simulate_netlist)
    tool = tools.Tool("any", ("any",), "1.0", "put on")
    monkeypatch.setattr(tools, "find_yosys", lambda: tool)
    monkeypatch.setattr(tools, "find_nextpnr", lambda: tool)
    return made


PLAIN = {"BFS_UnrollL2": 1, "BFS_UnrollL3": 1, "BFS_UnrollL4": 1, "BFS_adj_BuffIn": 0}


def test_seconds_are_cycles_over_the_clock(put_on: Tools):
    with session() as opened:
        built = opened.build(PLAIN)
        assert opened.verify(built).correct
        values = {s.metric: s.value for s in opened.measure(built, MeasurementProtocol())}
    assert values["seconds"] == pytest.approx(1000 / 125e6)
    assert (values["cycles"], values["clock"]) == (1000, 125)
    assert {name: values[name] for name in USED} == USED


def test_a_design_from_the_cache_costs_what_it_cost_first(put_on: Tools):
    with session() as opened:
        built = opened.build(PLAIN)
        opened.verify(built)
        first = opened.simulated_phases(PLAIN, 1)
    assert first["build.synthesise"] == 5.0
    assert first["build.place"] == 20.0
    parts = [s for n, s in first.items() if n.startswith("build.")]
    assert first["build"] == pytest.approx(sum(parts))
    assert "verify" in first
    put_on.phases = {"generate": 0.0, "synthesise": 0.001, "place": 0.001}
    with session() as opened:
        opened.verify(opened.build(PLAIN))
        assert opened.simulated_phases(PLAIN, 1) == first
        # what nobody asked for has no seconds
        assert opened.simulated_phases({**PLAIN, "BFS_UnrollL2": 2}, 0) == {}


def test_a_design_that_does_not_fit_costs_its_synthesis(put_on: Tools):
    put_on.used = {**USED, "dsp": 29.0}
    with session() as opened:
        with pytest.raises(ResourceExceeded, match="29 of 28 dsp") as caught:
            opened.build(PLAIN)
        assert caught.value.numbers == {"dsp": 29.0, "dsp_available": 28}
        phases = opened.simulated_phases(PLAIN, 0)
        assert set(phases) == {"build", "build.generate", "build.synthesise"}


def test_hardware_that_computes_something_else_is_found_out(put_on: Tools):
    put_on.wrong = True
    with session() as opened:
        verdict = opened.verify(opened.build(PLAIN))
    assert not verdict.correct
    assert "1 of 8 elements of 'cost' are wrong; element 0" in verdict.message


def test_the_netlist_is_simulated_too(put_on: Tools):
    with session() as opened:
        built = opened.build(PLAIN)
        assert opened.verify(built).correct
        assert built.facts["netlist_verified"] is True
        phases = opened.simulated_phases(PLAIN, 1)
        assert 0 < phases["verify.netlist"] < phases["verify"]
        put_on.wrong_netlist = True
        verdict = opened.verify(opened.build(PLAIN))
        assert not verdict.correct
        assert "netlist is wrong: 1 of 8 elements of 'cost'" in verdict.message
        put_on.wrong_netlist, put_on.netlist_cycles = False, 1001
        built = opened.build(PLAIN)
        verdict = opened.verify(built)
        assert not verdict.correct
        assert "takes 1001 cycles" in verdict.message
        assert built.facts["netlist_verified"] is False


@pytest.mark.parametrize(
    ("wanted", "cells", "cycles", "simulated"),
    [
        ("auto", building.NETLIST_CELLS, 10, True),
        ("auto", building.NETLIST_CELLS + 1, 10, False),
        ("always", building.NETLIST_CELLS + 1, 10, True),
        ("auto", 1000, building.NETLIST_WORK // 1000 + 1, False),
        ("always", 1000, building.NETLIST_WORK // 1000 + 1, True),
        ("never", 10, 10, False),
    ],
)
def test_which_netlists_are_simulated(
    put_on: Tools, wanted: str, cells: int, cycles: int, simulated: bool
):
    put_on.cells = {"LUT4": cells - 1, "TRELLIS_FF": 1}
    put_on.cycles = put_on.netlist_cycles = cycles
    with session(netlist=wanted) as opened:
        built = opened.build(PLAIN)
        assert opened.verify(built).correct
    assert put_on.netlists == int(simulated)
    assert built.facts["netlist_verified"] is simulated
    assert ("netlist_left_out" in built.facts) is not simulated


def test_cells_without_models_are_not_simulated(put_on: Tools):
    with session() as opened:
        built = opened.build(PLAIN)
    why = building.netlist_left_out(built, DEVICES["xc7a35t"], "always")
    assert why is not None
    assert "xc7" in why


def test_a_netlist_with_an_unknown_cell_is_left_out_by_name(put_on: Tools):
    put_on.cells = {"LUT4": 10, "ALU54B": 1}
    with session(netlist="always") as opened:
        built = opened.build(PLAIN)
        assert opened.verify(built).correct
    assert put_on.netlists == 0
    assert built.facts["netlist_verified"] is False
    assert built.facts["netlist_left_out"] == "no model of ALU54B"


def test_a_given_clock_needs_no_router(put_on: Tools):
    with session(clock_mhz=40.0) as opened:
        assert "nextpnr" not in opened.identity
        built = opened.build(PLAIN)
        assert built.mhz == 40.0
        assert "build.place" not in opened.simulated_phases(PLAIN, 0)
    with session() as opened:
        assert opened.identity["nextpnr"] == "1.0"


def test_what_is_never_built():
    chosen = options.PreEulerOptions(fidelity="rtl", cells=1000).model_dump()
    program = Problem.of(HpvmTarget().define("preeuler", chosen)).program
    with pytest.raises(BuildFailed, match="clock_mhz"):
        building.build_design(program, DEVICES["xc7a35t"], ToolLimits())
    every = {name: 4096 for name, one in directives(program).items() if one.kind == "unroll"}
    with pytest.raises(ResourceExceeded, match="statements") as caught:
        building.build_design(transform(program, every), DEVICE, ToolLimits())
    assert caught.value.numbers["statements"] > caught.value.numbers["statements_available"]


def test_what_the_generator_cannot_write_down_does_not_build(
    put_on: Tools, monkeypatch: pytest.MonkeyPatch
):
    def too_deep(program: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(flow, "generate", too_deep)
    with session() as opened, pytest.raises(BuildFailed, match="nested too deeply"):
        opened.build(PLAIN)
