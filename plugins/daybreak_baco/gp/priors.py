"""Prior distributions of positive hyperparameters, with the derivative that fitting needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gamma", "LogNormal", "Prior"]

_Floats = NDArray[np.float64]


class Prior(Protocol):
    """The density of one hyperparameter; several with the same prior are independent."""

    def log_density(self, values: _Floats) -> tuple[float, _Floats]:
        """Return the sum of log densities, and each one's derivative by its value's logarithm."""
        ...


@dataclass(frozen=True, slots=True)
class Gamma:
    """A gamma distribution with mean shape / rate.

    With `softplus` the density is that of log(exp(value) - 1), in which GPy optimises: the
    change of variables adds log(1 - exp(-value)) (paramz, `Logexp.log_jacobian`), which moves the
    maximum. Without, the maximum is that of the density itself.
    """

    shape: float
    rate: float
    softplus: bool = False

    def log_density(self, values: _Floats) -> tuple[float, _Floats]:
        """See `Prior.log_density`."""
        constant = self.shape * math.log(self.rate) - math.lgamma(self.shape)
        logs = np.log(values)
        total = float(np.sum((self.shape - 1.0) * logs - self.rate * values))
        slope = (self.shape - 1.0) - self.rate * values
        if self.softplus:
            total += float(np.sum(np.log(-np.expm1(-values))))
            # v / (e^v - 1), written so that a large v gives 0 and not inf / inf
            slope = slope + values * np.exp(-values) / -np.expm1(-values)
        return total + constant * values.size, slope


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A log-normal distribution: the natural logarithm is normal with `mean` and `deviation`."""

    mean: float
    deviation: float

    def log_density(self, values: _Floats) -> tuple[float, _Floats]:
        """See `Prior.log_density`; the density is that of the value, not of its logarithm."""
        logs = np.log(values)
        scaled = (logs - self.mean) / self.deviation
        constant = -math.log(self.deviation) - 0.5 * math.log(2.0 * math.pi)
        total = float(np.sum(-0.5 * scaled * scaled - logs)) + constant * values.size
        return total, -scaled / self.deviation - 1.0
