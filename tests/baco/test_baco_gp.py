"""The Gaussian process against scikit-learn, GPy and finite differences."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from gpy_reference import PRIORS, REFERENCE, computed_by_gpy
from scipy import stats
from scipy.optimize import approx_fprime
from scipy.stats import gamma
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from daybreak_baco.gp import (
    Bounds,
    Fit,
    Gamma,
    GaussianProcess,
    Hyperparameters,
    Likelihood,
    LogNormal,
    Priors,
    draw_starts,
    fit,
)
from daybreak_baco.gp.likelihood import NUGGET

KNOWN = json.loads(REFERENCE.read_text())["cases"]


def _data(n: int, d: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.random((n, d))
    y = np.sin(5 * x[:, 0]) + x[:, -1] ** 2 + 0.05 * rng.standard_normal(n)
    return x, (y - y.mean()) / (y.std() or 1.0)


def _sklearn(lengthscales: Any, variance: float, noise: float) -> Any:
    return ConstantKernel(variance) * Matern(lengthscales, nu=2.5) + WhiteKernel(noise)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 3), (15, 4), (40, 8)])
def test_likelihood_and_gradient_are_those_of_scikit_learn(n: int, d: int) -> None:
    x, y = _data(n, d)
    rng = np.random.default_rng(1)
    for _ in range(3):
        at = rng.normal(-0.3, 0.7, d + 2)
        h = Hyperparameters.of_logarithms(at)
        # scikit-learn orders its logarithms: variance, lengthscales, noise
        theta = np.array([at[-2], *at[:-2], math.log(h.noise + NUGGET)])
        other = GaussianProcessRegressor(
            _sklearn(h.lengthscales, h.variance, h.noise), alpha=0, optimizer=None
        ).fit(x, y)
        expected, slope = other.log_marginal_likelihood(theta, eval_gradient=True)
        value, gradient = Likelihood(x, y).value_and_gradient(at)
        assert value == pytest.approx(expected, rel=1e-9)
        assert Likelihood(x, y).value(at) == pytest.approx(expected, rel=1e-9)
        assert gradient[:-2] == pytest.approx(slope[1:-1], rel=1e-6, abs=1e-8)
        assert gradient[-2] == pytest.approx(slope[0], rel=1e-6, abs=1e-8)
        # by log noise there, by log (noise + nugget) here
        assert gradient[-1] == pytest.approx(slope[-1] * h.noise / (h.noise + NUGGET), rel=1e-6)


def test_posterior_is_that_of_scikit_learn() -> None:
    x, y = _data(30, 5)
    at = np.random.default_rng(2).random((50, 5))
    h = Hyperparameters(np.array([0.3, 1.0, 2.0, 5.0, 0.7]), 1.7, 0.01)
    kernel = ConstantKernel(h.variance) * Matern(h.lengthscales, nu=2.5)
    other = GaussianProcessRegressor(kernel, alpha=h.noise + NUGGET, optimizer=None).fit(x, y)
    expected, deviation = other.predict(at, return_std=True)
    process = GaussianProcess(x, y, h)
    mean, variance = process.predict(at)
    assert mean == pytest.approx(expected, rel=1e-8)
    assert np.sqrt(variance) == pytest.approx(deviation, rel=1e-6)
    assert process.log_likelihood() == pytest.approx(Likelihood(x, y).value(h.logarithms()))


def test_a_batch_larger_than_one_block_is_predicted_like_its_rows() -> None:
    x, y = _data(12, 2)
    process = GaussianProcess(x, y, Hyperparameters(np.array([0.5, 0.5]), 1.0, 1e-3))
    at = np.random.default_rng(0).random((5000, 2))
    mean, variance = process.predict(at)
    for i in (0, 4095, 4096, 4999):
        alone = process.predict(at[i : i + 1])
        assert (mean[i], variance[i]) == pytest.approx((alone[0][0], alone[1][0]), rel=1e-9)
    assert process.predict(at[:0])[0].shape == (0,)


def test_known_noise_of_single_observations() -> None:
    x, y = _data(20, 3)
    extra = np.random.default_rng(3).random(20) * 0.2
    h = Hyperparameters(np.array([0.5, 1.0, 2.0]), 1.3, 0.02)
    kernel = ConstantKernel(h.variance) * Matern(h.lengthscales, nu=2.5)
    alpha = h.noise + extra + NUGGET
    other = GaussianProcessRegressor(kernel, alpha=alpha, optimizer=None).fit(x, y)
    likelihood = Likelihood(x, y, extra)
    assert likelihood.value(h.logarithms()) == pytest.approx(other.log_marginal_likelihood_value_)
    mean, _ = GaussianProcess(x, y, h, extra).predict(x)
    assert mean == pytest.approx(other.predict(x), rel=1e-8)
    value, gradient = likelihood.value_and_gradient(h.logarithms())
    assert value == pytest.approx(other.log_marginal_likelihood_value_)
    numeric = approx_fprime(h.logarithms(), likelihood.value, 1e-7)
    assert gradient == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_priors_are_scipys() -> None:
    values = np.array([0.2, 1.0, 7.5])
    total, slope = Gamma(1.3, 0.1).log_density(values)
    assert total == pytest.approx(gamma(1.3, scale=10.0).logpdf(values).sum())
    total, _ = Gamma(1.3, 0.1, softplus=True).log_density(values)
    # GPy's `Logexp`: value = log(1 + e^u), so d value / d u = 1 - e^-value
    jacobian = np.log(1.0 - np.exp(-values)).sum()
    assert total == pytest.approx(gamma(1.3, scale=10.0).logpdf(values).sum() + jacobian)
    total, _ = LogNormal(0.4, 1.2).log_density(values)
    assert total == pytest.approx(stats.lognorm(1.2, scale=math.exp(0.4)).logpdf(values).sum())
    for prior in (Gamma(1.3, 0.1), Gamma(1.3, 0.1, softplus=True), LogNormal(0.4, 1.2)):
        _, slope = prior.log_density(values)

        def density(logarithms: Any, prior: Any = prior) -> float:
            return float(prior.log_density(np.exp(logarithms))[0])

        assert slope == pytest.approx(approx_fprime(np.log(values), density, 1e-7), abs=1e-4)
    for prior in (Gamma(1.3, 0.1, softplus=True), Gamma(2.0, 1.0)):
        total, slope = prior.log_density(np.array([1e6, 1e-300]))
        assert math.isfinite(total)
        assert np.all(np.isfinite(slope))


def test_the_fit_is_a_maximum() -> None:
    x, y = _data(25, 3)
    likelihood = Likelihood(x, y)
    how = Fit(Priors(Gamma(1.3, 0.1), Gamma(2.0, 0.15), Gamma(1.1, 0.05)))
    found = fit(likelihood, draw_starts(np.random.default_rng(0), 3, 5), how)
    assert len(found) == 5
    best = max(found, key=lambda one: one.posterior)
    top = best.hyperparameters.logarithms()

    def posterior(at: Any) -> float:
        h = Hyperparameters.of_logarithms(at)
        densities = (
            gamma(1.3, scale=10.0).logpdf(h.lengthscales).sum(),
            gamma(2.0, scale=1 / 0.15).logpdf(h.variance),
            gamma(1.1, scale=1 / 0.05).logpdf(h.noise),
        )
        return likelihood.value(at) + float(sum(densities))

    assert best.posterior == pytest.approx(posterior(top), rel=1e-9)
    rng = np.random.default_rng(1)
    for scale in (1e-3, 0.1, 1.0):
        for _ in range(20):
            assert posterior(top + scale * rng.standard_normal(5)) <= best.posterior + 1e-6


def test_bounds_hold_and_may_fix_a_hyperparameter() -> None:
    x, y = _data(20, 2)
    how = Fit(bounds=Bounds(lengthscales=(0.2, 0.5), noise=(1e-3, 1e-3)))
    for one in fit(Likelihood(x, y), draw_starts(np.random.default_rng(0), 2, 4), how):
        h = one.hyperparameters
        assert np.all((h.lengthscales >= 0.2 - 1e-12) & (h.lengthscales <= 0.5 + 1e-12))
        assert h.noise == pytest.approx(1e-3)


def test_degenerate_data() -> None:
    starts = draw_starts(np.random.default_rng(0), 2, 3)
    same = np.full((6, 2), 0.5)
    # the same point six times: only the noise keeps the covariance regular
    found = fit(Likelihood(same, np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])), starts)
    assert found
    assert all(one.hyperparameters.noise > 0.1 for one in found)
    process = GaussianProcess(same, np.zeros(6), Hyperparameters(np.ones(2), 1.0, 0.0))
    mean, variance = process.predict(np.array([[0.5, 0.5], [0.9, 0.1]]))
    assert np.all(np.isfinite(mean))
    assert np.all(np.isfinite(variance))
    assert fit(Likelihood(same, np.full(6, math.nan)), starts) == []
    with pytest.raises(np.linalg.LinAlgError):
        GaussianProcess(np.full((3, 2), math.nan), np.zeros(3), starts[0])


def test_starts_are_drawn_from_the_published_ranges() -> None:
    starts = draw_starts(np.random.default_rng(0), 3, 2000)
    lengthscales = np.log10([one.lengthscales for one in starts]).ravel()
    variances = np.log10([one.variance for one in starts])
    noises = np.log10([one.noise for one in starts])
    for drawn, low, width in ((lengthscales, -1, 2), (variances, -1, 2), (noises, -5, 3)):
        assert stats.kstest(drawn, stats.uniform(low, width).cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", PRIORS)
def test_equals_what_gpy_computed(name: str) -> None:
    """Recorded by `gpy_reference.py`, which says how."""
    known = KNOWN[name]
    x, z, at = (np.asarray(known["data"][key]) for key in ("x", "z", "at"))
    priors = _priors(known["priors"])
    likelihood = Likelihood(x, z)
    for point in known["points"]:
        h = Hyperparameters(np.array(point["lengthscales"]), point["variance"], point["noise"])
        value, gradient = likelihood.value_and_gradient(h.logarithms())
        assert value == pytest.approx(point["likelihood"], rel=1e-8)
        # GPy's gradient is by the values, ours by their logarithms, and its noise has no log there
        by_value = gradient / np.exp(h.logarithms())
        assert by_value == pytest.approx(point["gradient"], rel=1e-5, abs=1e-7)
        total = sum(
            prior.log_density(np.atleast_1d(part))[0]
            for prior, part in zip(priors, (h.lengthscales, h.variance, h.noise), strict=True)
            if prior is not None
        )
        assert total == pytest.approx(point["log_prior"], rel=1e-9, abs=1e-9)
        mean, variance = GaussianProcess(x, z, h).predict(at)
        assert mean == pytest.approx(point["mean"], rel=1e-5, abs=1e-7)
        assert variance == pytest.approx(point["var"], rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("name", PRIORS)
def test_finds_the_maximum_that_gpy_finds(name: str) -> None:
    known = KNOWN[name]
    x, z = np.asarray(known["data"]["x"]), np.asarray(known["data"]["z"])
    starts = draw_starts(np.random.default_rng(0), x.shape[1], 10)
    found = fit(Likelihood(x, z), starts, Fit(Priors(*_priors(known["priors"]))))
    best = max(found, key=lambda one: one.posterior)
    # ours may be the better one; without priors the maximum can lie at infinity
    assert best.posterior >= known["best"]["posterior"] - 1e-3
    if all(prior is not None for prior in known["priors"]):
        h = best.hyperparameters
        assert h.lengthscales == pytest.approx(known["best"]["lengthscales"], rel=0.02)
        assert h.variance == pytest.approx(known["best"]["variance"], rel=0.02)


def _priors(given: Any) -> list[Gamma | None]:
    return [None if one is None else Gamma(*one, softplus=True) for one in given]


@pytest.mark.parametrize("name", PRIORS)
def test_the_recorded_values_are_gpys(name: str) -> None:
    pytest.importorskip(
        "GPy", reason="GPy needs an older NumPy; gpy_reference.py says how to run it"
    )
    again = computed_by_gpy(name)
    for point, known in zip(again["points"], KNOWN[name]["points"], strict=True):
        assert point["likelihood"] == pytest.approx(known["likelihood"], rel=1e-9)
        assert point["mean"] == pytest.approx(known["mean"], rel=1e-6)
