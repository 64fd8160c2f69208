"""Clipping one parameter of a space."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError
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

__all__ = ["restrict"]


def restrict(space: Space, name: str, values: Sequence[Any]) -> Space:
    """See `Space.restrict`."""
    from daybreak.space.space import Space

    parameter = space[name]
    constraints = list(space.constraints)
    kept: Parameter
    match parameter:
        case Ordinal() | Categorical():
            kept = _listed(parameter, values)
        case Real() | Integer():
            kept = _ranged(parameter, values)
        case Permutation():
            from daybreak.space.constraint import parse_constraint

            orders = [list(parameter.normalise(order)) for order in values]
            if not orders:
                raise SpaceError("no order would remain", field=name)
            constraints.append(parse_constraint(f"{name} in {orders}"))
            # the default may be cut away; the constraint says so to whoever checks it
            kept = parameter
        case _:
            raise SpaceError("a program cannot be clipped", field=name)
    return Space(
        [kept if p.name == name else p for p in space.parameters],
        constraints,
        space.name,
        references=space.references,
        published=space.published,
        notes=space.notes,
        clipped=True,
    )


def _listed(parameter: Ordinal | Categorical, values: Sequence[Any]) -> Parameter:
    wanted = {parameter.normalise(value) for value in values if parameter.contains(value)}
    kept = tuple(value for value in parameter.values if value in wanted)
    if not kept:
        raise SpaceError(
            "no value would remain",
            field=parameter.name,
            expected=", ".join(map(repr, parameter.values[:20])),
        )
    default: Any = parameter.default
    if default is not None and default not in kept:
        numeric = isinstance(parameter, Ordinal)
        default = min(kept, key=lambda v: abs(v - default)) if numeric else kept[0]
    changes: dict[str, Any] = {"values": kept, "default": default}
    return dataclasses.replace(parameter, **changes)


def _ranged(parameter: Real | Integer, values: Sequence[Any]) -> Parameter:
    numbers = list(values) if isinstance(values, Sequence) else []
    if len(numbers) != 2 or not all(isinstance(number, int | float) for number in numbers):
        raise SpaceError(f"cannot clip to {values!r}", field=parameter.name, expected="(low, high)")
    low, high = max(numbers[0], parameter.low), min(numbers[1], parameter.high)
    if low > high:
        raise SpaceError(
            f"nothing of {parameter.low}..{parameter.high} would remain", field=parameter.name
        )
    default = parameter.default
    if default is not None:
        default = min(high, max(low, default))
    return dataclasses.replace(parameter, low=low, high=high, default=default)
