"""The neighbours of a configuration: one parameter changed by one step, and feasible.

A step is, by type:

- ordinal, integer: the next value up and the next one down at which the configuration is
  feasible, however far (an integer is searched for at most 1,000 values each way);
- real: 3 % and 10 % of the range up and down, on the logarithm where it is on a log scale;
- categorical: every other value;
- permutation: every other order for up to five elements, else every swap of two elements;
- program: none.

Parameters that the change makes inactive are put at rest; an inactive parameter is not changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

from daybreak.records import Configuration, Value
from daybreak.space.parameters import (
    Categorical,
    Integer,
    Ordinal,
    Parameter,
    Permutation,
    Real,
)

if TYPE_CHECKING:
    from daybreak.space.space import Space

__all__ = ["ALL_ORDERS", "MAX_SEARCH", "REAL_STEPS", "neighbours"]

#: Longest permutation whose orders are all neighbours of each other.
ALL_ORDERS = 5
#: How many values of an integer are tried in one direction.
MAX_SEARCH = 1000
#: Steps of a real parameter, as parts of its range.
REAL_STEPS = (0.03, 0.1)


def neighbours(space: Space, configuration: Configuration) -> list[dict[str, Value]]:
    """See `Space.neighbours`; in order of parameters, then of values."""
    start = space.normalise(configuration)
    active = space.active(start)
    # the trees answer faster than the constraints, as soon as there are any
    parts = space.parts
    found: dict[tuple[Any, ...], dict[str, Value]] = {}

    def attempt(name: str, value: Value) -> bool:
        changed = space.settle({**start, name: value})
        if not all(part.find(changed) for part in parts):
            return False
        if changed != start:
            found[tuple(changed.values())] = changed
        return True

    for parameter in space.parameters:
        if active[parameter.name]:
            _try_steps(parameter, start, attempt)
    return list(found.values())


def _try_steps(
    parameter: Parameter, start: Mapping[str, Value], attempt: Callable[[str, Value], bool]
) -> None:
    name = parameter.name
    for direction in _directions(parameter, start[name]):
        for value in direction:
            if attempt(name, value) and isinstance(parameter, Ordinal | Integer):
                break


def _directions(parameter: Parameter, value: Any) -> list[Iterator[Value]]:
    """Return the values to try, nearest first; one iterator per direction of search."""
    match parameter:
        case Ordinal():
            at = parameter.index_of(value)
            return [iter(parameter.values[:at][::-1]), iter(parameter.values[at + 1 :])]
        case Integer():
            down = range(value - 1, max(parameter.low, value - MAX_SEARCH) - 1, -1)
            up = range(value + 1, min(parameter.high, value + MAX_SEARCH) + 1)
            return [iter(down), iter(up)]
        case Real():
            return [_real_steps(parameter, value)]
        case Categorical():
            return [iter([other for other in parameter.values if other != value])]
        case Permutation() if parameter.length <= ALL_ORDERS:
            return [permutations(range(parameter.length))]
        case Permutation():
            return [_swaps(value)]
        case _:
            return []


def _real_steps(parameter: Real, value: float) -> Iterator[float]:
    low, high = parameter.low, parameter.high
    for step in (-REAL_STEPS[1], -REAL_STEPS[0], REAL_STEPS[0], REAL_STEPS[1]):
        if parameter.log:
            moved = value * math.exp(step * (math.log(high) - math.log(low)))
        else:
            moved = value + step * (high - low)
        yield min(high, max(low, moved))


def _swaps(order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for i, j in combinations(range(len(order)), 2):
        swapped = list(order)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        yield tuple(swapped)
