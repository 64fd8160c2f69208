"""Speed of the training kernels: low precision beside full precision, threads beside one thread.

Run it with ``pytest tests/benchmarks/test_train_kernels.py --benchmark-only --override-ini addopts=
-p no:cacheprovider``. Every round does the same number of steps; groups are to be read side by side.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("numba")

from daybreak_train.halp.options import HalpOptions
from daybreak_train.halp.task import halp_space
from daybreak_train.halp.workload import HalpWorkload
from daybreak_train.hogwild.options import HogwildOptions
from daybreak_train.hogwild.runs import Settings, SparseRun
from daybreak_train.hogwild.task import hogwild_space
from daybreak_train.hogwild.workload import HogwildWorkload
from daybreak_train.team import Team, thread_choices

DENSE_SAMPLES = 20_000
SPARSE = {"samples": 20_000, "features": 10_000, "nonzeros": 40}


def assert_trained(weights: NDArray[np.float64]) -> None:
    """A model that diverged, or never moved, has no speed worth reporting."""
    assert np.isfinite(weights).all()
    assert weights.any()


@cache
def dense(features: int) -> HalpWorkload:
    return HalpWorkload(HalpOptions(samples=DENSE_SAMPLES, features=features).model_dump())


@cache
def sparse() -> HogwildWorkload:
    return HogwildWorkload(HogwildOptions(**SPARSE).model_dump())


@pytest.mark.parametrize("features", [64, 256, 1024])
@pytest.mark.parametrize(
    ("algorithm", "bits"), [("sgd", 64), ("sgd", 32), ("lp-sgd", 16), ("lp-sgd", 8)]
)
def test_dense_steps(benchmark: Any, features: int, algorithm: str, bits: int) -> None:
    """One pass of single-sample steps of linear regression."""
    benchmark.group = f"one pass, {DENSE_SAMPLES:,} x {features}"
    space = halp_space()
    configuration = space.settle({**space.default(), "algorithm": algorithm, "bits": bits})
    run = dense(features).build(configuration).start(0)
    run.iterate()
    benchmark.pedantic(run.iterate, rounds=20, warmup_rounds=2)
    assert_trained(run.weights)
    benchmark.extra_info["ns_per_step"] = 1e9 * benchmark.stats.stats.min / run.steps


@pytest.mark.parametrize(
    ("algorithm", "bits"), [("svrg", 64), ("svrg", 32), ("halp", 16), ("halp", 8)]
)
def test_outer_iterations(benchmark: Any, algorithm: str, bits: int) -> None:
    """A full gradient and two passes of variance-reduced steps: what the paper compares."""
    benchmark.group = f"outer iteration, {DENSE_SAMPLES:,} x 1024"
    space = halp_space()
    wanted = {**space.default(), "algorithm": algorithm, "bits": bits, "inner": 2}
    run = dense(1024).build(space.settle(wanted)).start(0)
    run.iterate()
    benchmark.pedantic(run.iterate, rounds=10, warmup_rounds=1)
    assert_trained(run.weights)


@pytest.mark.parametrize("threads", thread_choices(None))
@pytest.mark.parametrize(("data", "model"), [(32, 32), (8, 16), (8, 8)])
@pytest.mark.parametrize("mode", ["hogwild", "locked", "synchronous"])
def test_sparse_passes(benchmark: Any, mode: str, threads: int, data: int, model: int) -> None:
    """One pass over sparse data by threads that share the model."""
    benchmark.group = f"one pass, {SPARSE['samples']:,} samples of {SPARSE['nonzeros']}"
    space = hogwild_space(threads)
    wanted = {
        **space.default(), "mode": mode, "threads": threads, "data_bits": data,
        "model_bits": model, "batch": 256 if mode == "synchronous" else 1,
    }  # fmt: skip
    settings = Settings.of(space.settle(wanted))
    workload = sparse()
    with Team(threads) as team:
        run = SparseRun(workload.problem, settings, workload.rows(data), team, 0)
        run.advance(1000)
        benchmark.pedantic(run.advance, args=(SPARSE["samples"],), rounds=20, warmup_rounds=2)
    assert_trained(run.weights)
    numbers = workload.sparsity["nonzeros"]
    benchmark.extra_info["gnps"] = numbers / benchmark.stats.stats.median / 1e9
