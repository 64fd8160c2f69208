"""The Gaussian process with grouped lengthscales, rougher kernel and estimated mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import Matern

from daybreak_baco.gp import GaussianProcess, Hyperparameters, Likelihood
from daybreak_baco.gp.likelihood import NUGGET
from daybreak_baco.gp.matern import correlation, correlation_and_slope

GROUPS = np.array([0, 0, 1], dtype=np.intp)


@pytest.fixture(name="data")
def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.random((14, 3))
    return x, 2.0 + np.sin(4 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.standard_normal(14)


@pytest.mark.parametrize("smoothness", [1.5, 2.5])
def test_the_kernel_is_scikit_learns(smoothness: float) -> None:
    x = np.random.default_rng(0).random((6, 2)) * 3
    squared = ((x[:, None] - x[None]) ** 2).sum(-1)
    assert correlation(squared, smoothness) == pytest.approx(Matern(1.0, nu=smoothness)(x))


@pytest.mark.parametrize("smoothness", [1.5, 2.5])
def test_the_slope_is_the_kernels_derivative(smoothness: float) -> None:
    at = np.array([0.01, 0.3, 2.0])
    value, slope = correlation_and_slope(at, smoothness)
    step = 1e-6
    assert value == pytest.approx(correlation(at, smoothness))
    numeric = (correlation(at + step, smoothness) - correlation(at - step, smoothness)) / (2 * step)
    assert slope == pytest.approx(numeric, rel=1e-5)


@pytest.mark.parametrize("smoothness", [1.5, 2.5])
@pytest.mark.parametrize("likeliest_mean", [False, True])
def test_gradient(
    data: tuple[np.ndarray, np.ndarray], smoothness: float, likeliest_mean: bool
) -> None:
    likelihood = Likelihood(
        *data, groups=GROUPS, smoothness=smoothness, likeliest_mean=likeliest_mean
    )
    at = np.log([0.7, 1.3, 0.9, 0.02])
    value, gradient = likelihood.value_and_gradient(at)
    assert value == pytest.approx(likelihood.value(at))
    assert gradient == pytest.approx(approx_fprime(at, likelihood.value, 1e-6), rel=1e-3, abs=1e-4)


def test_the_mean_is_the_likeliest(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    hyper = Hyperparameters(np.array([0.7, 1.3]), 0.9, 0.02)
    process = GaussianProcess(x, y, hyper, groups=GROUPS, smoothness=1.5, likeliest_mean=True)
    scaled = x / hyper.lengthscales[GROUPS]
    covariance = 0.9 * Matern(1.0, nu=1.5)(scaled) + (0.02 + NUGGET) * np.eye(len(y))

    def density(mean: float) -> float:
        return float(multivariate_normal(np.full(len(y), mean), covariance).logpdf(y))

    assert density(process.mean) > max(density(process.mean - 0.05), density(process.mean + 0.05))
    likelihood = Likelihood(x, y, groups=GROUPS, smoothness=1.5, likeliest_mean=True)
    assert likelihood.value(hyper.logarithms()) == pytest.approx(density(process.mean))
    assert process.log_likelihood() == pytest.approx(density(process.mean))


def test_prediction_returns_to_the_mean_far_away(data: tuple[np.ndarray, np.ndarray]) -> None:
    hyper = Hyperparameters(np.array([0.1, 0.1]), 0.9, 0.02)
    process = GaussianProcess(*data, hyper, groups=GROUPS, smoothness=1.5, likeliest_mean=True)
    mean, variance = process.predict(np.full((1, 3), 50.0))
    assert mean[0] == pytest.approx(process.mean)
    assert variance[0] == pytest.approx(0.9)
