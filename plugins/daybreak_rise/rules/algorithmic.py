"""Rules that change the algorithm: cutting, fusing and exchanging maps and reductions.

Written as in the Lift and ELEVATE papers: `*f` is map(f), `>>` does one after the other, `S(k)`
splits, `J` joins, `T` transposes. From Steuwer et al., ICFP 2015 (figure 3: maps and reductions),
Hagedorn et al., CGO 2018 (section 4: overlapped tiling), Hagedorn et al., ICFP 2020 (section 5).
"""

from __future__ import annotations

from daybreak_rise.dsl import (
    fst,
    generate,
    join,
    map_,
    pair,
    reduce_,
    reduce_seq,
    reorder_with_stride,
    slide,
    snd,
    split,
    transpose,
    zip_,
)
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive, apply, fresh, spine
from daybreak_rise.infer import primitive
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.patterns import MAPS, REDUCES
from daybreak_rise.rules.forms import (
    as_map,
    as_reduce,
    beta,
    called,
    lam,
    lam2,
    mapping,
    nested_map,
    same_pattern,
    uses,
)
from daybreak_rise.types import AddressSpace, ArrayType, FunType

__all__ = [
    "create_transpose_pair",
    "map_fission",
    "map_fusion",
    "map_interchange",
    "map_of_map_to_join",
    "map_of_zip_part",
    "map_out_of_zip",
    "overlapped_tiling",
    "reduce_blocked",
    "reduce_map_fission",
    "reduce_map_fusion",
    "reduce_out_of_map",
    "reduce_reordered",
    "reduce_split",
    "slide_after",
    "split_join",
    "split_join_after",
    "zip_same",
    "zip_swap",
]

# folding with these may be cut and reordered (floats: up to rounding)
_ASSOCIATIVE = frozenset({"add", "mul", "min", "max"})


def _does_not_divide(k: Size, size: Size) -> str | None:
    return None if divide_exactly(size, k) is not None else f"{k} does not divide {size}"


# --- maps ------------------------------------------------------------------------------------


def split_join(k: Size) -> Strategy:
    """`*f -> S(k) >> **f >> J`: a map in blocks of k. Needs: k divides the size."""

    def run(e: Expr) -> Expr | str | None:
        form = as_map(e)
        if form is None or not isinstance(form.array.type, ArrayType):
            return None
        reason = _does_not_divide(k, form.array.type.size)
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
        return _does_not_divide(k, e.type.size) or (e | split(k) | join)

    return rule(f"split_join_after({k})", run, needs="an array")


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


# --- zips ------------------------------------------------------------------------------------


def _map_out_of_zip(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    left, right = found[1]
    one, two = as_map(left), as_map(right)
    if one is not None and two is not None and not same_pattern(one.head, two.head):
        two = None
    if one is None and two is None:
        return None
    head = (one or two).head  # type: ignore[union-attr]  # one of them is there
    both = zip_(left if one is None else one.array, right if two is None else two.array)

    def parts(p: Identifier) -> Expr:
        first, second = fst(p), snd(p)
        made: Expr = pair(
            first if one is None else beta(one.function, first),
            second if two is None else beta(two.function, second),
        )
        return made

    assert isinstance(both.type, ArrayType)  # noqa: S101  (what zip gives)
    return mapping(head, lam(both.type.element, parts, "p"), both)


# zip(*f a, *g b) -> zip(a, b) >> *(p. pair(f(fst p), g(snd p))); also with one map only
map_out_of_zip = rule(
    "map_out_of_zip", _map_out_of_zip, needs="a zip of a map: zip(map(f)(a), b)", heads=("zip",)
)


def _map_of_zip(e: Expr) -> Expr | str | None:
    form = as_map(e)
    found = None if form is None else called(form.array, "zip")
    if form is None or found is None or len(found[1]) != 2 or type(form.function) is not Lambda:
        return None
    p, body = form.function.param, form.function.body
    for part, array in zip(("fst", "snd"), found[1], strict=True):
        assert isinstance(array.type, ArrayType)  # noqa: S101  (what zip takes)
        x = fresh(p.name, array.type.element)
        only = _with_part(body, part, p, x)
        if not uses(only, p):
            return mapping(form.head, Lambda(x, only), array)
    return "the function uses both parts, or the pair itself"


def _with_part(e: Expr, part: str, p: Identifier, x: Identifier) -> Expr:
    """Return `e` with `part(p)` replaced by x."""
    if not uses(e, p):
        return e
    if type(e) is App:
        if e.arg == p and type(e.fun) is Primitive and e.fun.name == part:
            return x
        return App(_with_part(e.fun, part, p, x), _with_part(e.arg, part, p, x))
    if type(e) is Lambda:
        return Lambda(e.param, _with_part(e.body, part, p, x))
    return e


# zip(a, b) >> *(p. f(fst p)) -> a | *f; the same of snd
map_of_zip_part = rule(
    "map_of_zip_part", _map_of_zip, needs="a map of a zip: map(p. f(fst(p)))(zip(a, b))", heads=MAPS
)


def _zip_same(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2 or found[1][0] != found[1][1]:
        return None
    made: Expr = found[1][0] | map_(lambda x: pair(x, x))
    return made


# zip(a, a) -> a | *(x. pair(x, x))
zip_same = rule("zip_same", _zip_same, needs="zip(a, a)")


def _zip_swap(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    left, right = found[1]
    made: Expr = zip_(right, left) | map_(lambda p: pair(snd(p), fst(p)))
    return made


# zip(a, b) -> zip(b, a) >> *(p. pair(snd p, fst p))
zip_swap = rule("zip_swap", _zip_swap, needs="zip(a, b)")


# --- reductions ------------------------------------------------------------------------------


def reduce_split(k: Size) -> Strategy:
    """`reduce(f, z) -> S(k) >> *reduce(f, z) >> reduce(f, z)`. Needs: k divides the size.

    Sums are reassociated: floats may differ by rounding.
    """

    def run(e: Expr) -> Expr | str | None:
        form = as_reduce(e)
        if form is None or form.head.name != "reduce" or not isinstance(form.array.type, ArrayType):
            return None
        reason = _does_not_divide(k, form.array.type.size)
        if reason is not None:
            return reason
        parts = map_(reduce_(form.function, form.start))
        made: Expr = form.array | split(k) | parts | reduce_(form.function, form.start)
        return made

    return rule(f"reduce_split({k})", run, needs="a reduce")


def reduce_reordered(k: Size) -> Strategy:
    """`reduce(f, z) -> reorderWithStride(k) >> reduce(f, z)`. Needs: k divides the size.

    Sums are reassociated: floats may differ by rounding.
    """

    def run(e: Expr) -> Expr | str | None:
        form = as_reduce(e)
        if form is None or form.head.name != "reduce" or not isinstance(form.array.type, ArrayType):
            return None
        reason = _does_not_divide(k, form.array.type.size)
        if reason is not None:
            return reason
        made: Expr = form.array | reorder_with_stride(k) | reduce_(form.function, form.start)
        return made

    return rule(f"reduce_reordered({k})", run, needs="a reduce")


def reduce_blocked(k: Size) -> Strategy:
    """A fold as a fold over blocks of k, each folded from what came before; exact.

    `reduceSeq(f, z) -> S(k) >> reduceSeq(acc, b. reduceSeq(f, acc)(b), z)`. Needs: k divides the
    size. A `reduce` becomes a `reduceSeq`.
    """

    def run(e: Expr) -> Expr | str | None:
        form = as_reduce(e)
        if form is None or not isinstance(form.array.type, ArrayType):
            return None
        reason = _does_not_divide(k, form.array.type.size)
        if reason is not None:
            return reason
        address = _address(form.head)
        blocks = form.array | split(k)
        assert isinstance(blocks.type, ArrayType)  # noqa: S101  (what split gives)
        fold = lam2(
            form.start.type,
            blocks.type.element,
            lambda acc, b: reduce_seq(address)(form.function, acc, b),
            ("acc", "block"),
        )
        made: Expr = reduce_seq(address)(fold, form.start, blocks)
        return made

    return rule(f"reduce_blocked({k})", run, needs="a reduction")


def _reduce_map(e: Expr) -> Expr | None:
    form = as_reduce(e)
    inner = None if form is None else as_map(form.array)
    if form is None or inner is None:
        return None
    element = inner.function.type
    assert isinstance(element, FunType)  # noqa: S101  (a map's argument)
    hint = inner.function.param.name if type(inner.function) is Lambda else "y"
    fold = lam2(
        form.start.type,
        element.input,
        lambda acc, y: beta(form.function, acc, beta(inner.function, y)),
        ("acc", hint),
    )
    name = "reduceSeqUnroll" if form.head.name == "reduceSeqUnroll" else "reduceSeq"
    head = primitive(
        name, (_address(form.head).value,), (fold.type, form.start.type, inner.array.type)
    )
    return App(App(App(head, fold), form.start), inner.array)


# *g >> reduce(f, z) -> reduceSeq(acc, y. f(acc, g(y)), z)
reduce_map_fusion = rule(
    "reduce_map_fusion", _reduce_map, needs="a reduction of a map", heads=REDUCES
)


def _reduce_fission(e: Expr) -> Expr | str | None:
    form = as_reduce(e)
    if form is None or type(form.function) is not Lambda:
        return None
    acc, rest = form.function.param, form.function.body
    if type(rest) is not Lambda or type(rest.body) is not App:
        return None
    y, step, value = rest.param, rest.body.fun, rest.body.arg
    if type(step) is not App or step.arg != acc or type(value) is Identifier:
        return "the fold is not f(acc, g(y))"
    operation = step.fun
    if uses(operation, acc) or uses(operation, y) or uses(value, acc) or not uses(value, y):
        return "the fold is not f(acc, g(y))"
    mapped = form.array | map_(Lambda(y, value))
    free = type(operation) is Primitive and operation.name in _ASSOCIATIVE
    if free and value.type is form.start.type:
        made: Expr = reduce_(operation, form.start, mapped)
    else:
        made = reduce_seq(_address(form.head))(operation, form.start, mapped)
    return made


# reduceSeq(acc, y. f(acc, g(y)), z) -> *g >> reduce(f, z); stays reduceSeq if f is not +, *, min, max
reduce_map_fission = rule("reduce_map_fission", _reduce_fission, needs="a reduction by lambdas")


def _reduce_out(e: Expr) -> Expr | str | None:
    outer = as_map(e)
    if outer is None or type(outer.function) is not Lambda:
        return None
    x = outer.function.param
    inner = as_reduce(outer.function.body)
    if inner is None:
        return None
    if uses(inner.function, x):
        return "the reduction's function uses the mapped element"
    start: Expr
    if uses(inner.start, x):
        start = mapping(outer.head, Lambda(x, inner.start), outer.array)
    else:
        assert isinstance(outer.array.type, ArrayType)  # noqa: S101  (what is mapped over)
        start = generate(outer.array.type.size)(lambda i: inner.start)  # noqa: ARG005
    columns = mapping(outer.head, Lambda(x, inner.array), outer.array) | transpose
    assert isinstance(columns.type, ArrayType)  # noqa: S101  (what transpose gives)

    def step(acc: Identifier, y: Identifier) -> Expr:
        both = zip_(acc, y)
        assert isinstance(both.type, ArrayType)  # noqa: S101  (what zip gives)
        one = lam(both.type.element, lambda p: beta(inner.function, fst(p), snd(p)), "p")
        return mapping(outer.head, one, both)

    fold = lam2(start.type, columns.type.element, step)
    made: Expr = reduce_seq(_address(inner.head))(fold, start, columns)
    return made


# *reduce(f, z) -> T >> reduceSeq(acc, y. zip(acc, y) >> *f, *z): a step of all sums at a time
reduce_out_of_map = rule("reduce_out_of_map", _reduce_out, needs="a map of a reduction", heads=MAPS)


# --- windows ---------------------------------------------------------------------------------


def overlapped_tiling(k: Size) -> Strategy:
    """`slide(n, s) -> slide(u, k) >> *slide(n, s) >> J` with u = k + n - s: tiles of k/s windows.

    Neighbouring tiles share n - s elements (CGO 2018, section 4.1). Needs: s divides k, and k
    divides the number of windows times s.
    """

    def run(e: Expr) -> Expr | str | None:
        found = called(e, "slide")
        if found is None or len(found[1]) != 1:
            return None
        n, s = found[0].statics
        assert not isinstance(n, str)  # noqa: S101  (a size)
        assert not isinstance(s, str)  # noqa: S101  (a size)
        if divide_exactly(k, s) is None:
            return f"tiles of {k} elements are no whole number of steps of {s}"
        assert isinstance(e.type, ArrayType)  # noqa: S101  (what slide gives)
        reason = _does_not_divide(k, e.type.size * s)
        if reason is not None:
            return reason
        made: Expr = found[1][0] | slide(k + n - s, k) | map_(slide(n, s)) | join
        return made

    return rule(f"overlapped_tiling({k})", run, needs="a slide")


def _slide_after(e: Expr) -> Expr | None:
    return e | slide(1, 1) | join if isinstance(e.type, ArrayType) else None


# x -> x | slide(1, 1) | J
slide_after = rule("slide_after", _slide_after, needs="an array")


def _address(head: Primitive) -> AddressSpace:
    return AddressSpace(str(head.statics[0])) if head.statics else AddressSpace.PRIVATE
