"""The arithmetic of the task `image`: layers, gradients, rules, schedules, batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_train.data import ImageData, Split
from daybreak_train.image import reference
from daybreak_train.image.batches import Batches, shifted
from daybreak_train.image.choice import Choice
from daybreak_train.image.names import SCHEDULES
from daybreak_train.image.network import Network
from daybreak_train.image.numpy_backend import NumpyBackend, NumpyModel
from daybreak_train.image.numpy_pass import Pass, chunk_of
from daybreak_train.image.schedules import FLOOR, factor
from daybreak_train.image.updates import make_rule


def made_up(count: int, side: int, channels: int = 1, seed: int = 0) -> ImageData:
    """Return random images with labels 0..2, the same in all parts."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, channels, side, side)).astype(np.uint8)
    split = Split(images, generator.integers(0, 3, count))
    return ImageData("made-up", 3, split, split, split, 120.0, 70.0, "0" * 16)


def by_loops(network: Network, flat: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the scores of one image (channels, side, side), with nothing but loops."""
    views = network.views(flat)
    for number, block in enumerate(network.blocks):
        weight, bias = views[f"conv{number}.weight"], views[f"conv{number}.bias"]
        out = np.zeros((block.outputs, block.side, block.side))
        for f in range(block.outputs):
            for r in range(block.side):
                for c in range(block.side):
                    total = bias[f]
                    for i in range(block.inputs):
                        for dr in (-1, 0, 1):
                            for dc in (-1, 0, 1):
                                if 0 <= r + dr < block.side and 0 <= c + dc < block.side:
                                    total += weight[f, i, dr + 1, dc + 1] * x[i, r + dr, c + dc]
                    out[f, r, c] = max(0.0, total)
        if block.pool:
            half = block.side // 2
            pooled = np.zeros((block.outputs, half, half))
            for f in range(block.outputs):
                for r in range(half):
                    for c in range(half):
                        pooled[f, r, c] = out[f, 2 * r : 2 * r + 2, 2 * c : 2 * c + 2].max()
            out = pooled
        x = out
    return views["dense.weight"] @ x.reshape(-1) + views["dense.bias"]


@pytest.mark.parametrize(("side", "channels"), [(4, 1), (8, 2), (20, 1)])
def test_the_reference_is_the_definition(side: int, channels: int) -> None:
    network = Network((channels, side, side), 3, 2)
    generator = np.random.default_rng(1)
    flat = generator.standard_normal(network.size)
    inputs = generator.standard_normal((3, channels, side, side))
    expected = [by_loops(network, flat, one) for one in inputs]
    assert np.allclose(reference.logits(network, flat, inputs), expected, rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    side=st.sampled_from([2, 6, 8, 20, 28]),
    width=st.integers(1, 5),
    channels=st.integers(1, 3),
    count=st.integers(1, 9),
    seed=st.integers(0, 1000),
)
def test_scores_and_gradient_are_those_of_the_reference(
    side: int, width: int, channels: int, count: int, seed: int
) -> None:
    data = made_up(count, side, channels, seed)
    network = Network((channels, side, side), 3, width)
    generator = np.random.default_rng(seed)
    flat = network.initial(generator)
    flat += np.float32(0.1) * generator.standard_normal(network.size, np.float32)
    own = Pass(network, data.mean, data.deviation)
    images, labels = data.train.images, data.train.labels
    inputs = reference.normalised(images, data.mean, data.deviation)
    expected = reference.logits(network, flat, inputs)
    assert np.allclose(own.logits(flat, images).T, expected, rtol=1e-4, atol=1e-4)
    total = own.learn(flat, images, labels, 1 / count)
    assert total / count == pytest.approx(reference.loss(expected, labels), rel=1e-4)
    exact = flat.astype(np.float64)
    for direction in (own.gradient.astype(float), generator.standard_normal(network.size)):
        unit = direction / np.linalg.norm(direction)
        high, low = (
            reference.loss(reference.logits(network, exact + step * unit, inputs), labels)
            for step in (1e-6, -1e-6)
        )
        slope = (high - low) / 2e-6
        length = float(np.linalg.norm(own.gradient))
        assert abs(slope - float(own.gradient.astype(float) @ unit)) < 2e-3 * length


def test_gradients_add_up_over_passes() -> None:
    data, network = made_up(10, 8), Network((1, 8, 8), 3, 3)
    flat = network.initial(np.random.default_rng(0))
    images, labels = data.train.images, data.train.labels
    whole, parts = Pass(network, 1.0, 2.0), Pass(network, 1.0, 2.0)
    whole.learn(flat, images, labels, 0.1)
    for part in (slice(0, 3), slice(3, 4), slice(4, 10)):
        parts.learn(flat, images[part], labels[part], 0.1)
    assert np.allclose(parts.gradient, whole.gradient, rtol=1e-4, atol=1e-6)


def test_of_equal_places_in_a_pool_the_first_gets_the_gradient() -> None:
    torch = pytest.importorskip("torch")
    # an empty image: all places of a field are equal, and the bias makes them count
    data = made_up(2, 8)
    data.train.images[...] = 0
    network = Network((1, 8, 8), 3, 2)
    flat = network.initial(np.random.default_rng(3))
    views = network.views(flat)
    views["conv0.bias"][...] = 1.0
    views["conv1.bias"][...] = 1.0
    own = Pass(network, 0.0, 1.0)
    own.learn(flat, data.train.images, data.train.labels, 0.5)
    tensors = {n: torch.from_numpy(v.copy()).requires_grad_() for n, v in views.items()}
    functional = torch.nn.functional
    x = torch.zeros(2, 1, 8, 8)
    x = functional.relu(
        functional.conv2d(x, tensors["conv0.weight"], tensors["conv0.bias"], padding=1)
    )
    x = functional.relu(
        functional.conv2d(x, tensors["conv1.weight"], tensors["conv1.bias"], padding=1)
    )
    x = functional.max_pool2d(x, 2).flatten(1)
    scores = functional.linear(x, tensors["dense.weight"], tensors["dense.bias"])
    functional.cross_entropy(scores, torch.from_numpy(data.train.labels)).backward()
    for name, slope in network.views(own.gradient).items():
        assert np.allclose(slope, tensors[name].grad.numpy(), rtol=1e-4, atol=1e-6), name


def test_parameters_are_drawn_with_the_published_variances() -> None:
    network = Network((1, 28, 28), 10, 64)
    views = network.views(network.initial(np.random.default_rng(0)))
    assert float(views["conv1.weight"].var()) == pytest.approx(2 / (64 * 9), rel=0.05)
    assert float(views["dense.weight"].var()) == pytest.approx(1 / network.features, rel=0.05)
    assert not views["conv0.bias"].any()
    assert network.size == sum(view.size for view in views.values())


def test_images_that_pools_do_not_divide_are_refused() -> None:
    for shape in ((1, 18, 18), (1, 7, 7), (1, 8, 6)):
        with pytest.raises(ValueError, match="square"):
            Network(shape, 10, 4)


def test_operations_are_counted() -> None:
    network = Network((1, 28, 28), 10, 4)
    # 28 x 28 x 4 outputs of 9 products, 14 x 14 x 8 of 36, 10 of 7 x 7 x 8; each with an addition
    first, second, dense = 2 * 28 * 28 * 4 * 9, 2 * 14 * 14 * 8 * 36, 2 * 10 * 7 * 7 * 8
    assert network.flops == first + second + dense
    assert network.training_flops == 2 * first + 3 * second + 3 * dense


def test_chunks_fit_the_caches() -> None:
    for side in (8, 28):
        for width in (1, 4, 64):
            assert 8 <= chunk_of(Network((1, side, side), 10, width)) <= 128


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_rules_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    start = generator.standard_normal(20)
    tensor = torch.from_numpy(start.copy()).requires_grad_()
    makers: dict[str, Any] = {
        "sgd": lambda: torch.optim.SGD([tensor], lr=0.1),
        "momentum": lambda: torch.optim.SGD([tensor], lr=0.1, momentum=0.9, nesterov=True),
        "adam": lambda: torch.optim.Adam([tensor], lr=0.1),
    }
    theirs, ours = makers[name](), start.copy()
    rule = make_rule(name, ours)
    for rate in (0.1, 0.1, 0.03, 0.03, 0.01):
        slope = generator.standard_normal(20)
        tensor.grad = torch.from_numpy(slope.copy())
        for group in theirs.param_groups:
            group["lr"] = rate
        theirs.step()
        rule.apply(ours, slope.copy(), rate)
        assert np.allclose(ours, tensor.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_rules_by_hand() -> None:
    one = np.array([1.0])
    make_rule("sgd", one).apply(one, np.array([2.0]), 0.5)
    assert one.tolist() == [0.0]
    one = np.array([1.0])
    rule = make_rule("momentum", one)
    rule.apply(one, np.array([1.0]), 0.1)
    assert one[0] == pytest.approx(1 - 0.1 * (1 + 0.9))
    rule.apply(one, np.array([1.0]), 0.1)
    assert one[0] == pytest.approx(0.81 - 0.1 * (1 + 0.9 * 1.9))
    one = np.array([1.0])
    # the first step of Adam is the rate, whatever the gradient's size
    make_rule("adam", one).apply(one, np.array([123.0]), 0.25)
    assert one[0] == pytest.approx(0.75)
    with pytest.raises(ValueError, match="adamw"):
        make_rule("adamw", one)


def test_schedules_by_hand() -> None:
    assert [factor("constant", t) for t in (0, 0.5, 9)] == [1, 1, 1]
    assert factor("cosine", 0) == 1
    assert factor("cosine", 0.5) == pytest.approx(FLOOR + (1 - FLOOR) / 2)
    assert factor("triangle", 0) == pytest.approx(FLOOR)
    assert factor("triangle", 5 / 24) == pytest.approx(1)
    assert factor("triangle", 5 / 48) == pytest.approx((1 + FLOOR) / 2)
    assert factor("triangle", (1 + 5 / 24) / 2) == pytest.approx((1 + FLOOR) / 2)
    for name in ("cosine", "triangle"):
        assert factor(name, 1.0) == factor(name, 50.0) == FLOOR
    with pytest.raises(ValueError, match="square"):
        factor("square", 0.5)


@given(st.sampled_from(SCHEDULES), st.floats(0, 100))
def test_schedules_stay_between_the_floor_and_the_peak(name: str, done: float) -> None:
    assert FLOOR * 0.999 <= factor(name, done) <= 1.0


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2), st.integers(0, 99))
def test_an_epoch_shows_every_image_once_at_most(
    images: int, batch: int, shift: int, seed: int
) -> None:
    if batch > images:
        with pytest.raises(ValueError, match=f"batch of {batch} of {images}"):
            Batches(images, batch, shift, np.random.default_rng(seed))
        return
    batches = Batches(images, batch, shift, np.random.default_rng(seed))
    first = list(batches.epoch())
    shown = np.concatenate([indices for indices, _ in first])
    assert len(first) == batches.steps == images // batch
    assert len(set(shown.tolist())) == len(shown) == batches.steps * batch
    for indices, offsets in first:
        if shift == 0:
            assert offsets is None
        else:
            assert offsets is not None
            assert offsets.shape == (len(indices), 2)
            assert 0 <= offsets.min() <= offsets.max() <= 2 * shift
    again = Batches(images, batch, shift, np.random.default_rng(seed))
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(first, again.epoch(), strict=True))


def test_an_image_moves_and_black_moves_in() -> None:
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 1, 3, 3)
    offsets = np.array([[0, 2]])  # one row down, one column to the left
    assert shifted(image, offsets, 1)[0, 0].tolist() == [[0, 0, 0], [2, 3, 0], [5, 6, 0]]
    assert np.array_equal(shifted(image, np.array([[1, 1]]), 1), image)
    two = np.concatenate([image, image])
    moved = shifted(two, np.array([[1, 1], [2, 1]]), 1)
    assert np.array_equal(moved[0], image[0])
    assert moved[1, 0].tolist() == [[4, 5, 6], [7, 8, 9], [0, 0, 0]]


def model(data: ImageData, threads: int, **chosen: Any) -> NumpyModel:
    network = Network(data.train.images.shape[1:], 3, 3)  # type: ignore[arg-type]
    choice = Choice(**{"optimizer": "momentum", "shift": 1, "threads": threads, **chosen})
    start = network.initial(np.random.default_rng(0))
    return NumpyBackend(data).model(network, choice, start)


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_threads_share_a_batch(threads: int) -> None:
    data = made_up(40, 8)
    indices, offsets = np.arange(4, 37), np.random.default_rng(0).integers(0, 3, (33, 2))
    alone, many = model(data, 1), model(data, threads)
    assert np.allclose(
        alone.gradient(indices, offsets), many.gradient(indices, offsets), rtol=1e-3, atol=1e-6
    )
    assert np.allclose(alone.logits(data.test.images), many.logits(data.test.images), atol=1e-5)
    # more threads than images
    assert np.allclose(
        alone.gradient(indices[:1], None), many.gradient(indices[:1], None), rtol=1e-3, atol=1e-6
    )
    many.close()
    many.close()


def test_two_runs_are_the_same_bit_for_bit() -> None:
    data = made_up(64, 8)
    ends = []
    for _ in range(2):
        trained = model(data, 2)
        for indices, offsets in Batches(64, 16, 1, np.random.default_rng(9)).epoch():
            trained.step(indices, offsets, 0.1)
        ends.append(trained.parameters())
        trained.close()
    assert np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], model(data, 1).parameters())


def test_the_mean_loss_is_of_the_steps_since_the_last_call() -> None:
    data = made_up(32, 8)
    trained = model(data, 1, optimizer="sgd", shift=0)
    assert math.isnan(trained.mean_loss())
    parts = [np.arange(16), np.arange(16, 32)]
    for part in parts:
        trained.step(part, None, 0.0)
    assert trained.mean_loss() == pytest.approx(trained.evaluate("train")[1], rel=1e-5)
    assert math.isnan(trained.mean_loss())


def test_accuracy_and_loss_are_those_of_the_reference() -> None:
    data = made_up(50, 8)
    trained = model(data, 1)
    network = Network((1, 8, 8), 3, 3)
    scores = reference.logits(
        network, trained.parameters(),
        reference.normalised(data.test.images, data.mean, data.deviation),
    )  # fmt: skip
    accuracy, loss = trained.evaluate("test")
    assert accuracy == np.mean(scores.argmax(axis=1) == data.test.labels)
    assert loss == pytest.approx(reference.loss(scores, data.test.labels), rel=1e-5)
