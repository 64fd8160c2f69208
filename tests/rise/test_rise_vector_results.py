"""Results are written by vectors where these fit, by the item that computed them, and are right."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rise_kernels import by_simulation
from rise_products import product

from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.codegen import generate
from daybreak_rise.dsl import fun, map_local, map_seq
from daybreak_rise.elevate.strategy import Failure
from daybreak_rise.expr import Expr
from daybreak_rise.rules.memory import copy_after
from daybreak_rise.strategies.products import tiled_product
from daybreak_rise.types import array, f32, i32

SCALAR_STORE = re.compile(r"\bresult\[[^]]*\] =")
VECTOR_STORE = re.compile(r"(?:float4|vec<float, 4>|f32x4u)\*[>)]+\(result\b.*\) =")

# v3 to v8, work-items of a group, all work-items; more and fewer of them than there are blocks
CASES = [
    ((4, 2, 8, 8, 8, 4), (2, 2), (4, 2)),
    ((8, 1, 4, 16, 8, 8), (1, 3), (2, 3)),
    ((4, 4, 4, 4, 4, 2), (1, 1), (1, 1)),
    ((4, 1, 4, 4, 8, 1), (4, 2), (4, 4)),
    ((2, 2, 4, 8, 8, 4), (2, 1), (2, 2)),  # 4 does not divide v3: scalars
]


def matrices(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    first, second = (rng.integers(-4, 5, (n, n)).astype("f4") for _ in range(2))
    return first, second


@pytest.mark.parametrize(("v", "local", "whole"), CASES)
def test_vectors_of_results_are_right_for_every_schedule(
    v: tuple[int, int, int, int, int, int], local: tuple[int, int], whole: tuple[int, int]
) -> None:
    program = product(8, 8, 8)
    found = tiled_product(*v).rewrite(program)
    at, b = matrices(8)
    result = by_simulation(found, (at, b), local_size=local, global_size=whole)
    np.testing.assert_array_equal(result, at.T @ b)


@pytest.mark.parametrize("language", ["opencl", "cuda", "c"])
def test_a_product_stores_no_scalar_where_vectors_fit(language: str) -> None:
    def source(v3: int) -> str:
        found = tiled_product(v3, 4, 8, 8, 16, 4).rewrite(product(16, 16, 16))
        return generate(found, target=language, local_size=(4, 2), global_size=(4, 4)).source

    wide, narrow = source(8), source(2)
    assert VECTOR_STORE.search(wide)
    assert not SCALAR_STORE.search(wide)
    assert SCALAR_STORE.search(narrow)
    assert not VECTOR_STORE.search(narrow)


def test_the_benchmark_stores_vectors_at_its_published_size() -> None:
    workload = WORKLOADS["mm-gpu"]
    sizes = workload.published
    for configuration in (
        *workload.configurations(sizes).values(),
        *workload.space(sizes).sample(3, 1),
    ):
        launch = workload.launch(configuration)
        assert launch is not None
        made = generate(
            workload.lower(sizes, configuration),
            local_size=launch.local_size,
            global_size=launch.global_size,
        )
        assert VECTOR_STORE.search(made.source)
        assert not SCALAR_STORE.search(made.source)


def test_a_copy_by_vectors_says_why_it_does_not_apply() -> None:
    def body(width: int, *sizes: int) -> Expr | Failure:
        return copy_after(map_local(0), map_seq, width=width)(
            fun(array(*sizes, f32), lambda x: x).body
        )

    assert str(body(2, 3, 4)).endswith(
        "| mapLocal[0](x. x | asVector[2] | mapSeq(v. v) | asScalar)"
    )
    for fault, reason in (
        (body(3, 3, 4), "3 does not divide 4"),
        (body(2, 4), "has fewer than 2 dimensions"),
        (body(2, 2, 2, 2), "there are no vectors of 2.f32"),
    ):
        assert isinstance(fault, Failure)
        assert reason in fault.reason
    whole = copy_after(map_seq, width=2)(fun(array(4, i32), lambda x: x).body)
    assert not isinstance(whole, Failure)
