"""The distribution-free interval against SciPy's binomial and against simulation."""

from __future__ import annotations

import math
import random
import statistics as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.measure.statistics import (
    interval_coverage,
    interval_ranks,
    is_stable,
    median,
    median_interval,
    relative_half_width,
)

finite = st.floats(min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [*range(1, 80), 100, 333, 1000, 5000])
def test_ranks_agree_with_the_binomial(n: int, level: float) -> None:
    binom = pytest.importorskip("scipy.stats").binom
    rank, coverage = interval_ranks(n, level)
    assert 1 <= rank <= (n + 1) // 2
    assert coverage == pytest.approx(1 - 2 * binom.cdf(rank - 1, n, 0.5), abs=1e-9)
    if coverage < level:
        assert rank == 1, "only too few samples may miss the level"
    inner = 1 - 2 * binom.cdf(rank, n, 0.5)
    assert inner < level + 1e-9 or rank == (n + 1) // 2


def test_six_samples_are_the_fewest_for_95_per_cent() -> None:
    assert interval_coverage(5) == 1 - 2**-4
    assert interval_coverage(6) == pytest.approx(1 - 2**-5)
    assert interval_coverage(1) == 0.0
    assert median_interval([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)
    assert median_interval([7.0]) == (7.0, 7.0, 7.0)


@given(st.lists(finite, min_size=1, max_size=60))
def test_the_interval_holds_the_median_and_is_made_of_samples(values: list[float]) -> None:
    middle, low, high = median_interval(values)
    assert middle == pytest.approx(standard.median(values), rel=1e-12, abs=1e-300)
    assert min(values) <= low <= middle <= high <= max(values)
    assert low in values
    assert high in values
    assert median(values) == middle


@given(st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=6, max_size=40), st.randoms())
def test_order_does_not_matter_and_scale_passes_through(
    values: list[float], rng: random.Random
) -> None:
    shuffled = list(values)
    rng.shuffle(shuffled)
    assert median_interval(shuffled) == median_interval(values)
    doubled = median_interval([2 * value for value in values])
    assert doubled == tuple(2 * bound for bound in median_interval(values))
    assert relative_half_width(shuffled) == pytest.approx(relative_half_width(values))


@pytest.mark.parametrize("n", [6, 11, 30])
def test_the_interval_holds_the_true_median_as_often_as_it_says(n: int) -> None:
    rng = random.Random(n)
    true = math.log(2.0)
    trials = 4000
    held = 0
    for _ in range(trials):
        _, low, high = median_interval([rng.expovariate(1.0) for _ in range(n)])
        held += low <= true <= high
    expected = interval_coverage(n)
    assert expected >= 0.95
    spread = math.sqrt(expected * (1 - expected) / trials)
    assert held / trials == pytest.approx(expected, abs=5 * spread)


def test_relative_half_width_of_zero_median() -> None:
    assert relative_half_width([0.0, 0.0]) == 0.0
    assert relative_half_width([-1.0, 1.0]) == math.inf
    assert relative_half_width([9.0, 10.0, 11.0]) == pytest.approx(0.1)


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_no_median_of_nothing_or_of_nan(values: list[float]) -> None:
    with pytest.raises(ValueError, match="a median needs"):
        median_interval(values)


def test_levels_are_probabilities() -> None:
    with pytest.raises(ValueError, match="level"):
        median_interval([1.0], level=1.0)
    with pytest.raises(ValueError, match="at least one"):
        interval_coverage(0)


def test_stability_sees_a_trend_and_forgives_noise() -> None:
    assert not is_stable([9.0, 5.0])
    assert not is_stable([9.0, 5.0, 3.0])
    assert is_stable([9.0, 3.0, 3.05, 3.01])
    assert is_stable([2.0, 3.0, 4.0, 3.0, 2.0, 4.0]), "noise without a trend"
    assert not is_stable([9.0, 8.0, 7.0, 6.0, 5.0, 4.0])
    assert is_stable([0.0, 0.0, 0.0])
