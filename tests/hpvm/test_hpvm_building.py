"""What building costs a study, and what is never built; with tools that are put on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from daybreak import BuildFailed, MeasurementProtocol, ResourceExceeded
from daybreak_hpvm import building, options
from daybreak_hpvm.devices import DEVICES
from daybreak_hpvm.ir import fingerprint, interpret
from daybreak_hpvm.problem import Problem
from daybreak_hpvm.rtl import flow, tools
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

    def generate(self, program: Any) -> tuple[Any, str, tuple[Any, ...]]:
        return None, fingerprint(program), ()

    def synthesise(self, program: Any, device: Any, limits: Any, **more: Any) -> flow.Design:
        phases = {k: v for k, v in self.phases.items() if k != "place" or more["place"]}
        flow._check_room(self.used, device)
        fmax = 125e6 if more["place"] else None
        return flow.Design(self.used, fmax, {"LUT4": 100}, fingerprint(program), "", phases)

    def simulate(self, program: Any, inputs: Any, limits: Any, **more: Any) -> flow.Simulation:
        found = interpret(program, inputs)
        if self.wrong:
            found = {name: (values[0] ^ 1, *values[1:]) for name, values in found.items()}
        return flow.Simulation(found, 1000, "put on")


@pytest.fixture
def put_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tools:
    made = Tools()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("generate", "synthesise", "simulate"):
        monkeypatch.setattr(flow, name, getattr(made, name))
    tool = tools.Tool("any", ("any",), "1.0", "put on")
    monkeypatch.setattr(tools, "find_yosys", lambda: tool)
    monkeypatch.setattr(tools, "find_nextpnr", lambda: tool)
    return made


def session(**more: Any) -> building.RtlSession:
    chosen = options.BfsOptions(
        fidelity="rtl", vertices=8, levels=2, device="ecp5-25k", **more
    ).model_dump()
    made = HpvmTarget().open(HpvmTarget().define("bfs", chosen))
    assert isinstance(made, building.RtlSession)
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
    assert first["build"] == pytest.approx(sum(first[n] for n in first if "." in n))
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
