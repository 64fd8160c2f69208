"""A Gaussian process for few observations: Matern-5/2, lengthscales by group, MAP estimate.

r^2(x, z) = sum over columns c of (x_c - z_c)^2 / l_{g(c)}^2, and
k(r) = s^2 (1 + sqrt5 r + 5/3 r^2) exp(-sqrt5 r) (Rasmussen and Williams 2006, eq. 4.17). The
constant mean is profiled out by generalised least squares (ibid., section 2.7). Lengthscales have
the log-normal prior of Hvarfner, Hellsten and Nardi 2024 ("Vanilla Bayesian optimization performs
great in high dimensions"), whose location grows with the square root of the dimension.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack
from scipy.optimize import minimize

__all__ = ["Fit", "GaussianProcess", "Hyper"]

Array = NDArray[np.float64]

_SQRT5 = math.sqrt(5.0)
_JITTER = 1e-8
KERNEL = ["m52"]


@dataclass(frozen=True, slots=True)
class Prior:
    """Normal priors of the logarithms: (mean, deviation) of lengthscale, signal and noise."""

    length: tuple[float, float]
    signal: tuple[float, float]
    noise: tuple[float, float]
    floor: float = 1e-6


@dataclass(frozen=True, slots=True)
class Hyper:
    """Logarithms of the lengthscales (one per group), signal and noise variance."""

    length: Array
    signal: float
    noise: float

    def vector(self) -> Array:
        return np.concatenate([self.length, [self.signal, self.noise]])

    @classmethod
    def of(cls, vector: Array) -> Hyper:
        return cls(vector[:-2].copy(), float(vector[-2]), float(vector[-1]))


class Fit:
    """A process conditioned on data for one set of hyperparameters."""

    def __init__(self, x: Array, y: Array, member: NDArray[np.intp], hyper: Hyper, extra: Array):
        self.hyper = hyper
        self._inverse = np.exp(-hyper.length)[member]
        self._z = x * self._inverse
        self._signal = math.exp(hyper.signal)
        squares = _squares(self._z, self._z)
        kernel = self._signal * _matern(squares)
        kernel[np.diag_indices_from(kernel)] += math.exp(hyper.noise) + extra + _JITTER
        self._lower = np.linalg.cholesky(kernel)
        self._linv = lapack.dtrtri(self._lower, lower=1)[0]
        ones = self._linv @ np.ones(len(y))
        white = self._linv @ y
        self.mean = float(ones @ white / (ones @ ones))
        self._alpha = self._linv.T @ (white - self.mean * ones)

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and deviation of the noiseless function, arrays of shape (len(x),)."""
        cross = _matern(_squares(x * self._inverse, self._z))
        cross *= self._signal
        mean = self.mean + cross @ self._alpha
        white = cross @ self._linv.T
        variance = self._signal - np.einsum("ij,ij->i", white, white)
        return mean, np.sqrt(np.maximum(variance, 1e-10 * self._signal))


class GaussianProcess:
    """Fits hyperparameters, warm from the last fit."""

    def __init__(self, member: NDArray[np.intp], prior: Prior) -> None:
        self._member = member
        self._groups = int(member.max()) + 1 if len(member) else 0
        self.prior = prior
        self._last: Hyper | None = None

    def fit(
        self, x: Array, y: Array, extra: Array | None = None, starts: int = 2, steps: int = 40
    ) -> Fit:
        """Return the process at the best of several maxima a posteriori.

        Args:
            x: (n, columns) features.
            y: (n,) observations of about zero mean and unit variance.
            extra: (n,) known noise variance of each observation, on top of the estimated one.
        """
        extra = np.zeros(len(y)) if extra is None else extra
        problem = _Posterior(x, y, self._member, self._groups, extra, self.prior)
        begin = [self._last] if self._last is not None else []
        begin += [self._middle(), self._short()]
        best: tuple[float, Array] | None = None
        for hyper in begin[:starts]:
            found = minimize(
                problem.value,
                hyper.vector(),
                jac=True,
                method="L-BFGS-B",
                bounds=problem.bounds,
                options={"maxiter": steps, "ftol": 1e-5, "gtol": 1e-3},
            )
            if np.isfinite(found.fun) and (best is None or found.fun < best[0]):
                best = (float(found.fun), found.x)
        vector = best[1] if best is not None else self._middle().vector()
        self._last = Hyper.of(vector)
        self._problem = problem
        return Fit(x, y, self._member, self._last, extra)

    def spread(self, x, y, extra, n, rng, width=1.0):
        """n fits at hyperparameters drawn around the last maximum (diagonal Laplace)."""
        extra = np.zeros(len(y)) if extra is None else extra
        v = self._last.vector()
        h = np.empty_like(v)
        for i in range(len(v)):
            up, dn = v.copy(), v.copy()
            up[i] += 0.1; dn[i] -= 0.1
            h[i] = (self._problem.value(up)[1][i] - self._problem.value(dn)[1][i]) / 0.2
        sd = width / np.sqrt(np.maximum(h, 1.0 / self._problem._scale**2))
        lo = np.array([b[0] for b in self._problem.bounds]); hi = np.array([b[1] for b in self._problem.bounds])
        out = []
        for _ in range(n):
            t = np.clip(v + sd * rng.standard_normal(len(v)), lo, hi)
            out.append(Fit(x, y, self._member, Hyper.of(t), extra))
        return out

    def _middle(self) -> Hyper:
        p = self.prior
        return Hyper(
            np.full(self._groups, min(p.length[0], 1.5)), 0.0, max(p.noise[0], math.log(p.floor))
        )

    def _short(self) -> Hyper:
        p = self.prior
        return Hyper(np.full(self._groups, math.log(0.5)), 0.0, math.log(0.1))


class _Posterior:
    """Negative logarithm of the posterior of the hyperparameters, with its gradient."""

    def __init__(
        self, x: Array, y: Array, member: NDArray[np.intp], groups: int, extra: Array, prior: Prior
    ):
        self._y, self._extra, self._prior = y, extra, prior
        n = len(y)
        self._n, self._groups = n, groups
        self._d = np.empty((groups, n * n))
        for g in range(groups):
            columns = x[:, member == g]
            self._d[g] = _squares(columns, columns).ravel()
        self.bounds = [(-4.0, 8.0)] * groups + [(-5.0, 5.0), (math.log(prior.floor), 1.0)]
        self._diagonal = np.diag_indices(n)
        self._centre = np.array([prior.length[0]] * groups + [prior.signal[0], prior.noise[0]])
        self._scale = np.array([prior.length[1]] * groups + [prior.signal[1], prior.noise[1]])

    def value(self, vector: Array) -> tuple[float, Array]:
        n, groups = self._n, self._groups
        weight = np.exp(-2.0 * vector[:groups])
        signal, noise = math.exp(vector[-2]), math.exp(vector[-1])
        r2 = (weight @ self._d).reshape(n, n)
        if KERNEL[0] == "m32":
            s = np.sqrt(3.0 * r2)
            decay = np.exp(-s)
            kernel = signal * (1.0 + s) * decay
            slope_part = signal * 3.0 * decay
        else:
            s = _SQRT5 * np.sqrt(r2)
            decay = np.exp(-s)
            kernel = signal * (1.0 + s + s * s / 3.0) * decay
            slope_part = signal * (5.0 / 3.0) * (1.0 + s) * decay
        noisy = kernel.copy()
        noisy[self._diagonal] += noise + self._extra + _JITTER
        lower, info = lapack.dpotrf(noisy, lower=1, clean=1)
        if info != 0:
            return 1e25, np.zeros_like(vector)
        inverse = cho_solve((lower, True), np.eye(n), check_finite=False)
        ones = inverse.sum(axis=1)
        mean = float(ones @ self._y / ones.sum())
        centred = self._y - mean
        alpha = inverse @ centred
        value = 0.5 * float(centred @ alpha) + float(np.log(lower.diagonal()).sum())
        slope = 0.5 * (inverse - np.outer(alpha, alpha))
        gradient = np.empty_like(vector)
        inner = slope * slope_part
        # d k / d log l_g = (5/3) s^2 (1 + sqrt5 r) exp(-sqrt5 r) d_g / l_g^2
        gradient[:groups] = weight * (self._d @ inner.ravel())
        gradient[-2] = float((slope * kernel).sum())
        gradient[-1] = float(slope.trace()) * noise
        away = (vector - self._centre) / self._scale
        return value + 0.5 * float(away @ away), gradient + away / self._scale


def _squares(a: Array, b: Array) -> Array:
    """Return squared distances, shape (len(a), len(b))."""
    d = a @ b.T
    d *= -2.0
    d += np.einsum("ij,ij->i", a, a)[:, None]
    d += np.einsum("ij,ij->i", b, b)[None, :]
    return np.maximum(d, 0.0, out=d)


def _matern(squares: Array) -> Array:
    if KERNEL[0] == "m32":
        s = np.sqrt(3.0 * squares)
        return (1.0 + s) * np.exp(-s)
    s = np.sqrt(5.0 * squares)
    k = 1.0 + s + squares * (5.0 / 3.0)
    np.negative(s, out=s)
    k *= np.exp(s, out=s)
    return k
