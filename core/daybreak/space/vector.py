"""Evaluates a constraint for many candidates at once, with NumPy; agrees with `scalar.py`.

Whole numbers are int64 and carry a bound on their magnitude. Where a result might leave int64,
where a whole number beyond 2**53 would meet a float, and for powers of floats (whose last bit
depends on the vector library), `_NeedsExact` sends the whole constraint to the scalar evaluator,
row by row: slower, never different.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    names_in,
)
from daybreak.space.scalar import compile_scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[Any]

__all__ = ["column_of", "holds", "numbers"]

_EXACT_FLOAT = 2**53
_EXACT_INT = 2**62


class _NeedsExact(Exception):  # noqa: N818 - it is a message, not an error
    """The scalar evaluator must do this constraint."""


@dataclass(slots=True)
class _Values:
    """Values of a node for all rows.

    kind: `i` int64, `f` float64, `b` bool, `o` text or mixed, `p` orders, shape (rows, length).
    data: one entry per row, or a scalar / single row that stands for all rows.
    defined: bool array, or True where all rows are defined.
    bound: for `i`, no magnitude is above it.
    """

    kind: str
    data: Any
    defined: Any = True
    bound: int = 0


def column_of(values: Sequence[Any]) -> Column:
    """Return a parameter's values as the array that `holds` expects.

    int64, float64 or bool for plain numbers and truth values, shape (n, length) for orders, object
    for texts, mixed values and numbers beyond int64.
    """
    import numpy as np

    types = {type(value) for value in values}
    if types == {tuple}:
        return np.array(values, dtype=np.int16)
    if types == {bool}:
        return np.array(values, dtype=np.bool_)
    if types == {float}:
        return np.array(values, dtype=np.float64)
    if types == {int} and all(-_EXACT_INT < value < _EXACT_INT for value in values):
        return np.array(values, dtype=np.int64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def holds(node: Node, columns: Mapping[str, Column], rows: int) -> NDArray[np.bool_]:
    """Say for each of `rows` candidates whether the constraint holds.

    Args:
        node: the constraint.
        columns: for every name in `node`, an array as `column_of` makes it, with `rows` entries.
        rows: number of candidates.

    Returns:
        bool array of shape (rows,).
    """
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            truth, defined = _truth(_evaluate(node, columns))
        return np.broadcast_to(truth & defined, (rows,)).astype(np.bool_)
    except _NeedsExact:
        return _row_by_row(node, columns, rows)


def numbers(node: Node, columns: Mapping[str, Column], rows: int) -> NDArray[np.float64]:
    """Return the number that an expression gives for each of `rows` candidates.

    NaN where it is undefined, no number, or beyond what is calculated exactly with arrays.

    Args:
        node: an expression.
        columns: for every name in `node`, an array as `column_of` makes it, with `rows` entries.
        rows: number of candidates.

    Returns:
        float64 array of shape (rows,).
    """
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            values = _number(_evaluate(node, columns))
            found = np.where(values.defined, values.data, np.nan)
    except _NeedsExact:
        found = np.array(np.nan)
    return np.array(np.broadcast_to(found, (rows,)), dtype=np.float64)


def _row_by_row(node: Node, columns: Mapping[str, Column], rows: int) -> NDArray[np.bool_]:
    import numpy as np

    test = compile_scalar(node)
    names = sorted({name for name, _ in names_in(node)})
    lists = [
        list(map(tuple, columns[name].tolist()))
        if columns[name].ndim == 2
        else columns[name].tolist()
        for name in names
    ]
    if not names:
        return np.full(rows, test({}), dtype=np.bool_)
    answers = (test(dict(zip(names, row, strict=True))) for row in zip(*lists, strict=True))
    return np.fromiter(answers, dtype=np.bool_, count=rows)


def _evaluate(node: Node, columns: Mapping[str, Column]) -> _Values:
    match node:
        case Constant(value):
            return _constant(value)
        case Name(name):
            return _column(columns[name])
        case Negative(operand):
            inner = _number(_evaluate(operand, columns))
            return _Values(inner.kind, -inner.data, inner.defined, inner.bound)
        case Arithmetic(op, left, right):
            return _arithmetic(op, _evaluate(left, columns), _evaluate(right, columns))
        case Call(function, arguments):
            return _call(function, [_evaluate(argument, columns) for argument in arguments])
        case Position(permutation, element):
            return _position(columns[permutation], _evaluate(element, columns))
        case Item(permutation, position):
            return _item(columns[permutation], _evaluate(position, columns))
        case Not(operand):
            truth, defined = _truth(_evaluate(operand, columns))
            return _Values("b", ~truth, defined)
        case Logic(op, operands):
            return _logic(op, [_evaluate(operand, columns) for operand in operands])
        case Compare(operands, ops):
            values = [_evaluate(operand, columns) for operand in operands]
            links = [_link(op, values[i], values[i + 1]) for i, op in enumerate(ops)]
            return links[0] if len(links) == 1 else _logic("and", links)
        case Member(item, choices, negated):
            sought = _evaluate(item, columns)
            found = _logic("or", [_link("==", sought, _evaluate(c, columns)) for c in choices])
            return _Values("b", ~found.data, found.defined) if negated else found


def _constant(value: int | float | str | bool | tuple[int, ...]) -> _Values:
    import numpy as np

    match value:
        case bool():
            return _Values("b", np.bool_(value))
        case int():
            if abs(value) >= _EXACT_INT:
                raise _NeedsExact
            return _Values("i", np.int64(value), True, abs(value))
        case float():
            return _Values("f", np.float64(value))
        case str():
            return _Values("o", value)
        case _:
            return _Values("p", np.array([value]))


def _column(column: Column) -> _Values:
    if column.ndim == 2:
        return _Values("p", column)
    match column.dtype.kind:
        case "i" | "u":
            bound = max(abs(int(column.min())), abs(int(column.max()))) if column.size else 0
            return _Values("i", column, True, bound)
        case "f":
            return _Values("f", column)
        case "b":
            return _Values("b", column)
        case _:
            return _Values("o", column)


def _number(values: _Values) -> _Values:
    """Return truth values as 0 and 1, numbers as they are."""
    import numpy as np

    if values.kind == "b":
        return _Values("i", np.asarray(values.data).astype(np.int64), values.defined, 1)
    if values.kind not in "if":
        raise _NeedsExact
    return values


def _truth(values: _Values) -> tuple[Any, Any]:
    """Return (truth, defined); a number counts as true where it is not 0."""
    if values.kind == "b":
        return values.data, values.defined
    number = _number(values)
    return number.data != 0, number.defined


def _both_floats(left: _Values, right: _Values) -> None:
    """Make sure that whole numbers among the two turn into floats without loss."""
    if any(side.kind == "i" and side.bound > _EXACT_FLOAT for side in (left, right)):
        raise _NeedsExact


def _arithmetic(op: str, left: _Values, right: _Values) -> _Values:
    import numpy as np

    left, right = _number(left), _number(right)
    defined = _and(left.defined, right.defined)
    if op == "**":
        return _power(left, right, defined)
    whole = left.kind == right.kind == "i" and op != "/"
    if not whole:
        _both_floats(left, right)
    data: Any
    if op in "+-*":
        function = {"+": operator.add, "-": operator.sub, "*": operator.mul}[op]
        bound = left.bound * right.bound if op == "*" else left.bound + right.bound
        if whole and bound >= _EXACT_INT:
            raise _NeedsExact
        data = function(left.data, right.data)
    else:
        by_zero = right.data == 0
        defined = _and(defined, ~by_zero)
        divisor = np.where(by_zero, 1, right.data)
        function = {"/": np.true_divide, "//": np.floor_divide, "%": np.remainder}[op]
        bound = left.bound + 1 if op == "//" else right.bound
        data = function(left.data, divisor)
    if whole:
        return _Values("i", data, defined, bound)
    return _Values("f", data, _and(defined, np.isfinite(data)))


def _power(left: _Values, right: _Values, defined: Any) -> _Values:
    import numpy as np

    if left.kind == "f" or right.kind == "f" or right.bound > 64 or np.any(right.data < 0):
        raise _NeedsExact
    bound: int = max(1, left.bound) ** right.bound
    if bound >= _EXACT_INT:
        raise _NeedsExact
    return _Values("i", np.power(left.data, right.data), defined, bound)


def _call(function: str, arguments: list[_Values]) -> _Values:
    import numpy as np

    numbers = [_number(argument) for argument in arguments]
    if function == "abs":
        only = numbers[0]
        return _Values(only.kind, np.abs(only.data), only.defined, only.bound)
    choose = np.minimum if function == "min" else np.maximum
    result = numbers[0]
    for number in numbers[1:]:
        kind = "i" if result.kind == number.kind == "i" else "f"
        if kind == "f":
            _both_floats(result, number)
        result = _Values(
            kind,
            choose(result.data, number.data),
            _and(result.defined, number.defined),
            max(result.bound, number.bound),
        )
    return result


def _link(op: str, left: _Values, right: _Values) -> _Values:
    import numpy as np

    defined = _and(left.defined, right.defined)
    if "p" in (left.kind, right.kind):
        if left.kind != right.kind or left.data.shape[1] != right.data.shape[1]:
            return _Values("b", np.bool_(op == "!="), defined)
        same = (left.data == right.data).all(axis=1)
        return _Values("b", same if op == "==" else ~same, defined)
    if "o" in (left.kind, right.kind):
        if op not in ("==", "!="):
            raise _NeedsExact
        same = np.asarray(left.data == right.data)
        return _Values("b", (same if op == "==" else ~same).astype(np.bool_), defined)
    left, right = _number(left), _number(right)
    if left.kind != right.kind:
        _both_floats(left, right)
    return _Values("b", _COMPARE[op](left.data, right.data), defined)


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _logic(op: str, operands: list[_Values]) -> _Values:
    """Kleene's strong three-valued logic over masks."""
    decisive = op == "or"
    decided: Any = False
    defined: Any = True
    for operand in operands:
        truth, known = _truth(operand)
        decided = decided | ((truth if decisive else ~truth) & known)
        defined = _and(defined, known)
    data = decided if decisive else ~decided
    return _Values("b", data, defined if defined is True else defined | decided)


def _position(order: Column, element: _Values) -> _Values:
    import numpy as np

    wanted = _number(element)
    found = order == np.asarray(wanted.data)[..., None]
    return _Values(
        "i", found.argmax(axis=1), _and(wanted.defined, found.any(axis=1)), order.shape[1]
    )


def _item(order: Column, position: _Values) -> _Values:
    import numpy as np

    at = _number(position)
    length = order.shape[1]
    inside = (at.data >= 0) & (at.data < length)
    if at.kind == "f":
        inside = inside & (at.data == np.floor(at.data))
    index = np.where(inside, at.data, 0).astype(np.intp)
    rows = len(order)
    data = order[np.arange(rows), np.broadcast_to(index, (rows,))].astype(np.int64)
    return _Values("i", data, _and(at.defined, inside), length)


def _and(left: Any, right: Any) -> Any:
    if left is True:
        return right
    return left if right is True else left & right
