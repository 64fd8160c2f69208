"""Each rule: applies to the form it is for, keeps value and type, and says why where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rise_programs import arguments_of, rule_words, same_value

from daybreak_rise.dsl import (
    LOCAL,
    PRIVATE,
    abs_,
    add,
    as_scalar,
    as_vector,
    cast,
    div,
    drop,
    fst,
    fun,
    generate,
    join,
    let,
    literal,
    map_,
    map_local,
    map_seq,
    max_,
    mul,
    pad_2d,
    pad_clamp,
    pair,
    reduce_,
    reduce_seq,
    reorder_with_stride,
    reverse,
    rotate_values,
    select,
    slide,
    slide_2d,
    snd,
    split,
    sub,
    take,
    transpose,
    unzip,
    zip_,
)
from daybreak_rise.elevate.predicates import applied
from daybreak_rise.elevate.strategy import Failure, Strategy
from daybreak_rise.elevate.traversal import top_down
from daybreak_rise.expr import App, Expr, Lambda, Primitive, fresh, nodes
from daybreak_rise.infer import check
from daybreak_rise.interpret import interpret
from daybreak_rise.nat import nat
from daybreak_rise.rules.lowering import (
    reduce_to_seq,
    to_high_level,
    to_map_global,
    to_map_local,
    to_map_par,
    to_map_seq,
    to_map_seq_unroll,
    to_map_work_group,
    unroll,
)
from daybreak_rise.rules.maps import (
    create_transpose_pair,
    map_fission,
    map_fusion,
    map_in_parts,
    map_interchange,
    map_of_map_to_join,
    split_join,
    split_join_after,
)
from daybreak_rise.rules.memory import (
    bind,
    copied,
    copy_after,
    let_out_of_argument,
    stage,
    stored,
)
from daybreak_rise.rules.movement import (
    join_before_map,
    map_before_reorder,
    map_before_split,
    map_map_before_join,
    map_map_before_transpose,
    reorder_before_map,
    reorder_into_zip,
    reorder_out_of_zip,
    split_before_map,
    split_into_zip,
    transpose_before_inner_map,
    transpose_before_map_map,
    transpose_map_zip,
)
from daybreak_rise.rules.normalising import (
    beta_reduction,
    eta_abstraction,
    eta_reduction,
    first_of_pair,
    join_of_split,
    let_inline,
    map_identity,
    pair_of_parts,
    scalars_of_vectors,
    second_of_pair,
    split_of_join,
    transpose_twice,
    unzip_of_zip,
    vectors_of_scalars,
    zip_of_unzip,
)
from daybreak_rise.rules.reductions import (
    reduce_blocked,
    reduce_from_first,
    reduce_map_fission,
    reduce_map_fusion,
    reduce_out_of_map,
    reduce_reordered,
    reduce_split,
)
from daybreak_rise.rules.reshaping import (
    join_before_join,
    join_before_transpose,
    map_join_before_join,
    map_join_before_transpose,
    map_split_before_transpose,
    pad_before_transpose,
    split_before_transpose,
    transpose_before_join,
    transpose_before_map_join,
    transpose_before_map_pad,
    transpose_before_map_split,
    transpose_before_split,
)
from daybreak_rise.rules.rotation import map_into_rotate_values, slide_to_rotate_values
from daybreak_rise.rules.vectors import vectorise
from daybreak_rise.rules.weights import separate_dot
from daybreak_rise.rules.windows import (
    overlapped_tiling,
    part_before_slide,
    slide_after,
    slide_before_slide,
    slide_before_split,
)
from daybreak_rise.rules.zips import map_of_zip_part, map_out_of_zip, zip_same, zip_swap
from daybreak_rise.types import ArrayType, array, f32, i32

Build = Callable[[Expr], Any]


def one(x: Expr) -> Expr:
    return max_(x + 1.0, -1.0)


def two(x: Expr) -> Expr:
    return abs_(x) - 2.0


def dot(u: Expr, v: Expr) -> Expr:
    made: Expr = zip_(u, v) | map_(lambda p: fst(p) * snd(p)) | reduce_(add, 0.0)
    return made


def step(acc: Expr, y: Expr) -> Expr:
    return acc + max_(y, 1.0)


def weighted(window: Expr) -> Expr:
    """A pair of numbers of a window, the way convolutions are written."""
    sums = zip_(literal((1.0, -2.0, 3.0)), window) | map_(lambda p: fst(p) * snd(p))
    made: Expr = let(
        sums | reduce_(add, 0.0),
        lambda total: pair(total + 1.0, window | map_(abs_) | reduce_seq()(step, 2.0)),
    )
    return made


def weighted_sum(weights: tuple[float, ...], window: Expr) -> Expr:
    """A convolution, as it is written."""
    terms = zip_(literal(weights), window | join) | map_(lambda p: fst(p) * snd(p))
    made: Expr = terms | reduce_(add, 0.0)
    return made


def of_pairs(window: Expr) -> Expr:
    """A number of a window of pairs."""
    made: Expr = window | map_(lambda p: fst(p) * snd(p)) | reduce_(add, 0.0)
    return made


def lambda_of_pair(x: Expr) -> Expr:
    p = fresh("p", f32)
    return App(Lambda(p, p + p), x | reduce_(add, 0.0))


# rule -> how sizes become a rule and a program to which it applies, of a matrix (2a).(2b) or
# larger; `a` and `b` are drawn from 1 to 3
VECTORS: dict[str, tuple[Callable[[int], Strategy], Build]] = {
    "split_join": (lambda k: split_join(2 * k), lambda x: x | join | map_(one)),
    "split_join_after": (lambda k: split_join_after(k), lambda x: x | join),
    "map_of_map_to_join": (
        lambda _: map_of_map_to_join,
        lambda x: x | join | split(2) | map_(map_(one)) | join,
    ),
    "map_fusion": (lambda _: map_fusion, lambda x: x | join | map_(one) | map_(two)),
    "map_fission": (lambda _: map_fission, lambda x: x | join | map_(lambda v: two(one(v)))),
    "map_in_parts": (lambda k: map_in_parts(k), lambda x: x | join | map_(one)),
    "map_interchange": (
        lambda _: map_interchange,
        lambda x: x | map_(lambda r: reverse(x) | map_(lambda q: dot(r, q))),
    ),
    "create_transpose_pair": (lambda _: create_transpose_pair, lambda x: x),
    "map_of_zip_part": (
        lambda _: map_of_zip_part,
        lambda x: zip_(x | join, x | join | reverse) | map_(lambda p: one(snd(p)) + snd(p)),
    ),
    "map_out_of_zip": (
        lambda _: map_out_of_zip,
        lambda x: zip_(x | join | map_(one), x | join | reverse),
    ),
    "zip_same": (lambda _: zip_same, lambda x: zip_(x, x)),
    "zip_swap": (lambda _: zip_swap, lambda x: zip_(x, x | map_(reverse))),
    "reduce_split": (lambda k: reduce_split(2 * k), lambda x: x | join | reduce_(add, 0.0)),
    "reduce_reordered": (
        lambda k: reduce_reordered(2 * k),
        lambda x: x | join | reduce_(add, 0.0),
    ),
    "reduce_blocked": (
        lambda k: reduce_blocked(2 * k),
        lambda x: x | join | reduce_seq()(lambda acc, y: acc + acc - y, 1.0),
    ),
    "reduce_from_first": (
        lambda _: reduce_from_first,
        lambda x: x | join | reduce_seq()(lambda acc, y: acc + two(y), 0.0),
    ),
    "reduce_map_fusion": (
        lambda _: reduce_map_fusion,
        lambda x: x | join | map_(two) | reduce_(add, 0.0),
    ),
    "reduce_map_fission": (
        lambda _: reduce_map_fission,
        lambda x: x | join | reduce_seq()(lambda acc, y: acc + two(y), 0.0),
    ),
    "reduce_out_of_map": (
        lambda _: reduce_out_of_map,
        lambda x: x | map_(lambda r: dot(r, reverse(r))),
    ),
    "overlapped_tiling": (
        lambda k: overlapped_tiling(k),
        lambda x: x | join | pad_clamp(1, 1) | slide(3, 1) | map_(reduce_(add, 0.0)),
    ),
    "part_before_slide": (
        lambda k: part_before_slide,
        lambda x: x | join | pad_clamp(2, 2) | slide(5, 1) | drop(1),
    ),
    "slide_before_slide": (
        lambda k: slide_before_slide,
        lambda x: x | join | pad_clamp(2, 2) | slide(2, 1) | slide(3, 2),
    ),
    "separate_dot": (
        lambda _: separate_dot,
        lambda x: (
            x
            | pad_2d(1)
            | slide_2d(3)
            | map_(
                map_(lambda n: weighted_sum((1.0, 2.0, 1.0, 0.0, 0.0, 0.0, -1.0, -2.0, -1.0), n))
            )
        ),
    ),
    "slide_after": (lambda _: slide_after, lambda x: x),
    "to_high_level": (lambda _: to_high_level, lambda x: x | map_local(1)(map_(one))),
    "unroll": (lambda _: unroll, lambda x: x | map_seq(reduce_(add, 0.0))),
    "reduce_to_seq": (lambda _: reduce_to_seq(LOCAL), lambda x: x | join | reduce_(add, 0.0)),
    **{
        name: (lambda _, made=made: made, lambda x: x | map_(reduce_(add, 0.0)))
        for name, made in {
            "to_map_seq": to_map_seq,
            "to_map_seq_unroll": to_map_seq_unroll,
            "to_map_par": to_map_par,
            "to_map_global": to_map_global(0),
            "to_map_local": to_map_local(1),
            "to_map_work_group": to_map_work_group(2),
        }.items()
    },
    "copy_after": (lambda _: copy_after(map_local(1), map_local(0)), lambda x: x),
    "stored": (lambda _: stored(LOCAL), lambda x: x),
    "stage": (
        lambda _: stage(PRIVATE, copied(map_seq)),
        lambda x: zip_(x, reverse(x)) | map_(lambda p: dot(fst(p), snd(p))),
    ),
    "bind": (
        lambda _: bind(applied("transpose")),
        lambda x: zip_(x | transpose, x | transpose | reverse),
    ),
    "let_out_of_argument": (
        lambda _: let_out_of_argument,
        lambda x: let(x | map_(map_(one)), lambda y: zip_(y, y)) | reverse,
    ),
    "vectorise": (
        lambda _: vectorise(2),
        lambda x: x | map_(lambda r: zip_(r, r | reverse) | map_(lambda p: fst(p) * snd(p) + 1.0)),
    ),
    "reorder_before_map": (
        lambda _: reorder_before_map,
        lambda x: x | map_(map_(one)) | reorder_with_stride(2),
    ),
    "map_before_reorder": (lambda _: map_before_reorder, lambda x: x | take(1) | map_(reverse)),
    "slide_to_rotate_values": (
        lambda _: slide_to_rotate_values,
        lambda x: x | slide(2, 1) | map_(map_(map_(one))),
    ),
    "map_into_rotate_values": (
        lambda _: map_into_rotate_values,
        lambda x: x | map_(map_(one)) | rotate_values(2)(map_(two)) | map_seq(transpose),
    ),
    "split_before_map": (lambda _: split_before_map, lambda x: x | join | map_(one) | slide(2, 2)),
    "map_before_split": (
        lambda _: map_before_split,
        lambda x: x | join | slide(2, 1) | map_(map_(one)),
    ),
    "join_before_map": (lambda _: join_before_map, lambda x: x | map_(map_(one)) | join),
    "map_map_before_join": (lambda _: map_map_before_join, lambda x: x | join | map_(one)),
    "transpose_before_map_map": (
        lambda _: transpose_before_map_map,
        lambda x: x | map_(lambda r: r | map_(one)) | transpose,
    ),
    "transpose_before_inner_map": (
        lambda _: transpose_before_inner_map,
        lambda x: x | map_(lambda r: r | reverse | map_(one)) | transpose,
    ),
    "map_map_before_transpose": (
        lambda _: map_map_before_transpose,
        lambda x: x | transpose | map_(lambda r: r | map_(one)),
    ),
    "reorder_into_zip": (lambda _: reorder_into_zip, lambda x: zip_(x, reverse(x)) | drop(1)),
    "reorder_out_of_zip": (
        lambda _: reorder_out_of_zip,
        lambda x: zip_(x | drop(1), x | reverse | drop(1)),
    ),
    "split_into_zip": (lambda _: split_into_zip, lambda x: zip_(x, reverse(x)) | split(2)),
    "transpose_map_zip": (
        lambda _: transpose_map_zip,
        lambda x: x | map_(lambda r: zip_(r, idx0(x))) | transpose,
    ),
    "map_split_before_transpose": (
        lambda _: map_split_before_transpose,
        lambda x: x | transpose | split(2),
    ),
    "split_before_transpose": (
        lambda _: split_before_transpose,
        lambda x: x | transpose | map_(slide(2, 1)),
    ),
    "transpose_before_map_split": (
        lambda _: transpose_before_map_split,
        lambda x: x | map_(split(2)) | transpose,
    ),
    "transpose_before_split": (
        lambda _: transpose_before_split,
        lambda x: x | split(2) | map_(transpose),
    ),
    "transpose_before_join": (
        lambda _: transpose_before_join,
        lambda x: x | split(2) | join | transpose,
    ),
    "join_before_transpose": (
        lambda _: join_before_transpose,
        lambda x: x | map_(split(2)) | transpose | map_(join),
    ),
    "map_join_before_transpose": (
        lambda _: map_join_before_transpose,
        lambda x: x | map_(split(2)) | map_(transpose) | join,
    ),
    "transpose_before_map_join": (
        lambda _: transpose_before_map_join,
        lambda x: x | map_(split(2)) | map_(join) | transpose,
    ),
    "map_join_before_join": (lambda _: map_join_before_join, lambda x: x | split(2) | join | join),
    "join_before_join": (
        lambda _: join_before_join,
        lambda x: x | map_(split(2)) | map_(join) | join,
    ),
    "transpose_before_map_pad": (
        lambda _: transpose_before_map_pad,
        lambda x: x | map_(pad_clamp(1, 2)) | transpose,
    ),
    "pad_before_transpose": (
        lambda _: pad_before_transpose,
        lambda x: x | transpose | map_(pad_clamp(2, 1)),
    ),
    "slide_before_split": (
        lambda _: slide_before_split,
        lambda x: x | join | pad_clamp(1, 1) | slide(3, 1) | split(2),
    ),
    "beta_reduction": (lambda _: beta_reduction, lambda x: lambda_of_pair(x | join)),
    "eta_reduction": (lambda _: eta_reduction, lambda x: x | map_(lambda r: reverse(r))),
    "eta_abstraction": (lambda _: eta_abstraction, lambda x: x | map_(reverse)),
    "first_of_pair": (lambda _: first_of_pair, lambda x: fst(pair(x, x | transpose))),
    "second_of_pair": (lambda _: second_of_pair, lambda x: snd(pair(x, x | transpose))),
    "pair_of_parts": (
        lambda _: pair_of_parts,
        lambda x: zip_(x, reverse(x)) | map_(lambda p: pair(fst(p), snd(p))),
    ),
    "transpose_twice": (lambda _: transpose_twice, lambda x: x | transpose | transpose),
    "join_of_split": (lambda _: join_of_split, lambda x: x | split(2) | join),
    "split_of_join": (
        lambda _: split_of_join,
        lambda x: x | split(2) | join | split(2),
    ),
    "scalars_of_vectors": (
        lambda _: scalars_of_vectors,
        lambda x: x | join | as_vector(2) | as_scalar,
    ),
    "vectors_of_scalars": (
        lambda _: vectors_of_scalars,
        lambda x: x | join | as_vector(2) | as_scalar | as_vector(2) | as_scalar,
    ),
    "unzip_of_zip": (lambda _: unzip_of_zip, lambda x: zip_(x, reverse(x)) | unzip),
    "zip_of_unzip": (
        lambda _: zip_of_unzip,
        lambda x: zip_(fst(unzip(zip_(x, x))), snd(unzip(zip_(x, x)))),
    ),
    "map_identity": (lambda _: map_identity, lambda x: x | map_(lambda r: r)),
    "let_inline": (lambda _: let_inline, lambda x: let(x | transpose, lambda y: zip_(y, y))),
}


def idx0(x: Expr) -> Expr:
    from daybreak_rise.dsl import idx, literal
    from daybreak_rise.types import IndexType

    assert isinstance(x.type, ArrayType)
    return idx(literal(0, IndexType(x.type.size)), x)


def test_every_rule_is_tested_here() -> None:
    assert rule_words() == set(VECTORS)


@pytest.mark.parametrize("name", sorted(VECTORS))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_rule_keeps_value_and_type(name: str, data: st.DataObject) -> None:
    make, build = VECTORS[name]
    a, b, k = (data.draw(st.integers(1, 3)) for _ in range(3))
    program = fun(array(2 * a * k, 2 * b, f32), build)
    rule = make(k)
    found = top_down(rule).rewrite(program)
    assert found != program
    assert check(found) is program.type
    same_value(program, found, data.draw(arguments_of(program)))


@pytest.mark.parametrize(
    "build",
    [
        lambda r: r | pad_clamp(1, 1) | slide(3, 1) | map_(weighted),
        lambda r: zip_(r, r | reverse) | pad_clamp(1, 1) | slide(3, 1) | map_(of_pairs),
        lambda r: (
            r | pad_clamp(1, 1) | slide(3, 1) | slide(1, 1) | map_(lambda n: weighted(join(n)))
        ),
        lambda r: r | map_(lambda v: let(v * 2.0, lambda y: select(idx0(r) < 0.0, y, idx0(r)))),
        lambda r: r | map_(lambda v: pair(v, idx0(r))),
        lambda r: r | map_(lambda v: zip_(r, r) | map_(lambda p: fst(p) * v) | reduce_(max_, -9.0)),
    ],
)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_vectors_of_windows_and_pairs(build: Build, data: st.DataObject) -> None:
    a, b, k = (data.draw(st.integers(1, 3)) for _ in range(3))
    program = fun(array(a, b * k, f32), lambda x: x | map_(build))
    found = top_down(vectorise(k)).rewrite(program)
    assert check(found) is program.type
    assert any(isinstance(n.type, ArrayType) and "<" in str(n.type) for n in nodes(found))
    same_value(program, found, data.draw(arguments_of(program)))


# --- what a rule makes -------------------------------------------------------------------------


def body_of(rule: Strategy, build: Build, *sizes: int) -> str:
    program = fun(array(*(sizes or (8, 4)), f32), lambda x: build(x))
    found = top_down(rule).rewrite(program)
    assert isinstance(found, Lambda)
    return str(found).removeprefix("x. ")


def test_forms() -> None:
    assert body_of(split_join(4), lambda x: x | map_(abs_), 8) == (
        "x | split[4] | map(block. block | map(abs)) | join"
    )
    assert body_of(map_fusion, lambda x: x | map_(abs_) | map_(two), 8) == (
        "x | map(x'. abs(abs(x')) - 2.0)"
    )
    assert body_of(map_fission, lambda x: x | map_(lambda v: abs_(v * 2.0)), 8) == (
        "x | map(v. v * 2.0) | map(abs)"
    )
    assert body_of(reduce_blocked(2), lambda x: x | reduce_seq()(add, 1.0), 8) == (
        "x | split[2] | reduceSeq[private](acc. block. block | reduceSeq[private](add, acc), 1.0)"
    )
    assert body_of(overlapped_tiling(4), lambda x: x | slide(3, 1), 10) == (
        "x | slide[6, 4] | map(slide[3, 1]) | join"
    )
    assert body_of(separate_dot, lambda x: weighted_sum((-1.0, -2.0, 2.0, 4.0), x), 2, 2) == (
        "zip([-1.0, 2.0], x | map(line. zip([1.0, 2.0], line) | map(p. fst(p) * snd(p)) "
        "| reduce(add, 0.0))) | map(p. fst(p) * snd(p)) | reduce(add, 0.0)"
    )
    # the weights 0 first: columns
    assert "x | transpose | map(line. zip([1.0, 0.0], line)" in body_of(
        separate_dot, lambda x: weighted_sum((1.0, 3.0, 0.0, 0.0), x), 2, 2
    )
    assert body_of(reduce_map_fusion, lambda x: x | map_(abs_) | reduce_(add, 0.0), 8) == (
        "x | reduceSeq[private](acc. y. acc + abs(y), 0.0)"
    )


def test_a_reduction_that_was_fused_is_no_longer_taken_to_be_associative() -> None:
    program = fun(array(4, f32), lambda x: x | map_(abs_) | reduce_(add, 0.0))
    fused = top_down(reduce_map_fusion).rewrite(program)
    assert isinstance(top_down(reduce_split(2))(fused), Failure)


def test_fission_gives_back_a_reduce_only_of_operations_that_may_be_reordered() -> None:
    for operation, head in (
        (add, "reduce"),
        (mul, "reduce"),
        (sub, "reduceSeq"),
        (div, "reduceSeq"),
    ):
        program = fun(
            array(4, f32),
            lambda x, op=operation: x | reduce_seq()(lambda a, y: op(a, abs_(y)), 1.0),
        )
        found = top_down(reduce_map_fission).rewrite(program)
        heads = [n.name for n in nodes(found) if isinstance(n, Primitive)]
        assert head in heads, operation


def test_a_sum_out_of_a_map_is_the_matrix_product_with_its_loops_exchanged() -> None:
    program = fun(
        array(4, 6, f32),
        array(5, 6, f32),
        lambda a, b: a | map_(lambda r: b | map_(lambda q: dot(r, q))),
    )
    fused = top_down(reduce_map_fusion).rewrite(program)
    found = top_down(reduce_out_of_map).rewrite(fused)
    a = np.arange(24, dtype="f4").reshape(4, 6)
    b = np.arange(30, dtype="f4").reshape(5, 6) - 7
    np.testing.assert_array_equal(interpret(found, a, b), a @ b.T)


# --- why a rule does not apply -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "build", "reason"),
    [
        (split_join(3), lambda x: x | map_(one), "3 does not divide 8"),
        (split_join_after(5), lambda x: x, "5 does not divide 8"),
        (reduce_split(3), lambda x: x | reduce_(add, 0.0), "3 does not divide 8"),
        (reduce_reordered(3), lambda x: x | reduce_(add, 0.0), "3 does not divide 8"),
        (reduce_blocked(3), lambda x: x | reduce_(add, 0.0), "3 does not divide 8"),
        (overlapped_tiling(4), lambda x: x | slide(3, 1), "4 does not divide 6"),
        (overlapped_tiling(3), lambda x: x | slide(2, 2), "no whole number of steps of 2"),
        (slide_to_rotate_values, lambda x: x | slide(2, 2), "only by 1"),
        (vectorise(3), lambda x: x | map_(one), "3 does not divide 8"),
        (vectorise(2), lambda x: x | map_(lambda v: cast(i32)(v)), "cast does not work on vectors"),
        (
            vectorise(2),
            lambda x: x | map_(lambda v: pair(v, pair(v, v))),
            "no function of numbers",
        ),
        (vectorise(2), lambda x: x | split(2) | map_(reverse), "is not a map of a lambda"),
        (
            vectorise(2),
            lambda x: x | map_(lambda v: generate(2)(lambda i: v) | reduce_(add, 0.0)),
            "more than compute with numbers",
        ),
        (map_in_parts(8), lambda x: x | map_(one), "8 of 8 elements leave no two parts"),
        (
            separate_dot,
            lambda x: weighted_sum((1.0, 2.0, 3.0, 4.0), x | take(4) | split(2)),
            "no products of a column's and a row's",
        ),
        (reduce_from_first, lambda x: x | reduce_seq()(step, 1.0), "starts from something else"),
        (
            reduce_from_first,
            lambda x: x | reduce_seq()(lambda a, y: max_(a, y), 0.0),
            "no sum or product",
        ),
        (
            transpose_before_inner_map,
            lambda x: x | split(2) | map_(lambda r: r | map_(lambda v: v + idx0(r))) | transpose,
            "uses the outer element",
        ),
        (map_fission, lambda x: x | map_(lambda v: v + v), "no last step to cut off"),
        (copy_after(map_seq, map_seq), lambda x: x, "fewer than 2 dimensions"),
        (bind(applied("join")), lambda x: x, "no part of it"),
        (map_of_zip_part, lambda x: zip_(x, x) | map_(lambda p: fst(p) + snd(p)), "both parts"),
        (map_fusion, lambda x: x | map_(one) | map_seq(two), "is not two maps of a kind"),
    ],
)
def test_a_failure_has_a_reason(rule: Strategy, build: Build, reason: str) -> None:
    program = fun(array(8, f32), lambda x: build(x))
    found = rule(program.body)
    assert isinstance(found, Failure)
    assert reason in found.reason
    assert not found


def test_reasons_of_nested_reductions_and_maps() -> None:
    def own_sum(x: Expr) -> Any:
        return x | map_(lambda r: r | reduce_seq()(lambda acc, y: acc + y * idx0(r), 0.0))

    found = reduce_out_of_map(fun(array(4, 4, f32), lambda x: own_sum(x)).body)
    assert isinstance(found, Failure)
    assert "uses the mapped element" in found.reason
    found = map_interchange(
        fun(array(4, 4, f32), lambda x: x | map_(lambda r: r | map_(lambda v: v + idx0(r)))).body
    )
    assert isinstance(found, Failure)
    assert "both use the outer element" in found.reason


def test_unknown_sizes_are_split_only_where_it_is_certain() -> None:
    n = nat("n")
    program = fun(array(4 * n, f32), lambda x: x | map_(one))
    assert check(top_down(split_join(4)).rewrite(program)) is program.type
    assert check(top_down(split_join(n)).rewrite(program)) is program.type
    found = split_join(8)(program.body)
    assert isinstance(found, Failure)
    assert found.reason == "8 does not divide 4*n"


def test_binding_replaces_all_equal_parts_and_none_that_is_not_free() -> None:
    program = fun(
        array(4, 4, f32), lambda x: x | map_(lambda r: dot(r, reverse(r))) | map_(lambda v: v)
    )
    assert isinstance(bind(applied("reverse"))(program.body), Failure)
    shared = fun(array(4, 4, f32), lambda x: zip_(x | transpose, x | transpose | reverse))
    found = bind(applied("transpose"), "turned").rewrite(shared.body)
    assert str(found) == "let(x | transpose, turned. zip(turned, turned | reverse))".replace(
        "x |", f"{shared.param.name} |"
    )


def test_generate_survives_a_reduction_moved_outwards() -> None:
    program = fun(
        array(3, 4, f32),
        lambda x: x | map_(lambda r: r | reduce_seq()(step, 5.0)),
    )
    found = reduce_out_of_map.rewrite(program.body)
    assert any(isinstance(n, Primitive) and n.name == "generate" for n in nodes(found))
    made = fun(array(3, f32), lambda x: generate(3)(lambda i: 5.0))
    np.testing.assert_array_equal(interpret(made, np.zeros(3)), np.full(3, 5.0))
