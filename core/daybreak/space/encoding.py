"""Encodes configurations as numbers in [0, 1] for models, the way BaCO does.

- real, integer, ordinal: the value (its base-10 logarithm on a log scale), scaled so that the
  smallest value is 0 and the largest 1; one column. An ordinal uses its values, not their ranks.
- categorical: one column per value, 1 for the one taken.
- permutation of n elements, by `permutation=`:
  `spearman`: column e is the position of element e, divided by n; n columns;
  `kendall`: a column per pair of positions i < j, 1 where the element at i is below the one at j;
  `hamming`: column (i, e) is 1 where element e stands at position i; n*n columns;
  `naive`: a column per order, 1 for the one taken; n! columns, for up to six elements.
- program: no columns.

Source: BaCO's `param/parameters.py` and `param/transformations.py` (MIT).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError, nearest
from daybreak.records import Configuration
from daybreak.space.parameters import (
    Categorical,
    Integer,
    Ordinal,
    Parameter,
    Permutation,
    Program,
    Real,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from daybreak.space.space import Space

__all__ = ["MAX_NAIVE", "PERMUTATION_ENCODINGS", "encode", "encoded_names"]

PERMUTATION_ENCODINGS = ("spearman", "kendall", "hamming", "naive")
#: Longest permutation with a column per order (6! = 720 columns).
MAX_NAIVE = 6


def encode(
    space: Space, configurations: Sequence[Configuration], *, permutation: str
) -> NDArray[np.float64]:
    """See `Space.encode`."""
    import numpy as np

    _check(space, permutation)
    blocks = [np.zeros((len(configurations), 0))]
    for parameter in space.parameters:
        if isinstance(parameter, Program):
            continue
        try:
            values = [configuration[parameter.name] for configuration in configurations]
        except (KeyError, TypeError):
            raise SpaceError("a configuration has no value", field=parameter.name) from None
        blocks.append(_block(parameter, values, permutation))
    return np.hstack(blocks)


def encoded_names(space: Space, *, permutation: str) -> list[str]:
    """See `Space.encoded_names`."""
    _check(space, permutation)
    names: list[str] = []
    for parameter in space.parameters:
        name = parameter.name
        match parameter:
            case Program():
                pass
            case Categorical():
                names += [f"{name}={value}" for value in parameter.values]
            case Permutation():
                names += _order_names(name, parameter.length, permutation)
            case _:
                names.append(name)
    return names


def _check(space: Space, permutation: str) -> None:
    if permutation not in PERMUTATION_ENCODINGS:
        raise SpaceError(
            f"unknown permutation encoding {permutation!r}",
            expected="one of " + ", ".join(PERMUTATION_ENCODINGS),
            nearest=nearest(str(permutation), PERMUTATION_ENCODINGS),
        )
    for parameter in space.parameters:
        long = isinstance(parameter, Permutation) and parameter.length > MAX_NAIVE
        if permutation == "naive" and long:
            raise SpaceError(
                f"the naive encoding has a column per order, which is for up to {MAX_NAIVE} "
                "elements",
                field=parameter.name,
                expected="spearman, kendall or hamming",
            )


def _order_names(name: str, length: int, permutation: str) -> list[str]:
    elements = range(length)
    match permutation:
        case "spearman":
            return [f"pos({name}, {e})" for e in elements]
        case "kendall":
            return [f"{name}[{i}]<{name}[{j}]" for i, j in combinations(elements, 2)]
        case "hamming":
            return [f"{name}[{i}]={e}" for i in elements for e in elements]
        case _:
            return [f"{name}={list(order)}" for order in permutations(elements)]


def _block(parameter: Parameter, values: list[Any], permutation: str) -> NDArray[np.float64]:
    """Return the columns of one parameter, shape (configurations, columns)."""
    import numpy as np

    match parameter:
        case Ordinal():
            return _scaled(
                _listed(parameter, values),
                parameter.values[0],
                parameter.values[-1],
                parameter.log,
            )
        case Real() | Integer():
            numbers = [parameter.normalise(value) for value in values]
            return _scaled(numbers, parameter.low, parameter.high, parameter.log)
        case Categorical():
            table = {value: i for i, value in enumerate(parameter.values)}
            taken = [table[value] for value in _listed(parameter, values)]
            return np.eye(len(parameter.values))[np.asarray(taken, dtype=np.intp)]
        case Permutation():
            orders = np.array([parameter.normalise(v) for v in values], dtype=np.intp)
            return _orders(orders.reshape(-1, parameter.length), permutation)
        case _:
            raise AssertionError(parameter.type)


def _listed(parameter: Ordinal | Categorical, values: list[Any]) -> list[Any]:
    """Normalise values, each distinct one only once."""
    known: dict[tuple[type, Any], Any] = {}
    normalised = []
    for value in values:
        key = (type(value), value)
        try:
            if key not in known:
                known[key] = parameter.normalise(value)
        except TypeError:
            # a list, say, cannot be a key; `normalise` says what is wrong with it
            normalised.append(parameter.normalise(value))
        else:
            normalised.append(known[key])
    return normalised


def _scaled(numbers: Sequence[Any], low: float, high: float, log: bool) -> NDArray[np.float64]:
    import numpy as np

    column = np.array([float(number) for number in numbers])
    bottom, top = float(low), float(high)
    if log:
        column = np.log10(column)
        bottom, top = math.log10(bottom), math.log10(top)
    if top == bottom:
        return np.zeros((len(column), 1))
    return np.clip((column - bottom) / (top - bottom), 0.0, 1.0)[:, None]


def _orders(orders: NDArray[np.intp], permutation: str) -> NDArray[np.float64]:
    import numpy as np

    rows, length = orders.shape
    match permutation:
        case "spearman":
            positions: NDArray[np.float64] = np.argsort(orders, axis=1) / length
            return positions
        case "kendall":
            first, second = np.triu_indices(length, 1)
            return (orders[:, first] < orders[:, second]).astype(np.float64)
        case "hamming":
            return np.eye(length)[orders].reshape(rows, length * length)
        case _:
            table = {order: i for i, order in enumerate(permutations(range(length)))}
            taken = [table[tuple(order)] for order in orders.tolist()]
            return np.eye(math.factorial(length))[np.asarray(taken, dtype=np.intp)]
