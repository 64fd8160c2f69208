"""Hidden constraints: how likely a configuration is to build, run and give the right result.

A Gaussian process over the labels 1 (succeeded) and -1 (failed), squashed by the normal
distribution function: least-squares classification (Rasmussen and Williams 2006, section 6.5).
It is made of the same features as the objective's model, so that a failure beyond so many threads
or bytes is seen as what it is; it costs a tenth of a forest, and starts from the mean label
instead of certainty where nothing is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from daybreak_baco.default.surrogate import Surrogate
from daybreak_baco.gp import GaussianProcess

__all__ = ["Feasibility"]

Array = NDArray[np.float64]

#: median of the labels' noise variance, deviation of its logarithm, and its smallest value
_NOISE, _FLOOR = (0.135, 1.0), 0.01
#: an optimist's shift of the decision: a configuration as often failed as not is worth a try
_SHIFT = 0.3
#: variance of the squashing distribution, on top of the process's own
_SOFTNESS = 0.05


class Feasibility:
    """Learns from successes and failures."""

    def __init__(self, member: NDArray[np.intp]) -> None:
        self._surrogate = Surrogate(member, _NOISE, _FLOOR)
        self._process: GaussianProcess | None = None

    def fit(self, succeeded: Array, failed: Array) -> None:
        """Take the features of all configurations that succeeded and of those that failed."""
        if not len(failed):
            self._process = None
            return
        x = np.vstack([succeeded, failed])
        labels = np.repeat([1.0, -1.0], [len(succeeded), len(failed)])
        self._process = self._surrogate.fit(x, labels)

    def log_probability(self, x: Array) -> Array:
        """Return the logarithm of the probability of success; 0 before the first failure."""
        if self._process is None:
            return np.zeros(len(x))
        mean, variance = self._process.predict(x)
        spread = np.sqrt(_SOFTNESS + np.maximum(variance, 0.0))
        found: Array = log_ndtr((mean + _SHIFT) / spread)
        return found
