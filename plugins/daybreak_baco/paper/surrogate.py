"""The surrogate of the published BaCO: a Gaussian process fitted anew for every proposal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak_baco.gp import (
    Fit,
    Fitted,
    Gamma,
    GaussianProcess,
    Hyperparameters,
    Likelihood,
    Priors,
    draw_starts,
    fit,
)
from daybreak_baco.gp.matern import correlation
from daybreak_baco.paper.options import GammaPrior, PaperOptions

__all__ = ["VARIANCE_FLOOR", "expected_improvement", "fit_surrogate", "predict"]

_Floats = NDArray[np.float64]
#: predicted variances below it are lifted to it
VARIANCE_FLOOR = 1e-11
#: without random starts, lengthscales are doubled until no two observations are this uncorrelated
_UNCORRELATED = 1e-10


def fit_surrogate(
    x: _Floats, z: _Floats, options: PaperOptions, rng: np.random.Generator
) -> GaussianProcess | None:
    """Return the process fitted to inputs (n, d) and standardised values (n,).

    Of the starts' ends, the one of the largest marginal likelihood is taken, although what each
    of them climbed is the likelihood times the priors.

    Returns:
        None if the covariance could be factorised at none of the starts.
    """
    likelihood = Likelihood(x, z)
    how = Fit(
        Priors(
            lengthscales=_prior(options.lengthscale_prior),
            variance=_prior(options.variance_prior),
            noise=_prior(options.noise_prior),
        )
    )
    found = fit(likelihood, _starts(likelihood, x.shape[1], options, rng), how)
    if not found:
        return None
    best = max(found, key=_by_likelihood)
    try:
        return GaussianProcess(x, z, best.hyperparameters)
    except np.linalg.LinAlgError:
        return None


def predict(process: GaussianProcess, x: _Floats) -> tuple[_Floats, _Floats]:
    """Return mean and standard deviation of the noiseless function at the rows of `x`."""
    mean, variance = process.predict(x)
    return mean, np.sqrt(np.maximum(variance, VARIANCE_FLOOR))


def expected_improvement(mean: _Floats, deviation: _Floats, best: float, xi: float) -> _Floats:
    """Return the expected improvement on `best` minus `xi`, for minimisation.

    Source: Jones, Schonlau and Welch (1998), eq. 15; xi after Lizotte (2008).
    """
    from scipy.special import ndtr

    gain = best - mean - xi
    v = gain / deviation
    density = np.exp(-0.5 * v * v) / np.sqrt(2.0 * np.pi)
    improvement: _Floats = gain * ndtr(v) + deviation * density
    return improvement


def _by_likelihood(one: Fitted) -> float:
    return one.likelihood


def _prior(given: GammaPrior | None) -> Gamma | None:
    return None if given is None else Gamma(*given, softplus=True)


def _starts(
    likelihood: Likelihood, columns: int, options: PaperOptions, rng: np.random.Generator
) -> list[Hyperparameters]:
    if options.starts == 0:
        return [_single_start(likelihood, columns)]
    starts = draw_starts(rng, columns, options.starts)
    if options.optimised is None or options.optimised >= len(starts):
        return starts
    values = [likelihood.value(start.logarithms()) for start in starts]
    ranked = np.argsort(-np.asarray(values), kind="stable")
    return [starts[i] for i in ranked[: options.optimised]]


def _single_start(likelihood: Likelihood, columns: int) -> Hyperparameters:
    """Return the start at 1 everywhere, lengthscales doubled while the kernel sees no likeness."""
    lengthscale = 1.0
    farthest = float(np.max(likelihood.pairs.squared.sum(axis=0), initial=0.0))
    while correlation(np.array([farthest / lengthscale**2]))[0] < _UNCORRELATED:
        lengthscale *= 2.0
    return Hyperparameters(np.full(columns, lengthscale), 1.0, 1.0)
