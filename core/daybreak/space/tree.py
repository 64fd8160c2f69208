"""One tree of a chain of trees: the feasible combinations of parameters that constraints link.

The tree is kept as the table of its leaves: one row per feasible combination, one column of value
indices per parameter, sorted lexicographically in order of declaration. The inner nodes are the
runs of equal prefixes in that table; they are found when path-biased sampling needs them.

Building goes level by level over many partial combinations at once, as arrays of indices. Each
constraint is applied as soon as its last name is bound. Where its other names have few
combinations, it is evaluated once for each of them and looked up from then on, so that a
constraint over two parameters costs the product of their sizes and not the size of the tree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError
from daybreak.space.constraint import Constraint
from daybreak.space.parameters import Parameter, Permutation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Indices = NDArray[np.unsignedinteger[Any]]

__all__ = [
    "MAX_CANDIDATES",
    "MAX_LEAVES",
    "MAX_ORDER",
    "MAX_VALUES",
    "TooLargeError",
    "Tree",
    "blame",
    "build_leaves",
    "empty_error",
]

#: Limits of a tree: leaves, combinations tested at all levels together (some ten seconds), values of a
#: parameter, and elements of a constrained permutation (9! = 362,880 orders).
MAX_LEAVES = 8_000_000
MAX_CANDIDATES = 100_000_000
MAX_VALUES = 1_000_000
MAX_ORDER = 9

#: Combinations tested at once, and combinations of a constraint's names that it is tabulated for.
_BLOCK = 1 << 20
_TABLE = 1 << 18
#: Leaves of a larger tree are looked up in an array: slower, a tenth of the memory.
_ROWS_AS_SET = 200_000


class TooLargeError(Exception):
    """The tree would exceed one of the limits; the message says which."""


def _domain(parameter: Parameter) -> tuple[list[Any], NDArray[Any]]:
    """Return a parameter's values as a list and as the column that constraints are tested on."""
    from itertools import permutations

    from daybreak.space.vector import column_of

    if isinstance(parameter, Permutation):
        if parameter.length > MAX_ORDER:
            raise TooLargeError(f"'{parameter.name}' has more than {MAX_ORDER} elements")
        values: list[Any] = list(permutations(range(parameter.length)))
    else:
        size = parameter.size
        if size is None or size > MAX_VALUES:
            raise TooLargeError(f"'{parameter.name}' has more than {MAX_VALUES:,} values")
        values = [parameter.value_at(i) for i in range(size)]
    return values, column_of(values)


def build_leaves(
    parameters: Sequence[Parameter],
    constraints: Sequence[Constraint],
    *,
    max_leaves: int = MAX_LEAVES,
    max_candidates: int = MAX_CANDIDATES,
) -> tuple[Indices, list[list[Any]]]:
    """Return the leaves of the tree over `parameters`.

    Returns:
        The index table, shape (leaves, parameters), sorted by rows; and every parameter's list
        of values, which the indices count.

    Raises:
        TooLargeError: one of the limits is exceeded.
    """
    return _Builder(parameters, constraints, max_leaves, max_candidates).build()


class _Builder:
    """Builds the leaves of one tree; used once."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        constraints: Sequence[Constraint],
        max_leaves: int,
        max_candidates: int,
    ) -> None:
        import numpy as np

        self._names = [parameter.name for parameter in parameters]
        self._lists: dict[str, list[Any]] = {}
        self._columns: dict[str, NDArray[Any]] = {}
        for parameter in parameters:
            values, column = _domain(parameter)
            self._lists[parameter.name] = values
            self._columns[parameter.name] = column
        # the values that a parameter's own constraints leave
        self._kept: dict[str, Indices] = {
            name: np.arange(len(values), dtype=np.min_scalar_type(len(values)))
            for name, values in self._lists.items()
        }
        self._single = [c for c in constraints if len(c.names) == 1]
        self._linking = [c for c in constraints if len(c.names) > 1]
        self._tables: dict[Constraint, _Table] = {}
        self._max_leaves = max_leaves
        self._leaves = 0
        self._budget = max_candidates

    def build(self) -> tuple[Indices, list[list[Any]]]:
        import numpy as np

        for constraint in self._single:
            (name,) = constraint.names
            kept = self._kept[name]
            columns = {name: self._columns[name][kept]}
            self._kept[name] = kept[constraint.holds_for(columns, len(kept))]
        self._order = self._choose_order()
        self._ready = [
            [c for c in self._linking if name in c.names and placed.issuperset(c.names)]
            for name, placed in (
                (name, set(self._order[: i + 1])) for i, name in enumerate(self._order)
            )
        ]
        blocks: list[dict[str, Indices]] = []
        self._descend(0, {}, 1, blocks)
        # small types: the table may have millions of rows
        dtype = np.result_type(*(kept.dtype for kept in self._kept.values()))
        table = np.empty((self._leaves, len(self._names)), dtype=dtype)
        for i, name in enumerate(self._names):
            if blocks:
                table[:, i] = np.concatenate([block[name] for block in blocks])
        if self._order != self._names:
            table = table[np.lexsort(table.T[::-1])]
        return table, [self._lists[name] for name in self._names]

    def _choose_order(self) -> list[str]:
        """Order the names so that constraints apply early and levels stay narrow.

        Greedy: next comes the name that completes most constraints with those already placed;
        ties go to the name that shares a constraint with them, then to the fewest values.
        """
        left = list(self._names)
        placed: set[str] = set()
        order = []
        while left:

            def rank(name: str) -> tuple[int, int, int]:
                mine = [c for c in self._linking if name in c.names]
                completed = sum(placed.union((name,)).issuperset(c.names) for c in mine)
                linked = any(not placed.isdisjoint(c.names) for c in mine)
                return -completed, -int(linked), len(self._kept[name])

            name = min(left, key=rank)
            left.remove(name)
            placed.add(name)
            order.append(name)
        return order

    def _descend(
        self, level: int, bound: dict[str, Indices], rows: int, blocks: list[dict[str, Indices]]
    ) -> None:
        """Extend `rows` partial combinations to leaves, and add those to `blocks`.

        A level that would grow wide is cut into blocks of rows that go down one after the other:
        memory holds one block per level and the leaves, never a whole level.
        """
        for deeper in range(level, len(self._order)):
            width = len(self._kept[self._order[deeper]])
            if rows > 1 and rows * width > _BLOCK:
                step = max(1, _BLOCK // width)
                for start in range(0, rows, step):
                    block = {name: index[start : start + step] for name, index in bound.items()}
                    self._descend(deeper, block, min(step, rows - start), blocks)
                return
            bound, rows = self._extend(deeper, bound, rows)
            if rows == 0:
                return
        self._leaves += rows
        if self._leaves > self._max_leaves:
            raise TooLargeError(f"more than {self._max_leaves:,} combinations are feasible")
        blocks.append(bound)

    def _extend(
        self, level: int, bound: dict[str, Indices], rows: int
    ) -> tuple[dict[str, Indices], int]:
        """Bind the name of `level`: every row times every value, less what constraints refuse."""
        import numpy as np

        name = self._order[level]
        values = self._kept[name]
        self._budget -= rows * len(values)
        if self._budget < 0:
            raise TooLargeError("too many combinations to test")
        mask = np.ones((rows, len(values)), dtype=np.bool_)
        direct = []
        for constraint in self._ready[level]:
            table = self._tabulate(constraint, name, rows)
            if table is None:
                direct.append(constraint)
            else:
                mask &= table.rows(bound)
        row, value = np.nonzero(mask)
        for constraint in direct:
            if not len(row):
                break
            columns = {
                n: self._columns[n][values[value] if n == name else bound[n][row]]
                for n in constraint.names
            }
            ok = constraint.holds_for(columns, len(row))
            row, value = row[ok], value[ok]
        extended = {other: index[row] for other, index in bound.items()}
        extended[name] = values[value]
        return extended, len(row)

    def _tabulate(self, constraint: Constraint, name: str, rows: int) -> _Table | None:
        """Evaluate a constraint for all values of its names, if those are few."""
        table = self._tables.get(constraint)
        if table is None:
            others = [other for other in constraint.names if other != name]
            sizes = [len(self._lists[other]) for other in others]
            product = math.prod(sizes)
            if product > rows or product * len(self._kept[name]) > _TABLE:
                return None
            table = _Table(constraint, others, sizes, name, self._columns, self._kept[name])
            self._tables[constraint] = table
        return table


class _Table:
    """A constraint's truth for every combination of `others` (rows) and of `name` (columns)."""

    def __init__(
        self,
        constraint: Constraint,
        others: list[str],
        sizes: list[int],
        name: str,
        columns: dict[str, NDArray[Any]],
        kept: Indices,
    ) -> None:
        import numpy as np

        self.others = others
        self._sizes = sizes
        combinations = math.prod(sizes)
        grid = np.unravel_index(np.arange(combinations), sizes) if others else ()
        rows = combinations * len(kept)
        expanded = {
            other: columns[other][np.repeat(index, len(kept))]
            for other, index in zip(others, grid, strict=True)
        }
        if name in constraint.names:
            expanded[name] = columns[name][np.tile(kept, combinations)]
        self._truth = constraint.holds_for(expanded, rows).reshape(combinations, len(kept))

    def rows(self, bound: dict[str, Indices]) -> NDArray[np.bool_]:
        """Return the truth rows for the bound indices, shape (rows, kept values)."""
        import numpy as np

        if not self.others:
            return self._truth
        key = np.ravel_multi_index(tuple(bound[other] for other in self.others), self._sizes)
        return self._truth[key]


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

    def leaf(self, at: int) -> dict[str, Any]:
        """Return the values of leaf number `at`."""
        row = self.leaves[at]
        return {n: self._lists[i][row[i]] for i, n in enumerate(self.names)}

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
