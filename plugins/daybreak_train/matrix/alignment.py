"""How far a subspace is from the one sought."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["misalignment", "orthonormal"]

Floats = NDArray[np.float64]


def orthonormal(model: NDArray[np.floating]) -> Floats:
    """Return an orthonormal basis of the columns of `model`, same shape (n, c), as float64.

    Not finite where the model is not.
    """
    model = np.asarray(model, dtype=np.float64)
    if not np.isfinite(model).all():
        return np.full(model.shape, np.nan)
    basis, _ = np.linalg.qr(model)
    return np.asarray(basis)


def misalignment(basis: Floats, model: NDArray[np.floating]) -> float:
    """Return the squared sine of the largest angle from the span of `basis` to that of `model`.

    `basis` is orthonormal, shape (n, p); `model` any matrix of shape (n, c), c >= p. 0: the span
    of the model contains that of the basis; 1: some direction of the basis is orthogonal to all of
    it. With c = p this is 1 - min over z of ||U U^T Y z||^2 / ||Y z||^2, the quantity that the
    paper (section 2) wants below epsilon. NaN if the model is not finite.
    """
    span = orthonormal(model)
    if not np.isfinite(span).all():
        return float("nan")
    # the part of each basis vector that the model misses: accurate where the angle is small,
    # unlike 1 - cos^2
    missed = basis - span @ (span.T @ basis)
    return float(min(1.0, np.linalg.norm(missed, ord=2) ** 2))
