"""How long a configuration takes from the program to source, and generated against by hand.

Run: ``pytest tests/benchmarks/test_rise_codegen_speed.py --benchmark-only --override-ini addopts=
-p no:cacheprovider``. ``test_rewriting_and_generating`` should stay below 50 ms for every
benchmark; ``test_product`` times one launch of 512 x 512 matrices on the first OpenCL device,
host clock, for kernels by hand and generated ones (GFLOP/s in the extra column).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.codegen import Kernel, generate
from daybreak_rise.expr import Expr
from daybreak_rise.handwritten import TILINGS, naive, tiled
from daybreak_rise.strategies.products import tiled_product

CASES = [
    (name, reference)
    for name, workload in WORKLOADS.items()
    for reference in workload.configurations(workload.published)
]
N = 512


@pytest.mark.parametrize(("name", "reference"), CASES)
def test_rewriting_and_generating(benchmark: Any, name: str, reference: str) -> None:
    workload = WORKLOADS[name]
    sizes = workload.published
    configuration = workload.configurations(sizes)[reference]
    launch = workload.launch(configuration)

    def run() -> str:
        expression = workload.lower(sizes, configuration)
        if launch is None:
            return generate(expression, target="c").source
        return generate(
            expression, local_size=launch.local_size, global_size=launch.global_size
        ).source

    assert "rise(" in benchmark(run)


def generated(v3: int, v4: int, local: tuple[int, int]) -> Kernel:
    """The strategy's kernel with tiles of 64 x 64 x 64, a group for each."""
    program = WORKLOADS["mm-gpu"].program({"n": N})
    found = tiled_product(v3, v4, 64, 64, 64, 64).run(program)
    assert isinstance(found, Expr)
    groups = N // 64
    sizes = (local[0] * groups, local[1] * groups)
    return generate(found, local_size=local, global_size=sizes).kernels[0]


KERNELS = {
    "naive": lambda: naive(N, N, N),
    **{f"hand-{place}": (lambda t=t: tiled(N, N, N, t)) for place, t in enumerate(TILINGS)},
    "generated-4x4-16x16": lambda: generated(4, 4, (16, 16)),
    "generated-8x4-8x16": lambda: generated(8, 4, (8, 16)),
    "generated-16x4-1": lambda: generated(16, 4, (1, 1)),
    "generated-32x4-1": lambda: generated(32, 4, (1, 1)),
    "generated-64x4-1": lambda: generated(64, 4, (1, 1)),
}


@pytest.mark.parametrize("which", KERNELS)
def test_product(benchmark: Any, which: str) -> None:
    cl = pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("there is no OpenCL device")
    kernel = KERNELS[which]()
    context = cl.Context(devices[:1])
    queue = cl.CommandQueue(context)
    rng = np.random.default_rng(3)
    at, b = (rng.random((N, N), dtype=np.float32) for _ in range(2))
    flags = cl.mem_flags
    buffers = [
        cl.Buffer(context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=one)
        for one in (at, b, np.zeros((N, N), np.float32))
    ]
    function = cl.Kernel(cl.Program(context, kernel.source).build(), kernel.name)
    function.set_args(*buffers)

    def run() -> None:
        cl.enqueue_nd_range_kernel(queue, function, kernel.global_size, kernel.local_size)
        queue.finish()

    benchmark.pedantic(run, rounds=15, warmup_rounds=2)
    benchmark.extra_info["gflops"] = round(2e-9 * N**3 / benchmark.stats["min"], 1)
    found = np.empty((N, N), np.float32)
    cl.enqueue_copy(queue, found, buffers[2]).wait()
    np.testing.assert_allclose(found, at.T @ b, rtol=1e-3)
