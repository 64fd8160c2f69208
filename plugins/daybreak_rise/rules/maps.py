"""Rules on maps: cutting them into blocks, fusing and parting them, exchanging their loops.

Written as in the Lift and ELEVATE papers: `*f` is map(f), `>>` does one after the other, `S(k)`
splits, `J` joins, `T` transposes. From Steuwer et al., ICFP 2015 (figure 3), and Hagedorn et al.,
ICFP 2020 (section 5).
"""

from __future__ import annotations

from daybreak_rise.dsl import concat, drop, join, split, take, transpose
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import Expr, Identifier, Lambda, apply, fresh, spine
from daybreak_rise.nat import Size
from daybreak_rise.patterns import MAPS
from daybreak_rise.rules.forms import (
    as_map,
    beta,
    called,
    does_not_divide,
    lam,
    mapping,
    nested_map,
    same_pattern,
    uses,
)
from daybreak_rise.types import ArrayType, FunType

__all__ = [
    "create_transpose_pair",
    "map_fission",
    "map_fusion",
    "map_in_parts",
    "map_interchange",
    "map_of_map_to_join",
    "split_join",
    "split_join_after",
]


def split_join(k: Size) -> Strategy:
    """`*f -> S(k) >> **f >> J`: a map in blocks of k. Needs: k divides the size."""

    def run(e: Expr) -> Expr | str | None:
        form = as_map(e)
        if form is None or not isinstance(form.array.type, ArrayType):
            return None
        reason = does_not_divide(k, form.array.type.size)
        if reason is not None:
            return reason
        blocks = form.array | split(k)
        assert isinstance(blocks.type, ArrayType)  # noqa: S101  (what split gives)
        inner = lam(blocks.type.element, lambda b: mapping(form.head, form.function, b), "block")
        return mapping(form.head, inner, blocks) | join

    return rule(f"split_join({k})", run, needs="a map: map(f)(x)")


def split_join_after(k: Size) -> Strategy:
    """`x -> x | S(k) | J`: an array cut and put together again. Needs: k divides the size."""

    def run(e: Expr) -> Expr | str | None:
        if not isinstance(e.type, ArrayType):
            return None
        return does_not_divide(k, e.type.size) or (e | split(k) | join)

    return rule(f"split_join_after({k})", run, needs="an array")


def map_in_parts(k: Size) -> Strategy:
    """`*f -> concat(take(k) >> *f, drop(k) >> *f)`: the first k, then the rest.

    Needs: there are more than k.
    """

    def run(e: Expr) -> Expr | str | None:
        form = as_map(e)
        if form is None or not isinstance(form.array.type, ArrayType):
            return None
        size = form.array.type.size
        if isinstance(k, int) and isinstance(size, int) and not 0 < k < size:
            return f"{k} of {size} elements leave no two parts"
        first, rest = form.array | take(k), form.array | drop(k)
        made: Expr = concat(
            mapping(form.head, form.function, first), mapping(form.head, form.function, rest)
        )
        return made

    return rule(f"map_in_parts({k})", run, needs="a map: map(f)(x)")


def _map_of_map(e: Expr) -> Expr | None:
    outer = called(e, "join")
    form = as_map(outer[1][0]) if outer is not None and outer[1] else None
    source = called(form.array, "split") if form is not None else None
    inner = None if form is None else nested_map(form)
    if form is None or inner is None or source is None or not source[1]:
        return None
    return mapping(*inner, source[1][0]) if same_pattern(inner[0], form.head) else None


# S(k) >> **f >> J -> *f
map_of_map_to_join = rule("map_of_map_to_join", _map_of_map, needs="join(map(map(f))(split(x)))")


def _fuse(e: Expr) -> Expr | None:
    after = as_map(e)
    before = None if after is None else as_map(after.array)
    if after is None or before is None or not same_pattern(after.head, before.head):
        return None
    function = before.function.type
    assert isinstance(function, FunType)  # noqa: S101  (a map's argument)
    hint = before.function.param.name if type(before.function) is Lambda else "x"
    both = lam(function.input, lambda x: beta(after.function, beta(before.function, x)), hint)
    return mapping(after.head, both, before.array)


# *g >> *f -> *(g >> f)
map_fusion = rule("map_fusion", _fuse, needs="two maps of a kind, one after the other", heads=MAPS)


def _cut(e: Expr) -> Expr | str | None:
    form = as_map(e)
    if form is None or type(form.function) is not Lambda:
        return None
    x = form.function.param
    head, arguments = spine(form.function.body)
    places = [i for i, a in enumerate(arguments) if uses(a, x)]
    if len(places) != 1 or uses(head, x):
        return "there is no last step to cut off"
    (place,) = places
    first = arguments[place]
    if type(first) is Identifier or isinstance(first.type, FunType):
        return "there is no last step to cut off"
    begun = mapping(form.head, Lambda(x, first), form.array)
    if place == len(arguments) - 1:
        return mapping(form.head, apply(head, *arguments[:-1]), begun)
    y = fresh(x.name, first.type)
    last = apply(head, *arguments[:place], y, *arguments[place + 1 :])
    return mapping(form.head, Lambda(y, last), begun)


# *(g >> f) -> *g >> *f, f being the last step: the pattern of whose arguments one uses the element
map_fission = rule("map_fission", _cut, needs="a map of a lambda: map(x. f(g(x)))", heads=MAPS)


def _interchange(e: Expr) -> Expr | str | None:
    outer = as_map(e)
    if outer is None or type(outer.function) is not Lambda:
        return None
    x = outer.function.param
    inner = as_map(outer.function.body)
    if inner is None:
        return None
    if not uses(inner.array, x):
        element = inner.array.type
        assert isinstance(element, ArrayType)  # noqa: S101  (what is mapped over)
        swapped = lam(
            element.element,
            lambda y: mapping(outer.head, Lambda(x, beta(inner.function, y)), outer.array),
            "y",
        )
        return mapping(inner.head, swapped, inner.array) | transpose
    if uses(inner.function, x):
        return "the inner map's function and its array both use the outer element"
    columns = mapping(outer.head, Lambda(x, inner.array), outer.array) | transpose
    assert isinstance(columns.type, ArrayType)  # noqa: S101  (what transpose gives)
    swapped = lam(columns.type.element, lambda c: mapping(outer.head, inner.function, c), "column")
    return mapping(inner.head, swapped, columns) | transpose


# map(x. map(y. b)(ys))(xs) -> map(y. map(x. b)(xs))(ys) | T, where x is not in ys; else by T
map_interchange = rule("map_interchange", _interchange, needs="a map of a map", heads=MAPS)


def _transpose_pair(e: Expr) -> Expr | None:
    if isinstance(e.type, ArrayType) and isinstance(e.type.element, ArrayType):
        return e | transpose | transpose
    return None


# x -> x | T | T
create_transpose_pair = rule("create_transpose_pair", _transpose_pair, needs="a matrix")
