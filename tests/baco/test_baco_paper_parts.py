"""The parts of preset `paper`, each against an independent source."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from daybreak import Categorical, Integer, Ordinal, Permutation, Real, Space
from daybreak_baco.gp import GaussianProcess, Hyperparameters, Likelihood, draw_starts, fit
from daybreak_baco.paper.encoder import Encoder
from daybreak_baco.paper.feasibility import FeasibilityForest, draw_threshold
from daybreak_baco.paper.neighbours import Neighbourhood, ordinal_steps
from daybreak_baco.paper.options import PaperOptions
from daybreak_baco.paper.scale import standardise
from daybreak_baco.paper.search import maximise
from daybreak_baco.paper.surrogate import expected_improvement, fit_surrogate, predict

POWERS = tuple(2**i for i in range(8))


# -- expected improvement ---------------------------------------------------------------------


@pytest.mark.parametrize(("mean", "deviation"), [(0.3, 1.0), (-2.0, 0.2), (1.0, 1e-3), (0.0, 5.0)])
def test_expected_improvement_is_the_integral(mean: float, deviation: float) -> None:
    best, xi = -0.1, 1e-4
    density = stats.norm(mean, deviation).pdf
    expected, _ = integrate.quad(
        lambda y: (best - xi - y) * density(y),
        min(best - xi, mean - 12 * deviation) - 1e-9,
        best - xi,
        points=[mean] if mean < best else None,
        limit=500,
    )
    found = expected_improvement(np.array([mean]), np.array([deviation]), best, xi)
    assert found[0] == pytest.approx(expected, rel=1e-6, abs=1e-12)


# -- output -----------------------------------------------------------------------------------


def test_standardised_logarithms_and_back() -> None:
    values = np.array([1.0, 10.0, 100.0, 1000.0])
    scaled = standardise(values, log=True, maximise=False)
    assert scaled is not None
    z, scale = scaled
    # log10: 0, 1, 2, 3; their mean 1.5, their sample variance 5/3
    assert z == pytest.approx(np.array([-1.5, -0.5, 0.5, 1.5]) / math.sqrt(5 / 3))
    assert [scale.value(float(one)) for one in z] == pytest.approx(values)
    mean, deviation = scale.belief(float(z[1]), 1 / math.sqrt(5 / 3))
    assert (mean, deviation) == pytest.approx((10.0, (100.0 - 1.0) / 2))


def test_a_rate_is_turned_round() -> None:
    scaled = standardise(np.array([2.0, 4.0, 9.0]), log=False, maximise=True)
    assert scaled is not None
    z, scale = scaled
    assert np.argmin(z) == 2
    assert [scale.value(float(one)) for one in z] == pytest.approx([2.0, 4.0, 9.0])
    assert scale.belief(0.0, 1.0) == pytest.approx((5.0, np.std([2, 4, 9], ddof=1)))


def test_what_cannot_be_standardised() -> None:
    for values in ([1.0], [2.0, 2.0, 2.0], [1e308, -1e308, 1e308]):
        assert standardise(np.array(values), log=False, maximise=False) is None
    below = standardise(np.array([0.0, 1.0, 2.0]), log=True, maximise=False)
    assert below is not None
    assert not below[1].log


# -- encoding ---------------------------------------------------------------------------------

MIXED = Space(
    [
        Ordinal("tile", POWERS, log=True),
        Categorical("schedule", ("static", "dynamic", "guided")),
        Permutation("order", 4),
        Permutation("long", 9),
        Real("rate", 1e-3, 1e3, log=True),
        Integer("threads", 1, 40),
    ],
    ["threads <= 39 or tile == 1"],
)


@pytest.mark.parametrize("permutation", ["spearman", "kendall", "hamming"])
def test_encodes_as_the_space_does(permutation: str) -> None:
    configurations = MIXED.sample(200, 0)
    encoder = Encoder(MIXED, permutation, log=True)
    assert np.array_equal(
        encoder(configurations), MIXED.encode(configurations, permutation=permutation)
    )
    assert encoder.names == MIXED.encoded_names(permutation=permutation)
    assert len(encoder.owners) == len(encoder.names)


def test_without_logarithms_of_the_inputs() -> None:
    encoder = Encoder(MIXED, "spearman", log=False)
    configurations = MIXED.sample(50, 1)
    at = encoder.names.index("tile")
    expected = [(one["tile"] - 1) / 127 for one in configurations]
    assert encoder(configurations)[:, at] == pytest.approx(expected)


def test_importance_by_hand() -> None:
    space = Space([Ordinal("a", (0, 1)), Categorical("c", ("x", "y"))])
    encoder = Encoder(space, "spearman", log=True)
    x = encoder([{"a": a, "c": c} for a in (0, 1) for c in "xy"])
    # every column has variance 1/4; squared inverse lengthscales 1, 1/4 and 1/4
    found = encoder.importance(np.array([1.0, 2.0, 2.0]), x)
    assert found == pytest.approx({"a": 2 / 3, "c": 1 / 3})
    assert encoder.importance(np.ones(3), x[:1]) == {}


# -- neighbourhood ----------------------------------------------------------------------------


def _published_steps(values: list[int], at: int, good: list[bool] | None) -> set[int]:
    """Restate what the published text of the search amounts to, without its windows.

    Unconstrained: two up, three down. Constrained: the first two feasible ones up; then values
    below `at` in windows whose length is what is missing to three, each window beginning one step
    lower than the one before, every feasible value counted as often as a window shows it.
    """
    above, below = range(at + 1, len(values)), range(at - 1, -1, -1)
    if good is None:
        return {*above[:2], *below[:3]}
    up = [i for i in above if good[i]][:2]
    found, counted, top = set(up), len(up), at
    while counted < 3 and top > 0:
        seen = [i for i in range(max(0, top - (3 - counted)), top) if good[i]]
        found |= set(seen)
        counted += len(seen)
        top -= 1
    return found


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_ordinal_neighbours_are_the_published_ones(data: st.DataObject) -> None:
    good = data.draw(st.lists(st.booleans(), min_size=1, max_size=12))
    at = data.draw(st.integers(0, len(good) - 1))
    values = list(range(len(good)))
    found = ordinal_steps(values, at, lambda value: good[value])
    assert set(found) == _published_steps(values, at, good)
    assert len(found) == len(set(found))
    assert set(ordinal_steps(values, at, None)) == _published_steps(values, at, None)


def test_two_up_and_one_down_where_all_is_feasible() -> None:
    assert set(ordinal_steps(POWERS, 4, lambda _: True)) == {3, 5, 6}
    assert set(ordinal_steps(POWERS, 7, lambda _: True)) == {4, 5, 6}
    assert set(ordinal_steps(POWERS, 4, None)) == {1, 2, 3, 5, 6}


def _neighbours(space: Space, configuration: dict[str, Any], seed: int = 0) -> list[dict[str, Any]]:
    return Neighbourhood(space, np.random.default_rng(seed)).of(configuration)


def test_neighbours_change_one_parameter_and_are_feasible() -> None:
    space = Space(
        [
            Ordinal("a", POWERS),
            Ordinal("b", POWERS),
            Permutation("p", 3),
            Categorical("c", ("x", "y", "z")),
        ],
        ["a * b <= 128", "pos(p, 0) < pos(p, 1)", "c != 'z' or a > 1"],
    )
    for configuration in space.sample(40, 0):
        found = _neighbours(space, configuration)
        assert found
        for one in found:
            assert one in space
            assert sum(one[name] != configuration[name] for name in one) == 1
    start = {"a": 8, "b": 4, "p": (0, 1, 2), "c": "x"}
    changed = {
        name: sorted(one[name] for one in _neighbours(space, start) if one[name] != start[name])
        for name in start
    }
    assert changed == {
        "a": [4, 16, 32],
        "b": [2, 8, 16],
        "p": [(0, 2, 1), (2, 0, 1)],
        "c": ["y", "z"],
    }


def test_long_orders_are_swapped() -> None:
    space = Space([Permutation("p", 6)])
    found = {one["p"] for one in _neighbours(space, {"p": (0, 1, 2, 3, 4, 5)})}
    assert len(found) == 15
    assert all(sum(a != b for a, b in zip(p, range(6), strict=True)) == 2 for p in found)


def test_numbers_are_drawn_around_the_value() -> None:
    space = Space([Real("x", -2.0, 2.0), Integer("n", 0, 9)])
    rng = np.random.default_rng(0)
    around = Neighbourhood(space, rng)
    reals, integers = [], []
    for _ in range(600):
        found = around.of({"x": 1.9, "n": 5})
        reals += [one["x"] for one in found if one["n"] == 5]
        integers += [one["n"] for one in found if one["x"] == 1.9]
    # a tenth of the range is 0.4; cut at the range's end
    expected = stats.truncnorm((-2 - 1.9) / 0.4, (2 - 1.9) / 0.4, loc=1.9, scale=0.4)
    assert len(reals) == 3600
    assert stats.kstest(reals, expected.cdf).pvalue > 1e-3
    assert set(integers) <= set(range(10))
    assert {4, 6} <= set(integers)


def test_infeasible_draws_are_drawn_again() -> None:
    space = Space([Real("x", 0.0, 1.0), Real("y", 0.0, 1.0)], ["x + y <= 1"])
    found = _neighbours(space, {"x": 0.5, "y": 0.49})
    assert len(found) == 12
    assert all(one in space for one in found)


def test_inactive_parameters_stay() -> None:
    space = Space(
        [
            Categorical("solver", ("direct", "iterative")),
            Integer("n", 1, 9, when="solver != 'direct'"),
        ]
    )
    found = _neighbours(space, {"solver": "direct", "n": 3})
    assert found == [{"solver": "iterative", "n": 3}]
    assert {one["solver"] for one in _neighbours(space, {"solver": "iterative", "n": 8})} == {
        "direct",
        "iterative",
    }


# -- search -----------------------------------------------------------------------------------


def test_climbs_to_the_top_of_a_hill() -> None:
    space = Space([Ordinal("a", POWERS), Ordinal("b", POWERS)], ["a * b <= 1024"])

    def height(configurations: Any) -> Any:
        return np.array(
            [-abs(math.log2(c["a"]) - 5) - abs(math.log2(c["b"]) - 3) for c in configurations]
        )

    around = Neighbourhood(space, np.random.default_rng(0))
    candidates = space.sample(3, 1)
    found = maximise(height, candidates, height(candidates), 3, around)
    assert found.configuration == {"a": 32, "b": 8}
    assert found.value == 0.0
    only = maximise(height, candidates, height(candidates), 0, around)
    assert only.configuration == max(candidates, key=lambda c: height([c])[0])
    assert not only.climbed


def test_together_the_climbs_end_where_each_alone_does() -> None:
    space = Space(
        [Ordinal("a", POWERS), Ordinal("b", POWERS), Permutation("p", 3)], ["a * b <= 512"]
    )
    rng = np.random.default_rng(3)
    heights: dict[tuple[Any, ...], float] = {
        tuple(c.values()): float(rng.random()) for c in space.grid()
    }

    def height(configurations: Any) -> Any:
        return np.array([heights[tuple(c.values())] for c in configurations])

    def alone(configuration: dict[str, Any]) -> float:
        here = heights[tuple(configuration.values())]
        around = Neighbourhood(space, np.random.default_rng(0))
        while True:
            best = max(around.of(configuration), key=lambda c: heights[tuple(c.values())])
            if heights[tuple(best.values())] <= here:
                return here
            configuration, here = best, heights[tuple(best.values())]

    candidates = space.sample(50, 0, unique=True)
    around = Neighbourhood(space, np.random.default_rng(0))
    found = maximise(height, candidates, height(candidates), 20, around)
    ranked = sorted(candidates, key=lambda c: -heights[tuple(c.values())])[:20]
    assert found.value == max(alone(c) for c in ranked)


# -- feasibility ------------------------------------------------------------------------------


def test_the_forest_learns_which_half_fails() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((80, 3))
    forest = FeasibilityForest(x, x[:, 0] < 0.6, rng)
    at = rng.random((500, 3))
    probability = forest.probability(at)
    assert np.all((probability >= 0) & (probability <= 1))
    # means over 50 trees, each certain on its leaf
    assert probability * 50 == pytest.approx(np.round(probability * 50))
    assert np.mean((probability > 0.5) == (at[:, 0] < 0.6)) > 0.95
    twice = [FeasibilityForest(x, x[:, 0] < 0.6, np.random.default_rng(1)) for _ in range(2)]
    assert np.array_equal(*(one.probability(at) for one in twice))


def test_thresholds_are_uniform_over_eleven_values() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([draw_threshold(0.1, rng) for _ in range(5500)])
    expected = np.arange(11) * 0.01
    counts = [int(np.sum(np.isclose(drawn, one))) for one in expected]
    assert sum(counts) == 5500
    assert stats.chisquare(counts).pvalue > 1e-3


# -- surrogate --------------------------------------------------------------------------------


def _observations() -> tuple[Any, Any]:
    rng = np.random.default_rng(4)
    x = rng.random((25, 3))
    z = np.sin(6 * x[:, 0]) + x[:, 1] + 0.05 * rng.standard_normal(25)
    return x, (z - z.mean()) / z.std(ddof=1)


def test_the_likeliest_of_the_maxima_is_taken() -> None:
    x, z = _observations()
    options = PaperOptions()
    process = fit_surrogate(x, z, options, np.random.default_rng(8))
    assert process is not None
    from daybreak_baco.gp import Fit, Gamma, Priors

    starts = draw_starts(np.random.default_rng(8), 3, 10)
    how = Fit(Priors(Gamma(1.3, 0.1, softplus=True)))
    ends = fit(Likelihood(x, z), starts, how)
    best = max(one.likelihood for one in ends)
    assert process.log_likelihood() == pytest.approx(best, rel=1e-9)
    mean, deviation = predict(process, x)
    assert np.corrcoef(mean, z)[0, 1] > 0.98
    assert np.all(deviation > 0)


def test_only_the_likeliest_starts_are_climbed_from(monkeypatch: pytest.MonkeyPatch) -> None:
    import daybreak_baco.paper.surrogate as surrogate

    seen: list[int] = []

    def counting(likelihood: Likelihood, starts: Any, how: Any) -> Any:
        values = [likelihood.value(one.logarithms()) for one in starts]
        assert values == sorted(values, reverse=True)
        seen.append(len(starts))
        return fit(likelihood, starts, how)

    monkeypatch.setattr(surrogate, "fit", counting)
    x, z = _observations()
    assert fit_surrogate(x, z, PaperOptions(starts=40, optimised=4), np.random.default_rng(0))
    assert seen == [4]


def test_one_start_doubles_lengthscales_until_something_is_alike() -> None:
    far = np.array([[0.0], [400.0], [100.0]])
    z = np.array([-1.0, 0.2, 0.8])
    from daybreak_baco.gp.matern import correlation
    from daybreak_baco.paper.surrogate import _single_start

    start = _single_start(Likelihood(far, z), 1)
    lengthscale = float(start.lengthscales[0])
    assert math.log2(lengthscale).is_integer()
    least = correlation(np.array([(400.0 / lengthscale) ** 2]))[0]
    before = correlation(np.array([(800.0 / lengthscale) ** 2]))[0]
    assert least >= 1e-10 > before
    assert (start.variance, start.noise) == (1.0, 1.0)
    assert fit_surrogate(far, z, PaperOptions(starts=0), np.random.default_rng(0))


def test_predicted_deviations_have_a_floor() -> None:
    x = np.array([[0.2], [0.8]])
    process = GaussianProcess(x, np.array([0.0, 1.0]), Hyperparameters(np.ones(1), 1e-9, 0.0))
    _, deviation = predict(process, np.vstack([x, [[0.5]]]))
    assert np.all(deviation >= math.sqrt(1e-11) * (1 - 1e-9))


def test_candidates_are_uniform_over_feasible_configurations() -> None:
    """The candidates come from `Space.sample(unique=True)`: each configuration as often."""
    space = Space([Ordinal("a", POWERS[:4]), Ordinal("b", POWERS[:4])], ["a * b <= 8"])
    count = space.count()
    assert count is not None
    rng = np.random.default_rng(0)
    drawn = [tuple(c.values()) for _ in range(800) for c in space.sample(4, rng, unique=True)]
    counts = [drawn.count(tuple(c.values())) for c in space.grid()]
    assert stats.chisquare(counts).pvalue > 1e-3

    assert all(len(set(drawn[i : i + 4])) == 4 for i in range(0, len(drawn), 4))
