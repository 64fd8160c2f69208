"""Turns configurations into the columns of the model, and columns' weights into parameters'."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Integer, Ordinal, Parameter, Real, Space

__all__ = ["Encoder"]

_Floats = NDArray[np.float64]


class Encoder:
    """Encodes the configurations of a space, see `Space.encode`.

    Args:
        space: the search space.
        permutation: how permutations become columns.
        log: whether parameters on a log scale are encoded on it.

    Attributes:
        names: a label for each column.
    """

    def __init__(self, space: Space, permutation: str, *, log: bool) -> None:
        self._permutation = permutation
        self._space = space if log else Space([_linear(p) for p in space.parameters])
        self.names = self._space.encoded_names(permutation=permutation)
        self._owners: list[str] = []
        for parameter in space.parameters:
            single = Space([dataclasses.replace(parameter, when=None)])  # type: ignore[type-var]
            columns = len(single.encoded_names(permutation=permutation))
            self._owners += [parameter.name] * columns

    def __call__(self, configurations: Sequence[Any]) -> _Floats:
        """Return the columns of n configurations, shape (n, d)."""
        return self._space.encode(configurations, permutation=self._permutation)

    def importance(self, lengthscales: _Floats, x: _Floats) -> dict[str, float]:
        """Return how much each parameter matters to the model; the sum is 1.

        The weight of a column is its variance over `x` (n, d) divided by its squared lengthscale:
        the share of the expected squared scaled distance of two configurations that it makes up.
        A parameter's weight is that of its columns together. Empty if nothing varies.
        """
        weights = np.var(x, axis=0) / np.square(lengthscales)
        total = float(np.sum(weights))
        if not 0.0 < total < np.inf:
            return {}
        found = dict.fromkeys(self._owners, 0.0)
        for owner, weight in zip(self._owners, weights.tolist(), strict=True):
            found[owner] += weight / total
        return found


def _linear(parameter: Parameter) -> Parameter:
    if isinstance(parameter, Real | Integer | Ordinal):
        return dataclasses.replace(parameter, log=False, when=None)
    return dataclasses.replace(parameter, when=None)  # type: ignore[type-var]
