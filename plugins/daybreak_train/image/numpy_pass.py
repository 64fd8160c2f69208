"""One pass forwards and backwards through the network with NumPy: patches gathered, then BLAS.

Arrays are laid out (channel, row, column, image), as in Krizhevsky's cuda-convnet: the patches of a
convolution ("im2col") are then nine copies of long contiguous runs, and every convolution is one
matrix product, forwards, to the weights and to the inputs. Bias and rectifier come after the pool,
where there is a quarter of the work; they commute with the maximum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak_train.image.network import Block, Network

__all__ = ["Pass", "chunk_of"]

Floats = NDArray[np.float32]

#: bytes that the patches of one chunk may take: they should stay in the processor's caches
_PATCH_BYTES = 3 << 20


def chunk_of(network: Network) -> int:
    """Return the number of images that one pass takes at once."""
    largest = max(4 * 9 * block.inputs * block.side**2 for block in network.blocks)
    return max(8, min(128, _PATCH_BYTES // largest // 8 * 8))


class _Convolution:
    """A block of the network, with buffers for `images` images."""

    def __init__(self, block: Block, images: int) -> None:
        side, self._block, self._images = block.side, block, images
        self.framed: Floats = np.zeros((block.inputs, side + 2, side + 2, images), np.float32)
        self._patches: Floats = np.empty((block.inputs, 3, 3, side, side, images), np.float32)
        self._out: Floats = np.empty((block.outputs, side, side, images), np.float32)
        self.result = self._out
        if block.pool:
            half = side // 2
            self.result = np.empty((block.outputs, half, half, images), np.float32)
            self._taken: NDArray[np.bool_] = np.empty(self.result.shape, np.bool_)
            self._here: NDArray[np.bool_] = np.empty(self.result.shape, np.bool_)

    @property
    def inside(self) -> Floats:
        """The input without its frame of zeros, shape (inputs, side, side, images)."""
        return self.framed[:, 1:-1, 1:-1]

    def forwards(self, weight: Floats, bias: Floats) -> Floats:
        """Return the block's result for the input in `inside`."""
        side = self._block.side
        for row in range(3):
            for column in range(3):
                self._patches[:, row, column] = self.framed[
                    :, row : row + side, column : column + side
                ]
        flat = self._patches.reshape(9 * self._block.inputs, -1)
        np.matmul(
            weight.reshape(len(weight), -1), flat, out=self._out.reshape(self._block.outputs, -1)
        )
        if self._block.pool:
            quarters = self._quarters(self._out)
            np.maximum(quarters[0], quarters[1], out=self.result)
            np.maximum(self.result, quarters[2], out=self.result)
            np.maximum(self.result, quarters[3], out=self.result)
        self.result += bias[:, None, None, None]
        np.maximum(self.result, 0.0, out=self.result)
        return self.result

    @staticmethod
    def _quarters(array: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the four places of every 2 x 2 field, in reading order."""
        even, odd = array[:, 0::2], array[:, 1::2]
        return even[:, :, 0::2], even[:, :, 1::2], odd[:, :, 0::2], odd[:, :, 1::2]

    def backwards(
        self, slope: Floats, weight: Floats, to_weight: Floats, to_bias: Floats, *, first: bool
    ) -> Floats | None:
        """Add the gradients of weight and bias, and return that of the input.

        Args:
            slope: gradient of the result, overwritten.
            weight: the block's weight.
            to_weight: where the weight's gradient is added.
            to_bias: where the bias' gradient is added.
            first: nobody needs the input's gradient; None is returned.
        """
        block, side = self._block, self._block.side
        slope *= self.result > 0.0
        to_bias += slope.sum(axis=(1, 2, 3))
        if block.pool:
            slope = self._unpool(slope)
        flat = slope.reshape(block.outputs, -1)
        patches = self._patches.reshape(9 * block.inputs, -1)
        to_weight += (flat @ patches.T).reshape(to_weight.shape)
        if first:
            return None
        # the patches have served: their place takes their own gradient
        np.matmul(weight.reshape(block.outputs, -1).T, flat, out=patches)
        spread: Floats = np.zeros(self.framed.shape, np.float32)
        for row in range(3):
            for column in range(3):
                spread[:, row : row + side, column : column + side] += self._patches[:, row, column]
        return spread[:, 1:-1, 1:-1]

    def _unpool(self, slope: Floats) -> Floats:
        """Send the gradient of each 2 x 2 field to its largest place, the first of equal ones."""
        # result is max(0, top + bias); where it is 0 the slope is 0, whoever gets it, so the
        # largest of the convolution's own values is what counts
        quarters = self._quarters(self._out)
        top = np.maximum(np.maximum(quarters[0], quarters[1]), np.maximum(quarters[2], quarters[3]))
        self._taken.fill(False)
        for quarter in quarters:
            np.equal(quarter, top, out=self._here)
            np.greater(self._here, self._taken, out=self._here)
            np.logical_or(self._taken, self._here, out=self._taken)
            np.multiply(slope, self._here, out=quarter)
        return self._out


class Pass:
    """The network with buffers for one thread. Not to be shared between threads.

    Args:
        network: the network.
        mean, deviation: inputs are (pixel - mean) / deviation.
    """

    def __init__(self, network: Network, mean: float, deviation: float) -> None:
        self._network = network
        self.classes = network.classes
        self._mean, self._scale = np.float32(mean), np.float32(1.0 / deviation)
        self._convolutions: dict[int, list[_Convolution]] = {}
        self.gradient: Floats = np.zeros(network.size, np.float32)
        self._gradients: dict[str, Any] = network.views(self.gradient)

    def _for(self, images: int) -> list[_Convolution]:
        made = self._convolutions.get(images)
        if made is None:
            if len(self._convolutions) >= 4:
                self._convolutions.clear()
            made = [_Convolution(block, images) for block in self._network.blocks]
            self._convolutions[images] = made
        return made

    def logits(self, parameters: Floats, images: NDArray[np.uint8]) -> Floats:
        """Return the scores of `images`, shape (n, channels, height, width), as (classes, n)."""
        return self._forwards(self._network.views(parameters), images)

    def _forwards(self, views: dict[str, Any], images: NDArray[np.uint8]) -> Floats:
        convolutions = self._for(len(images))
        x = convolutions[0].inside
        x[...] = images.transpose(1, 2, 3, 0)
        x -= self._mean
        x *= self._scale
        for number, convolution in enumerate(convolutions):
            if number:
                convolution.inside[...] = x
            x = convolution.forwards(views[f"conv{number}.weight"], views[f"conv{number}.bias"])
        scores: Floats = views["dense.weight"] @ x.reshape(self._network.features, -1)
        scores += views["dense.bias"][:, None]
        return scores

    def learn(
        self,
        parameters: Floats,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        share: float,
    ) -> float:
        """Add the gradient of ``share * sum of losses`` to `gradient`, and return that sum.

        Args:
            parameters: shape (size,).
            images: shape (n, channels, height, width).
            labels: shape (n,).
            share: 1 / images of the whole batch.
        """
        views = self._network.views(parameters)
        scores = self._forwards(views, images)
        columns = np.arange(len(labels))
        scores -= scores.max(axis=0)
        right = scores[labels, columns].sum(dtype=np.float64)
        np.exp(scores, out=scores)
        sums = scores.sum(axis=0)
        total = float(np.log(sums).sum(dtype=np.float64) - right)
        scores /= sums
        scores[labels, columns] -= 1.0
        scores *= np.float32(share)
        self._backwards(views, scores)
        return total

    def _backwards(self, views: dict[str, Any], slope: Floats) -> None:
        gradients = self._gradients
        convolutions = self._for(slope.shape[1])
        last = convolutions[-1].result
        gradients["dense.weight"] += slope @ last.reshape(self._network.features, -1).T
        gradients["dense.bias"] += slope.sum(axis=1)
        down: Floats | None = (views["dense.weight"].T @ slope).reshape(last.shape)
        for number in range(len(convolutions) - 1, -1, -1):
            assert down is not None  # noqa: S101  # only the first convolution returns None
            down = convolutions[number].backwards(
                down,
                views[f"conv{number}.weight"],
                gradients[f"conv{number}.weight"],
                gradients[f"conv{number}.bias"],
                first=number == 0,
            )
