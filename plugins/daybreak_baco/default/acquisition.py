"""Acquisition: how much is expected of evaluating a configuration next, on a logarithmic scale."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr

__all__ = ["log_expected_improvement"]

Array = NDArray[np.float64]

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


def log_expected_improvement(mean: Array, deviation: Array, incumbent: float) -> Array:
    """Return log E[max(incumbent - f, 0)] of f ~ N(mean, deviation^2), for minimisation.

    Accurate far below the incumbent, where the plain form underflows (Ament et al. 2023,
    "Unexpected improvements to expected improvement", eq. 9).
    """
    z = (incumbent - mean) / deviation
    near = np.maximum(z, -1.0)
    density = np.exp(-0.5 * near * near - _LOG_SQRT_2PI)
    plain = np.log(density + near * ndtr(near))
    far = np.minimum(z, -1.0)
    ratio = math.sqrt(math.pi / 2) * erfcx(-far / math.sqrt(2))
    tail = np.where(
        far > -1e3,
        np.log(np.maximum(1.0 + far * ratio, 1e-300)),
        -2.0 * np.log(-far),
    )
    distant = -0.5 * far * far - _LOG_SQRT_2PI + tail
    return np.log(deviation) + np.where(z > -1.0, plain, distant)
