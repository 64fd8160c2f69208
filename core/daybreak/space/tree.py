"""One tree of a chain of trees: the feasible combinations of parameters that constraints link.

The tree is kept as the table of its leaves: one row per feasible combination, one column of value
indices per parameter, sorted lexicographically in order of declaration. The inner nodes are the
runs of equal prefixes in that table; they are found when path-biased sampling needs them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError
from daybreak.space.building import TooLargeError, build_leaves
from daybreak.space.constraint import Constraint
from daybreak.space.parameters import Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Tree", "blame", "empty_error"]

#: Leaves of a larger tree are looked up in an array: slower, a tenth of the memory.
_ROWS_AS_SET = 200_000


class Tree:
    """The feasible combinations of some parameters.

    Attributes:
        names: the parameters, in order of declaration; the tree's levels.
        leaves: index table, shape (leaves, names), rows sorted.
    """

    def __init__(self, parameters: Sequence[Parameter], constraints: Sequence[Constraint]) -> None:
        self.names = tuple(parameter.name for parameter in parameters)
        self.leaves, lists = build_leaves(parameters, constraints)
        self._lists = lists
        self._values = [_objects(values) for values in lists]
        self._pick = itemgetter(*self.names)
        self._rows: frozenset[Any] | None = None
        self._keys: NDArray[Any] | None = None
        self._digits: list[tuple[str, dict[Any, int]]] = []
        self._paths: list[tuple[NDArray[np.intp], NDArray[np.intp]]] | None = None

    @property
    def count(self) -> int:
        """Number of leaves."""
        return len(self.leaves)

    def columns(self, at: NDArray[np.intp] | slice) -> dict[str, list[Any]]:
        """Return the values of leaves number `at`, a list per parameter."""
        return {
            name: values[self.leaves[at, i]].tolist()
            for i, (name, values) in enumerate(zip(self.names, self._values, strict=True))
        }

    def find(self, configuration: Mapping[str, Any]) -> bool:
        """Say whether the values of this tree's parameters form a leaf.

        Raises:
            KeyError: a name is missing.
            TypeError: a value cannot be hashed (a permutation given as a list).
        """
        if self._rows is not None:
            return self._pick(configuration) in self._rows
        if self.count <= _ROWS_AS_SET:
            columns = list(self.columns(slice(None)).values())
            self._rows = frozenset(columns[0] if len(columns) == 1 else zip(*columns, strict=True))
            return self._pick(configuration) in self._rows
        return self._find_key(configuration)

    def _find_key(self, configuration: Mapping[str, Any]) -> bool:
        """Look up a leaf of a large tree by its number in mixed radix, in a sorted array."""
        import numpy as np

        if self._keys is None:
            sizes = [len(values) for values in self._lists]
            strides = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
            dtype: Any = np.int64 if math.prod(sizes) < 2**63 else object
            self._keys = self.leaves.astype(dtype) @ np.array(strides, dtype=dtype)
            self._digits = [
                (name, {value: i * stride for i, value in enumerate(values)})
                for name, values, stride in zip(self.names, self._lists, strides, strict=True)
            ]
        key = 0
        for name, digits in self._digits:
            digit = digits.get(configuration[name])
            if digit is None:
                return False
            key += digit
        at = int(self._keys.searchsorted(key))
        return at < self.count and int(self._keys[at]) == key

    def draw(self, rng: np.random.Generator, n: int) -> NDArray[np.intp]:
        """Draw `n` leaf numbers, every leaf equally likely."""
        return rng.integers(0, self.count, n)

    def draw_paths(self, rng: np.random.Generator, n: int) -> NDArray[np.intp]:
        """Draw `n` leaf numbers by walking down: at each level every child is equally likely."""
        import numpy as np

        node = np.zeros(n, dtype=np.intp)
        for first, children in self._levels():
            node = first[node] + rng.integers(0, children[node])
        return node

    def path_weights(self) -> NDArray[np.float64]:
        """Return the logarithm of every leaf's probability under `draw_paths`."""
        import numpy as np

        weights = np.zeros(1)
        for _, children in self._levels():
            weights = np.repeat(weights - np.log(children), children)
        return weights

    def _levels(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """For every level: the first child and the number of children of each node above it."""
        import numpy as np

        if self._paths is None:
            paths = []
            above = np.zeros(1, dtype=np.intp)
            differs = np.zeros(self.count, dtype=np.bool_)
            differs[0] = True
            for i in range(len(self.names)):
                differs[1:] |= self.leaves[1:, i] != self.leaves[:-1, i]
                starts = np.flatnonzero(differs)
                first = np.searchsorted(starts, above)
                paths.append((first, np.diff(first, append=len(starts))))
                above = starts
            self._paths = paths
        return self._paths


def _objects(values: list[Any]) -> NDArray[Any]:
    """Return `values` as an object array, so that indexing gives back the same Python objects."""
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def blame(parameters: Sequence[Parameter], constraints: Sequence[Constraint]) -> list[Constraint]:
    """Return constraints of an empty tree, none of which can be left out to explain it.

    A deletion filter: whatever can be dropped while the tree stays empty is dropped.
    """
    needed = list(constraints)
    for constraint in constraints:
        fewer = [c for c in needed if c is not constraint]
        try:
            leaves, _ = build_leaves(
                parameters, fewer, max_leaves=200_000, max_candidates=20_000_000
            )
        except TooLargeError:
            continue
        if len(leaves) == 0:
            needed = fewer
    return needed


def empty_error(constraints: Sequence[Constraint], space: str) -> SpaceError:
    """Return the error for constraints that no configuration satisfies."""
    quoted = "; ".join(f"`{constraint.text}`" for constraint in constraints)
    together = "no configuration satisfies" + (" together" if len(constraints) > 1 else "")
    return SpaceError(
        f"search space {space!r} is empty: {together}: {quoted}",
        remedy="loosen one of these constraints or widen the parameters in them",
    )
