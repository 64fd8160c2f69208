"""What computes: NumPy with BLAS on the processor, or PyTorch on any of its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daybreak_train.data import ImageData
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network

__all__ = ["Backend", "Model", "make_backend"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


class Model(Protocol):
    """A network in training on one back end, with its optimizer's state and its data at hand.

    Work may still be under way on a device when a method without result returns; `synchronize`
    waits for it.
    """

    def step(self, indices: Labels, offsets: Labels | None, rate: float) -> None:
        """Take one step on the training images `indices`, shape (batch,).

        Args:
            indices: places in the training set.
            offsets: how far each is shifted (`daybreak_train.image.batches`), or None.
            rate: the learning rate.
        """
        ...

    def synchronize(self) -> None:
        """Wait until all steps are done: before a clock is read."""
        ...

    def mean_loss(self) -> float:
        """Return the mean training loss (nats) of the steps since the last call; NaN without any."""
        ...

    def evaluate(self, part: str) -> tuple[float, float]:
        """Return accuracy and mean loss (nats) on `train`, `validation` or `test` images."""
        ...

    def logits(self, images: NDArray[np.uint8]) -> Floats:
        """Return the scores of images, shape (n, channels, h, w), as an array (n, classes)."""
        ...

    def gradient(self, indices: Labels, offsets: Labels | None) -> Floats:
        """Return the gradient of the mean loss of training images, shape (size,)."""
        ...

    def parameters(self) -> Floats:
        """Return a copy of the parameters, shape (size,), ordered as `Network.places` says."""
        ...

    def close(self) -> None:
        """Release threads and memory; may be called twice."""
        ...


class Backend(Protocol):
    """Makes models. `identity`: versions and devices that change times or results."""

    identity: Mapping[str, str]

    def model(self, network: Network, choice: Choice, parameters: Floats) -> Model:
        """Return a model that starts from `parameters`, shape (network.size,).

        Args:
            network: the network.
            choice: `optimizer`, `shift`, `threads` and `precision` are read.
            parameters: initial values, copied.
        """
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...


def make_backend(options: Mapping[str, Any], data: ImageData) -> Backend:
    """Return the back end that `options` ask for, with `data` at hand.

    Raises:
        RequirementError: PyTorch or the device is missing.
    """
    if options["backend"] == "torch":
        from daybreak_train.image.torch_backend import TorchBackend

        return TorchBackend(data, options["device"])
    from daybreak_train.image.numpy_backend import NumpyBackend

    return NumpyBackend(data)
