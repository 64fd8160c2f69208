"""The interpreter against NumPy, pattern by pattern, and on the seven benchmarks' programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rise_products import product

from daybreak_rise.dsl import (
    abs_,
    add,
    as_scalar,
    as_vector,
    cast,
    concat,
    div,
    drop,
    exp,
    fst,
    fun,
    gather,
    generate,
    idx,
    join,
    let,
    literal,
    map_,
    map_global,
    map_local,
    map_seq,
    max_,
    min_,
    mod,
    not_,
    or_,
    pad_2d,
    pad_clamp,
    pad_constant,
    pair,
    reduce_,
    reduce_seq,
    reorder_with_stride,
    reverse,
    rotate_values,
    scatter,
    select,
    slide,
    slide_2d,
    snd,
    split,
    sqrt,
    take,
    to_local,
    transpose,
    unzip,
    vector_from_scalar,
    zip_,
)
from daybreak_rise.errors import RiseTypeError
from daybreak_rise.interpret import interpret
from daybreak_rise.nat import nat
from daybreak_rise.types import IndexType, PairType, array, f32, f64, i32

X = np.arange(12, dtype="f4") - 4
M = np.arange(24, dtype="f4").reshape(4, 6)


def run(build: Callable[..., Any], *values: Any, types: Any = None) -> Any:
    values = tuple(np.asarray(v) for v in values)
    names = {"float32": f32, "float64": f64, "int32": i32}
    found = types or tuple(array(*v.shape, names[v.dtype.name]) for v in values)
    count = len(found)
    bodies = (lambda a: build(a), lambda a, b: build(a, b), lambda a, b, c: build(a, b, c))
    return interpret(fun(*found, bodies[count - 1]), *values)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda x: x | split(3), X.reshape(4, 3)),
        (lambda x: x | split(3) | transpose, X.reshape(4, 3).T),
        (lambda x: x | split(3) | transpose | join, X.reshape(4, 3).T.ravel()),
        (lambda x: x | slide(3), np.stack([X[i : i + 3] for i in range(10)])),
        (lambda x: x | slide(4, 2), np.stack([X[i : i + 4] for i in range(0, 9, 2)])),
        (
            lambda x: x | rotate_values(3)(lambda v: v * v),
            np.stack([X[i : i + 3] ** 2 for i in range(10)]),
        ),
        (lambda x: x | pad_constant(2, 1)(7.0), np.r_[7, 7, X, 7]),
        (lambda x: x | pad_clamp(2, 1), np.r_[X[0], X[0], X, X[-1]]),
        (lambda x: x | take(5), X[:5]),
        (lambda x: x | drop(5), X[5:]),
        (lambda x: concat(x, x | reverse), np.r_[X, X[::-1]]),
        (lambda x: x | reorder_with_stride(3), np.r_[X[0::3], X[1::3], X[2::3]]),
        (lambda x: idx(literal(3, IndexType(12)), x), X[3]),
        (lambda x: x | as_vector(4) | map_(lambda v: v * v) | as_scalar, X * X),
        (
            lambda x: x | map_(lambda v: max_(v, 0.0) + min_(v, 0.0) * 2.0),
            np.where(X > 0, X, 2 * X),
        ),
        (lambda x: x | map_(lambda v: sqrt(abs(v))), np.sqrt(np.abs(X))),
        (lambda x: x | map_(exp), np.exp(X)),
        (lambda x: x | map_(lambda v: select(v < 2.0, -v, v / 2.0)), np.where(X < 2, -X, X / 2)),
        (
            lambda x: x | map_(lambda v: select(or_(v > 3.0, not_(v > 0.0)), v, 0.0)),
            np.where((X > 3) | ~(X > 0), X, 0),
        ),
        (lambda x: x | map_(cast(i32)), X.astype("i4")),
        (lambda x: x | map_(lambda v: cast(i32)(v / 2.0)), np.trunc(X / 2).astype("i4")),
        (lambda x: x | reduce_(add, 0.0), X.sum()),
        (lambda x: x | reduce_seq()(lambda a, v: a * 2.0 + v, 1.0), None),
        (lambda x: generate(4)(lambda i: cast(f32)(i) * 2.0), np.arange(4) * 2.0),
        (lambda x: generate(3)(lambda i: generate(2)(lambda j: idx(i, x | take(3)))), None),
        (lambda x: let(to_local(x | map_seq(abs_)), lambda y: zip_(y, y) | map_(fst)), np.abs(X)),
        (lambda x: x | split(4) | map_global(0)(map_local(0)(lambda v: v + 1.0)) | join, X + 1),
    ],
)
def test_patterns(build: Callable[..., Any], expected: Any) -> None:
    found = run(build, X)
    if expected is not None:
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == (np.float32 if np.asarray(expected).dtype.kind == "f" else np.int32)


def test_folds_go_from_the_first_to_the_last() -> None:
    expected = np.float32(1)
    for v in X:
        expected = expected * 2 + v
    assert run(lambda x: x | reduce_seq()(lambda a, v: a * 2.0 + v, 1.0), X) == expected
    # rounding included: 1e8 takes in nothing, and what comes after it is kept
    big = np.array([1e8, 1, -1e8, 1], dtype="f4")
    assert run(lambda x: x | reduce_(add, 0.0), big) == 1.0


def test_patterns_inside_maps_see_what_is_around() -> None:
    found = run(
        lambda m, v: m | map_(lambda r: zip_(r, v) | map_(lambda p: fst(p) * snd(p) + idx0(v))),
        M,
        np.arange(6, dtype="f4"),
    )
    np.testing.assert_array_equal(found, M * np.arange(6))
    found = run(lambda m: m | map_(lambda r: pad_constant(1, 0)(idx0(r))(r)), M)
    np.testing.assert_array_equal(found, np.pad(M, ((0, 0), (1, 0)), mode="edge"))
    found = run(lambda m: m | map_(lambda r: generate(2)(lambda i: r)), M)
    np.testing.assert_array_equal(found, np.stack([M, M], axis=1))
    found = run(lambda m: m | map_(lambda r: m | map_(lambda q: concat(r, q))), M)
    assert found.shape == (4, 4, 12)
    np.testing.assert_array_equal(found[1, 2], np.r_[M[1], M[2]])


def idx0(x: Any) -> Any:
    return idx(literal(0, IndexType(x.type.size)), x)


def test_gather_and_scatter_are_inverse() -> None:
    order = np.array([2, 0, 3, 1])
    types = (array(4, IndexType(4)), array(4, 6, f32))
    gathered = run(gather, order, M, types=types)
    np.testing.assert_array_equal(gathered, M[order])
    scattered = run(scatter, order, gathered, types=types)
    np.testing.assert_array_equal(scattered, M)
    with pytest.raises(RiseTypeError, match="no permutation"):
        run(scatter, [0, 0, 1, 2], M, types=types)
    columns = run(
        lambda i, m: m | map_(lambda r: gather(i, r)), [5, 0], M,
        types=(array(2, IndexType(6)), array(4, 6, f32)),
    )  # fmt: skip
    np.testing.assert_array_equal(columns, M[:, [5, 0]])


def test_integers_divide_as_in_c() -> None:
    a = np.array([7, -7, 7, -7], dtype="i4")
    b = np.array([2, 2, -2, -2], dtype="i4")
    both = run(lambda x, y: zip_(x, y) | map_(lambda p: div(fst(p), snd(p))), a, b)
    np.testing.assert_array_equal(both, [3, -3, -3, 3])
    rest = run(lambda x, y: zip_(x, y) | map_(lambda p: mod(fst(p), snd(p))), a, b)
    np.testing.assert_array_equal(rest, [1, -1, 1, -1])


def test_pairs_are_tuples_of_arrays() -> None:
    first, second = run(lambda x: zip_(x, x | map_(cast(i32))), X)
    assert (first.dtype, second.dtype) == (np.float32, np.int32)
    program = fun(array(3, PairType(f32, i32)), lambda x: x | map_(lambda p: pair(snd(p), fst(p))))
    found = interpret(program, (np.ones(3), np.arange(3)))
    np.testing.assert_array_equal(found[0], np.arange(3))
    turned = fun(array(3, PairType(f32, i32)), lambda x: snd(unzip(x)))
    np.testing.assert_array_equal(interpret(turned, (np.ones(3), np.arange(3))), np.arange(3))


def test_vectors_are_rows() -> None:
    found = run(lambda x: x | as_vector(4), X)
    np.testing.assert_array_equal(found, X.reshape(3, 4))
    found = run(lambda x: x | map_(vector_from_scalar(2)), X)
    np.testing.assert_array_equal(found, np.stack([X, X], axis=1))


def test_wrong_arguments_are_explained() -> None:
    program = fun(array(4, f32), lambda x: x | map_(abs_))
    with pytest.raises(RiseTypeError, match="1 arguments are needed, 0 given"):
        interpret(program)
    with pytest.raises(RiseTypeError, match=r"argument 0 has the shape \(3,\)"):
        interpret(program, np.zeros(3))
    with pytest.raises(RiseTypeError, match="the size n is a symbol"):
        interpret(fun(array(nat("n"), f32), lambda x: x), np.zeros(3))
    with pytest.raises(RiseTypeError, match="is no pair"):
        interpret(fun(array(2, PairType(f32, f32)), lambda x: x), np.zeros(2))
    with pytest.raises(RiseTypeError, match="free identifiers"):
        interpret(program.body)


# --- what the benchmarks compute ---------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_matrix_product(n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(n + 10 * m + 100 * k)
    at, b = (rng.integers(-4, 5, s).astype("f4") for s in ((k, n), (k, m)))
    np.testing.assert_array_equal(interpret(product(n, m, k), at, b), at.T @ b)


def test_asum_and_scal() -> None:
    assert run(lambda x: x | map_(abs_) | reduce_(add, 0.0), X) == np.abs(X).sum()
    scaled = interpret(
        fun(array(12, f32), f32, lambda x, a: x | map_(lambda v: a * v)), X, np.float32(3)
    )
    np.testing.assert_array_equal(scaled, 3 * X)


def test_kmeans_finds_the_nearest_centre() -> None:
    rng = np.random.default_rng(3)
    points, centres = rng.normal(size=(40, 5)).astype("f4"), rng.normal(size=(4, 5)).astype("f4")

    def distance(point: Any, centre: Any) -> Any:
        return zip_(point, centre) | reduce_seq()(
            lambda s, p: s + (fst(p) - snd(p)) * (fst(p) - snd(p)), 0.0
        )

    def nearest(best: Any, d: Any) -> Any:
        # best: ((distance, place), places seen)
        seen = snd(best)
        return select(d < fst(fst(best)), pair(pair(d, seen), seen + 1), pair(fst(best), seen + 1))

    found = run(
        lambda p, c: (
            p
            | map_(
                lambda point: (
                    c
                    | map_(lambda centre: distance(point, centre))
                    | reduce_seq()(nearest, pair(pair(literal(3e38), literal(0)), literal(0)))
                    | fst
                    | snd
                )
            )
        ),
        points,
        centres,
    )
    squares = ((points[:, None] - centres[None]) ** 2).sum(-1)
    np.testing.assert_array_equal(found, squares.argmin(1))


def test_harris_and_stencils_are_windows() -> None:
    image = np.random.default_rng(5).integers(0, 9, (9, 11)).astype("f4")
    sobel = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]

    def convolve(w: Any) -> Any:
        weights = literal(sobel) | join
        return zip_(w | join, weights) | reduce_seq()(lambda s, p: s + fst(p) * snd(p), 0.0)

    found = run(lambda x: x | slide_2d(3) | map_(map_(convolve)), image)
    expected = sum(sobel[i][j] * image[i : i + 7, j : j + 9] for i in range(3) for j in range(3))
    np.testing.assert_array_equal(found, expected)
    found = run(
        lambda x: x | pad_2d(1) | slide_2d(3) | map_(map_(lambda w: w | join | reduce_(add, 0.0))),
        image,
    )
    padded = np.pad(image, 1, mode="edge")
    expected = sum(padded[i : i + 9, j : j + 11] for i in range(3) for j in range(3))
    np.testing.assert_array_equal(found, expected)


def test_a_stencil_in_three_dimensions() -> None:
    room = np.random.default_rng(6).integers(-3, 4, (5, 6, 7)).astype("f4")

    def windows(x: Any) -> Any:
        # o.n.m -> o'.n'.m'.3.3.3
        return x | slide(3) | map_(map_(slide_2d(1, 3) >> map_(map_(lambda w: w | join))))

    found = run(windows, room)
    assert found.shape[0] == 3
    sums = run(
        lambda x: (
            x
            | map_(slide_2d(3))
            | slide(3)
            | map_(
                lambda s: (
                    s
                    | transpose
                    | map_(
                        lambda q: (
                            q
                            | transpose
                            | map_(lambda c: c | map_(join) | join | reduce_(add, 0.0))
                        )
                    )
                )
            )
        ),
        room,
    )
    expected = sum(
        room[i : i + 3, j : j + 4, k : k + 5] for i in range(3) for j in range(3) for k in range(3)
    )
    np.testing.assert_array_equal(sums, expected)
