"""Which values an expression can take: intervals, from constant loop bounds and types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from daybreak_hpvm.ir.expr import COMPARISONS, Binary, Cast, Const, Expr, Index, Select, Unary

__all__ = ["Interval", "interval"]

#: Smallest and largest possible value.
Interval = tuple[int, int]

# operators whose extremes lie at the ends of their operands' intervals
_CORNER: Final[dict[str, Callable[[int, int], int]]] = {
    "mul": lambda a, b: a * b,
    "shl": lambda a, b: a << b,
    "shr": lambda a, b: a >> b,
}


def interval(expr: Expr, loops: Mapping[str, Interval]) -> Interval:
    """Return bounds of `expr`'s value, given those of the enclosing loops' variables.

    Loads and scalars may hold anything of their type. The bounds hold always and are exact for
    affine expressions in which each variable occurs once.
    """
    if isinstance(expr, Const):
        return expr.value, expr.value
    if isinstance(expr, Index):
        return loops.get(expr.name, (expr.type.low, expr.type.high))
    if isinstance(expr, Cast):
        found = interval(expr.operand, loops)
        fits = expr.type.holds(found[0]) and expr.type.holds(found[1])
        return found if fits else (expr.type.low, expr.type.high)
    if isinstance(expr, Select):
        yes, no = interval(expr.yes, loops), interval(expr.no, loops)
        return min(yes[0], no[0]), max(yes[1], no[1])
    if isinstance(expr, Unary):
        return _unary(expr, interval(expr.operand, loops))
    if isinstance(expr, Binary):
        return _binary(expr, interval(expr.left, loops), interval(expr.right, loops))
    return expr.type.low, expr.type.high


def _unary(expr: Unary, x: Interval) -> Interval:
    if expr.op == "neg":
        return -x[1], -x[0]
    if expr.op == "abs":
        return (0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))), max(abs(x[0]), abs(x[1]))
    if expr.operand.type.signed:
        return ~x[1], ~x[0]
    return expr.type.high - x[1], expr.type.high - x[0]


def _binary(expr: Binary, x: Interval, y: Interval) -> Interval:
    op = expr.op
    if op == "add":
        return x[0] + y[0], x[1] + y[1]
    if op == "sub":
        return x[0] - y[1], x[1] - y[0]
    if op == "min":
        return min(x[0], y[0]), min(x[1], y[1])
    if op == "max":
        return max(x[0], y[0]), max(x[1], y[1])
    if op in ("mul", "shl", "shr"):
        corners = [_CORNER[op](a, b) for a in x for b in y]
        return min(corners), max(corners)
    if op == "and" and (x[0] >= 0 or y[0] >= 0):
        return 0, min(z[1] for z in (x, y) if z[0] >= 0)
    if op in COMPARISONS:
        return 0, 1
    return expr.type.low, expr.type.high
