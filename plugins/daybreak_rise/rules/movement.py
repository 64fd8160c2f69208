"""Rules that exchange moving data with computing on it, and movements with each other.

Named by what comes first afterwards: `split_before_map` is `*f >> S -> S >> **f`. `*f` is map(f),
`S` split or slide, `J` join, `T` transpose, `P` a movement of single elements (reverse, take, ...).
After the movement rules of Shine and of CGO 2018 (section 4).
"""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.building import Pending
from daybreak_rise.dsl import fst, join, map_, slide, snd, transpose, zip_
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive
from daybreak_rise.rules.forms import MapForm, as_map, called, lam, mapping, nested_map, uses
from daybreak_rise.types import ArrayType

__all__ = [
    "join_before_join",
    "join_before_map",
    "join_before_transpose",
    "map_before_reorder",
    "map_before_split",
    "map_join_before_join",
    "map_join_before_transpose",
    "map_map_before_join",
    "map_map_before_transpose",
    "map_split_before_transpose",
    "pad_before_transpose",
    "reorder_before_map",
    "reorder_into_zip",
    "reorder_out_of_zip",
    "slide_before_split",
    "split_before_map",
    "split_before_transpose",
    "split_into_zip",
    "transpose_before_join",
    "transpose_before_map_join",
    "transpose_before_map_map",
    "transpose_before_map_pad",
    "transpose_before_map_split",
    "transpose_before_split",
    "transpose_map_zip",
]

# these move whole elements of one array and look at none
_REORDERS = frozenset({"reverse", "reorderWithStride", "padClamp", "take", "drop"})
_SPLITS = frozenset({"split", "slide"})
_PADS = frozenset({"padClamp"})


def _moved(e: Expr, names: frozenset[str]) -> tuple[Primitive, Expr] | None:
    """Return (movement, array) where `e` is movement(array)."""
    if type(e) is App and type(e.fun) is Primitive and e.fun.name in names:
        return e.fun, e.arg
    return None


def _again(movement: Primitive, array: Expr) -> Expr:
    """Return the same movement of another array."""
    found: Expr = Pending(movement.name, movement.statics)(array)
    return found


def _element(array: Expr) -> ArrayType:
    """Return the type of the rows of `array`."""
    assert isinstance(array.type, ArrayType)  # noqa: S101  (callers have a matrix)
    assert isinstance(array.type.element, ArrayType)  # noqa: S101
    return array.type.element


def _row_movement(form: MapForm, names: frozenset[str]) -> Primitive | None:
    """Return P in `map(x. P(x))` or `map(P)`."""
    if type(form.function) is Primitive:
        return form.function if form.function.name in names else None
    if type(form.function) is Lambda:
        found = _moved(form.function.body, names)
        if found is not None and found[1] == form.function.param:
            return found[0]
    return None


def _rows(form: MapForm, change: Callable[[Expr], Expr], array: Expr) -> Expr:
    """Return a map of the form's kind over the rows of `array`."""
    return mapping(form.head, lam(_element(array), change, "row"), array)


def _twice(outer: MapForm, inner: tuple[Primitive, Expr], array: Expr) -> Expr:
    """Return `**f` of another matrix."""
    return _rows(outer, lambda row: mapping(*inner, row), array)


# --- a movement and a map ----------------------------------------------------------------------


def _reorder_before_map(e: Expr) -> Expr | None:
    found = _moved(e, _REORDERS)
    form = None if found is None else as_map(found[1])
    if found is None or form is None:
        return None
    return mapping(form.head, form.function, _again(found[0], form.array))


# *f >> P -> P >> *f
reorder_before_map = rule("reorder_before_map", _reorder_before_map, needs="P(map(f)(x))")


def _map_before_reorder(e: Expr) -> Expr | None:
    form = as_map(e)
    found = None if form is None else _moved(form.array, _REORDERS)
    if form is None or found is None:
        return None
    return _again(found[0], mapping(form.head, form.function, found[1]))


# P >> *f -> *f >> P
map_before_reorder = rule("map_before_reorder", _map_before_reorder, needs="map(f)(P(x))")


def _split_before_map(e: Expr) -> Expr | None:
    found = _moved(e, _SPLITS)
    form = None if found is None else as_map(found[1])
    if found is None or form is None:
        return None
    blocks = _again(found[0], form.array)
    return _rows(form, lambda row: mapping(form.head, form.function, row), blocks)


# *f >> S -> S >> **f
split_before_map = rule("split_before_map", _split_before_map, needs="split or slide of a map")


def _map_before_split(e: Expr) -> Expr | None:
    form = as_map(e)
    found = None if form is None else _moved(form.array, _SPLITS)
    inner = None if form is None else nested_map(form)
    if found is None or inner is None:
        return None
    return _again(found[0], mapping(*inner, found[1]))


# S >> **f -> *f >> S
map_before_split = rule("map_before_split", _map_before_split, needs="map(map(f))(S(x))")


def _join_before_map(e: Expr) -> Expr | None:
    found = _moved(e, frozenset({"join"}))
    form = None if found is None else as_map(found[1])
    inner = None if form is None else nested_map(form)
    if form is None or inner is None:
        return None
    return mapping(*inner, form.array | join)


# **f >> J -> J >> *f
join_before_map = rule("join_before_map", _join_before_map, needs="join(map(map(f))(x))")


def _map_map_before_join(e: Expr) -> Expr | None:
    form = as_map(e)
    found = None if form is None else _moved(form.array, frozenset({"join"}))
    if form is None or found is None:
        return None
    return _rows(form, lambda row: mapping(form.head, form.function, row), found[1]) | join


# J >> *f -> **f >> J
map_map_before_join = rule("map_map_before_join", _map_map_before_join, needs="map(f)(join(x))")


def _transpose_before_map_map(e: Expr) -> Expr | None:
    form = _transposed_map(e)
    inner = None if form is None else nested_map(form)
    if form is None or inner is None:
        return None
    return _twice(form, inner, form.array | transpose)


def _transposed_map(e: Expr) -> MapForm | None:
    found = _moved(e, frozenset({"transpose"}))
    return None if found is None else as_map(found[1])


# **f >> T -> T >> **f
transpose_before_map_map = rule(
    "transpose_before_map_map", _transpose_before_map_map, needs="transpose(map(map(f))(x))"
)


def _map_map_before_transpose(e: Expr) -> Expr | None:
    form = as_map(e)
    inner = None if form is None else nested_map(form)
    found = None if form is None else _moved(form.array, frozenset({"transpose"}))
    if form is None or inner is None or found is None:
        return None
    return _twice(form, inner, found[1]) | transpose


# T >> **f -> **f >> T
map_map_before_transpose = rule(
    "map_map_before_transpose", _map_map_before_transpose, needs="map(map(f))(transpose(x))"
)


# --- a movement and a zip ----------------------------------------------------------------------


def _reorder_into_zip(e: Expr) -> Expr | None:
    found = _moved(e, _REORDERS)
    inner = None if found is None else called(found[1], "zip")
    if found is None or inner is None or len(inner[1]) != 2:
        return None
    made: Expr = zip_(*(_again(found[0], one) for one in inner[1]))
    return made


# P(zip(a, b)) -> zip(P(a), P(b))
reorder_into_zip = rule("reorder_into_zip", _reorder_into_zip, needs="P(zip(a, b))")


def _reorder_out_of_zip(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    left, right = (_moved(one, _REORDERS) for one in found[1])
    if left is None or right is None or left[0].name != right[0].name:
        return None
    inside = zip_(left[1], right[1]) if left[0].statics == right[0].statics else None
    return None if inside is None else _again(left[0], inside)


# zip(P(a), P(b)) -> P(zip(a, b))
reorder_out_of_zip = rule("reorder_out_of_zip", _reorder_out_of_zip, needs="zip(P(a), P(b))")


def _split_into_zip(e: Expr) -> Expr | None:
    found = _moved(e, _SPLITS)
    inner = None if found is None else called(found[1], "zip")
    if found is None or inner is None or len(inner[1]) != 2:
        return None
    both = zip_(*(_again(found[0], one) for one in inner[1]))
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


# --- two movements -----------------------------------------------------------------------------


def _movement(
    name: str, outer: frozenset[str], inner: frozenset[str], make: Callable[..., Expr]
) -> Strategy:
    """Return the rule for outer(inner(y)); `make` takes y and both movements."""

    def run(e: Expr) -> Expr | None:
        first = _moved(e, outer)
        second = None if first is None else _moved(first[1], inner)
        if first is None or second is None:
            return None
        return make(second[1], first[0], second[0])

    return rule(name, run, needs=f"{_or(outer)} of {_or(inner)}")


def _map_then(
    name: str, outer: frozenset[str], inner: frozenset[str], make: Callable[..., Expr]
) -> Strategy:
    """Return the rule for outer(map(inner)(y)); `make` takes y, the map and both movements."""

    def run(e: Expr) -> Expr | None:
        first = _moved(e, outer)
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
        second = None if form is None else _moved(form.array, inner)
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
    lambda y, s, _: y | map_(lambda row: _again(s, row)) | transpose | map_(transpose),
)
# T >> *S -> S >> *T >> T
split_before_transpose = _then_map(
    "split_before_transpose",
    _SPLITS,
    _T,
    lambda y, form, s, _: _rows(form, lambda row: row | transpose, _again(s, y)) | transpose,
)
# *S >> T -> T >> S >> *T
transpose_before_map_split = _map_then(
    "transpose_before_map_split",
    _T,
    _SPLITS,
    lambda y, form, _, s: _rows(form, lambda row: row | transpose, _again(s, y | transpose)),
)
# S >> *T -> T >> *S >> T
transpose_before_split = _then_map(
    "transpose_before_split",
    _T,
    _SPLITS,
    lambda y, form, _, s: _rows(form, lambda row: _again(s, row), y | transpose) | transpose,
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
    lambda y, form, _j, _t: _rows(form, lambda row: row | transpose, y) | join | transpose,
)
# *T >> J -> T >> *J >> T
map_join_before_transpose = _map_then(
    "map_join_before_transpose",
    _J,
    _T,
    lambda y, form, _j, _t: _rows(form, lambda row: row | join, y | transpose) | transpose,
)
# *J >> T -> T >> *T >> J
transpose_before_map_join = _map_then(
    "transpose_before_map_join",
    _T,
    _J,
    lambda y, form, _t, _j: _rows(form, lambda row: row | transpose, y | transpose) | join,
)
# J >> J -> *J >> J
map_join_before_join = _movement(
    "map_join_before_join", _J, _J, lambda y, _a, _b: y | map_(join) | join
)
# *J >> J -> J >> J
join_before_join = _map_then("join_before_join", _J, _J, lambda y, *_: y | join | join)
# *pad >> T -> T >> pad
transpose_before_map_pad = _map_then(
    "transpose_before_map_pad", _T, _PADS, lambda y, _f, _t, pad: _again(pad, y | transpose)
)
# T >> *pad -> pad >> T
pad_before_transpose = _then_map(
    "pad_before_transpose", _PADS, _T, lambda y, _f, pad, _t: _again(pad, y) | transpose
)


def _slide_split(y: Expr, cut: Primitive, windows: Primitive) -> Expr:
    (k,), (n, s) = cut.statics, windows.statics
    assert not isinstance(k, str)  # noqa: S101  (sizes)
    assert not isinstance(n, str)  # noqa: S101
    assert not isinstance(s, str)  # noqa: S101
    made: Expr = y | slide(k * s + n - s, k * s) | map_(slide(n, s))
    return made


# slide(n, s) >> S(k) -> slide(k*s + n - s, k*s) >> *slide(n, s): a block of windows from a tile
slide_before_split = _movement(
    "slide_before_split", frozenset({"split"}), frozenset({"slide"}), _slide_split
)
