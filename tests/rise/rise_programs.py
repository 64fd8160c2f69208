"""Random well-typed expressions and inputs, and all rules, for the tests of this target.

Data are small integers held as floats, and operations keep them small: sums are exact in any
order, so that values can be compared for equality.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from daybreak_rise.dsl import (
    LOCAL,
    PRIVATE,
    abs_,
    add,
    as_scalar,
    as_vector,
    concat,
    drop,
    fst,
    fun,
    join,
    let,
    map_,
    map_seq,
    max_,
    min_,
    pad_clamp,
    pad_constant,
    pair,
    reduce_,
    reduce_seq,
    reorder_with_stride,
    reverse,
    rotate_values,
    select,
    slide,
    snd,
    split,
    take,
    to_local,
    to_private,
    transpose,
    unzip,
    zip_,
)
from daybreak_rise.elevate.strategy import Failure, Strategy
from daybreak_rise.elevate.traversal import occurrence
from daybreak_rise.expr import Expr
from daybreak_rise.interpret import interpret
from daybreak_rise.rules import (
    lowering,
    maps,
    memory,
    movement,
    normalising,
    reductions,
    reshaping,
    rotation,
    vectors,
    weights,
    windows,
    zips,
)
from daybreak_rise.types import ArrayType, PairType, array, element, f32, inputs, shape
from daybreak_rise.values import layout_of

RULES = (
    maps,
    zips,
    reductions,
    windows,
    weights,
    rotation,
    lowering,
    memory,
    movement,
    reshaping,
    normalising,
    vectors,
)

MOST = 160  # elements of an array that a generated program makes


def divisors(n: int) -> list[int]:
    return [k for k in range(1, n + 1) if n % k == 0]


def elements(type_: Any) -> int:
    return int(np.prod([1, *shape(type_)]))


@st.composite
def programs(draw: st.DrawFn, *, most_steps: int = 5) -> tuple[Expr, tuple[Any, ...]]:
    """A function of one or two arrays, and arguments for it."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    types = [array(*sizes, f32)] * draw(st.integers(1, 2))

    def body(*arguments: Expr) -> Expr:
        first = arguments[0]
        if len(arguments) == 2 and draw(st.booleans()):
            first = zip_(*arguments)
        return grow(draw, first, draw(st.integers(1, most_steps)), 0, arguments)

    if len(types) == 1:
        made = fun(types[0], lambda a: body(a))
    else:
        made = fun(*types, lambda a, b: body(a, b))
    return made, draw(arguments_of(made))


@st.composite
def arguments_of(draw: st.DrawFn, program: Expr) -> tuple[Any, ...]:
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    return tuple(random_value(rng, layout_of(t)) for t in inputs(program.type)[0])


def random_value(rng: np.random.Generator, layout: Any) -> Any:
    if isinstance(layout[1], tuple):
        return tuple(random_value(rng, one) for one in layout)
    return rng.integers(-3, 4, layout[0]).astype(layout[1])


def grow(draw: st.DrawFn, e: Expr, steps: int, depth: int, outside: tuple[Expr, ...]) -> Expr:
    for _ in range(steps):
        choices = list(_choices(draw, e, depth, outside))
        if choices:
            e = draw(st.sampled_from(choices))(e)
    return e


def _choices(
    draw: st.DrawFn, e: Expr, depth: int, outside: tuple[Expr, ...]
) -> Iterator[Callable[[Expr], Expr]]:
    type_ = e.type
    if type_ is f32:
        yield from (
            lambda x: x + 1.0,
            lambda x: x - 2.0,
            lambda x: abs(x),
            lambda x: max_(x, 0.0),
            lambda x: select(x < 1.0, x, -x),
            lambda x: let(x + x, lambda y: min_(y, 9.0)),
        )
    elif isinstance(type_, PairType):
        yield from (fst, snd, lambda p: pair(snd(p), fst(p)))
        if isinstance(type_.first, ArrayType):
            yield lambda p: zip_(fst(p), snd(p)) if fst(p).type is snd(p).type else fst(p)
    elif isinstance(type_, ArrayType):
        yield from _on_arrays(draw, type_, depth, outside)


def _on_arrays(
    draw: st.DrawFn, type_: ArrayType, depth: int, outside: tuple[Expr, ...]
) -> Iterator[Callable[[Expr], Expr]]:
    n, inner = type_.size, type_.element
    assert isinstance(n, int)
    room = MOST // max(1, elements(type_))
    k = draw(st.sampled_from(divisors(n)))
    if depth < 3:
        steps = draw(st.integers(1, 2))
        for kind in (map_, map_, map_seq):
            yield lambda x, kind=kind: x | kind(lambda v: grow(draw, v, steps, depth + 1, outside))
    yield from (split(k), reverse, reorder_with_stride(k), to_local)
    yield lambda x: zip_(x, x | reverse)
    yield lambda x: let(x, lambda y: zip_(y, y))
    if n > 1:
        yield from (take(draw(st.integers(1, n - 1))), drop(draw(st.integers(1, n - 1))))
    if room >= 3:
        yield from (pad_clamp(1, draw(st.integers(0, 2))), lambda x: concat(x, x | reverse))
    width = draw(st.integers(1, min(3, n)))
    if room >= width:
        yield slide(width, draw(st.sampled_from([s for s in (1, 2, 3) if (n - width) % s == 0])))
        # windows that move on are read in order, by a loop
        yield (
            lambda x: (
                x
                | rotate_values(width)(lambda v: grow(draw, v, 1, depth + 1, outside))
                | map_seq(lambda w: grow(draw, w, 1, depth + 1, outside))
                | to_private
            )
        )
    if isinstance(inner, ArrayType):
        yield from (join, transpose, transpose)
    if isinstance(inner, PairType):
        yield from (lambda x: x | map_(fst), lambda x: x | map_(snd), unzip)
        if inner.first is f32 and inner.second is f32:
            yield lambda x: x | map_(lambda p: fst(p) + snd(p))
            yield lambda x: x | reduce_seq()(lambda a, p: max_(a, fst(p)) + snd(p), 0.0)
    if inner is f32:
        yield from (
            lambda x: x | reduce_(add, 0.0),
            lambda x: x | reduce_(max_, -9.0),
            lambda x: x | map_(abs_) | reduce_seq()(lambda a, y: a + max_(y, 1.0), 2.0),
            lambda x: x | pad_constant(1, 1)(0.0),
            lambda x: x | as_vector(k) | map_(lambda v: v + v) | as_scalar,
        )
    if isinstance(inner, ArrayType) and inner.element is f32:
        yield lambda x: x | map_(lambda row: row | reduce_(add, 0.0))
        yield lambda x: x | map_(reduce_seq()(lambda a, y: a + abs(y), 0.0))
    same = [a for a in outside if a.type is type_]
    if same and element(type_) is f32:
        other = draw(st.sampled_from(same))
        yield lambda x: zip_(x, other)
        yield lambda x: zip_(other | map_(lambda v: v), x)


def rules() -> dict[str, Strategy]:
    """Every rule, those with parameters at some values of them, by name."""
    found: dict[str, Strategy] = {}
    for module in RULES:
        for name in module.__all__:
            one = getattr(module, name)
            for made in [one] if isinstance(one, Strategy) else _SAMPLES.get(name, []):
                found[made.name] = made
    return found


def rule_words() -> set[str]:
    """The names of all rules and of the functions that make some."""
    return {name for module in RULES for name in module.__all__} - {"Copy", "copied"}


_SAMPLES: dict[str, list[Strategy]] = {
    **{
        made.__name__: [made(k) for k in (1, 2, 3)]
        for made in (
            maps.split_join,
            maps.split_join_after,
            maps.map_in_parts,
            reductions.reduce_split,
            reductions.reduce_reordered,
            reductions.reduce_blocked,
            windows.overlapped_tiling,
        )
    },
    **{
        name: [getattr(lowering, name)(d) for d in (0, 1)]
        for name in ("to_map_global", "to_map_local", "to_map_work_group")
    },
    "reduce_to_seq": [lowering.reduce_to_seq(), lowering.reduce_to_seq(LOCAL)],
    "copy_after": [
        memory.copy_after(map_seq),
        memory.copy_after(map_seq, map_seq),
        memory.copy_after(map_seq, width=2),
    ],
    "stored": [memory.stored(LOCAL)],
    "stage": [memory.stage(PRIVATE, lambda x: x), memory.stage(LOCAL, memory.copied())],
    "bind": [],
    "vectorise": [vectors.vectorise(2), vectors.vectorise(3)],
}


def everywhere(rule: Strategy, e: Expr, most: int = 3) -> Iterator[Expr]:
    """The expression with the rule applied at one place, for each of the first places."""
    for n in range(most):
        found = occurrence(n)(rule)(e)
        if isinstance(found, Failure):
            return
        yield found


def same_value(left: Expr, right: Expr, arguments: tuple[Any, ...]) -> None:
    assert_same(interpret(left, *arguments), interpret(right, *arguments))


def assert_same(left: Any, right: Any) -> None:
    if isinstance(left, tuple):
        assert isinstance(right, tuple)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_array_equal(left, right)
