"""Reads FROSTT tensor files: per line the 1-based coordinates and the value of one entry.

The format: http://frostt.io/tensors/file-formats.html. Sizes are the largest coordinates seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from daybreak import UserError
from daybreak_taco.data.textfile import opened

__all__ = ["read_tns"]

Array: TypeAlias = np.ndarray[Any, Any]


def read_tns(path: Path) -> tuple[Array, Array, tuple[int, ...]]:
    """Read a tensor.

    Returns:
        0-based int64 coordinates (order, nnz), float64 values (nnz,), and the sizes.

    Raises:
        UserError: the file cannot be read, is malformed or empty.
    """
    import warnings

    with opened(path) as lines, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty file is told below
        try:
            table = np.loadtxt(lines, comments="#", ndmin=2, dtype=np.float64)
        except ValueError:
            table = None
    if table is None or (table.size and table.shape[1] < 2):
        _find_malformed(path)
        raise UserError("this is no tensor file", file=path)
    if table.size == 0:
        raise UserError("this tensor is empty", file=path, expected="at least one entry")
    coordinates, values = table[:, :-1], np.ascontiguousarray(table[:, -1])
    wrong = ((coordinates < 1) | (coordinates != np.floor(coordinates))).any(axis=1)
    wrong |= ~np.isfinite(values) | (coordinates > 2**31 - 1).any(axis=1)
    if wrong.any():
        _report(path, int(np.flatnonzero(wrong)[0]))
    index = coordinates.T.astype(np.int64) - 1
    return index, values, tuple(int(size) for size in index.max(axis=1) + 1)


def _entries(path: Path) -> Any:
    with opened(path) as lines:
        for number, text in enumerate(lines, start=1):
            stripped = text.partition("#")[0].strip()
            if stripped:
                yield number, stripped


def _find_malformed(path: Path) -> None:
    width = 0
    for number, text in _entries(path):
        words = text.split()
        try:
            fine = len([float(word) for word in words]) == (width or len(words))
        except ValueError:
            fine = False
        width = width or len(words)
        if not fine or width < 2:
            raise UserError(
                f"'{text[:60]}' is no entry",
                file=path,
                line=number,
                expected="coordinates and a value, as many on every line",
            )


def _report(path: Path, entry: int) -> None:
    for place, (number, text) in enumerate(_entries(path)):
        if place == entry:
            raise UserError(
                f"entry '{text[:60]}' is out of range or not finite",
                file=path,
                line=number,
                expected="whole coordinates from 1, and a finite value",
            )
