"""Rules that exchange moving data with computing on it.

Named by what comes first afterwards: `split_before_map` is `*f >> S -> S >> **f`. `*f` is map(f),
`S` split or slide, `J` join, `T` transpose, `P` a movement of single elements (reverse, take, ...).
After the movement rules of Shine and of CGO 2018 (section 4).
"""

from __future__ import annotations

from daybreak_rise.building import Pending
from daybreak_rise.dsl import fst, join, map_, snd, transpose, zip_
from daybreak_rise.elevate.strategy import rule
from daybreak_rise.expr import Expr, Identifier, Lambda, Primitive
from daybreak_rise.rules.forms import (
    MapForm,
    again,
    as_map,
    called,
    each_row,
    lam,
    mapping,
    moved,
    nested_map,
    uses,
)
from daybreak_rise.types import ArrayType

__all__ = [
    "join_before_map",
    "map_before_reorder",
    "map_before_split",
    "map_map_before_join",
    "map_map_before_transpose",
    "reorder_before_map",
    "reorder_into_zip",
    "reorder_out_of_zip",
    "split_before_map",
    "split_into_zip",
    "transpose_before_inner_map",
    "transpose_before_map_map",
    "transpose_map_zip",
]

# these move whole elements of one array and look at none
_REORDERS = frozenset({"reverse", "reorderWithStride", "padClamp", "take", "drop"})
_SPLITS = frozenset({"split", "slide"})


def _twice(outer: MapForm, inner: tuple[Primitive, Expr], array: Expr) -> Expr:
    """Return `**f` of another matrix."""
    return each_row(outer, lambda row: mapping(*inner, row), array)


# --- a movement and a map ----------------------------------------------------------------------


def _reorder_before_map(e: Expr) -> Expr | None:
    found = moved(e, _REORDERS)
    form = None if found is None else as_map(found[1])
    if found is None or form is None:
        return None
    return mapping(form.head, form.function, again(found[0], form.array))


# *f >> P -> P >> *f
reorder_before_map = rule("reorder_before_map", _reorder_before_map, needs="P(map(f)(x))")


def _map_before_reorder(e: Expr) -> Expr | None:
    form = as_map(e)
    found = None if form is None else moved(form.array, _REORDERS)
    if form is None or found is None:
        return None
    return again(found[0], mapping(form.head, form.function, found[1]))


# P >> *f -> *f >> P
map_before_reorder = rule("map_before_reorder", _map_before_reorder, needs="map(f)(P(x))")


def _split_before_map(e: Expr) -> Expr | None:
    found = moved(e, _SPLITS)
    form = None if found is None else as_map(found[1])
    if found is None or form is None:
        return None
    blocks = again(found[0], form.array)
    return each_row(form, lambda row: mapping(form.head, form.function, row), blocks)


# *f >> S -> S >> **f
split_before_map = rule(
    "split_before_map", _split_before_map, needs="split or slide of a map", heads=_SPLITS
)


def _map_before_split(e: Expr) -> Expr | None:
    form = as_map(e)
    found = None if form is None else moved(form.array, _SPLITS)
    inner = None if form is None else nested_map(form)
    if found is None or inner is None:
        return None
    return again(found[0], mapping(*inner, found[1]))


# S >> **f -> *f >> S
map_before_split = rule("map_before_split", _map_before_split, needs="map(map(f))(S(x))")


def _join_before_map(e: Expr) -> Expr | None:
    found = moved(e, frozenset({"join"}))
    form = None if found is None else as_map(found[1])
    inner = None if form is None else nested_map(form)
    if form is None or inner is None:
        return None
    return mapping(*inner, form.array | join)


# **f >> J -> J >> *f
join_before_map = rule(
    "join_before_map", _join_before_map, needs="join(map(map(f))(x))", heads=("join",)
)


def _map_map_before_join(e: Expr) -> Expr | None:
    form = as_map(e)
    found = None if form is None else moved(form.array, frozenset({"join"}))
    if form is None or found is None:
        return None
    return each_row(form, lambda row: mapping(form.head, form.function, row), found[1]) | join


# J >> *f -> **f >> J
map_map_before_join = rule("map_map_before_join", _map_map_before_join, needs="map(f)(join(x))")


def _transpose_before_map_map(e: Expr) -> Expr | None:
    form = _transposed_map(e)
    inner = None if form is None else nested_map(form)
    if form is None or inner is None:
        return None
    return _twice(form, inner, form.array | transpose)


def _transposed_map(e: Expr) -> MapForm | None:
    found = moved(e, frozenset({"transpose"}))
    return None if found is None else as_map(found[1])


# **f >> T -> T >> **f
transpose_before_map_map = rule(
    "transpose_before_map_map", _transpose_before_map_map, needs="transpose(map(map(f))(x))"
)


def _transpose_before_inner_map(e: Expr) -> Expr | str | None:
    form = _transposed_map(e)
    if form is None or type(form.function) is not Lambda:
        return None
    x, inner = form.function.param, as_map(form.function.body)
    if inner is None:
        return None
    if uses(inner.function, x):
        return "the inner map's function uses the outer element"
    before = inner.array == x
    rows = form.array if before else mapping(form.head, Lambda(x, inner.array), form.array)
    columns = rows | transpose
    assert isinstance(columns.type, ArrayType)  # noqa: S101  (what transpose gives)
    return mapping(
        inner.head,
        lam(columns.type.element, lambda c: mapping(form.head, inner.function, c), "column"),
        columns,
    )


# *(x. g(x) >> *f) >> T -> *g >> T >> **f, f not of x; the maps exchange their kinds
transpose_before_inner_map = rule(
    "transpose_before_inner_map",
    _transpose_before_inner_map,
    needs="transpose(map(x. map(f)(g(x)))(xs))",
    heads=("transpose",),
)


def _map_map_before_transpose(e: Expr) -> Expr | None:
    form = as_map(e)
    inner = None if form is None else nested_map(form)
    found = None if form is None else moved(form.array, frozenset({"transpose"}))
    if form is None or inner is None or found is None:
        return None
    return _twice(form, inner, found[1]) | transpose


# T >> **f -> **f >> T
map_map_before_transpose = rule(
    "map_map_before_transpose", _map_map_before_transpose, needs="map(map(f))(transpose(x))"
)


# --- a movement and a zip ----------------------------------------------------------------------


def _reorder_into_zip(e: Expr) -> Expr | None:
    found = moved(e, _REORDERS)
    inner = None if found is None else called(found[1], "zip")
    if found is None or inner is None or len(inner[1]) != 2:
        return None
    made: Expr = zip_(*(again(found[0], one) for one in inner[1]))
    return made


# P(zip(a, b)) -> zip(P(a), P(b))
reorder_into_zip = rule("reorder_into_zip", _reorder_into_zip, needs="P(zip(a, b))")


def _reorder_out_of_zip(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    left, right = (moved(one, _REORDERS) for one in found[1])
    if left is None or right is None or left[0].name != right[0].name:
        return None
    inside = zip_(left[1], right[1]) if left[0].statics == right[0].statics else None
    return None if inside is None else again(left[0], inside)


# zip(P(a), P(b)) -> P(zip(a, b))
reorder_out_of_zip = rule("reorder_out_of_zip", _reorder_out_of_zip, needs="zip(P(a), P(b))")


def _split_into_zip(e: Expr) -> Expr | None:
    found = moved(e, _SPLITS)
    inner = None if found is None else called(found[1], "zip")
    if found is None or inner is None or len(inner[1]) != 2:
        return None
    both = zip_(*(again(found[0], one) for one in inner[1]))
    made: Expr = both | map_(lambda p: zip_(fst(p), snd(p)))
    return made


# S(zip(a, b)) -> zip(S(a), S(b)) >> *zip
split_into_zip = rule("split_into_zip", _split_into_zip, needs="split or slide of a zip")


def _transpose_map_zip(e: Expr) -> Expr | None:
    form = _transposed_map(e)
    if form is None or type(form.function) is not Lambda:
        return None
    x, found = form.function.param, called(form.function.body, "zip")
    if found is None or len(found[1]) != 2:
        return None

    def column(one: Expr) -> Expr:
        return mapping(form.head, Lambda(x, one), form.array) | transpose

    left, right = found[1]
    made: Expr
    if not uses(left, x):
        made = zip_(left, column(right)) | map_(
            lambda p: snd(p) | map_(lambda one: _pair(fst(p), one))
        )
    elif not uses(right, x):
        made = zip_(column(left), right) | map_(
            lambda p: fst(p) | map_(lambda one: _pair(one, snd(p)))
        )
    else:
        made = zip_(column(left), column(right)) | map_(lambda p: zip_(fst(p), snd(p)))
    return made


def _pair(first: Identifier | Expr, second: Identifier | Expr) -> Expr:
    found: Expr = Pending("pair", ())(first, second)
    return found


# *(x. zip(a, g(x))) >> T -> zip(a, *g >> T) >> *(p. snd p >> *(one. pair(fst p, one)))
transpose_map_zip = rule(
    "transpose_map_zip", _transpose_map_zip, needs="transpose(map(x. zip(a, b))(xs))"
)
