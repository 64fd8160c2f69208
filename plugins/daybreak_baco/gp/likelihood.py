"""The log marginal likelihood of a Gaussian process of constant mean m, and its gradient.

    log p(y) = -1/2 (y - m)' C^-1 (y - m) - 1/2 log|C| - n/2 log(2 pi),
    C = K + diag(noise + extra)

The mean is zero, or the likeliest one, m = 1' C^-1 y / 1' C^-1 1: there the derivative by m is
zero, so that the gradient by the hyperparameters needs no further term.

Source: Rasmussen and Williams (2006), eq. 2.30 and 5.9; section 2.7.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from daybreak_baco.gp.matern import Pairs, correlation, correlation_and_slope

__all__ = ["NUGGET", "Likelihood"]

_Floats = NDArray[np.float64]
#: always added to the diagonal, as GPy does (`ExactGaussianInference`)
NUGGET = 1e-8


class Likelihood:
    """The likelihood of n observations as a function of the hyperparameters' natural logarithms.

    The vector of d + 2 logarithms is: lengthscales, signal variance, noise variance.

    Args:
        x: inputs, shape (n, d).
        y: values, shape (n,), standardised by the caller.
        extra: known noise variances of the single observations, shape (n,) or a number.
        groups: the group of each column; d counts groups then. None: each column its own.
        smoothness: of the kernel, 2.5 or 1.5.
        likeliest_mean: take the likeliest constant mean instead of zero.
    """

    def __init__(
        self,
        x: _Floats,
        y: _Floats,
        extra: _Floats | float = 0.0,
        *,
        groups: NDArray[np.intp] | None = None,
        smoothness: float = 2.5,
        likeliest_mean: bool = False,
    ) -> None:
        self.pairs = Pairs(np.asarray(x, dtype=np.float64), groups)
        self._smoothness = smoothness
        self._ones = np.ones(len(y)) if likeliest_mean else None
        self.y: _Floats = np.ascontiguousarray(y, dtype=np.float64)
        self._extra = extra
        self._constant = -0.5 * len(self.y) * math.log(2.0 * math.pi)

    def value(self, logarithms: _Floats) -> float:
        """Return log p(y); -inf where the covariance is not positive definite."""
        weights = np.exp(-2.0 * logarithms[:-2])
        variance, noise = math.exp(logarithms[-2]), math.exp(logarithms[-1])
        covariance = variance * correlation(weights @ self.pairs.squared, self._smoothness)
        factor, failed = dpotrf(
            self.pairs.lower(covariance, variance + noise + self._extra + NUGGET),
            lower=1,
            clean=0,
            overwrite_a=1,
        )
        if failed:
            return -math.inf
        return self._value(factor, *self._solve(factor))

    def value_and_gradient(self, logarithms: _Floats) -> tuple[float, _Floats]:
        """Return log p(y) and its gradient by the logarithms; (-inf, zeros) as in `value`."""
        weights = np.exp(-2.0 * logarithms[:-2])
        variance, noise = math.exp(logarithms[-2]), math.exp(logarithms[-1])
        pairs = self.pairs
        correlations, slopes = correlation_and_slope(weights @ pairs.squared, self._smoothness)
        factor, failed = dpotrf(
            pairs.lower(variance * correlations, variance + noise + self._extra + NUGGET),
            lower=1,
            clean=0,
            overwrite_a=1,
        )
        gradient = np.zeros(len(logarithms))
        if failed:
            return -math.inf, gradient
        centred, alpha = self._solve(factor)
        value = self._value(factor, centred, alpha)
        inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
        # half the trace of (alpha alpha' - C^-1) dC: each pair stands for two entries of dC
        inner = alpha[pairs.rows] * alpha[pairs.columns] - pairs.of_lower(inverse)
        diagonal = float(np.sum(alpha * alpha - inverse.diagonal()))
        # d r^2 / d log lengthscale_c = -2 (x_c - z_c)^2 / lengthscale_c^2
        gradient[:-2] = -2.0 * variance * weights * (pairs.squared @ (inner * slopes))
        gradient[-2] = variance * (float(inner @ correlations) + 0.5 * diagonal)
        gradient[-1] = 0.5 * noise * diagonal
        return value, gradient

    def _solve(self, factor: _Floats) -> tuple[_Floats, _Floats]:
        """Return y - m and C^-1 (y - m)."""
        alpha: _Floats = dpotrs(factor, self.y, lower=1)[0]
        if self._ones is None:
            return self.y, alpha
        flat: _Floats = dpotrs(factor, self._ones, lower=1)[0]
        mean = float(alpha.sum() / flat.sum())
        return self.y - mean, alpha - mean * flat

    def _value(self, factor: _Floats, centred: _Floats, alpha: _Floats) -> float:
        half_determinant = float(np.log(factor.diagonal()).sum())
        return self._constant - half_determinant - 0.5 * float(centred @ alpha)
