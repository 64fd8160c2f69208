"""What each pattern does to values: the meanings that `interpret` puts together.

Each function gets `At`: the axis on which its outermost array stands (the axes before it belong
to the maps around) and the static parameters; then the arguments' values.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import Static
from daybreak_rise.patterns import MAPS, REDUCES
from daybreak_rise.values import (
    DTYPES,
    Value,
    common,
    each,
    each_of_both,
    first_leaf,
    full,
    known,
)

__all__ = ["MEANINGS", "SCALARS", "At", "Function"]

Function: TypeAlias = Callable[[int, Any], Any]  # (axes of maps around, argument) -> result


class At(NamedTuple):
    """Where a pattern is applied."""

    axis: int
    statics: tuple[Static, ...]


def _map(at: At, function: Function, array: Value) -> Value:
    size = first_leaf(array).shape[at.axis]
    return full(function(at.axis + 1, array), at.axis, size)


def _reduce(at: At, function: Function, start: Value, array: Value) -> Value:
    for i in range(first_leaf(array).shape[at.axis]):
        place = (*(slice(None),) * at.axis, i)
        part = each(array, itemgetter(place))
        start = function(at.axis, start)(at.axis, part)
    return start


def _generate(at: At, function: Function) -> Value:
    size = known(at.statics[0])
    numbers = np.arange(size).reshape((1,) * at.axis + (size,))
    return full(function(at.axis + 1, numbers), at.axis, size)


def _let(at: At, value: Value, function: Function) -> Value:
    return function(at.axis, value)


def _select(at: At, test: Any, yes: Value, no: Value) -> Value:
    def choose(a: Any, b: Any) -> Any:
        return np.where(test.reshape(test.shape + (1,) * (a.ndim - at.axis)), a, b)

    return each_of_both(yes, no, choose)


def _split(at: At, array: Value) -> Value:
    k = known(at.statics[0])
    return each(
        array,
        lambda a: a.reshape(
            (*a.shape[: at.axis], a.shape[at.axis] // k, k, *a.shape[at.axis + 1 :])
        ),
    )


def _join(at: At, array: Value) -> Value:
    return each(
        array,
        lambda a: a.reshape(
            (*a.shape[: at.axis], a.shape[at.axis] * a.shape[at.axis + 1], *a.shape[at.axis + 2 :])
        ),
    )


def _slide(at: At, array: Value) -> Value:
    size, step = known(at.statics[0]), known(at.statics[1])

    def windows(a: Any) -> Any:
        seen = np.lib.stride_tricks.sliding_window_view(a, size, axis=at.axis)
        seen = seen[(*(slice(None),) * at.axis, slice(None, None, step))]
        return np.moveaxis(seen, -1, at.axis + 1)

    return each(array, windows)


def _rotate(at: At, function: Function, array: Value) -> Value:
    return _slide(At(at.axis, (at.statics[0], 1)), _map(at, function, array))


def _pad_constant(at: At, value: Value, array: Value) -> Value:
    left, right = known(at.statics[0]), known(at.statics[1])

    def pad(v: Any, a: Any) -> Any:
        a, v = common(a, np.expand_dims(v, at.axis), at.axis)
        parts = [np.repeat(v, left, axis=at.axis), a, np.repeat(v, right, axis=at.axis)]
        return np.concatenate(parts, axis=at.axis)

    return each_of_both(value, array, pad)


def _pad_clamp(at: At, array: Value) -> Value:
    left, right = known(at.statics[0]), known(at.statics[1])
    size = first_leaf(array).shape[at.axis]
    places = np.clip(np.arange(-left, size + right), 0, size - 1)
    return each(array, lambda a: np.take(a, places, axis=at.axis))


def _concat(at: At, left: Value, right: Value) -> Value:
    return each_of_both(
        left, right, lambda a, b: np.concatenate(common(a, b, at.axis), axis=at.axis)
    )


def _with_stride(at: At, array: Value) -> Value:
    k = known(at.statics[0])
    size = first_leaf(array).shape[at.axis]
    places = np.arange(size).reshape(size // k, k).T.reshape(-1)
    return each(array, lambda a: np.take(a, places, axis=at.axis))


def _pick(array: Value, places: Any, axis: int) -> Value:
    """Return the elements of `axis` at `places`, whose last axis runs over places."""

    def take(a: Any) -> Any:
        a, chosen = common(a, places, axis)
        return np.take_along_axis(
            a, chosen.reshape(chosen.shape + (1,) * (a.ndim - chosen.ndim)), axis=axis
        )

    return each(array, take)


def _idx(at: At, place: Any, array: Value) -> Value:
    found = _pick(array, np.expand_dims(place, at.axis), at.axis)
    return each(found, lambda a: np.squeeze(a, axis=at.axis))


def _gather(at: At, places: Any, array: Value) -> Value:
    return _pick(array, places, at.axis)


def _scatter(at: At, places: Any, array: Value) -> Value:
    order = np.argsort(places, axis=at.axis)
    straight = np.take_along_axis(places, order, axis=at.axis)
    if not (straight == np.arange(places.shape[at.axis])).all():
        raise RiseTypeError("scatter: the indices are no permutation")
    return _pick(array, order, at.axis)


def _copies(at: At, value: Any) -> Value:
    k = known(at.statics[0])
    return np.broadcast_to(value[..., None], (*value.shape, k))


def _cast(at: At, value: Any) -> Value:
    return value.astype(DTYPES[str(at.statics[0])])


def _divide(left: Any, right: Any) -> Any:
    if left.dtype.kind == "f":
        return left / right
    quotient = np.floor_divide(left, right)
    # C rounds towards zero
    return quotient + ((left % right != 0) & ((left < 0) != (right < 0))).astype(left.dtype)


def _transpose(at: At, array: Value) -> Value:
    return each(array, lambda a: np.swapaxes(a, at.axis, at.axis + 1))


def _take(at: At, array: Value) -> Value:
    kept = (*(slice(None),) * at.axis, slice(None, known(at.statics[0])))
    return each(array, lambda a: a[kept])


def _drop(at: At, array: Value) -> Value:
    kept = (*(slice(None),) * at.axis, slice(known(at.statics[0]), None))
    return each(array, lambda a: a[kept])


def _reverse(at: At, array: Value) -> Value:
    return each(array, lambda a: np.flip(a, axis=at.axis))


def _same(_: At, value: Value) -> Value:
    return value


def _two(_: At, left: Value, right: Value) -> Value:
    # also of arrays: an array of pairs is a pair of arrays
    return left, right


MEANINGS: dict[str, Callable[..., Value]] = {
    **dict.fromkeys(MAPS, _map),
    **dict.fromkeys(REDUCES, _reduce),
    "generate": _generate,
    "let": _let,
    "select": _select,
    "pair": _two,
    "fst": lambda _, value: value[0],
    "snd": lambda _, value: value[1],
    "zip": _two,
    "unzip": _same,
    "split": _split,
    "join": _join,
    "transpose": _transpose,
    "slide": _slide,
    "padConstant": _pad_constant,
    "padClamp": _pad_clamp,
    "take": _take,
    "drop": _drop,
    "concat": _concat,
    "reverse": _reverse,
    "reorderWithStride": _with_stride,
    "idx": _idx,
    "gather": _gather,
    "scatter": _scatter,
    "asVector": _split,
    "asScalar": _join,
    "asScalarPairs": _join,
    "vectorFromScalar": _copies,
    "rotateValues": _rotate,
    "toMem": _same,
    "cast": _cast,
}

SCALARS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": _divide,
    "mod": np.fmod,
    "min": np.minimum,
    "max": np.maximum,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "neg": np.negative,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
}
