"""The models' Gaussian processes: one lengthscale per group of columns, fitted warm.

The kernel is Matern-3/2: how a compiled program's time follows from its tiling has kinks and
cliffs. Hyperparameters are the maximum a posteriori, climbed to from the last one found: one more
observation rarely moves it far. The lengthscales' log-normal prior grows with the square root of
the number of groups, so that distances keep their meaning in many dimensions (Hvarfner, Hellsten
and Nardi 2024, "Vanilla Bayesian optimization performs great in high dimensions"); it is narrower
than theirs: with 10 to 20 observations a wide one trusts lengthscales that the data cannot tell,
and the model runs straight into the corners.

What so few observations cannot tell is averaged over: `draw` adds hyperparameters from a normal
distribution around the maximum, whose widths follow from the curvature there (the diagonal of
Laplace's approximation).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from daybreak_baco.gp import (
    Bounds,
    Fit,
    GaussianProcess,
    Hyperparameters,
    Likelihood,
    LogNormal,
    Priors,
    fit,
    log_prior,
)

__all__ = ["Surrogate"]

Array = NDArray[np.float64]

_SMOOTHNESS = 1.5
#: median of a lengthscale with one group, on columns between 0 and 1; deviation of its logarithm
_LENGTHSCALE = (1.0, 0.7)
#: deviations of the logarithms of variance and noise
_LOOSE = 1.0
#: step of the logarithms in which curvature is measured
_STEP = 0.1
_ITERATIONS = 40
_TOLERANCE = 1e-5


class Surrogate:
    """A Gaussian process over features that remembers its hyperparameters.

    Args:
        member: the group of each column.
        noise: median of the noise variance's prior and deviation of its logarithm; the
            observations have unit variance.
        floor: smallest noise variance.
    """

    def __init__(self, member: NDArray[np.intp], noise: tuple[float, float], floor: float) -> None:
        self._member = member
        self._groups = int(member.max()) + 1 if len(member) else 0
        self._noise_width = noise[1]
        typical = _LENGTHSCALE[0] * math.sqrt(max(1, self._groups))
        self._how = Fit(
            priors=Priors(
                lengthscales=_log_normal(typical, _LENGTHSCALE[1]),
                variance=_log_normal(1.0, _LOOSE),
                noise=_log_normal(*noise),
            ),
            bounds=Bounds((0.02, 1e3), (0.01, 100.0), (floor, 3.0)),
            iterations=_ITERATIONS,
            tolerance=_TOLERANCE,
        )
        self._start = Hyperparameters(np.full(self._groups, typical), 1.0, max(noise[0], 2 * floor))
        self.hyperparameters = self._start

    def expect_noise(self, median: float) -> None:
        """Move the noise variance's prior to another median."""
        priors = dataclasses.replace(self._how.priors, noise=_log_normal(median, self._noise_width))
        self._how = dataclasses.replace(self._how, priors=priors)

    def fit(self, x: Array, y: Array, extra: Array | float = 0.0) -> GaussianProcess:
        """Fit the hyperparameters and return the process.

        One start is enough: with these priors other starts end at the same maximum.

        Args:
            x: features, shape (n, columns).
            y: observations, shape (n,), of about zero mean and unit variance.
            extra: known noise variances, on top of the fitted one.
        """
        found = fit(self._likelihood(x, y, extra), [self.hyperparameters], self._how)
        self.hyperparameters = found[0].hyperparameters if found else self._start
        return self.condition(x, y, extra)

    def draw(
        self, n: int, x: Array, y: Array, extra: Array | float, rng: np.random.Generator
    ) -> list[Hyperparameters]:
        """Return `n` hyperparameters from around those last fitted to the same observations."""
        likelihood = self._likelihood(x, y, extra)
        top = self.hyperparameters.logarithms()

        def slope(logarithms: Array) -> Array:
            gradient = likelihood.value_and_gradient(logarithms)[1]
            return gradient + log_prior(logarithms, self._how.priors)[1]

        curvature = np.empty(len(top))
        for i in range(len(top)):
            step = np.zeros(len(top))
            step[i] = _STEP
            curvature[i] = (slope(top - step)[i] - slope(top + step)[i]) / (2 * _STEP)
        # never wider than the prior
        widest = np.array([_LENGTHSCALE[1]] * self._groups + [_LOOSE, _LOOSE])
        width = 1.0 / np.sqrt(np.maximum(curvature, 1.0 / widest**2))
        low, high = self._how.bounds.logarithms(self._groups).T
        return [
            Hyperparameters.of_logarithms(
                np.clip(top + width * rng.standard_normal(len(top)), low, high)
            )
            for _ in range(n)
        ]

    def condition(
        self,
        x: Array,
        y: Array,
        extra: Array | float = 0.0,
        hyperparameters: Hyperparameters | None = None,
    ) -> GaussianProcess:
        """Return the process for given hyperparameters; None: those last fitted."""
        return GaussianProcess(
            x,
            y,
            hyperparameters or self.hyperparameters,
            extra,
            groups=self._member,
            smoothness=_SMOOTHNESS,
            likeliest_mean=True,
        )

    def _likelihood(self, x: Array, y: Array, extra: Array | float) -> Likelihood:
        return Likelihood(
            x,
            y,
            extra,
            groups=self._member,
            smoothness=_SMOOTHNESS,
            likeliest_mean=True,
        )


def _log_normal(median: float, deviation: float) -> LogNormal:
    """Return a prior whose density over the *logarithm* peaks at log(median).

    `LogNormal` is the density over the value itself, which peaks `deviation ** 2` lower.
    """
    return LogNormal(math.log(median) + deviation**2, deviation)
