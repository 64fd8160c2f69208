"""Windows that move on through registers: right values, one new value a turn, nothing for nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rise_kernels import agree, by_c, by_simulation

from daybreak import BuildFailed
from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.codegen import generate, lower
from daybreak_rise.dsl import (
    PRIVATE,
    add,
    as_scalar,
    as_vector,
    cast,
    drop,
    fst,
    fun,
    idx,
    join,
    literal,
    map_,
    map_global,
    map_local,
    map_par,
    map_seq,
    map_seq_unroll,
    map_work_group,
    reduce_,
    reduce_seq,
    reverse,
    rotate_values,
    select,
    slide,
    slide_2d,
    snd,
    split,
    take,
    to_local,
    to_private,
    transpose,
    zip_,
)
from daybreak_rise.dsl import generate as generated
from daybreak_rise.elevate.traversal import top_down
from daybreak_rise.expr import Expr
from daybreak_rise.interpret import interpret
from daybreak_rise.rules.rotation import map_into_rotate_values, slide_to_rotate_values
from daybreak_rise.types import IndexType, array, f32, i32

Build = Callable[[Expr], Any]


def same(v: Expr) -> Expr:
    return v


def total(w: Expr) -> Expr:
    made: Expr = w | reduce_seq()(lambda a, b: a + b, 0.0)
    return made


def weighted(w: Expr) -> Expr:
    """A sum that tells the places of a window apart."""
    made: Expr = w | reduce_seq()(lambda a, b: a * 3.0 + b, 0.0)
    return made


def windows(x: np.ndarray, k: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, k, axis=0)


def places(k: int) -> np.ndarray:
    return 3.0 ** np.arange(k - 1, -1, -1)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).integers(-4, 5, shape).astype(np.float32)


# ---- values


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 2))
def test_every_window_is_the_one_that_slide_gives(k: int, count: int, skipped: int) -> None:
    n = count + k - 1 + skipped
    x = random(n)
    program = fun(
        array(n, f32),
        lambda v: v | rotate_values(k)(same) | (drop(skipped) >> map_seq(weighted)),
    )
    expected = (windows(x, k) @ places(k))[skipped:]
    np.testing.assert_array_equal(interpret(program, x), expected)
    np.testing.assert_array_equal(by_simulation(program, (x,)), expected)


PROGRAMS: dict[str, tuple[tuple[int, ...], Build]] = {
    "a function of each value": (
        (9,),
        lambda x: x | rotate_values(3)(lambda v: v * v) | map_seq(weighted),
    ),
    "written out": ((6,), lambda x: x | rotate_values(2)(same) | map_seq_unroll(weighted)),
    "copied as it is": ((6,), lambda x: x | rotate_values(4)(same)),
    "rows": (
        (6, 3),
        lambda x: x | rotate_values(2)(map_seq(same)) | map_seq(lambda w: w | join | weighted),
    ),
    "pairs": (
        (7,),
        lambda x: zip_(x, x | reverse)
        | rotate_values(3)(same)
        | map_seq(lambda w: w | map_(lambda p: fst(p) - 2.0 * snd(p)) | weighted),
    ),
    "vectors": (
        (8, 4),
        lambda x: x
        | map_(as_vector(4))
        | rotate_values(3)(lambda row: row | map_seq(same))
        | map_seq(lambda w: w | join | reduce_seq()(add, idx0(w)) )
        | as_scalar,
    ),
    "numbers of places": (
        (6,),
        lambda x: generated(6)(same)
        | rotate_values(2)(same)
        | map_seq(lambda w: w | map_(lambda i: cast(f32)(cast(i32)(i)) + idx(i, x)) | weighted),
    ),
    "beside other arrays": (
        (8,),
        lambda x: zip_(x | take(6), x | rotate_values(3)(same))
        | map_seq(lambda p: fst(p) * weighted(snd(p))),
    ),
    "two of them": (
        (8,),
        lambda x: zip_(x | rotate_values(3)(same), x | reverse | rotate_values(3)(lambda v: -v))
        | map_seq(lambda p: weighted(fst(p)) - weighted(snd(p))),
    ),
    "one in another": (
        (9,),
        lambda x: x
        | rotate_values(3)(same)
        | map_(total)
        | rotate_values(2)(lambda v: v + 1.0)
        | map_seq(weighted),
    ),
    "in two dimensions": (
        (6, 7),
        lambda x: x
        | transpose
        | slide(3, 1)
        | map_global(0)(
            lambda rows: rows | transpose | rotate_values(3)(map_seq(same)) | map_seq(nine)
        ),
    ),
    "each place of the windows by an item": (
        (8,),
        lambda x: x | rotate_values(3)(same) | transpose | map_global(0)(weighted),
    ),
    "items in a turn": (
        (8, 5),
        lambda x: (
            x
            | rotate_values(2)(map_(same))
            | map_seq(lambda w: w | transpose | map_global(0)(weighted))
        ),
    ),
    "items with several turns": (
        (10, 5),
        lambda x: x | map_global(0)(lambda r: r | rotate_values(2)(same) | map_seq(weighted)),
    ),
    "items of a group": (
        (4, 6),
        lambda x: x
        | map_work_group(0)(
            lambda r: r
            | map_local(0)(lambda v: v * 2.0)
            | to_local
            | split(3)
            | map_local(0)(lambda part: part | rotate_values(2)(same) | map_seq(weighted))
            | join
        ),
    ),
    "a sum over windows": (
        (9,),
        lambda x: x
        | rotate_values(3)(same)
        | reduce_seq()(lambda a, w: a * 2.0 + weighted(w), 0.0)
        | (lambda s: generated(1)(lambda _: s)),
    ),
    "a fold of arrays": (
        (7, 4),
        lambda x: x
        | rotate_values(2)(map_seq(same))
        | reduce_seq(PRIVATE)(
            lambda a, w: zip_(a, w | transpose) | map_seq(lambda p: fst(p) - weighted(snd(p))),
            generated(4)(lambda _: 0.0) | map_seq(same),
        )
        | map_seq(same),
    ),
    "read where a test holds": (
        (8,),
        lambda x: zip_(x | take(6), x | rotate_values(3)(same))
        | map_seq(lambda p: select(fst(p) < 0.0, weighted(snd(p)), fst(p))),
    ),
    "kept for later": (
        (8,),
        lambda x: x | rotate_values(3)(same) | map_seq(weighted) | to_private | reverse | map_seq(same),
    ),
}  # fmt: skip


def idx0(w: Expr) -> Expr:
    """The first vector of the first row."""
    first: Expr = idx(literal(0, IndexType(1)), idx(literal(0, IndexType(3)), w))
    return first


def nine(w: Expr) -> Expr:
    made: Expr = w | join | weighted
    return made


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_mean_the_same_for_every_schedule(name: str) -> None:
    shape, build = PROGRAMS[name]
    program, x = fun(array(*shape, f32), lambda v: build(v)), random(*shape)
    expected = interpret(program, x)
    for sizes in ((1, 1), (2, 4), (3, 3), (4, 8)):
        found = by_simulation(program, (x,), local_size=sizes[0], global_size=sizes[1])
        agree(found, expected)


@pytest.mark.parametrize("name", ["pairs", "vectors", "one in another", "a fold of arrays"])
def test_c_computes_the_same(name: str, tmp_path: Path) -> None:
    shape, build = PROGRAMS[name]
    program, x = fun(array(*shape, f32), lambda v: build(v)), random(*shape)
    agree(by_c(program, (x,), tmp_path), interpret(program, x))


def test_windows_of_a_matrix_against_numpy() -> None:
    x = random(6, 7)
    shape, build = PROGRAMS["in two dimensions"]
    program = fun(array(*shape, f32), lambda v: build(v))
    both = np.lib.stride_tricks.sliding_window_view(x, (3, 3))  # 4.5.3.3
    expected = both.transpose(1, 0, 2, 3).reshape(5, 4, 9) @ places(9)
    found = by_simulation(program, (x,), local_size=2, global_size=4)
    np.testing.assert_array_equal(found, expected)


# ---- one new value a turn


def test_a_turn_loads_one_value_and_moves_the_rest() -> None:
    program = fun(array(100, f32), lambda x: x | rotate_values(3)(same) | map_seq(weighted))
    (kernel,) = generate(program).kernels
    before, _, inside = kernel.source.partition("for (")
    assert before.count(" x[") == 2
    assert inside.count(" x[") == 1
    assert kernel.registers == 3 + 1
    assert kernel.private_bytes == 0
    moves = re.findall(r"r0_(\d) = r0_(\d);", inside)
    assert moves == [("0", "1"), ("1", "2")]


def test_what_a_step_does_not_use_is_neither_loaded_nor_moved() -> None:
    def cross(w: Expr) -> Expr:
        def at(i: int, j: int) -> Expr:
            found: Expr = idx(literal(j, IndexType(3)), idx(literal(i, IndexType(3)), w))
            return found

        return at(0, 1) + at(1, 0) + at(1, 2) + at(2, 1)

    program = fun(array(10, 3, f32), lambda x: x | rotate_values(3)(map_(same)) | map_seq(cross))
    (kernel,) = generate(program).kernels
    before, _, inside = kernel.source.partition("for (")
    # all of a new row moves on to be the middle one, where two are used and one moves on
    assert before.count(" x[") == 1 + 3
    assert inside.count(" x[") == 3
    assert kernel.registers == 1 + 3 + 3
    x = random(10, 3)
    expected = x[:-2, 1] + x[1:-1, 0] + x[1:-1, 2] + x[2:, 1]
    np.testing.assert_array_equal(by_simulation(program, (x,)), expected)


def test_a_function_is_computed_once_for_each_value() -> None:
    program = fun(
        array(9, f32), lambda x: x | map_(lambda v: v * v + 1.0) | slide(3, 1) | map_seq(weighted)
    )
    rotating = top_down(slide_to_rotate_values).rewrite(program)
    fused = top_down(map_into_rotate_values).rewrite(rotating)
    assert str(fused) == (
        "x. x | rotateValues[3](x'. x' * x' + 1.0) "
        "| mapSeq(w. w | reduceSeq[private](a. b. a * 3.0 + b, 0.0))"
    )
    (kernel,) = generate(fused).kernels
    _, _, inside = kernel.source.partition("for (")
    assert inside.count("x[") == 1
    x = random(9)
    agree(by_simulation(fused, (x,)), interpret(program, x))


# ---- what cannot be kept


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x | rotate_values(3)(same) | reverse | map_seq(total),
        lambda x: x | rotate_values(3)(same) | split(2) | map_seq(map_seq(total)),
        lambda x: x | rotate_values(3)(same) | map_global(0)(total),
        lambda x: x | rotate_values(3)(same) | map_par(total),
        lambda x: generated(6)(
            lambda i: (
                idx(i, x | map_(lambda v: v + idx(i, x | take(6))) | rotate_values(3)(same)) | total
            )
        ),
    ],
    ids=["backwards", "in blocks", "by items", "by threads", "made anew each turn"],
)
def test_windows_that_are_not_read_in_order_are_refused(build: Build) -> None:
    program = fun(array(8, f32), lambda x: build(x))
    with pytest.raises(BuildFailed, match="not read one after the other"):
        lower(program, local_size=2, global_size=4)


def test_one_window_needs_no_loop() -> None:
    program = fun(array(3, f32), lambda x: x | rotate_values(3)(same) | map_seq(weighted))
    x = random(3)
    assert by_simulation(program, (x,)).tolist() == [float(x @ places(3))]


# ---- the benchmark


def test_the_stencil_keeps_three_planes_and_loads_five_values_a_turn() -> None:
    workload = WORKLOADS["stencil"]
    sizes = workload.published
    for configuration in workload.configurations(sizes).values():
        launch = workload.launch(configuration)
        assert launch is not None
        lowered = workload.lower(sizes, configuration)
        (kernel,) = generate(
            lowered, local_size=launch.local_size, global_size=launch.global_size
        ).kernels
        before, _, inside = kernel.source.partition("for (int i")
        # of 27 states seven are used: one behind, five around and one in front; the plane in
        # front will be the middle one
        assert (before.count("now["), inside.count("now[")) == (1 + 5, 5)
        assert inside.count("before[") == 1
        assert kernel.registers == 1 + 5 + 5
        assert kernel.private_bytes == 0


@pytest.mark.parametrize("sizes", [((1, 1), (1, 1)), ((2, 3), (4, 3)), ((4, 4), (8, 8))])
def test_the_stencil_is_right_for_every_schedule(
    sizes: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    workload = WORKLOADS["stencil"]
    room = {"o": 5, "n": 4, "m": 3}
    inputs = workload.draw(room, np.random.default_rng(3))
    configuration = workload.configurations(room)["expert"]
    lowered = workload.lower(room, configuration)
    found = by_simulation(lowered, inputs, local_size=sizes[0], global_size=sizes[1])
    verdict = workload.expected(room, configuration, inputs).compare(found)
    assert verdict.correct, verdict.message


def test_slides_of_two_dimensions_may_rotate_in_one() -> None:
    program = fun(array(5, 6, f32), lambda x: x | slide_2d(2) | map_seq(map_seq(flat_sum)))
    rotating = top_down(slide_to_rotate_values).rewrite(program)
    assert "rotateValues" in str(rotating)
    x = random(5, 6)
    np.testing.assert_array_equal(interpret(rotating, x), interpret(program, x))
    agree(by_simulation(rotating, (x,)), interpret(program, x))


def flat_sum(w: Expr) -> Expr:
    made: Expr = w | join | reduce_(add, 0.0)
    return made
