"""The kernels written by hand compute the product that they are to be compared by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rise_kernels import by_opencl
from test_rise_codegen_values import opencl_context

from daybreak import BuildFailed
from daybreak_rise.codegen import Kernel, Program
from daybreak_rise.handwritten import TILINGS, Tiling, naive, tiled


def as_program(kernel: Kernel) -> Program:
    *inputs, output = kernel.arguments
    return Program("opencl", (kernel,), tuple(inputs), (output,), ())


@pytest.mark.parametrize(
    "kernel",
    [
        naive(32, 64, 16, (8, 4)),
        tiled(64, 128, 32),
        tiled(32, 64, 32, Tiling(16, 32, 8, 8, 4)),
        tiled(64, 64, 64, TILINGS[-1]),
    ],
    ids=["naive", "tiled", "small", "one-item"],
)
def test_a_kernel_by_hand_computes_the_product(kernel: Kernel) -> None:
    at, b, _ = (argument.shape for argument in kernel.arguments)
    rng = np.random.default_rng(2)
    given: tuple[Any, ...] = tuple(rng.integers(-3, 4, s).astype(np.float32) for s in (at, b))
    found = by_opencl(opencl_context(), as_program(kernel), given)
    np.testing.assert_array_equal(found, given[0].T @ given[1])


def test_a_kernel_by_hand_says_what_it_needs() -> None:
    kernel = tiled(64, 128, 32, Tiling(64, 64, 16, 8, 4))
    assert kernel.local_size == (16, 8, 1)
    assert kernel.global_size == (32, 8, 1)
    assert kernel.local_bytes == 4 * 16 * 128


@pytest.mark.parametrize("sizes", [(60, 64, 64), (64, 64, 60), (64, 32, 64)])
def test_tiles_have_to_divide(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(BuildFailed, match="does not divide"):
        tiled(*sizes)
