"""A data set in memory, split for good into training, validation and test."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daybreak import UserError
from daybreak_train.data.catalogue import DataSet
from daybreak_train.data.places import find

__all__ = ["ImageData", "Split", "load_images"]

#: seeds the draw of the splits, the same for every data set and every run
_SPLIT_SEED = 20180614


@dataclass(frozen=True, slots=True)
class Split:
    """Images of shape (n, channels, height, width), bytes, and labels of shape (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class ImageData:
    """A data set with its splits.

    Attributes:
        name: the data set's.
        classes: number of classes.
        train: what the network learns from.
        validation: what drives the progress curve.
        test: held out: looked at once, when training is over.
        mean, deviation: of the training pixels (0..255): the network sees (pixel - mean) /
            deviation.
        digest: SHA-256 of all of it, splits included (16 hexadecimal digits).
    """

    name: str
    classes: int
    train: Split
    validation: Split
    test: Split
    mean: float
    deviation: float
    digest: str


def load_images(
    data: DataSet, folder: str | Path | None = None, examples: int | None = None
) -> ImageData:
    """Read `data` and split it: the same split on every machine and for every seed.

    Test images are the last ones in the published order: of Fashion-MNIST the published test set;
    of digits the last fifth, because neighbours there look alike and a shuffled test set would be
    too easy. Where the published order is by class (mnist-5k), they are the last of each class.
    Training and validation images are drawn from the others, each class in its proportion.

    Args:
        data: the data set.
        folder: a folder with its files, in place of the usual places.
        examples: take only so many of the training images, the first ones of the split.

    Raises:
        RequirementError: it is not on this machine.
        UserError: a file is damaged, or `examples` are more than there are.
    """
    place = find(data, folder)
    module, _, name = data.reader.partition(":")
    read: Callable[[Path], tuple[NDArray[np.uint8], NDArray[np.int64]]] = getattr(
        importlib.import_module(module), name
    )
    images, labels = read(place)
    _check(data, place, images, labels)
    train, validation, test = _split(labels, *data.split[:2])
    if examples is not None and examples > len(train):
        raise UserError(
            f"{data.name} has {len(train)} training images", field="examples",
            expected=f"{len(train)} at most",
        )  # fmt: skip
    parts = tuple(
        Split(np.ascontiguousarray(images[chosen]), labels[chosen])
        for chosen in (train[:examples], validation, test)
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.images.tobytes())
        digest.update(part.labels.tobytes())
    return ImageData(
        data.name,
        data.classes,
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        mean=float(parts[0].images.mean(dtype=np.float64)),
        deviation=float(parts[0].images.std(dtype=np.float64)),
        digest=digest.hexdigest()[:16],
    )


def _check(
    data: DataSet, place: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    if images.shape != (sum(data.split), *data.shape) or len(labels) != len(images):
        raise UserError(
            f"{data.name} has images of shape {images.shape}",
            file=place,
            expected=f"{sum(data.split)} of {data.shape}",
        )
    present = np.bincount(labels, minlength=data.classes)
    if len(present) != data.classes or not present.all():
        raise UserError(
            f"{data.name} has {present.tolist()} images of its classes",
            file=place,
            expected=f"each of the {data.classes} classes",
        )


def _split(
    labels: NDArray[np.int64], train: int, validation: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of the training, validation and test images, each set in random order."""
    generator = np.random.Generator(np.random.PCG64(_SPLIT_SEED))
    order = np.arange(len(labels))
    if np.all(np.diff(labels) >= 0):
        # sorted by class: turn it into rounds, one of each class after another
        rank = np.empty_like(order)
        for label in np.unique(labels):
            of_class = np.flatnonzero(labels == label)
            rank[of_class] = np.arange(len(of_class))
        order = np.lexsort((labels, rank))
    rest, tested = order[: train + validation], order[train + validation :]
    rest = generator.permutation(rest)
    # every k-th of the images sorted by class, in random order within each: in proportion
    by_class = rest[np.argsort(labels[rest], kind="stable")]
    picked = np.floor((np.arange(validation) + 0.5) * len(by_class) / validation).astype(np.intp)
    chosen = np.zeros(len(by_class), bool)
    chosen[picked] = True
    return (
        generator.permutation(by_class[~chosen]),
        generator.permutation(by_class[chosen]),
        tested,
    )
