"""Evaluates a constraint for one configuration: the tree becomes nested Python closures.

The meaning of every operator is defined here; `vector.py` must agree with it on every input.

- A value may be *undefined*: division or modulo by zero, a position or element out of range, a
  number that is not finite or a power of more than 1,024 bits.
- Logic is three-valued (Kleene): `or` holds if any operand holds, `and` fails if any operand
  fails, whatever is undefined beside it and in whatever order they are written; otherwise an
  undefined operand makes the result undefined.
- A constraint whose value is undefined does not hold.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from daybreak.space.expression import (
    Arithmetic,
    Call,
    Compare,
    Constant,
    Item,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Position,
)

__all__ = ["MAX_POWER_BITS", "Evaluator", "compile_scalar"]

#: A power with a larger result is undefined: it would only burn time and memory.
MAX_POWER_BITS = 1024

Evaluator: TypeAlias = Callable[[Mapping[str, Any]], Any]


class _Undefined(Exception):  # noqa: N818 - it is a value, not an error
    """Raised while an undefined value travels up to the next logical operator."""


_UNDEFINED = _Undefined()


def compile_scalar(node: Node) -> Callable[[Mapping[str, Any]], bool]:
    """Return a function of a configuration that says whether the constraint holds.

    The configuration must hold a normalised value for every name in `node`.
    """
    evaluate = _compile(node)

    def holds(configuration: Mapping[str, Any]) -> bool:
        try:
            return bool(evaluate(configuration))
        except _Undefined:
            return False

    return holds


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if abs(base) > 1 and exponent * base.bit_length() > MAX_POWER_BITS:
            raise _UNDEFINED
        return base**exponent
    value = base**exponent
    if isinstance(value, complex):
        raise _UNDEFINED
    return value


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _compile(node: Node) -> Evaluator:
    match node:
        case Constant(value):
            return lambda _: value
        case Name(name):
            return operator.itemgetter(name)
        case Negative(operand):
            inner = _compile(operand)
            return lambda c: -inner(c)
        case Not(operand):
            inner = _compile(operand)
            return lambda c: not inner(c)
        case Arithmetic(op, left, right):
            return _arithmetic(_ARITHMETIC[op], _compile(left), _compile(right))
        case Compare(operands, ops):
            compiled = [_compile(operand) for operand in operands]
            links = [_link(_COMPARE[op], compiled[i], compiled[i + 1]) for i, op in enumerate(ops)]
            return links[0] if len(links) == 1 else _logic("and", links)
        case Member(item, choices, negated):
            found = _logic("or", [_link(operator.eq, _compile(item), _compile(c)) for c in choices])
            return (lambda c: not found(c)) if negated else found
        case Logic(op, operands):
            return _logic(op, [_compile(operand) for operand in operands])
        case Call(function, arguments):
            return _call(function, [_compile(argument) for argument in arguments])
        case Position(permutation, element):
            return _position(permutation, _compile(element))
        case Item(permutation, position):
            return _item(permutation, _compile(position))


def _arithmetic(
    function: Callable[[Any, Any], Any], left: Evaluator, right: Evaluator
) -> Evaluator:
    def evaluate(configuration: Mapping[str, Any]) -> Any:
        try:
            value = function(left(configuration), right(configuration))
        except (ZeroDivisionError, OverflowError):
            raise _UNDEFINED from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _UNDEFINED
        return value

    return evaluate


def _link(function: Callable[[Any, Any], bool], left: Evaluator, right: Evaluator) -> Evaluator:
    return lambda c: function(left(c), right(c))


def _logic(op: str, operands: list[Evaluator]) -> Evaluator:
    decisive = op == "or"

    def evaluate(configuration: Mapping[str, Any]) -> bool:
        undefined = False
        for operand in operands:
            try:
                if bool(operand(configuration)) is decisive:
                    return decisive
            except _Undefined:
                undefined = True
        if undefined:
            raise _UNDEFINED
        return not decisive

    return evaluate


def _call(function: str, arguments: list[Evaluator]) -> Evaluator:
    if function == "abs":
        only = arguments[0]
        return lambda c: abs(only(c))
    choose = min if function == "min" else max
    return lambda c: choose([argument(c) for argument in arguments])


def _position(permutation: str, element: Evaluator) -> Evaluator:
    def evaluate(configuration: Mapping[str, Any]) -> int:
        try:
            return configuration[permutation].index(element(configuration))  # type: ignore[no-any-return]
        except ValueError:
            raise _UNDEFINED from None

    return evaluate


def _item(permutation: str, position: Evaluator) -> Evaluator:
    def evaluate(configuration: Mapping[str, Any]) -> int:
        order = configuration[permutation]
        at = position(configuration)
        if at != at // 1 or not 0 <= at < len(order):
            raise _UNDEFINED
        return order[int(at)]  # type: ignore[no-any-return]

    return evaluate
