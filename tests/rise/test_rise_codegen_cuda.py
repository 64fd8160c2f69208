"""The words of generated CUDA."""

from __future__ import annotations

from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.codegen import generate
from daybreak_rise.dsl import (
    as_scalar,
    as_vector,
    exp,
    fun,
    map_global,
    max_,
    min_,
    slide,
    sqrt,
)
from daybreak_rise.expr import Expr
from daybreak_rise.types import array, f32


def vectors() -> Expr:
    return fun(
        array(67, f32),
        lambda x: (
            x
            | slide(64)
            | map_global(1)(
                lambda w: (
                    w
                    | as_vector(4)
                    | map_global(0)(lambda v: max_(sqrt(v), min_(exp(v), -v)) - v / abs(v))
                    | as_scalar
                )
            )
        ),
    )


def sources() -> dict[str, str]:
    found = {"vectors": generate(vectors(), target="cuda", local_size=(4, 2), global_size=(16, 4))}
    for name, workload in WORKLOADS.items():
        sizes = workload.rehearsal
        for reference, configuration in workload.configurations(sizes).items():
            launch = workload.launch(configuration)
            if launch is None:
                continue
            found[f"{name}_{reference}"] = generate(
                workload.lower(sizes, configuration),
                target="cuda",
                name=f"{name}_{reference}".replace("-", "_"),
                local_size=launch.local_size,
                global_size=launch.global_size,
            )
    return {name: program.source for name, program in found.items()}


def test_cuda_has_its_own_words() -> None:
    found = sources()
    assert all('extern "C" __global__ void' in source for source in found.values())
    assert "__syncthreads();" in found["mm-gpu_expert"]
    assert "__shared__ __align__(16) float tile" in found["mm-gpu_expert"]
    assert "*reinterpret_cast<vec<float, 4>*>" in found["mm-gpu_expert"]
    assert not any(word in source for source in found.values() for word in ("barrier(", "global "))
