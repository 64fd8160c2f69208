"""What the models see of a configuration: numbers in [0, 1], grouped by lengthscale.

- a number becomes one column. Values that span a wide range and are positive go on a logarithmic
  scale, as do those that the space says are (`log`); an ordinal's column is the mean of that and
  of its rank, so that neither crowds most values into one corner;
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
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Categorical, Integer, Ordinal, Parameter, Permutation, Real, Space
from daybreak_baco.default.coding import Coding, Domain

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
    """Encodes rows of codes of one space.

    Attributes:
        groups: one per lengthscale.
        member: int array, the group of each column.
    """

    def __init__(self, space: Space, coding: Coding, seed: int) -> None:
        self._coding = coding
        self.groups: list[Group] = []
        self._blocks: list[tuple[int, _Block]] = []
        member: list[int] = []
        for i in coding.free:
            parameter = space.parameters[i]
            block = _block(parameter)
            self._blocks.append((i, block))
            for label, width in block.widths:
                member += [len(self.groups)] * width
                self.groups.append(Group(label, (parameter.name,)))
        self._derived: list[_Derived] = []
        self._derive(space, seed)
        for derived in self._derived:
            member.append(len(self.groups))
            self.groups.append(Group(derived.name, derived.owners))
        self.member = np.array(member, dtype=np.intp)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.member)

    def encode(self, rows: Array) -> Array:
        """Return an array of shape (rows, width)."""
        parts = [np.zeros((len(rows), 0))]
        parts += [block.encode(rows[:, i], self._coding.domains[i]) for i, block in self._blocks]
        parts += [derived.encode(rows, self._coding) for derived in self._derived]
        return np.hstack(parts)

    def _derive(self, space: Space, seed: int) -> None:
        """Add the quantities that vary and say something that no single column says."""
        quantities = space.quantities()
        if not quantities:
            return
        probes = self._coding.sample(_PROBES, np.random.default_rng(seed))
        columns = [c for c in self.encode(probes).T if np.ptp(c) > 0]
        for quantity in quantities:
            derived = _Derived.of(quantity, self._coding, probes)
            if derived is None:
                continue
            column = derived.encode(probes, self._coding)[:, 0]
            if any(abs(np.corrcoef(column, other)[0, 1]) > _SAME for other in columns):
                continue
            columns.append(column)
            self._derived.append(derived)


class _Block:
    """The columns of one parameter."""

    def __init__(self, widths: list[tuple[str, int]]) -> None:
        self.widths = widths

    def encode(self, codes: Array, domain: Domain) -> Array:
        """Return the columns of the parameter's codes."""
        raise NotImplementedError


class _Table(_Block):
    def __init__(self, widths: list[tuple[str, int]], table: Array) -> None:
        super().__init__(widths)
        self._table = table

    def encode(self, codes: Array, domain: Domain) -> Array:  # noqa: ARG002
        return self._table[codes.astype(np.intp)]


class _Range(_Block):
    def __init__(self, parameter: Real | Integer) -> None:
        super().__init__([(parameter.name, 1)])
        self._shift = parameter.low if isinstance(parameter, Integer) else 0
        self._log = parameter.log or _wide(parameter.low, parameter.high)
        self._low = math.log(parameter.low) if self._log else float(parameter.low)
        high = math.log(parameter.high) if self._log else float(parameter.high)
        self._span = high - self._low

    def encode(self, codes: Array, domain: Domain) -> Array:  # noqa: ARG002
        numbers = codes + float(self._shift)
        if self._log:
            numbers = np.log(numbers)
        return ((numbers - self._low) / self._span)[:, None]


class _Orders(_Block):
    """An order: positions of the elements, and which of two elements comes first."""

    def __init__(self, parameter: Permutation) -> None:
        n = parameter.length
        self._pairs = np.array(list(combinations(range(n), 2)), dtype=np.intp).reshape(-1, 2)
        super().__init__(
            [
                (f"{parameter.name}:position", n),
                (f"{parameter.name}:precedence", len(self._pairs)),
            ]
        )
        # divided so that reversing the order is a distance of one in either group
        order = np.arange(n)
        self._far = math.sqrt(float(((order - order[::-1]) ** 2).sum()))

    def encode(self, codes: Array, domain: Domain) -> Array:
        position = np.argsort(domain.column(codes), axis=1)
        first = position[:, self._pairs[:, 0]] < position[:, self._pairs[:, 1]]
        return np.hstack([position / self._far, first / math.sqrt(len(self._pairs))])


def _block(parameter: Parameter) -> _Block:
    match parameter:
        case Ordinal():
            table = _ordinal(parameter)[:, None]
            return _Table([(parameter.name, 1)], table)
        case Categorical():
            k = len(parameter.values)
            table = np.eye(k) / math.sqrt(2.0) if k > 2 else np.array([[0.0], [1.0]])
            return _Table([(parameter.name, table.shape[1])], table)
        case Permutation():
            return _Orders(parameter)
        case Real() | Integer():
            return _Range(parameter)
        case _:
            raise AssertionError(parameter.type)


def _wide(low: float, high: float) -> bool:
    return low > 0 and high / low >= _WIDE


def _ordinal(parameter: Ordinal) -> Array:
    """Return each value's column entry: between its place on the scale and its rank."""
    values = np.array(parameter.values, dtype=np.float64)
    ranks = np.linspace(0.0, 1.0, len(values))
    if parameter.log or _wide(values[0], values[-1]):
        values = np.log(values)
    scaled = (values - values[0]) / (values[-1] - values[0])
    column: Array = (ranks + scaled) / 2
    return column


class _Derived:
    """A quantity of the known constraints as a column."""

    def __init__(self, quantity: Any, log: bool, low: float, high: float) -> None:
        self._quantity = quantity
        self.name = quantity.text
        self.owners = tuple(quantity.names)
        self._log, self._low, self._span = log, low, high - low

    @classmethod
    def of(cls, quantity: Any, coding: Coding, probes: Array) -> _Derived | None:
        """Return None for a quantity that is undefined somewhere, or does not vary."""
        values = _values(quantity, coding, probes)
        if not np.isfinite(values).all() or np.ptp(values) <= 0:
            return None
        log = bool(values.min() > 0)
        scaled = np.log(values) if log else values
        low, high = float(scaled.min()), float(scaled.max())
        return cls(quantity, log, low, high) if high - low > 1e-9 else None

    def encode(self, rows: Array, coding: Coding) -> Array:
        """Return a column."""
        values = np.nan_to_num(_values(self._quantity, coding, rows))
        if self._log:
            values = np.log(np.maximum(values, 1e-300))
        return ((values - self._low) / self._span)[:, None]


def _values(quantity: Any, coding: Coding, rows: Array) -> Array:
    columns = {name: coding.column(name, rows) for name in quantity.names}
    found: Array = quantity.values(columns, len(rows))
    return found
