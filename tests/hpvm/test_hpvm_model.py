"""The model against the hardware's own scheduler, and its parts by hand and by brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_hpvm import benchmarks
from daybreak_hpvm.devices import DEVICES, overflows, share
from daybreak_hpvm.ir import ProgramBuilder, s, u
from daybreak_hpvm.model.accesses import Queue
from daybreak_hpvm.model.constants import CLOCK_TERMS, constants_of
from daybreak_hpvm.model.cycles import Span, Timeline, program_cycles
from daybreak_hpvm.model.features import FF_FEATURES, LUT_FEATURES, memory_blocks
from daybreak_hpvm.model.nest import Region, Repeat, Series, parts_of
from daybreak_hpvm.model.nodes import node_cost
from daybreak_hpvm.model.predict import predict, program_features
from daybreak_hpvm.model.values import classes
from daybreak_hpvm.rtl.plan import plan_program
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
    assert placed.cost.ports["x load"] == 6
    assert placed.cost.interval == 6


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
