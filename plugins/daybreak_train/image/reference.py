"""The network in double precision, written out another way: what every back end is held against.

Textbook order (convolution, bias, rectifier, pool), images by number, channel, row, column; the
back ends use other layouts and orders. No gradient: it is checked by differences of this loss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak_train.image.network import Network

__all__ = ["logits", "loss", "normalised"]

Doubles = NDArray[np.float64]


def normalised(images: NDArray[np.uint8], mean: float, deviation: float) -> Doubles:
    """Return (pixel - mean) / deviation, shape as `images`."""
    return (images.astype(np.float64) - mean) / deviation


def logits(network: Network, parameters: NDArray[np.floating], inputs: Doubles) -> Doubles:
    """Return the classes' scores, shape (n, classes), for `inputs` of shape (n, channels, h, w)."""
    views = network.views(np.asarray(parameters, np.float64))
    x = inputs
    for number, block in enumerate(network.blocks):
        framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(2, 3))
        weight = views[f"conv{number}.weight"]
        x = np.tensordot(windows, weight, axes=([1, 4, 5], [1, 2, 3]))
        x = np.maximum(x + views[f"conv{number}.bias"], 0.0).transpose(0, 3, 1, 2)
        if block.pool:
            half = block.side // 2
            x = x.reshape(len(x), block.outputs, half, 2, half, 2).max(axis=(3, 5))
    scores: Doubles = x.reshape(len(x), -1) @ views["dense.weight"].T + views["dense.bias"]
    return scores


def loss(scores: Doubles, labels: NDArray[np.int64]) -> float:
    """Return the mean cross-entropy in nats of `scores`, shape (n, classes)."""
    top = scores.max(axis=1, keepdims=True)
    spread = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(spread - scores[np.arange(len(labels)), labels]))
