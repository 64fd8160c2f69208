"""Pipelines of windows: fused, cut into tiles, turned, in vectors; for sizes that divide or do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_rise.codegen import lower
from daybreak_rise.codegen.simulate import simulate
from daybreak_rise.dsl import (
    add,
    fst,
    fun,
    join,
    let,
    map_,
    max_,
    pair,
    reduce_,
    slide_2d,
    snd,
    zip_,
)
from daybreak_rise.elevate.strategy import Failure, id_
from daybreak_rise.elevate.trace import trace
from daybreak_rise.elevate.traversal import in_lambdas
from daybreak_rise.errors import RewriteError
from daybreak_rise.expr import Expr, Primitive, nodes
from daybreak_rise.infer import check
from daybreak_rise.interpret import interpret
from daybreak_rise.strategies.windows import (
    fuse_stages,
    inline_lets,
    tile_windows,
    tiled_windows,
    turn_stages,
    turn_stages_back,
    vectorise_most,
)
from daybreak_rise.types import array, f32

SLOW = settings(max_examples=15, deadline=None)


def filters(rows: int, columns: int) -> Expr:
    """Pixels doubled; largest and sum of 3 x 3; sums of products of these over 2 x 3."""

    def rest(both: Expr) -> Expr:
        products = both | map_(map_(lambda p: fst(p) * snd(p)))
        firsts = both | map_(map_(fst))
        made: Expr = zip_(over(products, 2), over(firsts, 2)) | map_(
            lambda p: zip_(fst(p), snd(p)) | map_(lambda q: fst(q) - snd(q))
        )
        return made

    def over(image: Expr, high: int) -> Expr:
        made: Expr = image | slide_2d(high, 3) | map_(map_(lambda n: n | join | reduce_(add, 0.0)))
        return made

    def stages(image: Expr) -> Expr:
        largest = lambda n: n | join | reduce_(max_, 0.0)  # noqa: E731
        made: Expr = let(
            image | map_(map_(lambda v: v + v)),
            lambda x: let(
                zip_(over(x, 3), x | slide_2d(3) | map_(map_(largest)))
                | map_(lambda p: zip_(fst(p), snd(p))),
                rest,
            ),
        )
        return made

    return fun(array(rows + 3, columns + 4, f32), stages)


def expected(image: np.ndarray) -> np.ndarray:
    x = image * 2
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
    sums, largest = windows.sum((2, 3)), np.maximum(windows.max((2, 3)), 0)
    return sum_of(sums * largest) - sum_of(sums)


def sum_of(values: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.lib.stride_tricks.sliding_window_view(values, (2, 3)).sum((2, 3))
    return found


def image_for(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(rows).integers(-3, 4, (rows + 3, columns + 4)).astype("f4")


def fused(rows: int, columns: int) -> Expr:
    return (fuse_stages >> inline_lets).rewrite(filters(rows, columns))


def same(found: Any, rows: int, columns: int) -> None:
    assert not isinstance(found, Failure), found
    assert check(found) is filters(rows, columns).type
    image = image_for(rows, columns)
    np.testing.assert_array_equal(interpret(found, image), expected(image))


def names(e: Expr) -> list[str]:
    return [one.name for one in nodes(e) if isinstance(one, Primitive)]


def test_stages_are_fused_to_one_map_over_windows_each() -> None:
    program = filters(4, 5)
    same(program, 4, 5)
    found = fused(4, 5)
    same(found, 4, 5)
    assert "let" not in names(found)
    assert names(program).count("slide") == 8
    # rows and columns of the two stages with windows
    assert names(found).count("slide") == 4


@SLOW
@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 7))
def test_tiles_of_rows(rows: int, columns: int, k: int) -> None:
    found = in_lambdas(tile_windows(k, id_))(fused(rows, columns))
    if k > rows:
        assert isinstance(found, Failure)
        assert f"a tile of {k} does not fit a result of {rows}" in found.reason
        return
    same(found, rows, columns)
    assert isinstance(found, Expr)
    assert ("concat" in names(found)) == (rows % k > 0)
    high = {k, rows % k} - {0}
    # a tile is as much higher as the windows of both stages are
    assert {f"slide[{one + 3}, {one}]" for one in high} <= set(str(found).split(" | "))


@SLOW
@given(st.integers(1, 5), st.integers(1, 5))
def test_stages_are_turned_and_turned_back(rows: int, columns: int) -> None:
    start = fused(rows, columns)
    once = in_lambdas(turn_stages)(start)
    same(once, rows, columns)
    assert isinstance(once, Expr)
    twice = in_lambdas(turn_stages >> turned_argument())(start)
    same(twice, rows, columns)


def turned_argument() -> Any:
    from daybreak_rise.elevate.traversal import argument

    return argument(turn_stages_back)


@SLOW
@given(st.integers(1, 9), st.sampled_from([1, 2, 4]))
def test_as_many_vectors_as_there_are(size: int, width: int) -> None:
    program = fun(array(size, f32), lambda x: x | map_(lambda v: pair(v + 1.0, v * v)))
    found = in_lambdas(vectorise_most(width)).rewrite(program)
    assert check(found) is program.type
    x = np.arange(size, dtype="f4")
    one, two = interpret(found, x)
    np.testing.assert_array_equal(one, x + 1)
    np.testing.assert_array_equal(two, x * x)
    wide = [n.statics[0] for n in nodes(found) if isinstance(n, Primitive) and n.name == "asVector"]
    left, parts = size, []
    while width > 1:
        parts += [width] if left // width else []
        left, width = left % width, width // 2
    assert sorted(wide, reverse=True) == parts


@SLOW
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 9)),
    st.tuples(st.integers(1, 6), st.integers(1, 9)),
    st.sampled_from([(1, 1, 1), (4, 4, 4), (2, 1, 2)]),
)
def test_tiles_in_groups_keep_the_value(
    sizes: tuple[int, int], tile: tuple[int, int], widths: tuple[int, int, int]
) -> None:
    tile = (min(tile[0], sizes[0]), min(tile[1], sizes[1]))
    found = tiled_windows(*tile, widths=widths)(filters(*sizes))
    same(found, *sizes)
    assert isinstance(found, Expr)
    used = names(found)
    parts = (1 + (sizes[0] % tile[0] > 0)) * (1 + (sizes[1] % tile[1] > 0))
    assert used.count("toMem") == 2 * parts
    assert "mapWorkGroup" in used
    assert "reduce" not in used


@pytest.mark.parametrize("local", [(1, 1), (3, 2)])
@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 2, 2)])
def test_work_items_do_not_race(local: tuple[int, int], widths: tuple[int, ...]) -> None:
    low = tiled_windows(2, 4, widths=widths).rewrite(filters(5, 6))
    launch = {"local_size": local, "global_size": (2 * local[0], local[1])}
    image = image_for(5, 6)
    found = simulate(lower(low, **launch), {"image": image.ravel().tolist()})
    np.testing.assert_array_equal(np.asarray(found["result"], "f4").reshape(5, 6), expected(image))


def test_the_steps_are_told() -> None:
    told = trace(tiled_windows(2, 2, widths=(2, 2, 2)), filters(4, 4))
    rules = [step.rule for step in told]
    for rule in ("zip_same", "let_inline", "slide_before_slide", "map_interchange", "vectorise(2)"):
        assert rule in rules
    assert rules.count("stored(local)") == 2


def test_what_is_no_pipeline_is_refused() -> None:
    with pytest.raises(RewriteError, match="at least one stage"):
        tiled_windows(2, 2, widths=())
    found = in_lambdas(tile_windows(2, id_))(fun(array(4, f32), lambda x: x | reduce_(add, 0.0)))
    assert isinstance(found, Failure)
    assert "no map" in found.reason
    found = tiled_windows(2, 2, widths=(1, 1, 1, 1))(filters(4, 4))
    assert isinstance(found, Failure)
    assert "fewer than 4 stages" in found.reason
    found = tiled_windows(9, 2, widths=(1, 1, 1))(filters(4, 4))
    assert isinstance(found, Failure)
    assert "a tile of 9 does not fit a result of 4" in found.reason
