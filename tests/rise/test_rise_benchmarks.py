"""Every benchmark's program and every lowered form of it mean what NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak import BuildFailed, UserError
from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.mm_cpu import MmCpu
from daybreak_rise.interpret import interpret

SIZES = {
    "mm-cpu": {"n": 16},
    "mm-gpu": {"n": 16},
    "asum": {"n": 2048},
    "scal": {"n": 256},
    "kmeans": {"points": 60, "clusters": 4, "features": 5},
    "harris": {"height": 9, "width": 20},
    "stencil": {"o": 4, "n": 6, "m": 5},
}


def answers(name, seed=0):
    workload = WORKLOADS[name]
    inputs = workload.draw(SIZES[name], np.random.default_rng(seed))
    return workload, inputs


@pytest.mark.parametrize("name", sorted(set(SIZES) - {"asum"}))
def test_the_program_means_what_numpy_computes(name):
    workload, inputs = answers(name)
    found = np.asarray(interpret(workload.program(SIZES[name]), *inputs))
    wanted = workload.expected(SIZES[name], workload.configurations(SIZES[name])["expert"], inputs)
    verdict = wanted.compare(found)
    assert verdict.correct, verdict.message


def test_the_program_of_asum_is_the_whole_sum():
    workload, (x,) = answers("asum")
    found = float(interpret(workload.program(SIZES["asum"]), x))
    assert found == pytest.approx(np.abs(x.astype(float)).sum(), rel=1e-4)


@pytest.mark.parametrize("name", sorted(SIZES))
def test_sampled_configurations_and_references_keep_the_value(name):
    workload, inputs = answers(name)
    sizes = SIZES[name]
    space = workload.space(sizes)
    candidates = [one.configuration for one in workload.references(space, sizes)]
    candidates += space.sample(8, 7)
    right = 0
    for configuration in candidates:
        try:
            lowered = workload.lower(sizes, configuration)
        except BuildFailed:
            assert name == "harris"  # tiles that do not fit are its hidden constraint
            continue
        found = np.asarray(interpret(lowered, *inputs))
        verdict = workload.expected(sizes, configuration, inputs).compare(found)
        assert verdict.correct, (configuration, verdict.message)
        right += 1
    assert right >= 2


@pytest.mark.parametrize("name", ["harris", "mm-cpu", "mm-gpu"])
def test_what_must_not_build_does_not(name):
    workload = WORKLOADS[name]
    bad = workload.unbuildable(SIZES[name])
    assert bad is not None
    assert bad not in workload.space(SIZES[name]) or name == "harris"
    with pytest.raises((BuildFailed, UserError)):
        workload.lower(SIZES[name], bad)


def test_every_published_loop_order_keeps_the_value():
    workload = MmCpu()
    sizes = {"n": 16}
    inputs = workload.draw(sizes, np.random.default_rng(1))
    space = workload.space(sizes)
    orders = {one["reorder"] for one in space.sample(400, 1)}
    assert len(orders) == 7
    for order in orders:
        configuration = {"tile51": 8, "tile52": 4, "vec101": 4, "split100": 2, "reorder": order}
        found = np.asarray(interpret(workload.lower(sizes, configuration), *inputs))
        assert workload.expected(sizes, configuration, inputs).compare(found).correct


def test_partial_sums_are_those_of_the_reordered_parts():
    workload = WORKLOADS["asum"]
    x = np.arange(-8, 8, dtype=np.float32)
    found = workload.expected({"n": 16}, {"sp0": 8, "sp1": 2, "stride": 4}, (x,))
    # groups of 8; 0, 4 then 1, 5 then ...
    assert found.values.tolist() == [8 + 4, 7 + 3, 6 + 2, 5 + 1, 0 + 4, 1 + 5, 2 + 6, 3 + 7]


def test_an_answer_names_the_first_wrong_element():
    wanted = Expected(np.array([[1.0, 2.0], [3.0, 4.0]]), 1.0, 1e-6)
    assert wanted.compare(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)).correct
    wrong = wanted.compare(np.array([[1.0, 2.0], [3.5, 4.0]], np.float32))
    assert not wrong.correct
    assert "1 of 4" in wrong.message
    assert "[1, 0]" in wrong.message
    assert wrong.error == pytest.approx(0.5)
    assert not wanted.compare(np.array([[1.0, np.nan], [3.0, 4.0]], np.float32)).correct
    assert not wanted.compare(np.zeros(4, np.float32)).correct


def test_a_tie_between_clusters_may_go_either_way_and_nothing_else():
    workload = WORKLOADS["kmeans"]
    data = np.array([[0.0, 1.0, 0.5]], np.float32)
    centres = np.array([[0.0], [1.0]], np.float32)
    sizes = {"points": 3, "clusters": 2, "features": 1}
    wanted = workload.expected(sizes, {}, (data, centres))
    assert wanted.compare(np.array([0, 1, 0], np.int32)).correct
    assert wanted.compare(np.array([0, 1, 1], np.int32)).correct
    assert not wanted.compare(np.array([1, 1, 0], np.int32)).correct


def test_the_wall_of_a_room_takes_energy_away():
    workload = WORKLOADS["stencil"]
    sizes = {"o": 3, "n": 3, "m": 3}
    now = np.zeros((5, 5, 5), np.float32)
    now[2, 2, 2] = 1.0
    found = workload.expected(sizes, {}, (np.zeros_like(now), now)).values
    # by hand: l2 = 1/3; the middle has six neighbours, a face's centre five
    assert found[1, 1, 1] == pytest.approx(2 - 6 / 3)
    wall = 1 / (1 + 0.005 / np.sqrt(3))
    assert found[0, 1, 1] == pytest.approx(wall / 3)
    assert found[0, 0, 1] == 0


def test_rounding_grows_with_the_terms():
    assert rounding(0) == pytest.approx(8 * 2.0**-24)
    assert rounding(1000) > 100 * rounding(0)
