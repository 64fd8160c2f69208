"""The neighbourhood of the published local search, with its peculiarities.

One parameter is changed:

- categorical: to every other value;
- permutation: to every other order for up to five elements, else by every swap of two elements;
- ordinal, without known constraints: to the next two values up and the next three down;
- ordinal, with known constraints anywhere in the space: to the first two feasible values up; then
  down, until three are found in both directions together;
- integer, real: to six draws of a normal distribution around the value, truncated to the range,
  with a tenth of the range as deviation; with constraints, drawn again up to ten times for the
  infeasible ones.

The asymmetry comes from slices that leave out the last value and from a counter that is not reset
between up and down; downward windows overlap, so that some values count twice. Source: BaCO's
`bo/local_search.py` as of the paper (commit 2b8f99a).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any, TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri

from daybreak import Categorical, Integer, Ordinal, Parameter, Permutation, Real, Space

__all__ = ["Neighbourhood", "ordinal_steps"]

_WANTED = 3
_DRAWS = 2 * _WANTED
_ROUNDS = 10
_DEVIATION = 0.1
#: longest permutation whose orders are all neighbours of each other
_ALL_ORDERS = 5

_Configuration: TypeAlias = dict[str, Any]


class Neighbourhood:
    """Lists neighbours in a space; draws, for integer and real parameters, from `rng`."""

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self._space = space
        self._rng = rng
        self._constrained = bool(space.constraints or space.conditions)

    def of(self, configuration: _Configuration) -> list[_Configuration]:
        """Return the feasible neighbours of a feasible configuration, each once."""
        space = self._space
        active = space.active(configuration) if space.conditions else None
        found: dict[tuple[Any, ...], _Configuration] = {}
        for parameter in space.parameters:
            if active is not None and not active[parameter.name]:
                continue
            for value in self._steps(parameter, configuration):
                changed = self._changed(configuration, parameter.name, value)
                found[tuple(changed.values())] = changed
        found.pop(tuple(configuration.values()), None)
        return list(found.values())

    def _changed(self, configuration: _Configuration, name: str, value: Any) -> _Configuration:
        changed = {**configuration, name: value}
        return dict(self._space.settle(changed)) if self._space.conditions else changed

    def _steps(self, parameter: Parameter, configuration: _Configuration) -> Iterator[Any]:
        def feasible(value: Any) -> bool:
            changed = self._changed(configuration, parameter.name, value)
            return self._space.feasible(changed)

        value = configuration[parameter.name]
        match parameter:
            case Ordinal():
                at = parameter.index_of(value)
                test = feasible if self._constrained else None
                yield from (parameter.values[i] for i in ordinal_steps(parameter.values, at, test))
            case Integer() | Real():
                yield from self._drawn(parameter, value, feasible)
            case Categorical():
                others = (other for other in parameter.values if other != value)
                yield from filter(feasible, others) if self._constrained else others
            case Permutation():
                orders = _orders(parameter, value)
                yield from filter(feasible, orders) if self._constrained else orders
            case _:
                return

    def _drawn(
        self, parameter: Integer | Real, value: float, feasible: Callable[[Any], bool]
    ) -> list[Any]:
        width = parameter.high - parameter.low
        if width == 0:
            return []
        if not self._constrained:
            return self._draw(parameter, (value - parameter.low) / width, _DRAWS)
        found: list[Any] = []
        for _ in range(_ROUNDS):
            if len(found) >= _DRAWS:
                break
            missing = _DRAWS - len(found)
            drawn = self._draw(parameter, (value - parameter.low) / width, missing)
            found += [one for one in drawn if feasible(one)]
        return found

    def _draw(self, parameter: Integer | Real, centre: float, n: int) -> list[Any]:
        """Draw around `centre`, a fraction of the range, by inverting the distribution."""
        below, above = ndtr((0.0 - centre) / _DEVIATION), ndtr((1.0 - centre) / _DEVIATION)
        quantiles = below + self._rng.random(n) * (above - below)
        fractions = np.clip(centre + _DEVIATION * ndtri(quantiles), 0.0, 1.0).tolist()
        low, high = parameter.low, parameter.high
        if isinstance(parameter, Integer):
            stretch = high + 0.999999 - low
            return [min(math.floor(f * stretch) + int(low), int(high)) for f in fractions]
        return [min(max(f * (high - low) + low, low), high) for f in fractions]


def ordinal_steps(
    values: Sequence[Any], at: int, feasible: Callable[[Any], bool] | None
) -> list[int]:
    """Return indices of the neighbours of value number `at`.

    Args:
        values: ascending.
        at: index of the present value.
        feasible: says whether a value is feasible, everything else unchanged; None: no constraints.
    """
    last = len(values)
    if feasible is None:
        down = range(at - min(_WANTED, at), at)
        return [*down, *range(at + 1, at + min(_WANTED, last - at))]
    known: dict[int, bool] = {}

    def keep(window: range) -> list[int]:
        for i in window:
            if i not in known:
                known[i] = feasible(values[i])
        return [i for i in window if known[i]]

    found: list[int] = []
    here = at
    while len(found) < _WANTED:
        window = range(here + 1, here + min(_WANTED - len(found), last - here))
        if not window:
            break
        found += keep(window)
        here = window[-1]
    here = at
    while len(found) < _WANTED:
        window = range(here - min(_WANTED - len(found), here), here)
        if not window:
            break
        found += keep(window)
        here = window[-1]
    return list(dict.fromkeys(found))


def _orders(parameter: Permutation, order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if parameter.length <= _ALL_ORDERS:
        for other in permutations(range(parameter.length)):
            if other != order:
                yield other
        return
    for i, j in combinations(range(parameter.length), 2):
        swapped = list(order)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        yield tuple(swapped)
