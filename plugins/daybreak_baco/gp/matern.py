"""The Matern kernel with a lengthscale per column, or per group of columns.

    smoothness 5/2:  k(x, z) = variance (1 + a + a^2 / 3) exp(-a),   a = sqrt(5) r
    smoothness 3/2:  k(x, z) = variance (1 + a) exp(-a),             a = sqrt(3) r
    r^2 = sum over columns c of (x_c - z_c)^2 / lengthscale_c^2

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), eq. 4.14 and 4.17.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "correlation", "correlation_and_slope", "cross_correlation"]

_SQRT5 = math.sqrt(5.0)
_SQRT3 = math.sqrt(3.0)
_Floats = NDArray[np.float64]


class Pairs:
    """The squared distances between all pairs of n points, column by column or group by group.

    Only the strict lower triangle is kept. That is all a likelihood needs, computed once for all
    its hyperparameters.

    Args:
        x: the points, shape (n, columns).
        groups: the group of each column, 0 .. d - 1, none empty; None: each column its own.

    Attributes:
        n: number of points.
        rows, columns: indices of the pairs, shape (n (n - 1) / 2,).
        squared: shape (d, n (n - 1) / 2), the columns of a group added up.
    """

    def __init__(self, x: _Floats, groups: NDArray[np.intp] | None = None) -> None:
        self.n = len(x)
        self.rows, self.columns = np.tril_indices(self.n, -1)
        turned = np.ascontiguousarray(x.T)
        self.squared: _Floats = turned[:, self.rows] - turned[:, self.columns]
        np.square(self.squared, out=self.squared)
        if groups is not None and len(groups) and int(groups[-1]) + 1 < len(groups):
            self.squared = np.add.reduceat(self.squared, np.unique(groups, return_index=True)[1])
        # where the pairs stand in the raveled Fortran-ordered matrix
        self._flat = self.rows + self.n * self.columns

    def lower(self, values: _Floats, diagonal: _Floats | float) -> _Floats:
        """Return an n x n Fortran-ordered matrix whose lower triangle holds `values`."""
        matrix = np.zeros(self.n * self.n)
        matrix[self._flat] = values
        matrix[:: self.n + 1] = diagonal
        return matrix.reshape(self.n, self.n, order="F")

    def of_lower(self, matrix: _Floats) -> _Floats:
        """Return the pairs' entries of the lower triangle of a Fortran-ordered matrix."""
        found: _Floats = matrix.ravel(order="K")[self._flat]
        return found


def correlation(squared: _Floats, smoothness: float = 2.5) -> _Floats:
    """Return k / variance for squared scaled distances r^2, any shape."""
    a = np.sqrt(squared)
    if smoothness == 1.5:
        a *= _SQRT3
        rough = np.exp(-a)
        a += 1.0
        rough *= a
        return rough
    a *= _SQRT5
    decay = np.exp(-a)
    # 1 + a + a^2 / 3
    polynomial = a * (1.0 / 3.0)
    polynomial += 1.0
    polynomial *= a
    polynomial += 1.0
    polynomial *= decay
    return polynomial


def correlation_and_slope(squared: _Floats, smoothness: float = 2.5) -> tuple[_Floats, _Floats]:
    """Return k / variance and its derivative by r^2.

    The derivative is -5/6 (1 + a) exp(-a) for smoothness 5/2 and -3/2 exp(-a) for 3/2.
    """
    a = np.sqrt(squared)
    if smoothness == 1.5:
        a *= _SQRT3
        rough = np.exp(-a)
        return (1.0 + a) * rough, -1.5 * rough
    a *= _SQRT5
    decay = np.exp(-a)
    tail = (1.0 + a) * decay
    value = a * a
    value *= decay
    value *= 1.0 / 3.0
    value += tail
    tail *= -5.0 / 6.0
    return value, tail


def cross_correlation(
    x: _Floats, z: _Floats, lengthscales: _Floats, smoothness: float = 2.5
) -> Any:
    """Return k / variance between the rows of `x` (n, d) and of `z` (m, d), shape (n, m).

    `lengthscales` has one entry per column.
    """
    scaled_x, scaled_z = x / lengthscales, z / lengthscales
    squared = scaled_x @ scaled_z.T
    squared *= -2.0
    squared += np.einsum("ij,ij->i", scaled_x, scaled_x)[:, None]
    squared += np.einsum("ij,ij->i", scaled_z, scaled_z)[None, :]
    np.maximum(squared, 0.0, out=squared)
    return correlation(squared, smoothness)
