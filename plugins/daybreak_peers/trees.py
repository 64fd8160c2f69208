"""The feasible combinations of linked parameters, for libraries that know no constraints.

Two ways to have every point of a plain space stand for a feasible configuration: *repair* takes
the nearest feasible leaf of each tree; the *embedding* (Rasch et al., Auto-Tuning Framework, ACM
TACO 2021) has a number in [0, 1) per parameter pick one of the feasible children at its level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from daybreak import Configuration, Space, SpaceError

__all__ = ["Mender", "Tree", "trees_of"]


class Tree:
    """The leaves of one tree.

    Attributes:
        names: its parameters, in order of declaration: its levels.
        count: number of leaves.
    """

    def __init__(self, names: tuple[str, ...], columns: Mapping[str, list[Any]], space: Space):
        self.names = names
        self.count = len(columns[names[0]])
        self._parameters = [space[name] for name in names]
        self._index = np.column_stack(
            [
                _numbers([parameter.index_of(value) for value in columns[parameter.name]])
                for parameter in self._parameters
            ]
        )
        order = np.lexsort(self._index.T[::-1])
        self._index = self._index[order]
        #: the tree's parameters without constraints: only their encoding is used
        self._plain = Space(self._parameters)
        self._encoded: np.ndarray[Any, np.dtype[np.float64]] | None = None

    def at(self, leaf: int) -> dict[str, Any]:
        """Return the values of a leaf by its number."""
        row = self._index[leaf].tolist()
        return {p.name: p.value_at(i) for p, i in zip(self._parameters, row, strict=True)}

    def nearest(self, configuration: Configuration) -> dict[str, Any]:
        """Return the feasible values nearest to those given; the first of equals.

        Distance is the sum of absolute differences in Daybreak's encoding, where each parameter
        spans [0, 1] on its own scale and a permutation's columns are its elements' positions.
        """
        if self._encoded is None:
            self._encoded = self._plain.encode([self.at(i) for i in range(self.count)])
        point = self._plain.encode([{name: configuration[name] for name in self.names}])
        return self.at(int(np.abs(self._encoded - point).sum(axis=1).argmin()))

    def walk(self, fractions: Mapping[str, float]) -> dict[str, Any]:
        """Return the leaf where each level's fraction picks the child floor(fraction * children)."""
        low, high = 0, self.count
        found = {}
        for level, parameter in enumerate(self._parameters):
            children = np.unique(self._index[low:high, level])
            place = min(int(fractions[parameter.name] * len(children)), len(children) - 1)
            child = children[place]
            found[parameter.name] = parameter.value_at(int(child))
            column = self._index[low:high, level]
            low, high = low + column.searchsorted(child), low + column.searchsorted(child, "right")
        return found

    def fractions(self, configuration: Configuration) -> dict[str, float]:
        """Return fractions that `walk` turns into the configuration: the middles of its children.

        Raises:
            SpaceError: the values are no leaf.
        """
        low, high = 0, self.count
        found = {}
        for level, parameter in enumerate(self._parameters):
            child = parameter.index_of(configuration[parameter.name])
            column = self._index[low:high, level]
            children = np.unique(column)
            place = int(children.searchsorted(child))
            if place == len(children) or children[place] != child:
                raise SpaceError("the values are no leaf", field=parameter.name)
            found[parameter.name] = (place + 0.5) / len(children)
            low, high = low + column.searchsorted(child), low + column.searchsorted(child, "right")
        return found


class Mender:
    """Repairs configurations: the nearest feasible leaf of each tree.

    Real parameters in constraints, and trees too large to list, are left as they are: what comes
    out may still be infeasible.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._trees = trees_of(space)

    def mend(self, configuration: Configuration) -> dict[str, Any]:
        """Return `configuration` if it is feasible, else the nearest that is, tree by tree."""
        mended = dict(configuration)
        if not self._space.feasible(mended):
            for tree in self._trees:
                mended.update(tree.nearest(mended))
        return mended


def trees_of(space: Space) -> list[Tree]:
    """Return a tree for every part of linked parameters that can be listed.

    Parts with real parameters, and those too large to list, have none.
    """
    trees = []
    for part in space.parts:
        if len(part.names) == 1:
            parameter = space[part.names[0]]
            # a constraint on one parameter alone makes a tree of one level
            if parameter.size is None or part.count() == parameter.size:
                continue
        try:
            count = part.count()
        except SpaceError:
            continue
        if count is not None:
            trees.append(Tree(part.names, part.columns(range(count)), space))
    return trees


def _numbers(values: list[int]) -> np.ndarray[Any, Any]:
    """Return whole numbers as an array, also beyond 64 bits."""
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return np.array(values, dtype=object)
