"""The posterior of a Gaussian process with given hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpotrf, dpotrs

from daybreak_baco.gp.likelihood import NUGGET
from daybreak_baco.gp.matern import cross_correlation

__all__ = ["GaussianProcess", "Hyperparameters"]

_Floats = NDArray[np.float64]
#: added to the diagonal, relative to its mean, until the covariance can be factorised
_JITTERS = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
#: rows predicted at a time: the cross-covariance of more leaves the processor's caches
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Of a Matern process: lengthscales (d,), signal variance and noise variance."""

    lengthscales: _Floats
    variance: float
    noise: float

    @classmethod
    def of_logarithms(cls, logarithms: _Floats) -> Hyperparameters:
        """Return the hyperparameters of a vector of d + 2 natural logarithms."""
        values = np.exp(logarithms)
        return cls(values[:-2], float(values[-2]), float(values[-1]))

    def logarithms(self) -> _Floats:
        """Return the d + 2 natural logarithms: lengthscales, variance, noise."""
        values = np.concatenate([self.lengthscales, [self.variance, self.noise]])
        logarithms: _Floats = np.log(values)
        return logarithms


class GaussianProcess:
    """A Gaussian process of constant mean, conditioned on observations.

    Args:
        x: inputs, shape (n, d).
        y: values, shape (n,).
        hyperparameters: of the kernel and the noise.
        extra: known noise variances of the single observations, shape (n,) or a number.
        groups, smoothness, likeliest_mean: as in `Likelihood`.

    Attributes:
        mean: the constant mean.

    Raises:
        numpy.linalg.LinAlgError: the covariance cannot be factorised, not even with jitter, for
            instance because a value is not finite.
    """

    def __init__(
        self,
        x: _Floats,
        y: _Floats,
        hyperparameters: Hyperparameters,
        extra: _Floats | float = 0.0,
        *,
        groups: NDArray[np.intp] | None = None,
        smoothness: float = 2.5,
        likeliest_mean: bool = False,
    ) -> None:
        self.x: _Floats = np.asarray(x, dtype=np.float64)
        self.y: _Floats = np.asarray(y, dtype=np.float64)
        self.hyperparameters = hyperparameters
        h = hyperparameters
        self._smoothness = smoothness
        self._lengthscales = h.lengthscales if groups is None else h.lengthscales[groups]
        covariance = h.variance * self._correlation(self.x)
        diagonal = h.variance + h.noise + extra + NUGGET
        np.fill_diagonal(covariance, diagonal)
        self._factor = _factorise(covariance)
        self._alpha: _Floats = dpotrs(self._factor, self.y, lower=1)[0]
        self.mean = 0.0
        if likeliest_mean:
            flat: _Floats = dpotrs(self._factor, np.ones(len(self.y)), lower=1)[0]
            self.mean = float(self._alpha.sum() / flat.sum())
            self._alpha = self._alpha - self.mean * flat

    def _correlation(self, z: _Floats) -> Any:
        return cross_correlation(z, self.x, self._lengthscales, self._smoothness)

    def predict(self, z: _Floats) -> tuple[_Floats, _Floats]:
        """Return mean and variance of the noiseless function at the rows of `z` (m, d).

        Returns:
            Two arrays of shape (m,). The variance is that of the function, not of a new
            observation; rounding can leave it slightly negative.
        """
        means, variances = np.empty(len(z)), np.empty(len(z))
        h = self.hyperparameters
        for start in range(0, len(z), _BATCH):
            part = slice(start, min(start + _BATCH, len(z)))
            # (n, m), Fortran-ordered, as the triangular solver wants it
            cross = self._correlation(z[part]).T
            cross *= h.variance
            means[part] = self.mean + self._alpha @ cross
            solved = dtrsm(1.0, self._factor, cross, lower=1, overwrite_b=1)
            variances[part] = h.variance - np.einsum("ij,ij->j", solved, solved)
        return means, variances

    def log_likelihood(self) -> float:
        """Return the log marginal likelihood of the observations."""
        half_determinant = float(np.log(self._factor.diagonal()).sum())
        return (
            -0.5 * float((self.y - self.mean) @ self._alpha)
            - half_determinant
            - 0.5 * len(self.y) * float(np.log(2.0 * np.pi))
        )


def _factorise(covariance: _Floats) -> _Floats:
    scale = float(np.mean(covariance.diagonal()))
    for jitter in _JITTERS:
        tried = np.array(covariance, order="F")
        if jitter:
            tried.ravel(order="K")[:: len(tried) + 1] += jitter * scale
        factor, failed = dpotrf(tried, lower=1, clean=1, overwrite_a=1)
        if not failed and np.all(np.isfinite(factor.diagonal())):
            found: _Floats = factor
            return found
    raise np.linalg.LinAlgError("the covariance is not positive definite, even with jitter")
