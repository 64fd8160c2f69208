"""The forms that rules look for, and how they build what they put in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from daybreak_rise.building import Pending
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive, fresh, substitute
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.patterns import MAPS, REDUCES
from daybreak_rise.types import ArrayType, Type

__all__ = [
    "MapForm",
    "ReduceForm",
    "again",
    "as_map",
    "as_reduce",
    "beta",
    "called",
    "does_not_divide",
    "each_row",
    "lam",
    "lam2",
    "mapping",
    "moved",
    "nested_map",
    "reducing",
    "same_pattern",
    "uses",
]

_MAPS, _REDUCES = frozenset(MAPS), frozenset(REDUCES)


class MapForm(NamedTuple):
    """An applied map of any kind: head(function, array)."""

    head: Primitive
    function: Expr
    array: Expr


class ReduceForm(NamedTuple):
    """An applied reduction of any kind: head(function, start, array)."""

    head: Primitive
    function: Expr
    start: Expr
    array: Expr


def as_map(expression: Expr) -> MapForm | None:
    """Return the parts of an applied map, or None."""
    if type(expression) is App and type(expression.fun) is App:
        head = expression.fun.fun
        if type(head) is Primitive and head.name in _MAPS:
            return MapForm(head, expression.fun.arg, expression.arg)
    return None


def as_reduce(expression: Expr) -> ReduceForm | None:
    """Return the parts of an applied reduction, or None."""
    if type(expression) is App and type(expression.fun) is App:
        inner = expression.fun.fun
        if type(inner) is App and type(inner.fun) is Primitive and inner.fun.name in _REDUCES:
            return ReduceForm(inner.fun, inner.arg, expression.fun.arg, expression.arg)
    return None


def nested_map(form: MapForm) -> tuple[Primitive, Expr] | None:
    """Return (map, f) of `map(map(f))` or `map(x. map(f)(x))`: what `**f` is made of."""
    function = form.function
    if type(function) is App and type(function.fun) is Primitive and function.fun.name in _MAPS:
        return function.fun, function.arg
    if type(function) is Lambda:
        inner = as_map(function.body)
        if inner is not None and inner.array == function.param:
            return None if uses(inner.function, function.param) else inner[:2]
    return None


def called(expression: Expr, name: str) -> tuple[Primitive, tuple[Expr, ...]] | None:
    """Return the head and the arguments of a pattern of that name, saturated or not, or None."""
    arguments = []
    while type(expression) is App:
        arguments.append(expression.arg)
        expression = expression.fun
    if type(expression) is Primitive and expression.name == name:
        arguments.reverse()
        return expression, tuple(arguments)
    return None


def same_pattern(left: Primitive, right: Primitive) -> bool:
    """Return whether two primitives are one pattern with the same static parameters."""
    return left.name == right.name and left.statics == right.statics


def does_not_divide(k: Size, size: Size) -> str | None:
    """Return why an array of `size` is not cut into pieces of k; None where it is."""
    return None if divide_exactly(size, k) is not None else f"{k} does not divide {size}"


def uses(expression: Expr, identifier: Identifier) -> bool:
    """Return whether the identifier occurs free in the expression."""
    return identifier.name in expression.free


def beta(function: Expr, *arguments: Expr) -> Expr:
    """Return the function applied, a lambda by putting the argument in place."""
    for argument in arguments:
        if type(function) is Lambda:
            function = substitute(function.body, function.param.name, argument)
        else:
            function = App(function, argument)
    return function


def lam(type_: Type, body: Callable[[Identifier], Expr], hint: str = "x") -> Lambda:
    """Return a lambda of one parameter."""
    param = fresh(hint, type_)
    return Lambda(param, body(param))


def lam2(
    first: Type,
    second: Type,
    body: Callable[[Identifier, Identifier], Expr],
    hints: tuple[str, str] = ("acc", "y"),
) -> Lambda:
    """Return a lambda of two parameters."""
    return lam(first, lambda a: lam(second, lambda b: body(a, b), hints[1]), hints[0])


def mapping(head: Primitive, function: Any, array: Expr) -> Expr:
    """Return a map of `head`'s kind; `function` may be a Python function or typed."""
    found: Expr = Pending(head.name, head.statics)(function, array)
    return found


def moved(e: Expr, names: frozenset[str]) -> tuple[Primitive, Expr] | None:
    """Return (movement, array) where `e` is movement(array) and the movement has such a name."""
    if type(e) is App and type(e.fun) is Primitive and e.fun.name in names:
        return e.fun, e.arg
    return None


def again(movement: Primitive, array: Expr) -> Expr:
    """Return the same movement of another array."""
    found: Expr = Pending(movement.name, movement.statics)(array)
    return found


def each_row(form: MapForm, change: Callable[[Expr], Expr], array: Expr) -> Expr:
    """Return a map of the form's kind over the rows of the matrix `array`."""
    assert isinstance(array.type, ArrayType)  # noqa: S101  (callers have a matrix)
    return mapping(form.head, lam(array.type.element, change, "row"), array)


def reducing(head: Primitive, function: Any, start: Expr, array: Expr) -> Expr:
    """Return a reduction of `head`'s kind; `function` may be a Python function or typed."""
    found: Expr = Pending(head.name, head.statics)(function, start, array)
    return found
