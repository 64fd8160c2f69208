"""The scale on which the objective is modelled: logarithm and standardisation, and back.

The model minimises z = (t - centre) / spread with t = y, or log10(y) with `log_output`; a metric
that is better when larger is turned by t -> -t. Centre and spread are the mean and the sample
standard deviation of t over the successful trials, taken anew for every proposal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["OutputScale", "standardise"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OutputScale:
    """How values became what the model sees; see `standardise`."""

    centre: float
    spread: float
    log: bool
    sign: float

    def value(self, z: float) -> float:
        """Return the objective, in its unit, that the model sees as `z`."""
        turned = self.sign * (self.centre + self.spread * z)
        if not self.log:
            return turned
        return 10.0**turned if turned < 308.0 else math.inf

    def belief(self, mean: float, deviation: float) -> tuple[float, float]:
        """Return a normal belief on the model's scale as mean and deviation in the unit.

        With the logarithm the belief about the objective is log-normal. Its mean and deviation
        explode with the uncertainty, so its median and half the width of its central 68 per cent
        (from minus to plus one deviation on the model's scale) stand for them; without the
        logarithm these are the mean and the deviation.
        """
        low, high = self.value(mean - deviation), self.value(mean + deviation)
        return self.value(mean), abs(high - low) / 2.0


def standardise(
    values: _Floats, *, log: bool, maximise: bool
) -> tuple[_Floats, OutputScale] | None:
    """Return `values` (n,) as the model sees them, smaller is better, and the scale.

    Values at or below zero have no logarithm: where there are any, `log` is left out.

    Returns:
        None where nothing can be modelled: a single value, or all of them equal.
    """
    if len(values) < 2:
        return None
    log = log and bool(np.min(values) > 0.0)
    sign = -1.0 if maximise else 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        turned = sign * (np.log10(values) if log else values)
        centre = float(np.mean(turned))
        spread = float(np.std(turned, ddof=1))
    # rounding can leave a spread of equal values that is not quite zero
    if not (math.isfinite(centre) and math.isfinite(spread)):
        return None
    if spread <= 1e-14 * max(1.0, abs(centre)):
        return None
    return (turned - centre) / spread, OutputScale(centre, spread, log, sign)
