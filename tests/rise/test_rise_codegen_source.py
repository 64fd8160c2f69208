"""What generated kernels look like: loops, registers, barriers, vectors, several kernels."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rise_kernels import agree, by_c, by_simulation, simulated

from daybreak_rise.codegen import generate, lower
from daybreak_rise.codegen.ir import Barrier, Block, blocks
from daybreak_rise.codegen.simulate import Fault
from daybreak_rise.dsl import (
    LOCAL,
    as_scalar,
    as_vector,
    fst,
    fun,
    join,
    let,
    literal,
    map_,
    map_global,
    map_local,
    map_par,
    map_seq,
    map_work_group,
    pad_constant,
    pair,
    reduce_seq,
    reduce_seq_unroll,
    rotate_values,
    select,
    slide,
    snd,
    split,
    to_global,
    to_local,
    to_private,
    transpose,
    vector_from_scalar,
    zip_,
)
from daybreak_rise.expr import Expr
from daybreak_rise.interpret import interpret
from daybreak_rise.strategies.products import tiled_product
from daybreak_rise.types import array, f32, f64, i32

SIZES = {"local_size": (4, 2), "global_size": (8, 4)}


def product(n: int, m: int, k: int) -> Expr:
    """Matrix multiplication with the first matrix transposed, as the benchmark has it."""
    return fun(
        array(k, n, f32),
        array(k, m, f32),
        lambda at, b: (
            at
            | transpose
            | map_(
                lambda row: (
                    b
                    | transpose
                    | map_(
                        lambda column: (
                            zip_(row, column)
                            | map_(lambda two: fst(two) * snd(two))
                            | reduce_seq()(lambda s, x: s + x, 0.0)
                        )
                    )
                )
            )
        ),
    )


def tiled(n: int = 16) -> Expr:
    from daybreak_rise.benchmarks import WORKLOADS

    program = WORKLOADS["mm-gpu"].program({"n": n})
    found = tiled_product(4, 2, 8, 8, 16, 4).run(program)
    assert isinstance(found, Expr)
    return found


def matrices(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return tuple(rng.integers(-3, 4, (n, n)).astype(np.float32) for _ in range(2))  # type: ignore[return-value]


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_documentation_shows_what_is_generated() -> None:
    page = Path(__file__).parents[2] / "docs" / "targets" / "rise-codegen.md"
    text = page.read_text(encoding="utf-8")
    shown, moving = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    e = fun(
        array(64, 256, f32),
        array(256, f32),
        lambda matrix, vector: (
            matrix
            | split(16)
            | map_work_group(0)(
                lambda block: let(
                    vector | map_local(0)(lambda v: v) | to_local,
                    lambda kept: (
                        block
                        | map_local(0)(
                            lambda row: (
                                zip_(row, kept)
                                | reduce_seq()(lambda s, p: s + fst(p) * snd(p), 0.0)
                            )
                        )
                    ),
                )
            )
            | join
        ),
    )
    found = generate(e, name="rows", local_size=16, global_size=64).source
    assert shown.strip() == found.strip()
    sums = fun(
        array(1024, f32),
        lambda x: (
            x | rotate_values(3)(lambda v: v) | map_seq(reduce_seq()(lambda s, v: s + v, 0.0))
        ),
    )
    assert moving in generate(sums).source


# ---- matrix multiplication as an expert writes it


def test_a_tiled_product_keeps_results_in_registers_and_meets_twice_a_turn() -> None:
    (kernel,) = generate(tiled(), **SIZES).kernels
    assert kernel.local_bytes == 4 * (8 * 4 + 16 * 4)
    assert kernel.private_bytes == 0
    assert kernel.registers == 4 * 2 * 2 + 4 + 2  # two turns of mapLocal(1): 8 rows by 2 items of 2
    # two a turn, and one behind the loop (settling.py)
    assert kernel.barriers == 3
    assert kernel.source.count("barrier(") == 3
    # tiles are copied four at a time, without quotients in the sum over the tile
    assert "*(local float4*)(" in kernel.source
    assert "= *(const global float4*)(" in kernel.source
    summing = kernel.source[kernel.source.rindex("barrier(") :]
    assert "/" not in summing
    assert ">>" not in summing


def test_a_tiled_product_is_right_for_every_schedule() -> None:
    agree(by_simulation(tiled(), matrices(16), **SIZES), interpret(tiled(), *matrices(16)))


def barriers(block: Block) -> list[tuple[Block, int]]:
    found = []
    for place, one in enumerate(block.statements):
        if isinstance(one, Barrier):
            found.append((block, place))
        for inner in blocks(one):
            found += barriers(inner)
    return found


@pytest.mark.parametrize("number", [0, 1])
def test_without_any_one_of_its_barriers_the_product_races(number: int) -> None:
    lowered = lower(tiled(), **SIZES)
    block, place = barriers(lowered.blocks[0])[number]
    del block.statements[place]
    with pytest.raises(Fault, match=r"race|before it is written"):
        simulated(lowered, matrices(16))


# ---- loops


def test_as_many_work_items_as_elements_need_no_loop() -> None:
    e = fun(array(64, f32), lambda x: x | map_global(0)(lambda v: v + 1.0))
    source = generate(e, local_size=8, global_size=64).source
    assert "for" not in source
    assert "if" not in source
    assert "result[gid0] = x[gid0] + 1.0f;" in source


def test_more_work_items_than_elements_need_a_guard_and_fewer_a_loop() -> None:
    e = fun(array(64, f32), lambda x: x | map_global(0)(lambda v: v + 1.0))
    assert "if (gid0 < 64)" in generate(e, local_size=8, global_size=128).source
    fewer = generate(e, local_size=8, global_size=16).source
    assert "for (int g0 = gid0; g0 < 64; g0 += 16)" in fewer


def test_dimensions_that_nothing_runs_over_get_one_work_item() -> None:
    e = fun(array(64, f32), lambda x: x | map_global(1)(lambda v: v + 1.0))
    (kernel,) = generate(e, local_size=(4, 8), global_size=(32, 64)).kernels
    assert kernel.local_size == (1, 8, 1)
    assert kernel.global_size == (1, 64, 1)


def test_a_short_reduction_is_written_out_with_its_weights() -> None:
    weights = literal([[1.0, 0.0, -1.0]])
    e = fun(
        array(34, f32),
        lambda x: (
            x
            | slide(3)
            | map_global(0)(
                lambda w: (
                    zip_(w, weights | join)
                    | reduce_seq_unroll()(lambda s, p: s + fst(p) * snd(p), 0.0)
                )
            )
        ),
    )
    source = generate(e, local_size=4, global_size=32).source
    assert "for" not in source
    # the weight 1 is no product, the weight 0 nothing at all
    assert "x[gid0]" in source
    assert "x[gid0 + 1]" not in source
    assert "x[gid0 + 2] * -1.0f" in source


def test_a_weight_0_adds_nothing_to_a_vector_either() -> None:
    weights = literal([1.0, 0.0, -1.0])
    e = fun(
        array(34, f32),
        lambda x: (
            x
            | slide(3)
            | transpose
            | map_(as_vector(4))
            | transpose
            | map_global(0)(
                lambda w: (
                    zip_(w, weights)
                    | reduce_seq_unroll()(
                        lambda s, p: s + fst(p) * vector_from_scalar(4)(snd(p)),
                        vector_from_scalar(4)(literal(0.0)),
                    )
                )
            )
            | as_scalar
        ),
    )
    source = generate(e, local_size=4, global_size=8).source
    assert source.count("+=") == 2
    assert "vload4(0, x + 4 * gid0 + 1)" not in source
    assert "vload4(0, x + 4 * gid0 + 2)" in source


# ---- memory


def test_what_nobody_shares_needs_no_barrier() -> None:
    own = fun(
        array(8, 16, f32),
        lambda x: (
            x
            | map_work_group(0)(
                lambda row: (
                    row
                    | map_local(0)(lambda v: v + 1.0)
                    | to_local
                    | map_local(0)(lambda v: v * 2.0)
                )
            )
        ),
    )
    (kernel,) = generate(own, local_size=4, global_size=16).kernels
    assert (kernel.barriers, kernel.local_bytes) == (0, 64)
    # turned around, every element comes from another work-item
    other = fun(
        array(8, 16, f32),
        lambda x: (
            x
            | map_work_group(0)(
                lambda row: (
                    row
                    | map_local(0)(lambda v: v + 1.0)
                    | to_local
                    | split(4)
                    | transpose
                    | join
                    | map_local(0)(lambda v: v * 2.0)
                )
            )
        ),
    )
    (kernel,) = generate(other, local_size=4, global_size=16).kernels
    assert kernel.barriers == 2  # before reading, and before the next row is written


def test_private_memory_is_cut_down_to_the_own_elements() -> None:
    e = fun(
        array(8, 16, f32),
        lambda x: (
            x
            | map_work_group(0)(
                lambda row: (
                    row
                    | map_local(0)(lambda v: v + 1.0)
                    | to_private
                    | map_local(0)(lambda v: v * 2.0)
                )
            )
        ),
    )
    (kernel,) = generate(e, local_size=4, global_size=16).kernels
    assert (kernel.registers, kernel.private_bytes, kernel.barriers) == (4, 0, 0)
    agree(
        by_simulation(e, (np.ones((8, 16), np.float32),), local_size=4, global_size=16),
        np.full((8, 16), 4.0),
    )


def test_places_that_follow_one_another_share_local_memory() -> None:
    def staged(x: Expr) -> Expr:
        return (
            x
            | map_local(0)(lambda v: v)
            | to_local
            | split(4)
            | transpose
            | join
            | map_local(0)(lambda v: v)
        )

    e = fun(
        array(2, 16, f32),
        array(2, 16, f32),
        lambda a, b: zip_(a, b) | map_work_group(0)(lambda p: _both(staged, p)),
    )
    (kernel,) = generate(e, local_size=4, global_size=8).kernels
    assert kernel.local_bytes in (64, 128)
    rng = np.random.default_rng(1)
    values = tuple(rng.integers(0, 9, (2, 16)).astype(np.float32) for _ in range(2))
    agree(by_simulation(e, values, local_size=4, global_size=8), interpret(e, *values))


def _both(staged: object, p: Expr) -> Expr:
    from daybreak_rise.dsl import concat

    return concat(staged(fst(p)), staged(snd(p)))  # type: ignore[operator]


def test_what_all_groups_write_is_read_by_a_second_kernel() -> None:
    e = fun(
        array(256, f32),
        lambda x: (
            x
            | split(16)
            | map_global(0)(reduce_seq()(lambda s, v: s + v, 0.0))
            | to_global
            | split(16)
            | map_global(0)(reduce_seq()(lambda s, v: s + v, 0.0))
        ),
    )
    program = generate(e, name="total", local_size=4, global_size=16)
    assert [k.name for k in program.kernels] == ["total", "total_1"]
    (temporary,) = program.temporaries
    assert temporary.length == 16
    assert [a.role for a in program.kernels[0].arguments] == ["input", "temporary"]
    assert [a.role for a in program.kernels[1].arguments] == ["output", "temporary"]
    values = np.arange(256, dtype=np.float32)
    agree(by_simulation(e, (values,), local_size=4, global_size=16), [values.sum()])


def test_an_accumulator_in_local_memory_is_added_to_by_one_work_item() -> None:
    e = fun(
        array(4, 8, f32),
        lambda x: x | map_work_group(0)(reduce_seq(LOCAL)(lambda s, v: s + v, 0.0)),
    )
    values = np.ones((4, 8), np.float32)
    # without a loop over work-items all of them would add
    agree(by_simulation(e, (values,), local_size=4, global_size=8), np.full(4, 8.0))


# ---- vectors, numbers


def test_vectors_are_moved_whole_where_they_stand_side_by_side() -> None:
    e = fun(
        array(64, f32),
        lambda x: x | as_vector(4) | map_global(0)(lambda v: v + v) | as_scalar,
    )
    source = generate(e, local_size=4, global_size=16).source
    assert "*(global float4*)(result + 4 * gid0) = " in source
    shifted = fun(
        array(68, f32),
        lambda x: (
            x
            | slide(64)
            | map_seq(lambda w: w | as_vector(4) | map_global(0)(lambda v: v + v) | as_scalar)
        ),
    )
    assert "vload4(0, x" in generate(shifted, local_size=4, global_size=16).source


def test_scalars_that_are_computed_lane_by_lane_become_vector_operations(tmp_path: Path) -> None:
    e = fun(
        array(64, f32),
        lambda x: x | map_(lambda v: v * v + 1.0) | as_vector(8) | map_seq(lambda v: v) | as_scalar,
    )
    source = generate(e, target="c").source
    assert "f32x8 t" in source
    values = np.arange(64, dtype=np.float32)
    agree(by_c(e, (values,), tmp_path), values * values + 1)


def test_numbers_have_the_types_of_the_language() -> None:
    e = fun(
        array(8, f64),
        array(8, i32),
        lambda x, y: zip_(x, y) | map_global(0)(lambda p: pair(fst(p) / 3.0, snd(p) % 5)),
    )
    opencl = generate(e, local_size=8, global_size=8)
    assert "#pragma OPENCL EXTENSION cl_khr_fp64 : enable" in opencl.source
    assert "x[gid0] / 3.0;" in opencl.source
    assert [(a.name, a.scalar, a.path) for a in opencl.outputs] == [
        ("result_0", "f64", "0"),
        ("result_1", "i32", "1"),
    ]


def test_a_pair_sees_its_old_self(tmp_path: Path) -> None:
    # a running minimum and where it stands: the second must not see the new first
    e = fun(
        array(16, f32),
        array(16, i32),
        lambda x, n: (
            zip_(x, n)
            | reduce_seq()(
                lambda best, p: select(
                    fst(p) < fst(best), pair(fst(p), snd(p)), pair(fst(best), snd(best))
                ),
                pair(1e9, 0),
            )
        ),
    )
    values = np.array([5, 4, 9, 1, 1, 8, 2, 7, 3, 6, 5, 4, 3, 2, 9, 9], np.float32)
    places = np.arange(16, dtype=np.int32)
    agree(by_c(e, (values, places), tmp_path), (1.0, 3))


def test_a_border_is_read_only_where_there_is_something(tmp_path: Path) -> None:
    e = fun(array(8, f32), lambda x: x | pad_constant(2, 2)(7.0) | map_seq(lambda v: v))
    source = plain(generate(e, target="c").source)
    assert "? x[i - 2] : 7.0f" in source
    agree(by_c(e, (np.arange(8, dtype=np.float32),), tmp_path), [7, 7, *range(8), 7, 7])


def test_threads_of_a_cpu_are_used_where_they_are_asked_for(tmp_path: Path) -> None:
    e = fun(array(64, f32), lambda x: x | map_par(lambda v: v + 1.0))
    assert "omp" not in generate(e, target="c").source
    assert "#pragma omp parallel for" in generate(e, target="c", openmp=True).source


def test_names_of_parameters_clash_with_nothing(tmp_path: Path) -> None:
    e = fun(
        array(4, f32),
        array(4, f32),
        array(4, f32),
        lambda local, r0, i: (
            zip_(local, zip_(r0, i)) | map_seq(lambda p: fst(p) + fst(snd(p)) * snd(snd(p)))
        ),
    )
    program = generate(e, target="c")
    assert [a.name for a in program.inputs] == ["local_", "r0_", "i_"]
    ones = np.ones(4, np.float32)
    agree(by_c(e, (ones, ones, ones), tmp_path), 2 * ones)


def declared_twice(source: str) -> list[str]:
    """Names that are declared more than once between the same two braces."""
    scopes: list[set[str]] = [set()]
    found = []
    for line in source.splitlines():
        declares = re.match(r"\s*(?:const )?(?:float|int)\d* ([\w, ]+)(?:;| = )", line)
        for name in declares.group(1).split(", ") if declares else []:
            found += [name] if name in scopes[-1] else []
            scopes[-1].add(name)
        if line.strip().startswith("}"):
            scopes.pop()
        if line.endswith("{"):
            scopes.append(set())
    return found


def test_code_that_is_written_out_declares_no_name_twice() -> None:
    # tiles of one step: what would stand in a loop stands right in the turns of the work-items
    found = tiled_product(4, 1, 4, 4, 8, 1).rewrite(product(8, 8, 8))
    for local in ((1, 1), (2, 2), (1, 2), (2, 4)):
        source = generate(found, local_size=local, global_size=local).source
        assert not declared_twice(source)
    assert declared_twice("{\n  float a, b;\n  float b;\n}") == ["b"]


def test_the_same_expression_gives_the_same_source() -> None:
    first = generate(tiled(), **SIZES).source
    assert generate(tiled(), **SIZES).source == first
