"""Rules on reductions: cutting them into parts, fusing maps into them, moving them out of maps.

`*f` is map(f), `>>` does one after the other, `S(k)` splits, `T` transposes. From Steuwer et al.,
ICFP 2015 (figure 3), and Hagedorn et al., ICFP 2020 (section 5).
"""

from __future__ import annotations

from daybreak_rise.dsl import (
    drop,
    fst,
    generate,
    idx,
    literal,
    map_,
    reduce_,
    reduce_seq,
    reorder_with_stride,
    snd,
    split,
    transpose,
    zip_,
)
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Literal, Primitive, substitute
from daybreak_rise.infer import primitive
from daybreak_rise.nat import Size
from daybreak_rise.patterns import MAPS, REDUCES
from daybreak_rise.rules.forms import (
    as_map,
    as_reduce,
    beta,
    does_not_divide,
    lam,
    lam2,
    mapping,
    uses,
)
from daybreak_rise.types import AddressSpace, ArrayType, FunType, IndexType

__all__ = [
    "reduce_blocked",
    "reduce_from_first",
    "reduce_map_fission",
    "reduce_map_fusion",
    "reduce_out_of_map",
    "reduce_reordered",
    "reduce_split",
]

# folding with these may be cut and reordered (floats: up to rounding)
_ASSOCIATIVE = frozenset({"add", "mul", "min", "max"})
_NEUTRAL = {"add": 0, "mul": 1}


def reduce_split(k: Size) -> Strategy:
    """`reduce(f, z) -> S(k) >> *reduce(f, z) >> reduce(f, z)`. Needs: k divides the size.

    Sums are reassociated: floats may differ by rounding.
    """

    def run(e: Expr) -> Expr | str | None:
        form = as_reduce(e)
        if form is None or form.head.name != "reduce" or not isinstance(form.array.type, ArrayType):
            return None
        reason = does_not_divide(k, form.array.type.size)
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
        reason = does_not_divide(k, form.array.type.size)
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
        reason = does_not_divide(k, form.array.type.size)
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


def _from_first(e: Expr) -> Expr | str | None:
    form = as_reduce(e)
    if form is None or type(form.function) is not Lambda:
        return None
    acc, rest = form.function.param, form.function.body
    if type(rest) is not Lambda or type(rest.body) is not App or type(rest.body.fun) is not App:
        return None
    step, value = rest.body.fun, rest.body.arg
    name = step.fun.name if type(step.fun) is Primitive else ""
    if name not in _NEUTRAL or step.arg != acc or uses(value, acc):
        return "the fold is no sum or product"
    if type(form.start) is not Literal or form.start.value != _NEUTRAL[name]:
        return "the fold starts from something else than 0 in a sum, 1 in a product"
    assert isinstance(form.array.type, ArrayType)  # noqa: S101  (what is folded)
    size = form.array.type.size
    if not isinstance(size, int) or size < 2:
        return f"{size} elements may leave nothing to fold"
    first = idx(literal(0, IndexType(size)), form.array)
    made: Expr = reduce_seq(_address(form.head))(
        form.function, substitute(value, rest.param.name, first), form.array | drop(1)
    )
    return made


# reduceSeq(acc, y. acc + g(y), 0) -> drop(1) >> reduceSeq(acc, y. acc + g(y), g(the first)); the
# same of products from 1. Exact but for the sign of a zero. Unrolled, it saves an operation
reduce_from_first = rule(
    "reduce_from_first", _from_first, needs="a reduction by lambdas", heads=REDUCES
)


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


def _address(head: Primitive) -> AddressSpace:
    return AddressSpace(str(head.statics[0])) if head.statics else AddressSpace.PRIVATE
