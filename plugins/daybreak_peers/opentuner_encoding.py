"""Daybreak's spaces in OpenTuner's terms, in two ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opentuner.search.manipulator import (
    EnumParameter,
    FloatParameter,
    IntegerParameter,
    PermutationParameter,
)

from daybreak import (
    Categorical,
    Configuration,
    Integer,
    Parameter,
    Permutation,
    Real,
    Space,
    SpaceError,
)
from daybreak_peers.trees import Tree, trees_of

__all__ = ["Embedding", "OwnTypes"]


class Embedding:
    """A float in [0, 1] for every parameter, as BaCO's paper gave the spaces to OpenTuner.

    A parameter that known constraints link to others picks child ``floor(x * children)`` at its
    level of their tree, so that every point is feasible (Rasch et al., Auto-Tuning Framework, ACM
    TACO 2021). Any other picks one of its values in their order, a real one a place on its scale.

    Attributes:
        parameters: OpenTuner's parameters.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._trees: list[Tree] = trees_of(space)
        self._linked = {name for tree in self._trees for name in tree.names}
        self.parameters = [FloatParameter(name, 0.0, 1.0) for name in space.names]

    def decode(self, values: Mapping[str, Any]) -> Configuration:
        """Return the configuration that the floats stand for."""
        found: dict[str, Any] = {}
        for tree in self._trees:
            found.update(tree.walk(values))
        for parameter in self._space.parameters:
            if parameter.name not in self._linked:
                found[parameter.name] = _pick(parameter, values[parameter.name])
        return dict(self._space.settle({name: found[name] for name in self._space.names}))

    def encode(self, configuration: Configuration) -> dict[str, Any] | None:
        """Return floats that stand for a feasible configuration; None if there are none."""
        values: dict[str, Any] = {}
        try:
            for tree in self._trees:
                values.update(tree.fractions(configuration))
        except SpaceError:
            return None
        for parameter in self._space.parameters:
            if parameter.name not in self._linked:
                values[parameter.name] = _place(parameter, configuration[parameter.name])
        return values


class OwnTypes:
    """OpenTuner's own types of parameter, free of constraints.

    ============  ======================================================================
    real          float; on a log scale its logarithm
    integer       integer; on a log scale a float, its logarithm
    ordinal       integer: the value's rank
    categorical   enumeration of the value's number
    permutation   permutation, with OpenTuner's operators for orders
    ============  ======================================================================

    OpenTuner's own logarithmic types fail by rounding at the ends of their ranges.

    Attributes:
        parameters: OpenTuner's parameters.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.parameters = [_own_type(parameter) for parameter in space.parameters]

    def decode(self, values: Mapping[str, Any]) -> Configuration:
        """Return the configuration, inactive parameters at rest; constraints need not hold."""
        found: dict[str, Any] = {}
        for parameter in self._space.parameters:
            value = values[parameter.name]
            if isinstance(parameter, Real | Integer):
                value = math.exp(value) if parameter.log else value
                value = float(value) if isinstance(parameter, Real) else round(value)
                found[parameter.name] = min(max(value, parameter.low), parameter.high)
            elif isinstance(parameter, Permutation):
                found[parameter.name] = tuple(value)
            else:
                found[parameter.name] = parameter.value_at(round(value))
        return dict(self._space.settle(found))

    def encode(self, configuration: Configuration) -> dict[str, Any]:
        """Return OpenTuner's values of a configuration."""
        values: dict[str, Any] = {}
        for parameter in self._space.parameters:
            value: Any = configuration[parameter.name]
            if isinstance(parameter, Real | Integer):
                values[parameter.name] = math.log(value) if parameter.log else value
            elif isinstance(parameter, Permutation):
                values[parameter.name] = list(value)
            else:
                values[parameter.name] = parameter.index_of(value)
        return values


def _own_type(parameter: Parameter) -> Any:
    name = parameter.name
    if isinstance(parameter, Real | Integer):
        if parameter.log:
            return FloatParameter(name, math.log(parameter.low), math.log(parameter.high))
        kind = FloatParameter if isinstance(parameter, Real) else IntegerParameter
        return kind(name, parameter.low, parameter.high)
    if isinstance(parameter, Permutation):
        return PermutationParameter(name, list(range(parameter.length)))
    size = parameter.size or 1
    if isinstance(parameter, Categorical):
        return EnumParameter(name, list(range(size)))
    return IntegerParameter(name, 0, size - 1)


def _pick(parameter: Parameter, at: float) -> Any:
    """Return the value at a place in [0, 1]."""
    if isinstance(parameter, Real):
        low, high = parameter.low, parameter.high
        if parameter.log:
            value = math.exp(math.log(low) + at * (math.log(high) - math.log(low)))
        else:
            value = low + at * (high - low)
        return min(max(value, low), high)
    size = parameter.size or 1
    return parameter.value_at(min(int(at * size), size - 1))


def _place(parameter: Parameter, value: Any) -> float:
    """Return a place in [0, 1] at which `_pick` finds the value."""
    if isinstance(parameter, Real):
        low, high = parameter.low, parameter.high
        if low == high:
            return 0.5
        if parameter.log:
            return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return (float(value) - low) / (high - low)
    return (parameter.index_of(value) + 0.5) / (parameter.size or 1)
