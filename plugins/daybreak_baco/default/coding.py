"""Configurations as rows of numbers, so that thousands are varied, tested and scored at once.

A row holds a code per parameter: the number of the value in the parameter's own order where it
can be listed, the value itself where it is real. Codes are exact in float64. Orders too long to
number are numbered as they come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
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
    Real,
    Space,
)

__all__ = ["Coding", "Domain"]

Array = NDArray[np.float64]

#: orders of up to this many elements are all numbered beforehand (7! = 5,040)
_NUMBERED = 7
#: every other value of a list of up to this length is a step
_SHORT = 16
#: steps along a longer list
_STRIDES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
#: steps along a real parameter, as parts of its range
_PARTS = (-0.1, -0.03, -0.01, 0.01, 0.03, 0.1)


class Domain:
    """The codes of one parameter."""

    #: whether there is anything to choose
    free = True

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = parameter.name

    def codes(self, values: Sequence[Any]) -> Array:
        """Return the codes of normalised values."""
        raise NotImplementedError

    def values(self, codes: Array) -> list[Any]:
        """Return the values of codes."""
        raise NotImplementedError

    def column(self, codes: Array) -> NDArray[Any]:
        """Return the values as the array that constraints take."""
        raise NotImplementedError

    def vary(self, codes: Array, rng: np.random.Generator) -> Array:
        """Return a code near each code."""
        raise NotImplementedError

    def steps(self, code: float) -> Array:
        """Return the codes one step from `code`."""
        raise NotImplementedError


class _Fixed(Domain):
    """A program, or a parameter of one value."""

    free = False

    def codes(self, values: Sequence[Any]) -> Array:
        return np.zeros(len(values))

    def values(self, codes: Array) -> list[Any]:
        return [self.parameter.rest] * len(codes)

    def column(self, codes: Array) -> NDArray[Any]:
        value = self.parameter.rest
        if isinstance(value, tuple):
            return np.tile(np.array(value, dtype=np.int16), (len(codes), 1))
        return _column([value])[np.zeros(len(codes), dtype=np.intp)]

    def vary(self, codes: Array, rng: np.random.Generator) -> Array:  # noqa: ARG002
        return codes

    def steps(self, code: float) -> Array:  # noqa: ARG002
        return np.zeros(0)


class _Listed(Domain):
    """Ordinal or categorical."""

    def __init__(self, parameter: Ordinal | Categorical) -> None:
        super().__init__(parameter)
        self._values = list(parameter.values)
        self._at = {value: i for i, value in enumerate(self._values)}
        self._column = _column(self._values)
        self._ordered = isinstance(parameter, Ordinal)

    def codes(self, values: Sequence[Any]) -> Array:
        at = self._at
        return np.array([at[value] for value in values], dtype=np.float64)

    def values(self, codes: Array) -> list[Any]:
        listed = self._values
        return [listed[i] for i in codes.astype(np.intp).tolist()]

    def column(self, codes: Array) -> NDArray[Any]:
        return self._column[codes.astype(np.intp)]

    def vary(self, codes: Array, rng: np.random.Generator) -> Array:
        n = len(self._values)
        if not self._ordered:
            return (codes + rng.integers(1, n, len(codes))) % n
        return _walk(codes, n, rng)

    def steps(self, code: float) -> Array:
        return _around(code, len(self._values), everything=not self._ordered)


class _Whole(Domain):
    """An integer range."""

    def __init__(self, parameter: Integer) -> None:
        super().__init__(parameter)
        self._low, self._size = parameter.low, parameter.size

    def codes(self, values: Sequence[Any]) -> Array:
        low = self._low
        return np.array([value - low for value in values], dtype=np.float64)

    def values(self, codes: Array) -> list[Any]:
        low, top = self._low, self._size - 1
        return [low + min(top, int(code)) for code in codes.tolist()]

    def column(self, codes: Array) -> NDArray[Any]:
        return _column(self.values(codes))

    def vary(self, codes: Array, rng: np.random.Generator) -> Array:
        return _walk(codes, self._size, rng)

    def steps(self, code: float) -> Array:
        return _around(code, self._size, everything=False)


class _Real(Domain):
    def __init__(self, parameter: Real) -> None:
        super().__init__(parameter)
        self._low, self._high, self._log = parameter.low, parameter.high, parameter.log

    def codes(self, values: Sequence[Any]) -> Array:
        return np.array(values, dtype=np.float64)

    def values(self, codes: Array) -> list[Any]:
        return list(codes.tolist())

    def column(self, codes: Array) -> NDArray[Any]:
        return codes

    def _moved(self, codes: Array | float, parts: Array) -> Array:
        if self._log:
            moved = codes * np.exp(parts * math.log(self._high / self._low))
        else:
            moved = codes + parts * (self._high - self._low)
        return np.clip(moved, self._low, self._high)

    def vary(self, codes: Array, rng: np.random.Generator) -> Array:
        return self._moved(codes, 0.1 * rng.standard_normal(len(codes)))

    def steps(self, code: float) -> Array:
        return self._moved(code, np.array(_PARTS))


class _Order(Domain):
    """A permutation: all orders numbered where there are few, else numbered as they come."""

    def __init__(self, parameter: Permutation) -> None:
        super().__init__(parameter)
        self._length = parameter.length
        self._orders: list[tuple[int, ...]] = []
        self._at: dict[tuple[int, ...], int] = {}
        self._table: NDArray[np.int16] | None = None
        if parameter.length <= _NUMBERED:
            self._orders = list(permutations(range(parameter.length)))
            self._at = {order: i for i, order in enumerate(self._orders)}
            self._table = np.array(self._orders, dtype=np.int16)

    def _number(self, order: tuple[int, ...]) -> int:
        found = self._at.setdefault(order, len(self._orders))
        if found == len(self._orders):
            self._orders.append(order)
        return found

    def codes(self, values: Sequence[Any]) -> Array:
        return np.array([self._number(tuple(value)) for value in values], dtype=np.float64)

    def values(self, codes: Array) -> list[Any]:
        return [self._orders[int(code)] for code in codes.tolist()]

    def column(self, codes: Array) -> NDArray[Any]:
        if self._table is not None:
            return self._table[codes.astype(np.intp)]
        return np.array(self.values(codes), dtype=np.int16).reshape(-1, self._length)

    def vary(self, codes: Array, rng: np.random.Generator) -> Array:
        places = rng.integers(0, self._length, (len(codes), 2)).tolist()
        swap = (rng.random(len(codes)) < 0.5).tolist()
        made = []
        for order, (i, j), swapped in zip(self.values(codes), places, swap, strict=True):
            made.append(_swapped(order, i, j) if swapped else _inserted(order, i, j))
        return self.codes(made)

    def steps(self, code: float) -> Array:
        order = self._orders[int(code)]
        # beyond ten elements only neighbours move: the rest is left to `vary`
        reach = self._length if self._length <= 10 else 2
        made: dict[tuple[int, ...], None] = {}
        for i in range(self._length):
            for j in range(self._length):
                if i != j and abs(i - j) <= reach:
                    made[_inserted(order, i, j)] = None
                    made[_swapped(order, i, j)] = None
        return self.codes(list(made))


class Coding:
    """Rows of codes for the configurations of one space.

    Attributes:
        domains: one per parameter, in order.
        free: numbers of the parameters with anything to choose.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.domains = [_domain(parameter) for parameter in space.parameters]
        self.free = [i for i, domain in enumerate(self.domains) if domain.free]
        self._constraints = (*space.constraints, *space.conditions)
        self._conditional = any(p.when is not None for p in space.parameters)
        self._numbers = {domain.name: i for i, domain in enumerate(self.domains)}

    def codes(self, configurations: Sequence[Configuration]) -> Array:
        """Return the rows of normalised configurations, shape (configurations, parameters)."""
        rows = np.empty((len(configurations), len(self.domains)))
        for i, domain in enumerate(self.domains):
            name = domain.name
            rows[:, i] = domain.codes([c[name] for c in configurations])
        return rows

    def configurations(self, rows: Array) -> list[dict[str, Any]]:
        """Return the configurations of rows."""
        columns = [domain.values(rows[:, i]) for i, domain in enumerate(self.domains)]
        names = self._space.names
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def column(self, name: str, rows: Array) -> NDArray[Any]:
        """Return a parameter's values in rows, as an array."""
        i = self._numbers[name]
        return self.domains[i].column(rows[:, i])

    def settled(self, rows: Array) -> Array:
        """Return rows with inactive parameters at rest."""
        if not self._conditional or not len(rows):
            return rows
        return self.codes([self._space.settle(c) for c in self.configurations(rows)])

    def feasible(self, rows: Array) -> NDArray[np.bool_]:
        """Say of each row whether it satisfies the known constraints."""
        holds = np.ones(len(rows), dtype=np.bool_)
        columns = {n: self.column(n, rows) for c in self._constraints for n in c.names}
        for constraint in self._constraints:
            holds &= constraint.holds_for(columns, len(rows))
        return holds

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw rows, every feasible configuration equally likely."""
        return self.codes(self._space.sample(n, rng))


def _domain(parameter: Parameter) -> Domain:
    match parameter:
        case Ordinal() | Categorical() if parameter.size > 1:
            return _Listed(parameter)
        case Integer() if parameter.size > 1:
            return _Whole(parameter)
        case Permutation() if parameter.length > 1:
            return _Order(parameter)
        case Real() if parameter.high > parameter.low:
            return _Real(parameter)
        case _:
            return _Fixed(parameter)


def _column(values: list[Any]) -> NDArray[Any]:
    """Return values as an array of numbers or truth values, else of objects."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    if kinds == {float}:
        return np.array(values, dtype=np.float64)
    if kinds == {int} and max(map(abs, values)) < 2**62:
        return np.array(values, dtype=np.int64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _walk(codes: Array, size: int, rng: np.random.Generator) -> Array:
    """Step each code up or down by a normal length, a sixth of the list wide, at least 1."""
    length = np.maximum(1.0, np.rint(np.abs(rng.standard_normal(len(codes))) * max(1.0, size / 6)))
    step = np.where(rng.random(len(codes)) < 0.5, length, -length)
    moved = codes + step
    moved = np.where((moved < 0) | (moved >= size), codes - step, moved)
    return np.clip(moved, 0, size - 1)


def _around(code: float, size: int, *, everything: bool) -> Array:
    if everything or size <= _SHORT:
        codes = np.arange(size, dtype=np.float64)
        others: Array = codes[codes != code]
        return others
    strides = np.array(_STRIDES, dtype=np.float64)
    codes = np.concatenate([code - strides, code + strides])
    return codes[(codes >= 0) & (codes < size)]


def _swapped(order: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    moved = list(order)
    moved[i], moved[j] = moved[j], moved[i]
    return tuple(moved)


def _inserted(order: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    moved = list(order)
    moved.insert(j, moved.pop(i))
    return tuple(moved)
