"""The objective as the model sees it: small is good, logarithmic, of zero mean and unit variance.

Times and rates are positive and multiply: twice as slow is as far as four times is from twice. So
positive objectives are modelled by their logarithm; others by the inverse hyperbolic sine of their
distance from the median, in median distances, which is the same far away and harmless at zero.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outputs"]

Array = NDArray[np.float64]

#: values beyond this, or differences below its reciprocal, are taken for it: quotients stay finite
_HUGE = 1e150
#: exponentials of more than this are of no size that was ever measured
_STEEP = 340.0


class Outputs:
    """A scale fitted to measured values.

    Args:
        values: of the objective, all finite; at least one.
        sign: 1 to minimise, -1 to maximise.

    Attributes:
        scale: one standard deviation of the logarithms; 1 where there is none.
    """

    def __init__(self, values: Array, sign: float) -> None:
        self._sign = sign
        values = np.clip(values, -_HUGE, _HUGE)
        self.logarithmic = bool(values.min() > 0)
        self._middle = float(np.median(values))
        spread = float(np.median(np.abs(values - self._middle)))
        self._spread = max(spread, 1 / _HUGE) if spread > 0 else max(abs(self._middle), 1.0)
        bent = self._bent(values)
        self._mean = float(bent.mean())
        deviation = float(bent.std())
        self.scale = deviation if deviation > 1e-12 else 1.0

    def _bent(self, values: Array) -> Array:
        if self.logarithmic:
            return self._sign * np.log(np.maximum(values, 1 / _HUGE))
        return self._sign * np.arcsinh((values - self._middle) / self._spread)

    def to_model(self, values: Array) -> Array:
        """Return the values on the model's scale."""
        return (self._bent(np.clip(values, -_HUGE, _HUGE)) - self._mean) / self.scale

    def noise(self, error: float, least: float, most: float) -> float:
        """Return the noise variance that a relative standard error is, between two bounds.

        `least` where the scale is not logarithmic: there an error has no one size.
        """
        if not self.logarithmic:
            return least
        return min(max((error / self.scale) ** 2, least), most)

    def to_objective(self, mean: float, deviation: float) -> tuple[float, float]:
        """Return a prediction's centre and deviation in the objective's unit.

        The centre is the median of the transformed normal distribution, the deviation to first
        order (the delta method).
        """
        bent = self._sign * (mean * self.scale + self._mean)
        bent = min(max(bent, -_STEEP), _STEEP)
        step = deviation * self.scale
        if self.logarithmic:
            centre = math.exp(bent)
            return centre, centre * step
        return self._middle + self._spread * math.sinh(bent), self._spread * math.cosh(bent) * step
