"""What an expression means, on NumPy: the truth that rewriting and code generation must keep.

Inside a `map` nothing loops: the body is evaluated once for all elements, with the mapped axes in
front. An identifier from further out has fewer such axes and gets axes of length 1 in between.
Only reductions loop, from the first element to the last, so that a sum in f32 is the sum that
`reduceSeq` gives on a device without fused operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import Expr, Identifier, Lambda, Literal, Primitive, spine
from daybreak_rise.meanings import MEANINGS, SCALARS, At
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.types import inputs
from daybreak_rise.values import Value, dtype_of, each, layout_of, received

__all__ = ["interpret", "layout_of"]


def interpret(expression: Expr, *arguments: Value) -> Value:
    """Return the value of `expression` applied to `arguments`.

    Args:
        expression: a function with concrete sizes, or any expression without free identifiers.
        arguments: one for each parameter: an array of the parameter's sizes (anything that
            `numpy.asarray` takes), a tuple of two where the elements are pairs.

    Returns:
        An array, or a tuple for pairs; of the element types' NumPy types, indices as int64.

    Raises:
        RiseTypeError: a size is a symbol, an argument is missing or has another shape, `scatter`
            meets indices that are no permutation.
    """
    taken, _ = inputs(expression.type)
    if len(arguments) != len(taken):
        raise RiseTypeError(f"{len(taken)} arguments are needed, {len(arguments)} given")
    if expression.free:
        raise RiseTypeError(f"free identifiers: {', '.join(sorted(expression.free))}")
    with np.errstate(all="ignore"):
        found = _evaluate(expression, {}, 0)
        for number, (argument, type_) in enumerate(zip(arguments, taken, strict=True)):
            found = found(0, received(argument, type_, f"argument {number}"))
    return each(found, np.asarray)


class _Bound(NamedTuple):
    """A value and how many axes of maps it has in front."""

    value: Any
    axes: int


def _evaluate(one: Expr, scope: Mapping[str, _Bound], axes: int) -> Any:
    match one:
        case Identifier():
            return _at(scope[one.name], axes)
        case Literal():
            value = np.asarray(one.value, dtype=dtype_of(one.type))
            return value.reshape((1,) * axes + value.shape)
        case Lambda():
            name, body = one.param.name, one.body
            return lambda n, v: _evaluate(body, {**scope, name: _Bound(v, n)}, n)
    head, arguments = spine(one)
    ready = [_Bound(_evaluate(a, scope, axes), axes) for a in arguments]
    if isinstance(head, Primitive):
        return _apply(head, ready, axes)
    found = _evaluate(head, scope, axes)
    for argument in ready:
        found = found(axes, argument.value)
    return found


def _apply(head: Primitive, arguments: list[_Bound], axes: int) -> Any:
    if len(arguments) < PATTERNS[head.name].arity:
        return lambda n, v: _apply(head, [*arguments, _Bound(v, n)], n)
    values = [_at(a, axes) for a in arguments]
    scalar = SCALARS.get(head.name)
    if scalar is not None:
        return scalar(*values)
    return MEANINGS[head.name](At(axes, head.statics), *values)


def _at(bound: _Bound, axes: int) -> Any:
    """Return a value with axes of length 1 for the maps entered since it was bound."""
    value, had = bound
    if had == axes or callable(value):
        return value
    new = (1,) * (axes - had)
    return each(value, lambda a: a.reshape(a.shape[:had] + new + a.shape[had:]))
