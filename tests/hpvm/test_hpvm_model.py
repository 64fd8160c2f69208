"""The model against the hardware's own scheduler, and its parts by hand and by brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak import RequirementError
from daybreak_hpvm import benchmarks
from daybreak_hpvm.devices import DEVICES, overflows, share
from daybreak_hpvm.ir import Program, ProgramBuilder, minimum, s, u
from daybreak_hpvm.model.accesses import Queue
from daybreak_hpvm.model.clock import CLOCK_TERMS, Way, longest_ns
from daybreak_hpvm.model.constants import constants_of
from daybreak_hpvm.model.cycles import Span, Timeline, program_cycles
from daybreak_hpvm.model.features import FF_FEATURES, LUT_FEATURES
from daybreak_hpvm.model.fit import fit_clock
from daybreak_hpvm.model.memory import memory_blocks
from daybreak_hpvm.model.nest import Region, Repeat, Series, parts_of
from daybreak_hpvm.model.nodes import node_cost
from daybreak_hpvm.model.predict import predict, program_features
from daybreak_hpvm.model.values import classes
from daybreak_hpvm.rtl.plan import plan_program
from daybreak_hpvm.rtl.process import ToolLimits
from daybreak_hpvm.transforms import apply, expanded_size, transform, unroll

SMALL = {
    "bfs": {"vertices": 16, "levels": 3},
    "audio": {"sources": 3, "channels": 4, "samples": 6, "delay_line": 6},
    "preeuler": {"cells": 6},
    "edge": {"height": 9, "width": 11},
}


def scaled(name: str = "scale"):
    p = ProgramBuilder(name)
    x, y = p.input("x", s(16), (64,)), p.output("y", s(16), (64,))
    with p.node("n") as n, n.loop("i", 64) as i:
        y[i] = (x[i] * 3) >> 1
    return p.build()


def test_a_pipeline_by_hand():
    # load 8, times three 1 (one addition), store in cycle 9: depth 10, 64 iterations of interval 1
    assert program_features(scaled())[0] == 63 + 10


def test_an_external_port_sets_the_pace():
    # four lanes, one port: a load and a store each a cycle, so nothing is gained but the fill
    cycles, _ = program_features(unroll(scaled(), "n", "i", 4))
    assert cycles == 15 * 4 + 10 + 3


def test_an_accumulation_takes_one_cycle_an_iteration_and_a_product_of_scalars_two():
    p = ProgramBuilder("sums")
    x, y = p.input("x", s(8), (32,)), p.output("y", s(30), (2,))
    with p.node("n") as n:
        total, other = n.scalar("total", s(30), 0), n.scalar("other", s(16), 1)
        with n.loop("i", 32) as i:
            n.reduce(total, "add", x[i])
            n.set(other, (other + x[i]) * 3)
        y[0] = total
        y[1] = other
    program = p.build()
    (region,) = [
        one for one in node_cost(program, program.node("n")).regions if one.region.counters
    ]
    assert region.cost.interval == 2
    (planned,) = [
        one
        for one in plan_program(program).nodes[0].regions.values()
        if one.region.iterations == 32
    ]
    assert (region.cost.interval, region.cost.depth) == (
        planned.schedule.interval,
        planned.schedule.depth,
    )


@pytest.mark.parametrize("name", sorted(SMALL))
def test_cycles_are_the_schedulers_nearly_always(name: str):
    """No constant is fitted, so the two may differ by what a schedule finds out only."""
    found = benchmarks.define(name, SMALL[name])
    chosen = [one.configuration for one in found.references]
    chosen += [dict(one) for one in found.space.sample(12, 5)]
    off = []
    for configuration in chosen:
        program = apply(found.program, configuration).program
        if expanded_size(program) > 300:
            continue
        for node in plan_program(program).nodes:
            guess = node_cost(program, program.node(node.node.name)).line.cycles
            off.append(guess / node.cycles[1] - 1)
    assert len(off) >= 5
    assert np.median(np.abs(off)) < 0.02
    assert max(map(abs, off)) < 0.3


def test_nodes_follow_one_another_or_run_side_by_side():
    found = benchmarks.define("edge", SMALL["edge"])
    default = found.references[0].configuration
    plain = transform(found.program, default)
    cycles, _ = program_features(plain)
    assert cycles == sum(node_cost(plain, node).line.cycles for node in plain.nodes)
    side_by_side, _ = program_features(transform(found.program, {**default, "TLP": 1}))
    assert side_by_side < cycles


def streamed(values: int = 40):
    """Return a program of two nodes joined by a stream."""
    from daybreak_hpvm.transforms import parallel_tasks

    p = ProgramBuilder("two")
    x, y = p.input("x", u(8), (values,)), p.output("y", u(10), (values,))
    middle = p.array("m", u(9), (values,))
    with p.node("a") as n, n.loop("i", values) as i:
        middle[i] = x[i] + 1
    with p.node("b") as n, n.loop("j", values) as j:
        y[j] = middle[j] + 1
    program = parallel_tasks(p.build())
    assert program.streams == ("m",)
    return program


def test_a_stream_lets_the_reader_follow_at_once():
    program = streamed()
    lines = {node.name: node_cost(program, node).line for node in program.nodes}
    found = program_cycles(program, lines)
    slower = max(line.cycles for line in lines.values())
    # one after the other would take twice as long; the reader ends some cycles after the writer
    assert slower < found < slower + 15


def test_a_slow_reader_holds_its_writer_up():
    program = streamed()
    lines = {
        "a": Timeline(50, {"m": Span(9, 48), "x": Span(0, 40)}),
        "b": Timeline(400, {"m": Span(0, 390), "y": Span(3, 399)}),
    }
    found = program_cycles(program, lines)
    assert 400 < found < 430


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=8))
def test_a_port_serves_one_access_a_cycle(wanted):
    queue, busy = Queue(), set()
    for first, count in wanted:
        begin, end = queue.take(first, first, count)
        # by brute force: the first free cycles from `first` on
        free = itertools.islice((c for c in itertools.count(first) if c not in busy), count)
        own = list(free)
        busy.update(own)
        assert (begin, end) == (own[0], own[-1])
    assert sum(end - begin for begin, end in queue.taken) == len(busy)


@given(st.lists(st.lists(st.integers(-5, 5), min_size=6, max_size=6), min_size=1, max_size=4))
def test_classes_are_those_of_tuples(columns):
    keys = [np.asarray(column).reshape(2, 3) for column in columns]
    ids, count = classes(keys, (2, 3))
    tuples = list(zip(*(key.ravel().tolist() for key in keys), strict=True))
    assert count == len(set(tuples))
    for (i, a), (j, b) in itertools.combinations(enumerate(tuples), 2):
        assert (ids.ravel()[i] == ids.ravel()[j]) == (a == b)


def test_parts_are_told_by_lanes_and_not_written_out():
    p = ProgramBuilder("nest")
    x, y = p.input("x", u(8), (6, 7)), p.output("y", u(12), (6,))
    with p.node("n") as n, n.loop("i", 6) as i:
        total = n.scalar("t", u(12), 0)
        with n.loop("j", 7) as j:
            n.reduce(total, "add", x[i, j])
        y[i] = total
    program = p.build()
    whole = parts_of(program.node("n"))
    assert isinstance(whole, Repeat)
    assert isinstance(whole.body, Series)
    assert [part.iterations for part in whole.body.parts if isinstance(part, Region)] == [1, 7, 1]
    # unrolled completely, the inner loop vanishes and the nest is perfect
    flat = parts_of(unroll(program, "n", "j", 7).node("n"))
    assert isinstance(flat, Region)
    assert (flat.iterations, len(flat.items)) == (6, 3)
    # a factor that does not divide leaves a shorter loop
    rest = parts_of(unroll(program, "n", "j", 3).node("n"))
    assert isinstance(rest, Repeat)
    assert isinstance(rest.body, Series)
    assert [part.iterations for part in rest.body.parts if isinstance(part, Region)] == [1, 2, 1]


def test_equal_loads_of_several_lanes_are_one():
    p = ProgramBuilder("window")
    x, y = p.input("x", u(8), (20,)), p.output("y", u(12), (16,))
    with p.node("n") as n, n.loop("i", 16) as i:
        total = n.scalar("t", u(12), 0)
        with n.loop("j", 3) as j:
            n.reduce(total, "add", x[i + j])
        y[i] = total
    program = unroll(unroll(p.build(), "n", "i", 4), "n", "j", 3)
    (placed,) = node_cost(program, program.node("n")).regions
    # x[i] .. x[i + 5] for four windows of three
    assert placed.cost.ports["x", "load"] == 6
    assert placed.cost.interval == 6


@pytest.mark.parametrize("clamped", [False, True])
def test_what_two_unrolled_loops_load_alike_is_loaded_once(clamped: bool):
    p = ProgramBuilder("spread")
    x, y = p.input("x", u(8), (20,)), p.output("y", u(8), (16,))
    with p.node("n") as n, n.loop("i", 16) as i:
        low, high = n.scalar("low", u(8), 255), n.scalar("high", u(8), 0)
        with n.loop("j", 3) as j:
            n.reduce(low, "min", x[minimum(i + j, 17) if clamped else i + j])
        with n.loop("k", 3) as k:
            n.reduce(high, "max", x[minimum(i + k, 17) if clamped else i + k])
        y[i] = high - low
    program = unroll(unroll(p.build(), "n", "j", 3), "n", "k", 3)
    (placed,) = node_cost(program, program.node("n")).regions
    (planned,) = plan_program(program).nodes[0].regions.values()
    assert placed.cost.ports["x", "load"] == 3
    assert placed.cost.interval == planned.schedule.interval == 3


def test_what_is_stored_in_between_is_loaded_again():
    p = ProgramBuilder("again")
    x, y = p.input("x", u(8), (64,)), p.output("y", u(9), (64,))
    with p.node("n") as n:
        kept = n.local("kept", u(8), (64,))
        with n.loop("i", 64) as i:
            first, second = n.scalar("first", u(8)), n.scalar("second", u(8))
            n.set(first, kept[i])
            kept[i] = x[i]
            n.set(second, kept[i])
            y[i] = first + second
    program = p.build()
    (placed,) = node_cost(program, program.node("n")).regions
    assert placed.cost.ports["kept", "load"] == 2


def products(gain_first: bool, lanes: int) -> Program:
    """`lanes` products a turn of one value each turn with several elements of another array."""
    p = ProgramBuilder("products")
    x, gain = p.input("x", s(12), (32,)), p.input("gain", u(10), (8,))
    y = p.output("y", s(23), (32,))
    with p.node("n") as n, n.loop("i", 8) as i, n.loop("j", 4) as j:
        at = 4 * i + j
        y[at] = gain[i] * x[at] if gain_first else x[at] * gain[i]
    return unroll(p.build(), "n", "j", lanes)


def products_written_out() -> Program:
    """The same element by element; and squares, whose factors come through a port and wait for it."""
    p = ProgramBuilder("products")
    x, gain = p.input("x", s(12), (4,)), p.input("gain", u(10), (1,))
    y, z = p.output("y", s(23), (4,)), p.output("z", s(24), (4,))
    with p.node("n") as n:
        level = n.scalar("level", u(10), gain[0])
        for k in range(4):
            y[k] = x[k] * level if k % 2 else level * x[k]
        for k in range(4):
            z[k] = x[k] * x[(k + 1) % 4]
    return p.build()


PRODUCTS = {
    "two lanes": lambda: products(False, 2),
    "two lanes, the gain first": lambda: products(True, 2),
    "four lanes": lambda: products(False, 4),
    "four lanes, the gain first": lambda: products(True, 4),
    "written out": products_written_out,
}


@pytest.mark.parametrize("which", PRODUCTS)
def test_products_of_what_comes_through_one_port_share_multipliers(which: str):
    pytest.importorskip("amaranth", reason="needs Amaranth (extra `hpvm`)")
    from daybreak_hpvm.rtl import flow, tools

    program = PRODUCTS[which]()
    guess = predict(program, DEVICES["ecp5-25k"])
    try:
        tools.find_yosys()
    except RequirementError as error:
        pytest.skip(error.message)
    made = flow.synthesise(program, DEVICES["ecp5-25k"], ToolLimits(), place=False)
    # the first may meet the gain while it comes in itself, all others in its register
    assert guess.used["dsp"] == made.used["dsp"]
    assert made.used["dsp"] <= (6 if which == "written out" else 2)


def test_the_longest_way_sets_the_clock():
    # ns in cells, and wires, of 0.1 ns for each doubling: eight tables make 0.3 ns
    ways = (Way(5.0, 1.0), Way(2.0, 6.0), Way(3.0, 2.0, multiplier=True))
    terms = {"wires": 0.1, "multipliers": 0.5}
    assert longest_ns(ways, 7.0, 0, terms) == pytest.approx(5.3)
    # four multipliers: a wire to one of them is one nanosecond longer
    assert longest_ns(ways, 7.0, 4, terms) == pytest.approx(5.6)
    assert longest_ns(ways, 1023.0, 0, terms) == pytest.approx(8.0)


def test_the_clocks_terms_are_found_again_whatever_one_design_does():
    def period(luts: float, multipliers: int) -> float:
        wire = 0.09 * math.log2(1 + luts)
        return max(0.5 + 4 * wire, 4.5 + 2 * (wire + 0.2 * math.sqrt(multipliers)))

    ways = (Way(0.5, 4.0), Way(4.5, 2.0, multiplier=True))
    sizes = [(200.0, 1), (900.0, 9), (4000.0, 30), (30000.0, 90), (1e9, 4), (1e12, 4)]
    periods = [period(*size) for size in sizes]
    designs = [(ways, *size) for size in sizes]
    assert fit_clock(designs, periods) == pytest.approx({"wires": 0.09, "multipliers": 0.2})
    periods[2] *= 1.6
    found = fit_clock(designs, periods)
    assert found == pytest.approx({"wires": 0.09, "multipliers": 0.2}, rel=0.2)


def test_a_block_memory_bounds_the_clock_of_a_design_however_narrow():
    p = ProgramBuilder("narrow")
    x, at, y = p.input("x", u(2), (1024,)), p.input("at", u(10), (64,)), p.output("y", u(2), (64,))
    with p.node("n") as n:
        table = n.local("table", u(2), (1024,))
        with n.loop("i", 1024) as i:
            table[i] = x[i]
        with n.loop("j", 64) as j:
            y[j] = table[at[j]]
    _, features = program_features(p.build())
    assert features.bram == 1
    # 5.8 ns from its clock to its output, by nextpnr
    assert longest_ns(features.ways, 1.0, 0, {"wires": 0.0, "multipliers": 0.0}) > 5.8


@pytest.mark.parametrize(
    ("depth", "bits", "blocks", "parts"),
    [
        (1024, 18, 1, 0),
        (1025, 18, 2, 0),
        (512, 36, 1, 0),
        (16, 4, 0, 1),
        (64, 8, 0, 8),
        (400, 1, 0, 25),
        (112, 16, 1, 0),
        (4096, 16, 4, 0),
    ],
)
def test_memories_in_blocks_or_tables(depth: int, bits: int, blocks: int, parts: int):
    assert memory_blocks(depth, bits) == (blocks, parts)


def test_area_is_the_mean_share_of_the_device():
    device = DEVICES["ecp5-25k"]
    used = {"lut": 24_288 / 2, "ff": 0, "dsp": 28, "bram": 0}
    assert share(used, device) == pytest.approx(100 * (0.5 + 1) / 4)
    assert overflows({**used, "dsp": 29}, device) == {"dsp": 29}


@pytest.mark.parametrize("family", ["ecp5", "xc7"])
def test_constants_are_complete_and_never_negative(family: str):
    constants = constants_of(family)
    assert set(constants.lut) == {"base", *LUT_FEATURES}
    assert set(constants.ff) == {"base", *FF_FEATURES}
    prices = [*constants.lut.values(), *constants.ff.values()]
    if constants.clock_ns is not None:
        assert set(constants.clock_ns) == set(CLOCK_TERMS)
        prices += constants.clock_ns.values()
    assert all(math.isfinite(price) and price >= 0 for price in prices)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_every_configuration_has_a_finite_cost(name: str):
    found = benchmarks.define(name, SMALL[name])
    for configuration in found.space.sample(25, 7):
        guess = predict(transform(found.program, configuration), DEVICES["ecp5-85k"])
        assert guess.cycles > 0
        assert guess.mhz > 0
        assert all(math.isfinite(x) and x >= 0 for x in guess.used.values())
        assert guess.seconds == pytest.approx(guess.cycles / guess.mhz / 1e6)
