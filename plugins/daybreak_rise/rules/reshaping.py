"""Rules that exchange movements of data with each other: what is cut, joined and turned when.

Named by what comes first afterwards. `*f` is map(f), `S` split or slide, `J` join, `T` transpose.
After the movement rules of Shine and of CGO 2018 (section 4).
"""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.dsl import join, map_, transpose
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import Expr, Lambda, Primitive
from daybreak_rise.rules.forms import MapForm, again, as_map, each_row, moved

__all__ = [
    "join_before_join",
    "join_before_transpose",
    "map_join_before_join",
    "map_join_before_transpose",
    "map_split_before_transpose",
    "pad_before_transpose",
    "split_before_transpose",
    "transpose_before_join",
    "transpose_before_map_join",
    "transpose_before_map_pad",
    "transpose_before_map_split",
    "transpose_before_split",
]

_SPLITS = frozenset({"split", "slide"})
_PADS = frozenset({"padClamp"})


def _row_movement(form: MapForm, names: frozenset[str]) -> Primitive | None:
    """Return P in `map(x. P(x))` or `map(P)`."""
    if type(form.function) is Primitive:
        return form.function if form.function.name in names else None
    if type(form.function) is Lambda:
        found = moved(form.function.body, names)
        if found is not None and found[1] == form.function.param:
            return found[0]
    return None


def _movement(
    name: str, outer: frozenset[str], inner: frozenset[str], make: Callable[..., Expr]
) -> Strategy:
    """Return the rule for outer(inner(y)); `make` takes y and both movements."""

    def run(e: Expr) -> Expr | None:
        first = moved(e, outer)
        second = None if first is None else moved(first[1], inner)
        if first is None or second is None:
            return None
        return make(second[1], first[0], second[0])

    return rule(name, run, needs=f"{_or(outer)} of {_or(inner)}")


def _map_then(
    name: str, outer: frozenset[str], inner: frozenset[str], make: Callable[..., Expr]
) -> Strategy:
    """Return the rule for outer(map(inner)(y)); `make` takes y, the map and both movements."""

    def run(e: Expr) -> Expr | None:
        first = moved(e, outer)
        form = None if first is None else as_map(first[1])
        second = None if form is None else _row_movement(form, inner)
        if first is None or form is None or second is None:
            return None
        return make(form.array, form, first[0], second)

    return rule(name, run, needs=f"{_or(outer)} of a map of {_or(inner)}")


def _then_map(
    name: str, outer: frozenset[str], inner: frozenset[str], make: Callable[..., Expr]
) -> Strategy:
    """Return the rule for map(outer)(inner(y)); `make` takes y, the map and both movements."""

    def run(e: Expr) -> Expr | None:
        form = as_map(e)
        first = None if form is None else _row_movement(form, outer)
        second = None if form is None else moved(form.array, inner)
        if form is None or first is None or second is None:
            return None
        return make(second[1], form, first, second[0])

    return rule(name, run, needs=f"a map of {_or(outer)} of {_or(inner)}")


def _or(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))


_T, _J = frozenset({"transpose"}), frozenset({"join"})

# T >> S -> *S >> T >> *T
map_split_before_transpose = _movement(
    "map_split_before_transpose",
    _SPLITS,
    _T,
    lambda y, s, _: y | map_(lambda row: again(s, row)) | transpose | map_(transpose),
)
# T >> *S -> S >> *T >> T
split_before_transpose = _then_map(
    "split_before_transpose",
    _SPLITS,
    _T,
    lambda y, form, s, _: each_row(form, lambda row: row | transpose, again(s, y)) | transpose,
)
# *S >> T -> T >> S >> *T
transpose_before_map_split = _map_then(
    "transpose_before_map_split",
    _T,
    _SPLITS,
    lambda y, form, _, s: each_row(form, lambda row: row | transpose, again(s, y | transpose)),
)
# S >> *T -> T >> *S >> T
transpose_before_split = _then_map(
    "transpose_before_split",
    _T,
    _SPLITS,
    lambda y, form, _, s: each_row(form, lambda row: again(s, row), y | transpose) | transpose,
)
# J >> T -> *T >> T >> *J
transpose_before_join = _movement(
    "transpose_before_join",
    _T,
    _J,
    lambda y, _t, _j: y | map_(transpose) | transpose | map_(join),
)
# T >> *J -> *T >> J >> T
join_before_transpose = _then_map(
    "join_before_transpose",
    _J,
    _T,
    lambda y, form, _j, _t: each_row(form, lambda row: row | transpose, y) | join | transpose,
)
# *T >> J -> T >> *J >> T
map_join_before_transpose = _map_then(
    "map_join_before_transpose",
    _J,
    _T,
    lambda y, form, _j, _t: each_row(form, lambda row: row | join, y | transpose) | transpose,
)
# *J >> T -> T >> *T >> J
transpose_before_map_join = _map_then(
    "transpose_before_map_join",
    _T,
    _J,
    lambda y, form, _t, _j: each_row(form, lambda row: row | transpose, y | transpose) | join,
)
# J >> J -> *J >> J
map_join_before_join = _movement(
    "map_join_before_join", _J, _J, lambda y, _a, _b: y | map_(join) | join
)
# *J >> J -> J >> J
join_before_join = _map_then("join_before_join", _J, _J, lambda y, *_: y | join | join)
# *pad >> T -> T >> pad
transpose_before_map_pad = _map_then(
    "transpose_before_map_pad", _T, _PADS, lambda y, _f, _t, pad: again(pad, y | transpose)
)
# T >> *pad -> pad >> T
pad_before_transpose = _then_map(
    "pad_before_transpose", _PADS, _T, lambda y, _f, pad, _t: again(pad, y) | transpose
)
