"""How long a configuration takes from the program to source, and generated against by hand.

Run: ``pytest tests/benchmarks/test_rise_codegen_speed.py --benchmark-only --override-ini addopts=
-p no:cacheprovider``. ``test_rewriting_and_generating`` should stay below 50 ms for every
benchmark; ``test_product`` times one launch of 512 x 512 matrices on the first OpenCL device,
host clock, for kernels by hand and generated ones (GFLOP/s in the extra column);
``test_stencil`` a step in a room of 256 x 256 x 64 with the launch of the expert, where planes move
on through registers, and where they are read anew for each cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.codegen import Kernel, generate
from daybreak_rise.elevate.traversal import in_lambdas
from daybreak_rise.expr import Expr
from daybreak_rise.handwritten import TILINGS, naive, tiled
from daybreak_rise.rules.lowering import to_map_global, to_map_seq
from daybreak_rise.strategies.lowering import lower_nest, upstream
from daybreak_rise.strategies.normal import dfnf
from daybreak_rise.strategies.products import tiled_product

CASES = [
    (name, reference)
    for name, workload in WORKLOADS.items()
    for reference in workload.configurations(workload.published)
]
N = 512


# tiles of four sizes, in vectors of several widths: the most code that a configuration gets
RAGGED: dict[str, Any] = {
    "tileX": 62,
    "tileY": 14,
    "vec": 2,
    "ls0": 8,
    "ls1": 8,
    "gs0": 64,
    "gs1": 64,
}


@pytest.mark.parametrize(("name", "reference"), [*CASES, ("harris", "ragged")])
def test_rewriting_and_generating(benchmark: Any, name: str, reference: str) -> None:
    workload = WORKLOADS[name]
    sizes = workload.published
    configuration = {**workload.configurations(sizes), "ragged": RAGGED}[reference]
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
    rng = np.random.default_rng(3)
    at, b = (rng.random((N, N), dtype=np.float32) for _ in range(2))
    found = launched(benchmark, KERNELS[which](), (at, b), (N, N))
    benchmark.extra_info["gflops"] = round(2e-9 * N**3 / benchmark.stats["min"], 1)
    np.testing.assert_allclose(found, at.T @ b, rtol=1e-3)


def launched(
    benchmark: Any, kernel: Kernel, inputs: Sequence[np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """Time launches of a kernel on the first OpenCL device and return its result."""
    cl = pytest.importorskip("pyopencl", reason="pyopencl is not installed")
    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("there is no OpenCL device")
    context = cl.Context(devices[:1])
    queue = cl.CommandQueue(context)
    flags = cl.mem_flags
    found = np.zeros(shape, np.float32)
    buffers = [
        cl.Buffer(context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=one)
        for one in (*inputs, found)
    ]
    function = cl.Kernel(cl.Program(context, kernel.source).build(), kernel.name)
    function.set_args(*buffers)

    def run() -> None:
        cl.enqueue_nd_range_kernel(queue, function, kernel.global_size, kernel.local_size)
        queue.finish()

    benchmark.pedantic(run, rounds=15, warmup_rounds=2)
    cl.enqueue_copy(queue, found, buffers[-1]).wait()
    return found


ROOM = {"o": 256, "n": 256, "m": 64}


@pytest.mark.parametrize("planes", ["moved on", "read anew"])
def test_stencil(benchmark: Any, planes: str) -> None:
    workload = WORKLOADS["stencil"]
    configuration = workload.configurations(ROOM)["expert"]
    launch = workload.launch(configuration)
    assert launch is not None
    columns = lower_nest(to_map_global(1), to_map_global(0), to_map_seq)
    lowered = {
        "moved on": lambda: workload.lower(ROOM, configuration),
        "read anew": lambda: in_lambdas(dfnf >> upstream(columns)).rewrite(workload.program(ROOM)),
    }[planes]()
    assert ("rotateValues" in str(lowered)) == (planes == "moved on")
    (kernel,) = generate(
        lowered, local_size=launch.local_size, global_size=launch.global_size
    ).kernels
    inputs = workload.draw(ROOM, np.random.default_rng(3))
    found = launched(benchmark, kernel, inputs, (ROOM["o"], ROOM["n"], ROOM["m"]))
    assert workload.expected(ROOM, configuration, inputs).compare(found).correct
