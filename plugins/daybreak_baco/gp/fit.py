"""Fits the hyperparameters: maximum a posteriori from several starts, with analytic gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from daybreak_baco.gp.likelihood import Likelihood
from daybreak_baco.gp.priors import Prior
from daybreak_baco.gp.regression import Hyperparameters

__all__ = ["Bounds", "Fit", "Fitted", "Priors", "draw_starts", "fit", "log_prior"]

_Floats = NDArray[np.float64]
#: what the optimiser sees where the covariance cannot be factorised: worse than anything real
_HOPELESS = 1e25


@dataclass(frozen=True, slots=True)
class Priors:
    """Priors of the hyperparameters; None is flat in the logarithm."""

    lengthscales: Prior | None = None
    variance: Prior | None = None
    noise: Prior | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Ranges of the hyperparameters; equal ends fix one."""

    lengthscales: tuple[float, float] = (1e-4, 1e6)
    variance: tuple[float, float] = (1e-8, 1e8)
    noise: tuple[float, float] = (1e-12, 1e4)

    def logarithms(self, columns: int) -> _Floats:
        """Return lower and upper bounds of the logarithms, shape (columns + 2, 2)."""
        return np.log([self.lengthscales] * columns + [self.variance, self.noise])


@dataclass(frozen=True, slots=True)
class Fitted:
    """Where one start led.

    `likelihood` is the log marginal likelihood, `posterior` the same plus the log priors;
    `evaluations` counts those of the likelihood.
    """

    hyperparameters: Hyperparameters
    likelihood: float
    posterior: float
    evaluations: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How to fit: priors, bounds and the optimiser's patience."""

    priors: Priors = field(default_factory=Priors)
    bounds: Bounds = field(default_factory=Bounds)
    iterations: int = 1000
    tolerance: float = 2.2e-9


def draw_starts(rng: np.random.Generator, columns: int, n: int) -> list[Hyperparameters]:
    """Draw `n` starts as the published BaCO does.

    Lengthscales 10^U(-1, 1) each, variance 10^U(-1, 1), noise variance 10^U(-5, -2).
    """
    starts = []
    for _ in range(n):
        lengthscales = 10.0 ** rng.uniform(-1.0, 1.0, columns)
        variance = 10.0 ** rng.uniform(-1.0, 1.0)
        noise = 10.0 ** rng.uniform(-5.0, -2.0)
        starts.append(Hyperparameters(lengthscales, float(variance), float(noise)))
    return starts


def fit(
    likelihood: Likelihood, starts: Sequence[Hyperparameters], how: Fit | None = None
) -> list[Fitted]:
    """Climb from every start to a maximum of likelihood times priors with L-BFGS-B.

    Args:
        likelihood: of the observations.
        starts: where to begin; clipped to the bounds.
        how: priors, bounds and patience.

    Returns:
        One result per start that led anywhere, in the starts' order; empty if the covariance could
        be factorised at none of them.
    """
    how = Fit() if how is None else how
    found = []
    for start in starts:
        reached = _climb(likelihood, start.logarithms(), how)
        if reached is not None:
            found.append(reached)
    return found


def _climb(likelihood: Likelihood, start: _Floats, how: Fit) -> Fitted | None:
    bounds = how.bounds.logarithms(len(start) - 2)

    def loss(logarithms: _Floats) -> tuple[float, _Floats]:
        value, gradient = likelihood.value_and_gradient(logarithms)
        if not np.isfinite(value):
            return _HOPELESS, gradient
        gain, slope = log_prior(logarithms, how.priors)
        return -(value + gain), -(gradient + slope)

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result = minimize(
            loss,
            np.clip(start, bounds[:, 0], bounds[:, 1]),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": how.iterations, "ftol": how.tolerance, "gtol": 1e-5},
        )
        reached: _Floats = np.asarray(result.x, dtype=np.float64)
        value = likelihood.value(reached)
    if not (np.isfinite(value) and np.all(np.isfinite(reached))):
        return None
    return Fitted(
        hyperparameters=Hyperparameters.of_logarithms(reached),
        likelihood=value,
        posterior=value + log_prior(reached, how.priors)[0],
        evaluations=int(result.nfev),
    )


def log_prior(logarithms: _Floats, priors: Priors) -> tuple[float, _Floats]:
    """Return the log density of d + 2 hyperparameters, and its gradient by their logarithms."""
    total, slope = 0.0, np.zeros(len(logarithms))
    parts = (
        (priors.lengthscales, slice(None, -2)),
        (priors.variance, slice(-2, -1)),
        (priors.noise, slice(-1, None)),
    )
    for prior, where in parts:
        if prior is not None:
            density, derivative = prior.log_density(np.exp(logarithms[where]))
            total += density
            slope[where] = derivative
    return total, slope
