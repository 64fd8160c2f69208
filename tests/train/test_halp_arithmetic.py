"""The integer arithmetic of `train/halp`: exact, unbiased, saturating."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_train.fixed_point import mantissa, plain_mantissa
from daybreak_train.halp import kernels
from daybreak_train.halp.checks import check_floats, check_gradient, check_integers
from daybreak_train.halp.grids import GRIDS
from daybreak_train.halp.objective import Objective
from daybreak_train.halp.options import HalpOptions
from daybreak_train.halp.problems import load_problem
from daybreak_train.halp.runs import quantised
from daybreak_train.streams import new_streams

MODELS = ["linear", "logistic", "softmax", "network"]


def problem_of(model, **options):
    small = {"samples": 80, "features": 37, "classes": 3, "hidden": 5}
    return load_problem(HalpOptions(**{**small, **options}, model=model).model_dump())


def step_once(bits, z, q, pull, *, gain=0.0, decay=0.0, seed=0, count=1, target=-1.0):
    """Take steps on one sample of a linear model whose scores are nought: the slope is -target."""
    grid = GRIDS[bits]
    z = np.array([z], dtype=grid.number)
    q = np.array([q], dtype=grid.number)
    table = np.zeros(kernels.TABLE + z.shape[1], dtype=grid.table)
    stream = new_streams((seed,), 1)[0]
    kernels.fill_table(table, stream)
    grid.steps(
        0, q, np.array([target]), np.zeros((0, 1)), z, np.zeros((1, 1)),
        np.zeros((1, 1), np.int64), np.zeros((1, 1)), np.array([pull], dtype=grid.pull), 0.0, gain,
        decay, table, stream, count,
    )  # fmt: skip
    return z[0].astype(np.int64)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("model", MODELS)
def test_steps_equal_pythons_integers(model, bits):
    problem = problem_of(model)
    q, _ = quantised(problem, GRIDS[bits])
    verdict = check_integers(problem, bits, q)
    assert verdict.correct, verdict
    assert verdict.error == 0.0


@pytest.mark.parametrize("model", MODELS)
def test_float_steps_equal_numpys(model):
    problem = problem_of(model)
    for number in (np.float32, np.float64):
        verdict = check_floats(problem, problem.x.astype(number))
        assert verdict.correct, verdict
    assert check_gradient(problem, Objective(problem)).correct


@pytest.mark.parametrize("bits", [8, 16])
def test_a_wrong_kernel_is_found(bits, monkeypatch):
    problem = problem_of("linear")
    q, _ = quantised(problem, GRIDS[bits])
    right = GRIDS[bits].steps

    def wrong(*arguments):
        right(*arguments)
        arguments[4][0, 0] ^= 1  # the last bit of one weight

    object.__setattr__(GRIDS[bits], "steps", wrong)
    try:
        assert not check_integers(problem, bits, q).correct
    finally:
        object.__setattr__(GRIDS[bits], "steps", right)


@pytest.mark.parametrize("bits", [8, 16])
def test_rounding_is_unbiased(bits):
    # a pull of 0.3 units, 400 steps, 500 coordinates: -120 on average, up to chance
    grid = GRIDS[bits]
    pull = round(0.3 * 2**grid.point)
    moved = step_once(bits, np.full(500, 120), np.zeros(500), np.full(500, pull), count=400, seed=3)
    expected = 120 - 400 * pull / 2**grid.point
    # one step's variance is at most 0.3 * 0.7
    assert moved.mean() == pytest.approx(expected, abs=5 * math.sqrt(400 * 0.21 / 500))
    assert moved.std() == pytest.approx(math.sqrt(400 * 0.21), rel=0.25)


@pytest.mark.parametrize("bits", [8, 16])
def test_whole_steps_need_no_rounding(bits):
    grid = GRIDS[bits]
    start = np.arange(-50, 50)
    pull = 3 * 2**grid.point
    np.testing.assert_array_equal(
        step_once(bits, start, np.zeros(100), np.full(100, pull)), start - 3
    )
    # the slope is 1: one unit of the data is a quarter of a unit of the model
    data = 4 * np.arange(-10, 10)
    moved = step_once(
        bits, np.zeros(20), data, np.zeros(20), gain=0.25 * 2**grid.point, target=-1.0
    )
    np.testing.assert_array_equal(moved, -np.arange(-10, 10))


@pytest.mark.parametrize("bits", [8, 16])
def test_values_stop_at_the_ends(bits):
    grid = GRIDS[bits]
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    most = np.full(4, grid.pull_most)
    down = step_once(bits, [low, 0, 5, high], np.zeros(4), most, count=10)
    up = step_once(bits, [low, 0, 5, high], np.zeros(4), -most, count=10)
    assert set(down) == {low}
    assert set(up) == {high}
    # a step beyond any range
    far = step_once(bits, np.zeros(4), np.full(4, grid.most), np.zeros(4), gain=1e12, count=9)
    assert (far < 0.3 * low).all()


@pytest.mark.parametrize(("bits", "start"), [(8, 100), (16, 20_000)])
def test_decay_shrinks_by_its_share(bits, start):
    # all coordinates of a step share one rounding of the decay: averaged over twenty seeds
    means = [
        step_once(
            bits, np.full(100, start), np.zeros(100), np.zeros(100), decay=0.001, count=500, seed=s
        ).mean()
        for s in range(20)
    ]
    assert np.mean(means) == pytest.approx(start * 0.999**500, rel=0.04)


def test_rounding_bits_are_even():
    for name, top in ((np.uint8, 256), (np.uint16, 1 << 14)):
        table = np.zeros(1 << 16, dtype=name)
        kernels.fill_table(table, new_streams((1,), 1)[0])
        counts = np.bincount(table, minlength=top)
        expected = len(table) / top
        assert table.max() < top
        statistic = ((counts - expected) ** 2 / expected).sum()
        # chi squared: its mean is the degrees of freedom, its variance twice that
        assert abs(statistic - (top - 1)) < 5 * math.sqrt(2 * top)


@given(
    st.floats(1e-12, 1e6), st.booleans(), st.integers(0, (1 << 64) - 1), st.sampled_from([7, 14])
)
@settings(max_examples=200, deadline=None)
def test_multipliers_are_rounded_to_a_neighbour(size, negative, word, bits):
    value = -size if negative else size
    most, limit = 2 * bits, 1 << bits
    c, shift = mantissa(value, bits, most, float(limit), (word >> 32) / 2.0**32)
    assert (c, shift) == plain_mantissa(value, bits, most, limit, word)
    assert 0 <= shift <= most
    assert abs(c) <= limit
    if size < limit:
        assert abs(c / 2.0**shift - value) <= 2.0**-shift
        if 0 < shift < most:
            assert abs(c) >= limit // 2
    else:
        assert abs(c) == limit


def test_multipliers_survive_what_is_no_number():
    assert mantissa(math.nan, 7, 14, 128.0, 0.5) == (0, 0)
    assert mantissa(0.0, 7, 14, 128.0, 0.5) == (0, 0)
    assert mantissa(-math.inf, 7, 14, 128.0, 0.5) == (-128, 0)


@pytest.mark.parametrize("bits", [8, 16])
def test_grids_round_to_the_nearest_and_stop(bits):
    grid = GRIDS[bits]
    unit = grid.unit(2.0)
    values = np.array([0.0, 0.4 * unit, 0.6 * unit, -0.6 * unit, 2.0, 5.0, -5.0])
    expected = [0, 0, 1, -1, grid.most, grid.most, -grid.most]
    assert grid.nearest(values, unit).tolist() == expected


def test_pulls_are_unbiased_and_bounded():
    rng = np.random.default_rng(0)
    pulls = GRIDS[8].pulls(np.full((1, 200_000), 0.7 / 256), rng)
    assert set(np.unique(pulls)) == {0, 1}
    assert pulls.mean() == pytest.approx(0.7, abs=0.01)
    bounds = GRIDS[8].pulls(np.array([[1e9, -1e9, np.nan, np.inf]]), rng)
    assert bounds.tolist() == [[32767, -32767, 0, 32767]]
