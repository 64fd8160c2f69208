"""From a program to cycles, resources and a clock, with the real tools where they are there."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybreak import (
    FailureKind,
    OutOfMemory,
    RequirementError,
    ResourceExceeded,
    TrialFailed,
    WrongResult,
)
from daybreak_hpvm.benchmarks import define, draw_inputs
from daybreak_hpvm.devices import DEVICES
from daybreak_hpvm.ir import Program, ProgramBuilder, interpret, s, u
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.rtl.cache import Cache
from daybreak_hpvm.rtl.process import ToolLimits
from daybreak_hpvm.transforms import apply, transform

pytest.importorskip("amaranth", reason="needs Amaranth (extra `hpvm`)")

from daybreak_hpvm.rtl import flow, tools


def convolution(n: int = 10) -> Program:
    p = ProgramBuilder("conv")
    x, k = p.input("x", s(16), (n, n)), p.input("k", s(8), (3, 3))
    y = p.output("y", s(32), (n - 2, n - 2))
    with p.node("c") as node:
        total = node.scalar("total", s(32))
        with node.loop("i", n - 2) as i, node.loop("j", n - 2) as j:
            node.set(total, 0)
            with node.loop("a", 3) as a, node.loop("b", 3) as b:
                node.reduce(total, "add", k[a, b] * x[i + a, j + b])
            y[i, j] = total
    return p.build()


def piped(n: int = 40) -> Program:
    """Two nodes that can be joined by a stream, with a product too wide for one multiplier."""
    p = ProgramBuilder("piped")
    x, y = p.input("x", s(24), (n,)), p.output("y", s(48), (n,))
    between = p.array("between", s(48), (n,))
    with p.node("square") as node, node.loop("i", n) as i:
        between[i] = x[i] * x[i]
    with p.node("shift") as node, node.loop("j", n) as j:
        y[j] = between[j] - 1
    return p.build()


INNER = {"c_UnrollL2": 3, "c_UnrollL3": 3}
BUFFERED = {**INNER, "c_x_BuffIn": 1, "c_k_BuffIn": 1}
CONFIGURATIONS: dict[str, dict[str, int]] = {
    "plain": {},
    "inner loops unrolled": INNER,
    "buffered": BUFFERED,
    "two lanes": {**BUFFERED, "c_UnrollL1": 2},
}


def data(program: Program, seed: int = 0) -> dict[str, list[int]]:
    draw = random.Random(seed)
    return {
        name: [
            draw.randint(program.array(name).type.low, program.array(name).type.high)
            for _ in range(program.array(name).size)
        ]
        for name in program.inputs
    }


def convolved(inputs: dict[str, list[int]], n: int = 10) -> list[int]:
    x = np.array(inputs["x"]).reshape(n, n)
    k = np.array(inputs["k"]).reshape(3, 3)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
    return [int(v) for v in np.einsum("ijab,ab->ij", windows, k).ravel()]


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_cycles_and_values_in_amaranths_simulator(
    configuration: dict[str, int], tmp_path: Path
) -> None:
    program = convolution()
    inputs = data(program)
    made = transform(program, configuration)
    found = flow.simulate(made, inputs, cache=Cache(tmp_path), engine="python")
    assert list(found.outputs["y"]) == convolved(inputs)
    plan, _, _ = flow.generate(made)
    assert plan.cycles == (found.cycles, found.cycles)


def test_what_transformations_do_to_the_cycles(tmp_path: Path) -> None:
    def cycles(configuration: dict[str, int]) -> int:
        made = transform(convolution(), configuration)
        plan, _, _ = flow.generate(made)
        assert plan.cycles is not None
        return plan.cycles[0]

    plain, inner, buffered, two = (cycles(one) for one in CONFIGURATIONS.values())
    # by hand: 64 windows; unrolled, the external port hands out one of nine elements a cycle; in
    # buffers of 8 copies (k: registers) it takes two cycles, after copies of 100 and 9 elements
    assert 64 * 9 <= inner < 64 * 9 + 40
    assert 64 * 2 + 100 + 9 <= buffered < 64 * 2 + 100 + 9 + 60
    assert two < buffered < inner < plain


def test_hardware_is_the_same_in_every_process() -> None:
    text = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "import test_hpvm_flow as t, hashlib; "
        "made = t.transform(t.convolution(), t.CONFIGURATIONS['two lanes']); "
        "print(hashlib.sha256(t.flow.generate(made)[1].encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", text, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_ports_of_nodes_and_arrays_with_names_that_run_together_are_told_apart() -> None:
    p = ProgramBuilder("names")
    x, z = p.input("b_c", u(8), (6,)), p.input("c", u(8), (6,))
    y, w = p.output("y", u(8), (6,)), p.output("w", u(8), (6,))
    with p.node("a") as node, node.loop("i", 6) as i:
        y[i] = x[i]
    with p.node("a_b") as node, node.loop("j", 6) as j:
        w[j] = z[j]
    _, text, ports = flow.generate(p.build())
    names = [name for port in ports for name in (port.addr, port.data, port.enable)]
    assert len(set(names)) == len(names) == 12
    top = text[text.index("module \\top") :]
    assert all(re.search(rf"wire width \d+ (in|out)put \d+ +\\{name}\n", top) for name in names)


def test_hundreds_of_accesses_share_a_port() -> None:
    # expressions nested as often overflow Python's stack; each kind of port: external, RAM, stream
    count = 400
    p = ProgramBuilder("wide")
    x, y = p.input("x", u(8), (count,)), p.output("y", u(8), (count,))
    between = p.array("between", u(8), (count,))
    with p.node("a") as node:
        kept = node.local("kept", u(8), (256,))
        with node.loop("i", count) as i:
            kept[x[i]] = x[i] ^ 1
        with node.loop("j", count) as j:
            between[j] = kept[x[j]]
    with p.node("b") as node, node.loop("k", count) as k:
        y[k] = between[k] ^ 255
    program = p.build()
    loops = {"a_UnrollL0": count, "a_UnrollL1": count, "b_UnrollL0": count}
    for tasks in (0, 1):
        made = transform(program, {**loops, "TLP": tasks})
        assert made.streams == (("between",) if tasks else ())
        _, text, _ = flow.generate(made)
        assert text.count("cell $or") > 3 * count


def test_streams_run_side_by_side(tmp_path: Path) -> None:
    program = piped()
    made = transform(program, {"TLP": 1})
    assert made.streams == ("between",)
    inputs = data(program)
    alone = flow.simulate(program, inputs, cache=Cache(tmp_path), engine="python")
    joined = flow.simulate(made, inputs, cache=Cache(tmp_path), engine="python")
    assert list(joined.outputs["y"]) == [x * x - 1 for x in inputs["x"]]
    assert joined.outputs == alone.outputs
    assert 40 < joined.cycles < 40 + 25 < 2 * 40 < alone.cycles


def test_queues_that_run_full_or_empty_lose_nothing(tmp_path: Path) -> None:
    # the reader takes several cycles for an element, then the writer does
    for slow in ("reader", "writer"):
        p = ProgramBuilder("uneven")
        x, w = p.input("x", u(8), (60,)), p.input("w", u(8), (5,))
        y, between = p.output("y", u(16), (60,)), p.array("between", u(16), (60,))
        for name, source, target in (("writer", x, between), ("reader", between, y)):
            with p.node(name) as node, node.loop(f"{name}_i", 60) as i:
                if name == slow:
                    total = node.scalar(f"{name}_t", u(16), source[i])
                    with node.loop(f"{name}_k", 5) as k:
                        node.reduce(total, "add", w[k])
                    target[i] = total
                else:
                    target[i] = source[i]
        program = p.build()
        made = transform(program, {"TLP": 1})
        assert made.streams == ("between",)
        inputs = data(program)
        found = flow.simulate(made, inputs, cache=Cache(tmp_path), engine="python")
        assert list(found.outputs["y"]) == [v + sum(inputs["w"]) for v in inputs["x"]]


def test_what_does_not_fit_says_by_how_much() -> None:
    with pytest.raises(ResourceExceeded) as caught:
        flow._check_room(
            {"lut": 10.0, "ff": 25_000.0, "dsp": 29.0, "bram": 0.0}, DEVICES["ecp5-25k"]
        )
    assert caught.value.kind is FailureKind.RESOURCE
    assert caught.value.numbers == {
        "ff": 25_000.0, "ff_available": 24_288, "dsp": 29.0, "dsp_available": 28,
    }  # fmt: skip
    assert "29 of 28 dsp" in caught.value.message


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """A cache of the module's own; skips without the tools."""
    for find in (tools.find_yosys, tools.find_nextpnr, tools.compiler):
        try:
            find()
        except RequirementError as error:
            pytest.skip(str(error.message))
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.mark.slow
@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_native_simulation_agrees(configuration: dict[str, int], kept: Cache) -> None:
    program = convolution()
    made = transform(program, configuration)
    for seed in (1, 2):
        inputs = data(program, seed)
        found = flow.simulate(made, inputs, cache=kept, engine="cxxrtl")
        slow = flow.simulate(made, inputs, cache=kept, engine="python")
        assert (found.outputs, found.cycles) == (slow.outputs, slow.cycles)
        assert list(found.outputs["y"]) == convolved(inputs)


@pytest.mark.slow
def test_streams_and_stalls_in_the_native_simulation(kept: Cache) -> None:
    program = piped()
    made = transform(program, {"TLP": 1})
    inputs = data(program)
    native = flow.simulate(made, inputs, cache=kept, engine="cxxrtl")
    assert native.cycles == flow.simulate(made, inputs, cache=kept, engine="python").cycles
    assert native.outputs == interpret(program, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["buffered", "two lanes"])
def test_a_netlist_computes_the_same(name: str, kept: Cache) -> None:
    from daybreak_hpvm.rtl.gates import simulate_netlist

    program = convolution()
    made = transform(program, CONFIGURATIONS[name])
    design = flow.synthesise(made, DEVICES["ecp5-25k"], cache=kept, place=False)
    assert design.used["dsp"] >= 1
    inputs = data(program, 3)
    found = simulate_netlist(made, design, inputs, cache=kept)
    assert list(found.outputs["y"]) == convolved(inputs)
    plan, _, _ = flow.generate(made)
    assert plan.cycles is not None
    assert found.cycles == plan.cycles[0]


@pytest.mark.slow
def test_a_netlist_with_a_wrong_multiplier_is_seen(kept: Cache) -> None:
    from daybreak_hpvm.rtl.gates import simulate_netlist

    program = convolution()
    made = transform(program, INNER)
    design = flow.synthesise(made, DEVICES["ecp5-25k"], cache=kept, place=False)
    assert ".SIGNEDA(1'h1)" in design.netlist
    wrong = replace(design, netlist=design.netlist.replace(".SIGNEDA(1'h1)", ".SIGNEDA(1'h0)", 1))
    inputs = data(program, 3)
    found = simulate_netlist(made, wrong, inputs, cache=kept)
    assert list(found.outputs["y"]) != convolved(inputs)


@pytest.mark.slow
def test_a_design_is_placed_once_and_then_taken_from_the_cache(kept: Cache) -> None:
    told: list[str] = []

    def progress(fraction: float | None, what: str) -> None:
        assert fraction is None or 0 <= fraction <= 1
        told.append(what)

    made = transform(convolution(), INNER)
    first = flow.synthesise(made, DEVICES["ecp5-25k"], cache=kept, progress=progress)
    assert first.fmax_hz is not None
    assert 20e6 < first.fmax_hz < 500e6
    assert 1 <= first.used["dsp"] <= 9
    assert any("Yosys" in one for one in told)
    assert any("routing" in one for one in told)
    told.clear()
    again = flow.synthesise(made, DEVICES["ecp5-25k"], cache=kept, progress=progress)
    assert (again.used, again.fmax_hz, again.code) == (first.used, first.fmax_hz, first.code)
    assert not any("routing" in one for one in told)
    other = flow.synthesise(made, DEVICES["xc7a35t"], cache=kept)
    assert other.fmax_hz is None
    assert other.used["dsp"] >= 1


@pytest.mark.slow
def test_tools_that_take_too_long_or_too_much(tmp_path: Path, kept: Cache) -> None:
    made: Any = transform(convolution(), INNER)
    cache = Cache(tmp_path)
    with pytest.raises(TrialFailed, match="Yosys took more than") as late:
        flow.synthesise(made, DEVICES["ecp5-25k"], ToolLimits(seconds=0.05), cache=cache)
    assert late.value.kind is FailureKind.TIMEOUT
    # too little for Python to read the tool, and for the run time of WebAssembly to compile it
    for memory in (48 << 20, 200 << 20):
        with pytest.raises(OutOfMemory, match="Yosys ran out of memory") as starved:
            flow.synthesise(
                made, DEVICES["ecp5-25k"], ToolLimits(memory_bytes=memory), cache=cache, place=False
            )
        assert starved.value.detail


# What synthesisers get wrong, put into a netlist by hand: each a pattern, and what becomes of it.
def _complemented(found: re.Match[str]) -> str:
    return f"{found[1]}{int(found[2], 16) ^ 0xFFFF:04x}"


FAULTS: dict[str, tuple[str, Any]] = {
    "a look-up table says the opposite": (r"(LUT4 #\(\s+\.INIT\(16'h)([0-9a-f]{4})", _complemented),
    "two lanes of a product change places": (
        r"\.P0\((.*)\)(,[^;]*?)\.P1\((.*)\)",
        r".P0(\3)\2.P1(\1)",
    ),
    "a lane of a product is lost": (r"\.P3\((\\[^)]*|[^\\)]*)\)", r".P3()"),
    "a product takes its sign for a bit": (r"\.SIGNEDB\(1'h1\)", ".SIGNEDB(1'h0)"),
    "a carry is not handed on": (r"\.CIN\((?!1'h)[^)]*\)", ".CIN(1'h0)"),
    "a register never changes": (r"(TRELLIS_FF #\([^;]*?)\.CE\((?!1'h)[^)]*\)", r"\1.CE(1'h0)"),
    "lanes of a memory change places": (
        r"(TRELLIS_DPR16X4[^;]*?\.DI\()([^\[{]*)\[(\d+):(\d+)\]\)",
        r"\1{\2[\4], \2[\3:\4+1]})",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_a_synthesiser_are_found(name: str, kept: Cache) -> None:
    from daybreak_hpvm.rtl.gates import simulate_netlist

    p = ProgramBuilder("small")
    x, y = p.input("x", s(12), (40,)), p.output("y", s(24), (40,))
    with p.node("n") as node:
        back = node.local("back", s(12), (40,))
        with node.loop("i", 40) as i:
            back[i] = x[i]
        with node.loop("j", 40) as j:
            y[j] = back[39 - j] * x[j] - back[j]
    program = p.build()
    design = flow.synthesise(program, DEVICES["ecp5-25k"], cache=kept, place=False)
    inputs = data(program, 5)
    assert simulate_netlist(program, design, inputs, cache=kept).outputs == interpret(
        program, inputs
    )
    pattern, into = FAULTS[name]
    wrong, count = re.subn(pattern, into, design.netlist, count=1)
    assert count == 1, f"{name}: no such cell"
    assert wrong != design.netlist
    try:
        found = simulate_netlist(program, replace(design, netlist=wrong), inputs, cache=kept)
    except WrongResult:  # does not come to an end
        return
    assert found.outputs != interpret(program, inputs)


@pytest.mark.slow
def test_what_is_loaded_for_lanes_that_do_not_count_may_lie_outside_of_its_memory(
    kept: Cache,
) -> None:
    # 20 columns in turns of three: the last turn's lanes are computed like the others
    found = define("edge")
    configuration = {
        **found.references[0].configuration,
        "CG_c_c_UnrollL0": 4, "CMG_c_Nd_F_RZC_c_c": 1, "CMG_c_UnrollL0": 8,
        "CZC_c_c_UnrollL3": 3, "CZC_c_c_UnrollL4": 3, "CZC_c_c_UnrollL5": 3,
        "GS_c_c_Nd_F_CG_c_c": 1, "GS_c_c_Nd_F_LE_c_c": 1, "GS_c_c_UnrollL1": 2,
        "LE_c_c_B_BuffIn": 1, "LE_c_c_UnrollL1": 2, "LE_c_c_UnrollL4": 3, "RZC_c_c_UnrollL0": 4,
    }  # fmt: skip
    made = apply(found.program, configuration).program
    inputs = draw_inputs("edge", {}, 1)
    simulated = flow.simulate(
        made,
        {name: flatten(inputs[name], made.array(name).shape) for name in made.inputs},
        cache=kept,
        engine="cxxrtl",
    )
    assert simulated.outputs == interpret(found.program, inputs)
