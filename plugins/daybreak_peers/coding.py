"""Daybreak's parameters as the plain columns that other libraries know: floats, whole numbers,
choices.

==============  =================================================================================
real            a float column with its range and scale
integer         a whole-number column with its range and scale
ordinal         a whole-number column of ranks 0 .. k-1, which for evenly spaced values and for
                powers on a log scale is the value's own scale
categorical     a choice among k values
permutation     up to 120 orders: a choice among them; else *random keys* (Bean 1994), a float in
                [0, 1] per element: the elements in ascending order of their keys
==============  =================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from daybreak import (
    Categorical,
    Configuration,
    Integer,
    Ordinal,
    Parameter,
    Permutation,
    Real,
    Space,
    SpaceError,
)
from daybreak_peers.trees import trees_of

__all__ = ["MAX_LISTED_ORDERS", "Coding", "Column"]

#: Permutations with more orders than this are passed as random keys.
MAX_LISTED_ORDERS = 120


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `low` .. `high`, both included; a choice counts from 0.

    `parameter` is the parameter that it belongs to.
    """

    name: str
    kind: Literal["float", "integer", "choice"]
    low: float
    high: float
    log: bool
    parameter: str

    @property
    def size(self) -> int | None:
        """Number of values; None for a float."""
        return None if self.kind == "float" else int(self.high) - int(self.low) + 1


class Coding:
    """Translates configurations of a space to columns and back.

    Args:
        space: the search space.
        embed: linked parameters get a float in [0, 1] each that picks among the feasible children
            at its level of the tree (see `daybreak_peers.trees`), so that all columns together
            always stand for a feasible configuration; except those of parts that cannot be listed.

    Attributes:
        columns: in order of declaration; a parameter of a single value has none.
        embedded: the parameters that are embedded.

    Raises:
        SpaceError: the space has a program parameter.
    """

    def __init__(self, space: Space, *, embed: bool = False) -> None:
        self._space = space
        self._trees = trees_of(space) if embed else []
        self.embedded = frozenset(name for tree in self._trees for name in tree.names)
        self._columns = {
            p.name: (Column(p.name, "float", 0.0, 1.0, False, p.name),)
            if p.name in self.embedded
            else _columns(p)
            for p in space.parameters
        }
        self.columns: tuple[Column, ...] = tuple(
            column for columns in self._columns.values() for column in columns
        )

    def of(self, parameter: str) -> tuple[Column, ...]:
        """Return the columns of one parameter."""
        return self._columns[parameter]

    def encode(self, configuration: Configuration) -> dict[str, float | int]:
        """Return the value of every column, in order of declaration.

        Raises:
            SpaceError: an embedded parameter's values are not feasible.
        """
        values: dict[str, float | int] = {}
        for tree in self._trees:
            values.update(tree.fractions(configuration))
        for parameter in self._space.parameters:
            if parameter.name not in self.embedded:
                values.update(self._encode_one(parameter, configuration[parameter.name]))
        return {column.name: values[column.name] for column in self.columns}

    def decode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration that the columns stand for; inactive parameters at rest.

        It has valid values; the constraints need not hold. A parameter whose columns are missing
        rests.
        """
        found: dict[str, Any] = {}
        for tree in self._trees:
            found.update(tree.walk(values))
        for parameter in self._space.parameters:
            if parameter.name not in self.embedded:
                found[parameter.name] = self.decode_one(parameter, values)
        return dict(self._space.settle({name: found[name] for name in self._space.names}))

    def decode_one(self, parameter: Parameter, values: Mapping[str, Any]) -> Any:
        """Return one parameter's value; its rest if a column is missing. Not for embedded ones."""
        columns = self._columns[parameter.name]
        if not columns:
            return parameter.rest
        if any(column.name not in values for column in columns):
            return parameter.rest
        if isinstance(parameter, Real):
            return min(max(float(values[parameter.name]), parameter.low), parameter.high)
        if isinstance(parameter, Integer):
            return min(max(round(values[parameter.name]), parameter.low), parameter.high)
        if len(columns) == 1:
            return parameter.value_at(int(values[parameter.name]))
        keys = [float(values[column.name]) for column in columns]
        return tuple(sorted(range(len(keys)), key=keys.__getitem__))

    def _encode_one(self, parameter: Parameter, value: Any) -> dict[str, float | int]:
        columns = self._columns[parameter.name]
        if not columns:
            return {}
        if isinstance(parameter, Real | Integer):
            return {parameter.name: value}
        if len(columns) == 1:
            return {parameter.name: parameter.index_of(value)}
        keys: dict[str, float | int] = {}
        for position, element in enumerate(value):
            keys[columns[element].name] = (position + 0.5) / len(columns)
        return keys


def _columns(parameter: Parameter) -> tuple[Column, ...]:
    name, size = parameter.name, parameter.size
    if size == 1 or (isinstance(parameter, Real) and parameter.low == parameter.high):
        return ()
    if isinstance(parameter, Real):
        return (Column(name, "float", parameter.low, parameter.high, parameter.log, name),)
    if isinstance(parameter, Integer):
        return (Column(name, "integer", parameter.low, parameter.high, parameter.log, name),)
    if isinstance(parameter, Ordinal) and size is not None:
        return (Column(name, "integer", 0, size - 1, False, name),)
    if isinstance(parameter, Categorical) and size is not None:
        return (Column(name, "choice", 0, size - 1, False, name),)
    if isinstance(parameter, Permutation):
        if parameter.size <= MAX_LISTED_ORDERS:
            return (Column(name, "choice", 0, parameter.size - 1, False, name),)
        return tuple(
            Column(f"{name}[{i}]", "float", 0.0, 1.0, False, name) for i in range(parameter.length)
        )
    raise SpaceError(f"a {parameter.type} parameter is no column", field=name)
