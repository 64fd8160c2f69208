"""Speed of the back ends of the task `image`: a step on 64 images of 28 x 28, width 16."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from daybreak_train.data import ImageData, Split
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network

BATCH = 64


def made_up() -> ImageData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (1000, 1, 28, 28)).astype(np.uint8)
    split = Split(images, generator.integers(0, 10, 1000))
    return ImageData("made-up", 10, split, split, split, 127.0, 70.0, "0" * 16)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_image_step(
    benchmark: BenchmarkFixture, backend: str, threads: int, precision: str
) -> None:
    made: Any
    if backend == "torch":
        pytest.importorskip("torch")
        from daybreak_train.image.torch_backend import TorchBackend

        made = TorchBackend(made_up(), "cpu")
    else:
        from daybreak_train.image.numpy_backend import NumpyBackend

        if precision != "float32":
            pytest.skip("NumPy has no bfloat16")
        made = NumpyBackend(made_up())
    network = Network((1, 28, 28), 10, 16)
    model = made.model(
        network,
        Choice(optimizer="momentum", threads=threads, precision=precision),
        network.initial(np.random.default_rng(0)),
    )
    indices = np.arange(BATCH)
    model.step(indices, None, 0.01)
    benchmark(model.step, indices, None, 0.01)
    mean = benchmark.stats.stats.mean  # type: ignore[union-attr]
    benchmark.extra_info["images/s"] = BATCH / mean
    benchmark.extra_info["GFLOP/s"] = BATCH * network.training_flops / mean / 1e9
    model.close()
    made.close()
