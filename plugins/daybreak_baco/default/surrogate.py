"""The models' Gaussian processes: one lengthscale per group of columns, fitted warm.

The kernel is Matern-3/2: how a compiled program's time follows from its tiling has kinks and
cliffs. Hyperparameters are the maximum a posteriori, climbed to from the last one found: one more
observation rarely moves it far. The lengthscales' log-normal prior grows with the square root of
the number of groups, so that distances keep their meaning in many dimensions (Hvarfner, Hellsten
and Nardi 2024, "Vanilla Bayesian optimization performs great in high dimensions"); it is narrower
than theirs: with 10 to 20 observations a wide one trusts lengthscales that the data cannot tell,
and the model runs straight into the corners.
"""

from __future__ import annotations

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
)

__all__ = ["Surrogate"]

Array = NDArray[np.float64]

_SMOOTHNESS = 1.5
#: median of a lengthscale with one group, on columns between 0 and 1; deviation of its logarithm
_LENGTHSCALE = (1.0, 0.7)
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
        typical = _LENGTHSCALE[0] * math.sqrt(max(1, self._groups))
        self._how = Fit(
            priors=Priors(
                lengthscales=_log_normal(typical, _LENGTHSCALE[1]),
                variance=_log_normal(1.0, 1.0),
                noise=_log_normal(*noise),
            ),
            bounds=Bounds((0.02, 1e3), (0.01, 100.0), (floor, 3.0)),
            iterations=_ITERATIONS,
            tolerance=_TOLERANCE,
        )
        self._start = Hyperparameters(np.full(self._groups, typical), 1.0, max(noise[0], 2 * floor))
        self.hyperparameters = self._start

    def fit(self, x: Array, y: Array, extra: Array | float = 0.0) -> GaussianProcess:
        """Fit the hyperparameters and return the process.

        Args:
            x: features, shape (n, columns).
            y: observations, shape (n,), of about zero mean and unit variance.
            extra: known noise variances, on top of the fitted one.
        """
        likelihood = Likelihood(
            x,
            y,
            extra,
            groups=self._member,
            smoothness=_SMOOTHNESS,
            likeliest_mean=True,
        )
        found = fit(likelihood, [self.hyperparameters], self._how)
        self.hyperparameters = found[0].hyperparameters if found else self._start
        return self.condition(x, y, extra)

    def condition(self, x: Array, y: Array, extra: Array | float = 0.0) -> GaussianProcess:
        """Return the process for the hyperparameters last fitted."""
        return GaussianProcess(
            x,
            y,
            self.hyperparameters,
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
