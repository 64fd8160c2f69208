"""Which images make a batch, and how far each is shifted: drawn on the processor for every back end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batches", "shifted"]


class Batches:
    """Batches of equal size, each image at most once in an epoch, in an order drawn anew.

    What is left over when `batch` does not divide the number of images is left out of that epoch.

    Args:
        images: number of training images.
        batch: images in a batch, at most `images`.
        shift: each image is moved by -shift .. shift pixels in both directions; 0: not at all.
        generator: draws all of it.
    """

    def __init__(self, images: int, batch: int, shift: int, generator: np.random.Generator) -> None:
        if not 1 <= batch <= images:
            raise ValueError(f"a batch of {batch} of {images} images")
        self._images, self._batch, self._shift = images, batch, shift
        self._generator = generator
        self.steps = images // batch

    def epoch(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64] | None]]:
        """Yield (indices, offsets): shapes (batch,) and (batch, 2), rows then columns.

        Offsets lie in 0 .. 2 shift: the corner of the image within its frame of `shift` pixels. They
        are None where nothing is shifted.
        """
        order = self._generator.permutation(self._images)
        offsets = None
        if self._shift:
            offsets = self._generator.integers(0, 2 * self._shift + 1, (self._images, 2))
        for step in range(self.steps):
            part = slice(step * self._batch, (step + 1) * self._batch)
            yield order[part], None if offsets is None else offsets[part]


def shifted(images: NDArray[np.uint8], offsets: NDArray[np.int64], shift: int) -> NDArray[np.uint8]:
    """Return `images`, shape (n, channels, height, width), moved; what moves in is black.

    Args:
        images: the images.
        offsets: shape (n, 2), of `Batches.epoch`.
        shift: the largest move in pixels.
    """
    count, channels, height, width = images.shape
    framed = np.zeros((count, channels, height + 2 * shift, width + 2 * shift), np.uint8)
    framed[:, :, shift : shift + height, shift : shift + width] = images
    windows = np.lib.stride_tricks.sliding_window_view(framed, (height, width), axis=(2, 3))
    return windows[np.arange(count), :, offsets[:, 0], offsets[:, 1]]
