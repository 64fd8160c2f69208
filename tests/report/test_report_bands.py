"""Curves put together: against NumPy's own quantiles, hand-made cases, and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from daybreak.report.bands import SINGLES, at_moments, band, moments, split, turned


def test_moments_are_the_points_themselves_where_they_are_few():
    assert moments([np.asarray([1.0, 3.0]), np.asarray([2.0, np.inf, 3.0])]).tolist() == [1, 2, 3]
    assert moments([]).tolist() == []
    many = moments([np.linspace(0.5, 100, 5000)], most=50)
    assert (len(many), many[0], many[-1]) == (50, 0.5, 100)


def test_logarithmic_moments_keep_zero_and_the_last_point():
    found = moments([np.linspace(0, 1000, 5001)], log=True, most=40)
    assert found[0] == 0
    assert found[-1] == 1000
    ratios = found[2:] / found[1:-1]
    assert ratios.max() / ratios.min() == pytest.approx(1)


def test_a_step_function_holds_its_value_until_the_next_point():
    x, y = np.asarray([1.0, 2.0, 4.0]), np.asarray([10.0, 20.0, 40.0])
    at = np.asarray([0.5, 1.0, 1.9, 2.0, 4.0, 5.0])
    assert at_moments(x, y, at).tolist()[1:5] == [10, 10, 20, 40]
    assert np.isnan(at_moments(x, y, at)[[0, 5]]).all()
    assert at_moments(x, y, at, held=True, before=np.inf).tolist() == [np.inf, 10, 10, 20, 40, 40]
    joined = at_moments(x, y, np.asarray([0.5, 1.5, 3.0, 5.0]), joined=True)
    assert joined[1:3].tolist() == [15, 30]
    assert np.isnan(joined[[0, 3]]).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_a_band_is_made_of_order_statistics(values):
    n = len(values)
    found = band("a", np.asarray([0.0]), np.asarray(values)[:, None])
    assert found.middle[0] == pytest.approx(np.median(values), rel=1e-12, abs=1e-12)
    assert {found.low[0], found.high[0], found.outer_low[0], found.outer_high[0]} <= {*values}
    # the widest ranks of 95 % by the binomial distribution; all of them with too few
    rank = max([r for r in range(1, n // 2 + 1) if 2 * binom.cdf(r - 1, n, 0.5) <= 0.05] or [1])
    ordered = sorted(values)
    assert (found.low[0], found.high[0]) == (ordered[rank - 1], ordered[-rank])
    if n >= 10:
        inside = sum(found.outer_low[0] <= v <= found.outer_high[0] for v in values)
        assert inside >= 0.8 * n


def test_never_is_a_value_and_unknown_is_none():
    values = np.asarray([[1.0, np.inf], [2.0, np.inf], [np.inf, np.inf], [3.0, np.nan]])
    found = band("a", np.asarray([1.0, 2.0]), values)
    assert found.middle.tolist() == [2.5, np.inf]
    assert found.high.tolist() == [np.inf, np.inf]
    assert found.count.tolist() == [4, 3]
    # of fewer than half of the curves nothing is said
    few = band("a", np.asarray([1.0]), np.asarray([[1.0], [np.nan], [np.nan]]))
    assert np.isnan(few.middle[0])


def test_a_median_does_not_jump_where_curves_end():
    # two good runs end at 1 and 2, the third goes on and is worse
    at = np.asarray([1.0, 2.0, 3.0])
    x = [np.asarray([0.0, 1.0]), np.asarray([0.0, 2.0]), np.asarray([0.0, 3.0])]
    y = [np.asarray([9.0, 1.0]), np.asarray([9.0, 2.0]), np.asarray([9.0, 8.0])]
    values = np.stack(
        [at_moments(a, b, at, joined=True, held=True) for a, b in zip(x, y, strict=True)]
    )
    running = np.stack([at <= a[-1] for a in x])
    found = band("a", at, values, running=running)
    # at 2: the first keeps 1, the second has 2, the third is on its way from 9 to 8
    assert found.middle[1] == 2
    assert found.count.tolist() == [3, 2, 1]
    # two of three have ended
    assert np.isnan(found.middle[2])
    assert np.isnan(found.low[2])


def test_a_band_that_is_open_stays_open_whichever_way_is_better():
    one = band("a", np.zeros(2), np.asarray([[1.0, np.inf], [2.0, np.inf], [np.inf, np.inf]]))
    less = turned(one, 1.0)
    assert (less.middle[0], less.low[0], less.high[0]) == (2, 1, np.inf)
    assert np.isnan([less.middle[1], less.low[1], less.high[1]]).all()
    more = turned(one, -1.0)
    assert (more.middle[0], more.low[0], more.high[0]) == (-2, -np.inf, -1)


def test_single_curves_are_kept_where_they_are_few():
    one = (np.asarray([0.0]), np.asarray([1.0]))
    at, values = np.asarray([0.0]), np.ones((3, 1))
    assert len(band("a", at, values, singles=[one] * SINGLES).singles) == SINGLES
    assert band("a", at, values, singles=[one] * (SINGLES + 1)).singles == ()


def test_columns_are_cut_where_the_key_changes():
    keys = np.asarray([7, 7, 9, 4, 4])
    found = split(keys, np.arange(5.0))
    assert [(key, column.tolist()) for key, (column,) in found] == [
        (7, [0, 1]), (9, [2]), (4, [3, 4]),
    ]  # fmt: skip
    assert split(np.asarray([], dtype=int), np.asarray([])) == []
