"""Builds the leaves of a tree, level by level, on arrays of value indices.

Many partial combinations are extended at once. Each constraint is applied as soon as its last name
is bound. Where its other names have few combinations, it is evaluated once for each of them and
looked up from then on, so that a constraint over two parameters costs the product of their sizes
and not the size of the tree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from daybreak.space.constraint import Constraint
from daybreak.space.parameters import Parameter, Permutation
from daybreak.space.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Indices = NDArray[np.unsignedinteger[Any]]

__all__ = [
    "MAX_CANDIDATES",
    "MAX_LEAVES",
    "MAX_ORDER",
    "MAX_VALUES",
    "Indices",
    "TooLargeError",
    "build_leaves",
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

        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._names = list(self._parameters)
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
        linking = [c for c in constraints if len(c.names) > 1]
        # listed rows need no building: the shortest list is where the tree starts from
        listed = [c for c in linking if isinstance(c, Rows)]
        self._rows = min(listed, key=len, default=None)
        self._linking = [c for c in linking if c is not self._rows]
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
        if self._rows is None:
            self._descend(0, {}, 1, blocks)
        else:
            bound, rows = self._listed(self._rows)
            if rows:
                self._descend(len(self._rows.names), bound, rows, blocks)
        # small types: the table may have millions of rows
        dtype = np.result_type(*(kept.dtype for kept in self._kept.values()))
        table = np.empty((self._leaves, len(self._names)), dtype=dtype)
        for i, name in enumerate(self._names):
            if blocks:
                table[:, i] = np.concatenate([block[name] for block in blocks])
        if self._rows is not None or self._order != self._names:
            table = table[np.lexsort(table.T[::-1])]
        return table, [self._lists[name] for name in self._names]

    def _listed(self, rows: Rows) -> tuple[dict[str, Indices], int]:
        """Return the listed rows that the other constraints among their names leave."""
        import numpy as np

        places = rows.indices(self._lists, self._parameters)
        ok = np.ones(len(places[rows.names[0]]), dtype=np.bool_)
        for name, index in places.items():
            allowed = np.zeros(len(self._lists[name]), dtype=np.bool_)
            allowed[self._kept[name]] = True
            ok &= allowed[index]
        bound: dict[str, Indices] = {
            name: index[ok].astype(self._kept[name].dtype) for name, index in places.items()
        }
        count = int(ok.sum())
        for constraint in self._linking:
            if count and set(rows.names).issuperset(constraint.names):
                columns = {name: self._columns[name][bound[name]] for name in constraint.names}
                held = constraint.holds_for(columns, count)
                bound = {name: index[held] for name, index in bound.items()}
                count = int(held.sum())
        return bound, count

    def _choose_order(self) -> list[str]:
        """Order the names so that constraints apply early and levels stay narrow.

        Greedy: next comes the name that completes most constraints with those already placed;
        ties go to the name that shares a constraint with them, then to the fewest values. The
        names of listed rows come first.
        """
        order = [] if self._rows is None else list(self._rows.names)
        placed = set(order)
        left = [name for name in self._names if name not in placed]
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
