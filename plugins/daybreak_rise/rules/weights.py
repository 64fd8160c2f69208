"""Rules on weighted sums: convolutions as people write them, and with fewer operations.

From Koehler and Steuwer, "Towards a Domain-Extensible Compiler: Optimizing an Image Processing
Pipeline on Mobile CPUs" (CGO 2021): convolutions that are separated.
"""

from __future__ import annotations

from collections.abc import Sequence

from daybreak_rise.dsl import add, fst, literal, map_, reduce_, snd, transpose, zip_
from daybreak_rise.elevate.strategy import rule
from daybreak_rise.expr import App, Expr, Lambda, Literal, Primitive
from daybreak_rise.rules.forms import MapForm, ReduceForm, as_map, as_reduce, called
from daybreak_rise.types import ArrayType, ScalarType

__all__ = ["separate_dot"]


def _separate(e: Expr) -> Expr | str | None:
    form = as_reduce(e)
    products = None if form is None else as_map(form.array)
    if form is None or products is None or not (_adds(form) and _multiplies(products)):
        return None
    both = called(products.array, "zip")
    if both is None or type(both[1][0]) is not Literal:
        return None
    weights, joined = both[1][0].value, called(both[1][1], "join")
    if joined is None:
        return None
    (window,) = joined[1]
    lines = window.type
    assert isinstance(lines, ArrayType)  # noqa: S101  (what join takes)
    assert isinstance(lines.element, ArrayType)  # noqa: S101
    width, scalar = lines.element.size, lines.element.element
    if not isinstance(width, int) or not isinstance(scalar, ScalarType):
        return "the window is none of numbers"
    factors = _factors([weights[i : i + width] for i in range(0, len(weights), width)])
    if factors is None:
        return f"the weights {list(weights)} are no products of a column's and a row's"
    down, across = factors
    if down.count(0) > across.count(0):
        # a weight 0 in the sums that come first saves a term in each of them
        down, across, window = across, down, window | transpose
    return _dot(down, window | map_(lambda line: _dot(across, line, scalar)), scalar)


def _dot(weights: Sequence[float], values: Expr, scalar: ScalarType) -> Expr:
    terms = zip_(literal(weights, scalar), values) | map_(lambda p: fst(p) * snd(p))
    found: Expr = terms | reduce_(add, 0.0)
    return found


def _adds(form: ReduceForm) -> bool:
    if form.head.name != "reduce" or type(form.start) is not Literal or form.start.value != 0:
        return False
    function = form.function
    if type(function) is Lambda and type(function.body) is Lambda:
        acc, y, step = function.param, function.body.param, called(function.body.body, "add")
        return step is not None and step[1] in ((acc, y), (y, acc))
    return type(function) is Primitive and function.name == "add"


def _multiplies(form: MapForm) -> bool:
    if type(form.function) is not Lambda or form.head.name != "map":
        return False
    p, step = form.function.param, called(form.function.body, "mul")
    if step is None:
        return False
    parts = {
        one.fun.name
        for one in step[1]
        if type(one) is App and type(one.fun) is Primitive and one.arg == p
    }
    return parts == {"fst", "snd"}


def _factors(rows: Sequence[Sequence[float]]) -> tuple[list[float], list[float]] | None:
    """Return (column, row) with rows[i][j] == column[i] * row[j] exactly, if there are such."""
    across = next((list(row) for row in rows if any(row)), None)
    if across is None:
        return None
    pivot = next(place for place, one in enumerate(across) if one)
    down = [row[pivot] / across[pivot] for row in rows]
    for factor, row in zip(down, rows, strict=True):
        if any(factor * one != weight for one, weight in zip(across, row, strict=True)):
            return None
    if max(across) <= 0 or max(down) <= 0:
        down, across = [-one for one in down], [-one for one in across]
    return down, across


# *dot over a window's rows, then a dot of what they gave, for dot(join(weights))(join(window)) with
# weights that are the products of a column's and a row's; columns first where that is less.
# Sums are reassociated: floats may differ by rounding
separate_dot = rule(
    "separate_dot",
    _separate,
    needs="a sum of a window's values with weights: zip(weights, join(window)) | map(*) | reduce(+)",
    heads=("reduce",),
)
