"""The paired comparison against SciPy, against small cases by hand, and against its own promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from daybreak.analysis.comparison import compare_pairs, fewest_pairs


def test_fewest_pairs() -> None:
    assert fewest_pairs(0.05) == 6  # 2 / 2**6 = 0.031, 2 / 2**5 = 0.0625
    assert fewest_pairs(0.01) == 8


def test_too_few_pairs_are_refused() -> None:
    found = compare_pairs([1.0] * 5, [9.0] * 5)
    assert found.verdict == "refused"
    assert found.p is None
    assert found.ratio == pytest.approx(9.0)
    assert "6" in found.reason


def test_six_clear_pairs_by_hand() -> None:
    found = compare_pairs([1.0] * 6, [2.0, 2.1, 1.9, 2.2, 1.8, 2.0])
    assert found.verdict == "a"
    assert found.p == pytest.approx(2 / 64)
    assert found.ratio == pytest.approx(math.exp(np.log([2, 2.1, 1.9, 2.2, 1.8, 2]).mean()))
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low <= found.ratio <= found.high


def test_direction() -> None:
    a, b = [1.0] * 8, [2.0, 2.1, 1.9, 2.2, 1.8, 2.0, 2.0, 2.05]
    assert compare_pairs(a, b, minimize=True).verdict == "a"
    assert compare_pairs(a, b, minimize=False).verdict == "b"
    assert compare_pairs(b, a, minimize=True).verdict == "b"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.5, 2.0), min_size=6, max_size=10), st.integers(0, 2**32))
def test_p_value_equals_scipys(ratios: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    b = np.asarray(ratios) * rng.lognormal(0, 0.1, len(ratios))
    logs = np.log(b)
    oracle = stats.permutation_test(
        (logs,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="two-sided",
        vectorized=True,
    ).pvalue
    found = compare_pairs([1.0] * len(b), list(b))
    assert found.p == pytest.approx(oracle, abs=1e-9)


def test_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        b = 1.3 * rng.lognormal(0, 0.2, 9)
        found = compare_pairs([1.0] * 9, list(b))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1.3 <= found.high
    # 95 % of 300 is 285; four standard deviations of the binomial are 15
    assert covered >= 270


def test_false_alarms_stay_below_the_level() -> None:
    rng = np.random.default_rng(11)
    called = sum(
        compare_pairs(list(rng.lognormal(0, 0.3, 20)), list(rng.lognormal(0, 0.3, 20))).verdict
        in "ab"
        for _ in range(400)
    )
    # 5 % of 400 is 20; four standard deviations are 17
    assert called <= 37


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_results_must_be_positive_and_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        compare_pairs([1.0, bad], [1.0, 1.0])
