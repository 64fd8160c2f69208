"""What the models see of a configuration: numbers in [0, 1], grouped by lengthscale.

- a number becomes one column. Values that span a wide range and are positive go on a logarithmic
  scale, as do those that the space says are (`log`); then an ordinal's column is the mean of that
  and of its rank, so that neither crowds most values into one corner;
- a category becomes a column per value, scaled so that any two values are one unit apart: the
  Gaussian process sees the Hamming distance;
- an order becomes the position of each element and, per pair of elements, which one comes first
  (Spearman's and Kendall's distances);
- the quantities that known constraints bound (`Space.quantities`) become columns of their own:
  threads per block, bytes of local memory, tiles per tile.

Columns of one group share a lengthscale, so that a permutation of five costs two hyperparameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import (
    Categorical,
    Configuration,
    Integer,
    Ordinal,
    Parameter,
    Permutation,
    Program,
    Real,
    Space,
)

__all__ = ["Features", "Group"]

Array = NDArray[np.float64]

#: a positive parameter whose largest value is this many times its smallest is on a log scale
_WIDE = 8.0
#: configurations from which a quantity's scale and use are judged
_PROBES = 512
#: a quantity that moves with a column like this is left out
_SAME = 0.98


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that share a lengthscale; `owners` are the parameters they are made from."""

    name: str
    owners: tuple[str, ...]


class Features:
    """Encodes configurations of one space.

    Attributes:
        groups: one per lengthscale.
        member: int array, the group of each column.
    """

    def __init__(self, space: Space, seed: int, settings: Any) -> None:
        self._space = space
        self._settings = settings
        self.groups: list[Group] = []
        member: list[int] = []
        self._blocks: list[_Block] = []
        for parameter in space.parameters:
            if isinstance(parameter, Program) or parameter.size == 1:
                continue
            block = _block(parameter, settings)
            self._blocks.append(block)
            for label, width in block.widths:
                member += [len(self.groups)] * width
                self.groups.append(Group(label, (parameter.name,)))
        self._derived: list[_Derived] = []
        if settings.derived:
            self._derive(seed)
            for derived in self._derived:
                member.append(len(self.groups))
                self.groups.append(Group(derived.name, derived.owners))
        self.member = np.array(member, dtype=np.intp)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.member)

    def encode(self, configurations: Sequence[Configuration]) -> Array:
        """Return an array of shape (configurations, width)."""
        n = len(configurations)
        parts = [np.zeros((n, 0))]
        for block in self._blocks:
            parts.append(block.encode([c[block.name] for c in configurations]))
        parts += [derived.encode(configurations) for derived in self._derived]
        return np.hstack(parts)

    def _derive(self, seed: int) -> None:
        """Add the quantities that vary and say something that no single column says."""
        quantities = self._space.quantities()
        if not quantities:
            return
        probes = self._space.sample(_PROBES, np.random.default_rng(seed))
        columns = [c for c in self.encode(probes).T if np.ptp(c) > 0]
        for quantity in quantities:
            values = quantity.values({n: [c[n] for c in probes] for n in quantity.names}, _PROBES)
            derived = _Derived.of(quantity, values)
            if derived is None:
                continue
            column = derived.scale(values)
            if any(abs(np.corrcoef(column, other)[0, 1]) > _SAME for other in columns):
                continue
            columns.append(column)
            self._derived.append(derived)


class _Block:
    """The columns of one parameter, looked up by value where there are few."""

    def __init__(self, parameter: Parameter, widths: list[tuple[str, int]]) -> None:
        self.name = parameter.name
        self.widths = widths

    def encode(self, values: list[Any]) -> Array:
        raise NotImplementedError


class _Listed(_Block):
    def __init__(
        self,
        parameter: Parameter,
        widths: list[tuple[str, int]],
        values: Sequence[Any],
        rows: Array,
    ) -> None:
        super().__init__(parameter, widths)
        self._rows = rows
        self._at = {value: i for i, value in enumerate(values)}

    def encode(self, values: list[Any]) -> Array:
        at = self._at
        return self._rows[[at[value] for value in values]]


class _Range(_Block):
    def __init__(self, parameter: Real | Integer) -> None:
        super().__init__(parameter, [(parameter.name, 1)])
        self._log = parameter.log or _wide(parameter.low, parameter.high)
        self._low = math.log(parameter.low) if self._log else float(parameter.low)
        high = math.log(parameter.high) if self._log else float(parameter.high)
        self._span = (high - self._low) or 1.0

    def encode(self, values: list[Any]) -> Array:
        numbers = np.array(values, dtype=np.float64)
        if self._log:
            numbers = np.log(numbers)
        return ((numbers - self._low) / self._span)[:, None]


class _Orders(_Block):
    """An order: positions of the elements, and which of two elements comes first."""

    def __init__(self, parameter: Permutation, settings: Any) -> None:
        self._length = n = parameter.length
        self._pairs = np.array(list(combinations(range(n), 2)), dtype=np.intp).reshape(-1, 2)
        self._kendall = settings.kendall
        widths = [(f"{parameter.name}:position", n)]
        if self._kendall:
            widths.append((f"{parameter.name}:precedence", len(self._pairs)))
        super().__init__(parameter, widths)
        # divided so that reversing the order is a distance of one in either group
        order = np.arange(n)
        self._far = math.sqrt(float(((order - order[::-1]) ** 2).sum())) or 1.0

    def encode(self, values: list[Any]) -> Array:
        orders = np.array(values, dtype=np.intp).reshape(-1, self._length)
        position = np.argsort(orders, axis=1)
        if not self._kendall:
            return position / self._far
        first = position[:, self._pairs[:, 0]] < position[:, self._pairs[:, 1]]
        return np.hstack([position / self._far, first / math.sqrt(max(1, len(self._pairs)))])


def _block(parameter: Parameter, settings: Any) -> _Block:
    match parameter:
        case Ordinal():
            column = _ordinal(parameter, settings.scale)
            return _Listed(parameter, [(parameter.name, 1)], parameter.values, column[:, None])
        case Categorical():
            k = len(parameter.values)
            rows = np.eye(k) / math.sqrt(2.0) if k > 2 else np.array([[0.0], [1.0]])
            return _Listed(parameter, [(parameter.name, rows.shape[1])], parameter.values, rows)
        case Permutation():
            return _Orders(parameter, settings)
        case Real() | Integer():
            return _Range(parameter)
        case _:
            raise AssertionError(parameter.type)


def _wide(low: float, high: float) -> bool:
    return low > 0 and high / low >= _WIDE


def _ordinal(parameter: Ordinal, scale: str) -> Array:
    values = np.array(parameter.values, dtype=np.float64)
    ranks = np.linspace(0.0, 1.0, len(values))
    if parameter.log or _wide(values[0], values[-1]):
        values = np.log(values)
    scaled = (values - values[0]) / (values[-1] - values[0])
    if scale == "rank":
        return ranks
    if scale == "value":
        return scaled
    return (ranks + scaled) / 2


class _Derived:
    """A quantity of the known constraints as a column."""

    def __init__(self, quantity: Any, log: bool, low: float, high: float) -> None:
        self._quantity = quantity
        self.name = quantity.text
        self.owners = tuple(quantity.names)
        self._log, self._low, self._span = log, low, high - low

    @classmethod
    def of(cls, quantity: Any, values: Array) -> _Derived | None:
        """Return None for a quantity that is undefined somewhere, or does not vary."""
        if not np.isfinite(values).all() or np.ptp(values) <= 0:
            return None
        log = bool(values.min() > 0)
        scaled = np.log(values) if log else values
        low, high = float(scaled.min()), float(scaled.max())
        return cls(quantity, log, low, high) if high - low > 1e-9 else None

    def scale(self, values: Array) -> Array:
        """Bring values to about [0, 1]."""
        if self._log:
            values = np.log(np.maximum(values, 1e-300))
        return np.asarray((values - self._low) / self._span)

    def encode(self, configurations: Sequence[Configuration]) -> Array:
        """Return a column."""
        columns = {n: [c[n] for c in configurations] for n in self.owners}
        values = self._quantity.values(columns, len(configurations))
        return self.scale(np.nan_to_num(values))[:, None]
