"""Values of expressions as NumPy arrays, and what is done to all arrays of a value at once.

A scalar, an index, a vector or an array of them is one NumPy array; a pair is a tuple; an array of
pairs is a pair of arrays. A layout is (shape, NumPy type), or a tuple of two layouts for pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from daybreak_rise.errors import RiseTypeError
from daybreak_rise.nat import Size
from daybreak_rise.types import ArrayType, IndexType, PairType, ScalarType, Type, VectorType

__all__ = [
    "DTYPES",
    "Value",
    "common",
    "dtype_of",
    "each",
    "each_of_both",
    "first_leaf",
    "full",
    "known",
    "layout_of",
    "received",
]

Value: TypeAlias = Any  # an ndarray or a tuple of two values

DTYPES: dict[str, Any] = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "bool": np.bool_}


def dtype_of(type_: Type) -> Any:
    """Return the NumPy type of a scalar, an index, or of what an array or a vector holds."""
    while isinstance(type_, ArrayType | VectorType):
        type_ = type_.element
    if isinstance(type_, IndexType):
        return np.int64
    if not isinstance(type_, ScalarType):
        raise RiseTypeError(f"a {type_} is not held by one NumPy array")
    return DTYPES[type_.name]


def layout_of(type_: Type) -> Any:
    """Return (shape, NumPy type) of a type's value, a tuple of two layouts for pairs.

    Raises:
        RiseTypeError: a size is a symbol.
    """
    return _layout(type_, ())


def received(value: Value, type_: Type, what: str) -> Value:
    """Return `value`, an argument from outside, as arrays of the type's layout.

    Raises:
        RiseTypeError: it has another shape or is no pair; `what` names it.
    """
    return _receive(value, layout_of(type_), type_, what)


def known(size: Size | str) -> int:
    """Return a size as a number.

    Raises:
        RiseTypeError: it is a symbol.
    """
    if not isinstance(size, int):
        raise RiseTypeError(
            f"the size {size} is a symbol", remedy="replace_sizes_everywhere(expression, {...})"
        )
    return size


def each(value: Value, change: Callable[[Any], Any]) -> Value:
    """Return the value with every array changed."""
    if isinstance(value, tuple):
        return each(value[0], change), each(value[1], change)
    return change(value)


def each_of_both(left: Value, right: Value, change: Callable[[Any, Any], Any]) -> Value:
    """Return the value of arrays made from the arrays of two values alike."""
    if isinstance(left, tuple):
        return (
            each_of_both(left[0], right[0], change),
            each_of_both(left[1], right[1], change),
        )
    return change(left, right)


def first_leaf(value: Value) -> Any:
    """Return an array of the value, to ask for its shape."""
    while isinstance(value, tuple):
        value = value[0]
    return value


def full(value: Value, axis: int, size: int) -> Value:
    """Return the value with `axis` repeated to `size` where it has length 1."""

    def widen(a: Any) -> Any:
        if a.shape[axis] == size:
            return a
        return np.broadcast_to(a, (*a.shape[:axis], size, *a.shape[axis + 1 :]))

    return each(value, widen)


def common(left: Any, right: Any, axes: int) -> tuple[Any, Any]:
    """Return two arrays with their first `axes` axes broadcast against each other."""
    front = np.broadcast_shapes(left.shape[:axes], right.shape[:axes])
    return (
        np.broadcast_to(left, front + left.shape[axes:]),
        np.broadcast_to(right, front + right.shape[axes:]),
    )


def _layout(type_: Type, front: tuple[int, ...]) -> Any:
    match type_:
        case ArrayType() | VectorType():
            return _layout(type_.element, (*front, known(type_.size)))
        case PairType():
            return _layout(type_.first, front), _layout(type_.second, front)
        case _:
            return front, dtype_of(type_)


def _receive(value: Value, layout: Any, type_: Type, what: str) -> Value:
    shape, dtype = layout
    if isinstance(dtype, tuple):
        if not isinstance(value, tuple) or len(value) != 2:
            raise RiseTypeError(f"{what} is no pair", expected=str(type_))
        return tuple(_receive(v, one, type_, what) for v, one in zip(value, layout, strict=True))
    found = np.asarray(value, dtype=dtype)
    if found.shape != shape:
        raise RiseTypeError(f"{what} has the shape {found.shape}", expected=f"{shape} for {type_}")
    return found
