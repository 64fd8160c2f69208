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
#: parameters of up to so many values are encoded once, and looked up from then on
_TABULATED = 5040


class Encoder:
    """Encodes the configurations of a space as `Space.encode` does, faster.

    Args:
        space: the search space.
        permutation: how permutations become columns.
        log: whether parameters on a log scale are encoded on it.

    Attributes:
        names: a label for each column.
        owners: the parameter that each column belongs to.
    """

    def __init__(self, space: Space, permutation: str, *, log: bool) -> None:
        self._blocks = [_Block(parameter, permutation, log=log) for parameter in space.parameters]
        self.names = [name for block in self._blocks for name in block.names]
        self.owners = [block.owner for block in self._blocks for _ in block.names]

    def __call__(self, configurations: Sequence[Any]) -> _Floats:
        """Return the columns of n normalised configurations, shape (n, d)."""
        return np.hstack([block.columns(configurations) for block in self._blocks])

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
        found = dict.fromkeys(self.owners, 0.0)
        for owner, weight in zip(self.owners, weights.tolist(), strict=True):
            found[owner] += weight / total
        return found


class _Block:
    """The columns of one parameter."""

    def __init__(self, parameter: Parameter, permutation: str, *, log: bool) -> None:
        self.owner = parameter.name
        self._space = Space([_alone(parameter, log=log)])
        self._permutation = permutation
        self.names = self._space.encoded_names(permutation=permutation)
        self._index: dict[Any, int] = {}
        size = parameter.size
        if size is not None and size <= _TABULATED:
            values = [parameter.value_at(i) for i in range(size)]
            self._index = {value: i for i, value in enumerate(values)}
            self._table = self._encode(values)

    def columns(self, configurations: Sequence[Any]) -> _Floats:
        values = [configuration[self.owner] for configuration in configurations]
        if not self._index:
            return self._encode(values)
        index = self._index
        found: _Floats = self._table[[index[value] for value in values]]
        return found

    def _encode(self, values: Sequence[Any]) -> _Floats:
        one_each = [{self.owner: value} for value in values]
        return self._space.encode(one_each, permutation=self._permutation)


def _alone(parameter: Parameter, *, log: bool) -> Parameter:
    """Return the parameter without its condition, and with a linear scale unless `log`."""
    if isinstance(parameter, Real | Integer | Ordinal) and not log:
        return dataclasses.replace(parameter, log=False, when=None)
    return dataclasses.replace(parameter, when=None)  # type: ignore[type-var]
