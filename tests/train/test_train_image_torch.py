"""The PyTorch back end of the task `image`, against the NumPy one and the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from daybreak import RequirementError, UserError
from daybreak_train.clock import TrainingClock
from daybreak_train.data import data_set, load_images
from daybreak_train.image import checks
from daybreak_train.image.batches import Batches
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network
from daybreak_train.image.numpy_backend import NumpyBackend
from daybreak_train.image.options import ImageOptions
from daybreak_train.image.task import ImageTask
from daybreak_train.image.workload import ImageWorkload

torch = pytest.importorskip("torch")

from daybreak_train.image.torch_backend import TorchBackend  # noqa: E402

DATA = load_images(data_set("digits"), examples=200)
NETWORK = Network((1, 8, 8), 10, 4)


@pytest.fixture(scope="module")
def backend() -> Iterator[TorchBackend]:
    made = TorchBackend(DATA, "cpu")
    yield made
    made.close()


def choice(**chosen: Any) -> Choice:
    return Choice(**{"optimizer": "momentum", "shift": 1, **chosen})


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_both_back_ends_train_the_same_network(backend: TorchBackend, optimizer: str) -> None:
    start = NETWORK.initial(np.random.default_rng(0))
    chosen = choice(optimizer=optimizer)
    ours = NumpyBackend(DATA).model(NETWORK, chosen, start)
    theirs = backend.model(NETWORK, chosen, start)
    indices, offsets = next(Batches(200, 32, 1, np.random.default_rng(1)).epoch())
    assert np.allclose(
        ours.gradient(indices, offsets), theirs.gradient(indices, offsets), rtol=1e-3, atol=1e-5
    )
    for indices, offsets in Batches(200, 32, 1, np.random.default_rng(1)).epoch():
        for model in (ours, theirs):
            model.step(indices, offsets, 0.01)
    theirs.synchronize()
    moved = float(np.abs(ours.parameters() - start).max())
    assert np.allclose(ours.parameters(), theirs.parameters(), atol=0.02 * moved)
    assert ours.mean_loss() == pytest.approx(theirs.mean_loss(), rel=1e-3)
    for part in ("train", "validation", "test"):
        accuracy, loss = theirs.evaluate(part)
        assert accuracy == pytest.approx(ours.evaluate(part)[0], abs=0.01)
        assert loss == pytest.approx(ours.evaluate(part)[1], rel=1e-3)
    assert np.allclose(
        ours.logits(DATA.test.images), theirs.logits(DATA.test.images), rtol=0.02, atol=0.02
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_each_precision_is_verified_at_its_own_tolerance(
    backend: TorchBackend, precision: str
) -> None:
    verdict = checks.verify(DATA, backend, NETWORK, choice(precision=precision))
    assert verdict.correct
    assert verdict.tolerance == checks.TOLERANCES[precision]


def test_low_precision_computes_in_low_precision(backend: TorchBackend) -> None:
    start = NETWORK.initial(np.random.default_rng(0))
    full, half = (
        backend.model(NETWORK, choice(precision=p), start).logits(DATA.test.images)
        for p in ("float32", "bfloat16")
    )
    error = np.abs(full - half).max() / np.abs(full).max()
    # bfloat16 has eight significant bits
    assert 1e-4 < error < 5e-2


def test_the_task_runs_on_pytorch() -> None:
    options = {"backend": "torch", "examples": 200, "epochs": 3, "target": 0.9}
    benchmark = ImageTask().define(ImageOptions(**options).model_dump())
    assert benchmark.instance == "digits-n200-at0.9-torch"
    assert benchmark.curve is not None
    assert not benchmark.curve.deterministic
    for one in benchmark.references:
        assert benchmark.space.violations(one.configuration) == []
    workload = ImageWorkload(benchmark)
    assert workload.identity["torch"] == torch.__version__
    job = workload.build({**benchmark.references[1].configuration, "width": 4})
    accuracies = [e.value for e in job.train(0, TrainingClock()) if e.metric == "accuracy"]
    assert accuracies[-1] > 0.5
    assert {sample.metric for sample in job.conclude()} >= {"test_accuracy", "generalisation_gap"}
    workload.close()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics processor")
def test_a_missing_graphics_processor_is_a_requirement() -> None:
    with pytest.raises(RequirementError, match="there is no device 'cuda:0'") as caught:
        TorchBackend(DATA, "cuda:0")
    assert "device: cpu" in str(caught.value.remedy)
    with pytest.raises(UserError, match="use the benchmark train-gpu/image"):
        ImageTask().define(ImageOptions(backend="torch", device="cuda").model_dump())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics processor")
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16", "float16"])
def test_a_graphics_processor_computes_the_same(precision: str) -> None:
    made = TorchBackend(DATA, "cuda")
    for optimizer in ("sgd", "momentum", "adam"):
        chosen = choice(precision=precision, optimizer=optimizer)
        assert checks.verify(DATA, made, NETWORK, chosen).correct
    made.close()
