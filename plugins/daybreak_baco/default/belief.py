"""A user's belief about where the optimum lies, as a density over configurations.

A belief is a product over parameters. Around a value it is a normal bump over the ordered values
(their ranks; a real's range, logarithmic where it is), or over orders by how many pairs of elements
stand the other way round (Mallows' model with the Kendall distance); for a categorical, or wherever
the user gives weights, it is a table. A part of every factor is uniform, so that nothing is ruled
out by a belief. How an acquisition uses it is in `daybreak_baco.default.acquisition`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Integer, Ordinal, Parameter, Permutation, Real, Reference, Space, UserError
from daybreak import nearest as nearest_name
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.prior_options import Among, Around, PriorOptions

__all__ = ["Belief", "believed"]

Array = NDArray[np.float64]
#: density by value, of one parameter; the largest is 1
_Density = Callable[[Any], float]

#: part of each parameter's density that is uniform
UNIFORM = 0.05


class Belief:
    """Log-density of the optimum's place, at most 0, over rows of `coding`.

    Attributes:
        centre: the configuration named by `near`, complete and feasible; None if there is none.
        weight: evaluations after which the belief weighs as much as one natural-log unit per unit
            of log-density; the acquisition gets ``weight / n`` of it after n evaluations.
    """

    def __init__(
        self,
        coding: Coding,
        densities: Mapping[str, _Density],
        centre: Mapping[str, Any] | None,
        weight: float,
    ) -> None:
        self._coding = coding
        self._tables: list[tuple[int, _Density, dict[float, float]]] = [
            (i, densities[domain.name], {})
            for i, domain in enumerate(coding.domains)
            if domain.free and domain.name in densities
        ]
        self.centre = centre
        self.weight = weight

    def log_density(self, rows: Array) -> Array:
        """Return the log-density of each row, shape (rows,), up to a constant; at most 0."""
        total = np.zeros(len(rows))
        for i, density, known in self._tables:
            codes, back = np.unique(rows[:, i], return_inverse=True)
            domain = self._coding.domains[i]
            fresh = [code for code in codes.tolist() if code not in known]
            if fresh:
                values = domain.values(np.array(fresh))
                for code, value in zip(fresh, values, strict=True):
                    known[code] = float(np.log(UNIFORM + (1.0 - UNIFORM) * density(value)))
            total += np.array([known[code] for code in codes.tolist()])[back]
        return total


def believed(
    space: Space,
    coding: Coding,
    options: PriorOptions,
    references: Sequence[Reference],
    evaluations: int | None,
) -> Belief:
    """Return the belief that `options` describe, for a budget of `evaluations` (None: unknown).

    Raises:
        UserError: an unknown reference, parameter or value; none of them is guessed.
    """
    point = _near(space, options, references)
    densities: dict[str, _Density] = {
        name: _bump(space[name], value, options.spread) for name, value in point.items()
    }
    for name, wanted in options.parameters.items():
        parameter = _parameter(space, name)
        if isinstance(wanted, Around):
            value = _value(parameter, wanted.around)
            densities[name] = _bump(parameter, value, wanted.spread or options.spread)
        else:
            densities[name] = _listed(parameter, wanted)
    complete = set(point) == set(space.names) and space.feasible(space.normalise(point))
    strength = options.strength
    if strength is None:
        # Hvarfner et al. 2022 let a prior of strength 10 decay over 100 evaluations
        strength = max(2.0, (evaluations or 100) / 10.0)
    return Belief(coding, densities, space.normalise(point) if complete else None, strength)


def _near(space: Space, options: PriorOptions, references: Sequence[Reference]) -> dict[str, Any]:
    near = options.near
    if near is None:
        return {}
    if isinstance(near, str):
        found = {reference.name: reference for reference in references}
        if near not in found:
            raise UserError(
                f"the benchmark has no reference '{near}'",
                field="prior.near",
                expected="one of " + ", ".join(sorted(found)) if found else "a configuration",
                nearest=nearest_name(near, found),
            )
        if not found[near].in_space:
            raise UserError(
                f"the reference '{near}' is no point of the search space",
                field="prior.near",
                expected="a reference with a value for every parameter, or a configuration",
            )
        near = dict(found[near].configuration)
    return {name: _value(_parameter(space, name), value) for name, value in near.items()}


def _parameter(space: Space, name: str) -> Parameter:
    if name not in space.names:
        raise UserError(
            f"the search space has no parameter '{name}'",
            field=f"prior.{name}",
            expected="one of " + ", ".join(space.names),
            nearest=nearest_name(name, space.names),
        )
    return space[name]


def _value(parameter: Parameter, value: Any) -> Any:
    if isinstance(value, list):
        value = tuple(value)
    return parameter.normalise(value)


def _bump(parameter: Parameter, centre: Any, spread: float) -> _Density:
    if isinstance(parameter, Permutation):
        pairs = list(combinations(range(parameter.length), 2))
        at = {element: place for place, element in enumerate(centre)}

        def order(value: Any) -> float:
            place = {element: i for i, element in enumerate(value)}
            turned = sum((at[a] < at[b]) != (place[a] < place[b]) for a, b in pairs)
            return float(np.exp(-turned / max(len(pairs), 1) / spread))

        return order
    scale = _scale(parameter)
    if scale is None:
        return lambda value: 1.0 if value == centre else float(np.exp(-0.5 / spread**2))
    middle = scale(centre)
    return lambda value: float(np.exp(-0.5 * ((scale(value) - middle) / spread) ** 2))


def _scale(parameter: Parameter) -> Callable[[Any], float] | None:
    """Return where values lie between 0 and 1, or None where they have no order."""
    match parameter:
        case Ordinal():
            top = max(len(parameter.values) - 1, 1)
            return lambda value: parameter.index_of(value) / top
        case Integer() | Real():
            low, high = float(parameter.low), float(parameter.high)
            if high <= low:
                return lambda _: 0.0
            if parameter.log:
                return lambda value: float(np.log(value / low) / np.log(high / low))
            return lambda value: (float(value) - low) / (high - low)
        case _:
            return None


def _listed(parameter: Parameter, wanted: Among) -> _Density:
    weights = wanted.weights or [1.0] * len(wanted.among)
    values = [_value(parameter, value) for value in wanted.among]
    table = dict(zip(values, weights, strict=True))
    top = max(weights)
    return lambda value: table.get(value, 0.0) / top
