"""Reads lists of values that T1 files write as Python: parsed to a tree and folded, never run."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["MAX_VALUES", "values_of"]

#: A parameter with more values is none.
MAX_VALUES = 100_000

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
_LISTS = frozenset({"list", "sorted", "tuple"})


def values_of(given: Any, type_: str = "") -> list[Any]:
    """Return the values that `given` lists.

    Args:
        given: a list, or text: ``[1, 2]``, ``(1, 2)``, ``range(1, 9)``, ``list(range(...))``,
            ``[16 * i for i in range(1, 17)]``, lists joined by ``+``, ``['a', 'b']``.
        type_: T1's `Type`; a `bool` written as 0 or 1 stays a number.

    Raises:
        ValueError: the text is none of these, or the list is empty or too long.
    """
    values = list(given) if isinstance(given, list) else _parse(str(given))
    if type_ in ("int", "uint"):
        values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    values = [list(v) if isinstance(v, tuple) else v for v in values]
    if not values:
        raise ValueError("the list is empty")
    if len(values) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} values")
    return values


def _parse(text: str) -> list[Any]:
    if len(text) > 1_000_000:
        raise ValueError("the text is too long")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        found = _fold(tree, {})
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"`{text[:200]}` cannot be parsed") from error
    except (TypeError, ArithmeticError) as error:
        raise ValueError(f"`{text[:200]}`: {error}") from error
    if not isinstance(found, list | tuple | range):
        raise ValueError(f"`{text[:200]}` is no list")
    return list(found)


def _fold(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value) if isinstance(value, bool | int | float | str):
            return value
        case ast.List(elts) | ast.Tuple(elts):
            return [_fold(element, names) for element in elts]
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name) if name.lower() in ("true", "false"):
            return name.lower() == "true"
        case ast.UnaryOp(ast.USub(), operand):
            return -_number(_fold(operand, names))
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            return _combine(_OPERATORS[type(op)], _fold(left, names), _fold(right, names))
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
            bounds = [_fold(argument, names) for argument in arguments]
            found = range(*[int(_number(bound)) for bound in bounds])
            if len(found) > MAX_VALUES:
                raise ValueError(f"more than {MAX_VALUES:,} values")
            return found
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _LISTS:
            return list(_fold(argument, names))
        case ast.ListComp(element, [ast.comprehension(ast.Name(id=name), source, [], 0)]):
            return [_fold(element, {**names, name: value}) for value in _fold(source, names)]
    raise ValueError(f"`{ast.unparse(node)[:200]}` is not understood")


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return value


def _combine(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if isinstance(left, list | range) and isinstance(right, list | range):
        if function is not operator.add:
            raise ValueError("lists can only be joined by +")
        return [*left, *right]
    left, right = _number(left), _number(right)
    if function in (operator.pow, operator.lshift) and abs(right) > 64:
        raise ValueError(f"an exponent of {right} is too large")
    if abs(left) > 2**64 or abs(right) > 2**64:
        raise ValueError("the numbers are too large")
    return function(left, right)
