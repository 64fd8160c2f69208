"""What is held against the reference in double precision: before training, and after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak import Verdict, WrongResult
from daybreak_train.data import ImageData
from daybreak_train.image import reference
from daybreak_train.image.backends import Backend, Model
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network
from daybreak_train.image.updates import make_rule

__all__ = ["TOLERANCES", "confirm", "verify"]

#: allowed deviation relative to the largest score, the gradient's length or the step's length
TOLERANCES = {"float32": 1e-3, "tf32": 2e-2, "bfloat16": 5e-2, "float16": 1e-2}
#: allowed share of confirmed images that the reference puts into another class
_DISAGREEING = {"float32": 0.005, "tf32": 0.01, "bfloat16": 0.05, "float16": 0.02}

_IMAGES = 24
_CONFIRMED = 1000
_STRIDE = 1e-5
_RATE = 0.01

Doubles = NDArray[np.float64]


def verify(data: ImageData, backend: Backend, network: Network, choice: Choice) -> Verdict:
    """Compare scores, gradient and one step of a fresh model with the reference.

    The gradient is compared with central differences of the reference's loss: along itself, and
    along random directions within each parameter's part, so that none can be wrong alone. The step
    is compared with the rule applied in double precision to the back end's own gradient.
    """
    generator = np.random.Generator(np.random.PCG64(7))
    parameters = network.initial(generator)
    parameters += np.float32(0.1) * generator.standard_normal(network.size, np.float32)
    chosen = np.arange(min(_IMAGES, len(data.train)))
    model = backend.model(network, choice, parameters)
    try:
        tolerance = TOLERANCES[choice.precision]
        images, labels = data.train.images[chosen], data.train.labels[chosen]
        inputs = reference.normalised(images, data.mean, data.deviation)
        expected = reference.logits(network, parameters, inputs)
        worst = float(np.abs(model.logits(images) - expected).max() / np.abs(expected).max())
        gradient = model.gradient(chosen, None).astype(np.float64)
        length = max(float(np.linalg.norm(gradient)), 1e-12)
        exact = parameters.astype(np.float64)
        for direction in _directions(network, gradient, generator):
            ends = [
                reference.loss(
                    reference.logits(network, exact + side * _STRIDE * direction, inputs), labels
                )
                for side in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / (2 * _STRIDE)
            worst = max(worst, abs(slope - float(gradient @ direction)) / length)
        worst = max(worst, _step_error(model, choice, chosen, exact, gradient))
    finally:
        model.close()
    if not worst <= tolerance:
        return Verdict(
            False, worst, tolerance, "scores, gradient or step differ from double precision"
        )
    return Verdict(True, worst, tolerance)


def _directions(
    network: Network, gradient: Doubles, generator: np.random.Generator
) -> list[Doubles]:
    """Return unit vectors: the gradient's own, and a random one within each parameter's part."""
    found = [gradient / max(float(np.linalg.norm(gradient)), 1e-12)]
    for _, part in network.places.values():
        direction = np.zeros(network.size)
        direction[part] = generator.standard_normal(part.stop - part.start)
        found.append(direction / np.linalg.norm(direction))
    return found


def _step_error(
    model: Model,
    choice: Choice,
    chosen: NDArray[np.intp],
    before: Doubles,
    gradient: Doubles,
) -> float:
    """Return how far one step of the model is from the rule in double precision, relatively."""
    expected = before.copy()
    make_rule(choice.optimizer, before).apply(expected, gradient.copy(), _RATE)
    model.step(chosen, None, _RATE)
    model.synchronize()
    moved = model.parameters().astype(np.float64) - before
    length = max(float(np.linalg.norm(expected - before)), 1e-12)
    return float(np.linalg.norm(moved - (expected - before))) / length


def confirm(
    data: ImageData,
    network: Network,
    choice: Choice,
    model: Model,
    accuracy: float | None,
) -> float:
    """Return the accuracy on the validation images, found independently of the curve.

    Args:
        data: the data.
        network: the network.
        choice: `precision` is read.
        model: the trained model.
        accuracy: what the curve ended with; None: it ended between two looks.

    Raises:
        WrongResult: the model has another accuracy on the validation images now, or the reference
            answers otherwise for more images than rounding explains.
    """
    again, _ = model.evaluate("validation")
    allowed = _DISAGREEING[choice.precision]
    # a graphics processor may add in another order the second time
    if accuracy is not None and not abs(again - accuracy) <= allowed:
        raise WrongResult(
            f"the curve ends at accuracy {accuracy:.4f}, the trained network has {again:.4f}"
        )
    images = data.validation.images[:_CONFIRMED]
    inputs = reference.normalised(images, data.mean, data.deviation)
    expected = reference.logits(network, model.parameters(), inputs).argmax(axis=1)
    differing = float(np.mean(model.logits(images).argmax(axis=1) != expected))
    if not differing <= allowed:
        raise WrongResult(
            f"{differing:.1%} of the validation images fall into another class in double precision"
        )
    return again
