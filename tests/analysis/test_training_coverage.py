"""How often intervals of times hold the truth: samples drawn from distributions that are known."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from daybreak.analysis.resampling import bootstrap, expanded, percentile_interval
from daybreak.analysis.training.times import expected_times, medians

# how times are drawn, their mean, their median
DISTRIBUTIONS = {
    "normal": (lambda rng, n: rng.normal(10, 1, n), 10.0, 10.0),
    "lognormal": (lambda rng, n: rng.lognormal(0, 0.5, n), math.exp(0.125), 1.0),
    "exponential": (lambda rng, n: rng.exponential(1, n), 1.0, math.log(2)),
}
_SAMPLES = 1000


@pytest.mark.slow
@pytest.mark.parametrize("runs", [5, 10, 20])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_intervals_cover(name, runs, capsys):
    draw, mean, median = DISTRIBUTIONS[name]
    rng = np.random.default_rng(runs)
    held = np.zeros(3)
    for _ in range(_SAMPLES):
        times = draw(rng, runs)
        drawn = bootstrap(
            runs,
            lambda p, times=times: np.stack(
                [expected_times(times[p], times[p]), medians(times[p])], axis=1
            ),
        )
        for i, (column, level, truth) in enumerate(
            ((0, expanded(0.05, runs), mean), (1, 0.05, median), (0, 0.05, mean))
        ):
            found = percentile_interval(drawn[:, column], level)
            held[i] += found.low <= truth <= found.high
    expected, middle, plain = held / _SAMPLES
    with capsys.disabled():
        sys.stdout.write(
            f"\n{name}, {runs} runs: expected {expected:.3f} ({plain:.3f} without the expansion), "
            f"median {middle:.3f}"
        )
    # four standard errors of 1,000 samples below what was seen of a skewed distribution
    assert expected > 0.82
    assert expected >= plain
    assert 0.89 < middle <= 1
    if name == "normal":
        assert expected > 0.87
