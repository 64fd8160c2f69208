"""Synthetic matrices and tensors with the structure that matters to a schedule.

Only random bits, whole numbers and products of floats are used, so the same arguments give the
same data on every platform (but for `fem`, which depends on Qhull's triangulation).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

__all__ = ["generate"]

Array: TypeAlias = np.ndarray[Any, Any]
#: coordinates (order, nnz), values (nnz,), dimensions
Entries: TypeAlias = tuple[Array, Array, tuple[int, ...]]


def generate(name: str, arguments: Mapping[str, Any], *, tensor: bool) -> Entries:
    """Return the entries that generator `name` makes of complete, checked `arguments`."""
    return (_TENSORS if tensor else _MATRICES)[name](
        **{k.replace("-", "_"): v for k, v in arguments.items()}
    )


def _values(rng: np.random.Generator, count: int) -> Array:
    """Return values in [-1, 1), none of them zero."""
    values: Array = 2.0 * rng.random(count) - 1.0
    values[values == 0.0] = 0.5
    return values


def _distinct(rng: np.random.Generator, dims: tuple[int, ...], nnz: int, skew: int) -> Array:
    """Return `nnz` distinct cells (flat, sorted), each coordinate distributed as n u^skew.

    Coordinates are then renamed at random, so that heavy rows do not lie side by side.
    """
    names = [rng.permutation(size) for size in dims]
    cells: Array = np.empty(0, dtype=np.int64)
    while cells.size < nnz:
        count = int(1.35 * (nnz - cells.size)) + 16
        flat = np.zeros(count, dtype=np.int64)
        for size, renamed in zip(dims, names, strict=True):
            uniform = rng.random(count)
            drawn = uniform.copy()
            for _ in range(skew - 1):
                drawn *= uniform
            place = np.minimum((drawn * size).astype(np.int64), size - 1)
            flat = flat * size + renamed[place]
        # Sorting by hand: NumPy's own hashed `unique` takes several times as long.
        cells = np.concatenate([cells, flat])
        cells.sort()
        cells = cells[np.concatenate([[True], cells[1:] != cells[:-1]])]
    if cells.size > nnz:
        keep = rng.permutation(cells.size)[:nnz]
        cells = cells[np.sort(keep)]
    return cells


def _unflatten(cells: Array, dims: tuple[int, ...]) -> Array:
    return np.vstack(np.unravel_index(cells, dims)).astype(np.int64)


def _skewed(dims: tuple[int, ...], nnz: int, skew: int, seed: int) -> Entries:
    rng = np.random.default_rng(seed)
    coordinates = _unflatten(_distinct(rng, dims, nnz, skew), dims)
    return coordinates, _values(rng, nnz), dims


def _uniform_tensor(dims: tuple[int, ...], nnz: int, seed: int) -> Entries:
    return _skewed(dims, nnz, 1, seed)


def _power_law(rows: int, nnz: int, skew: int, seed: int) -> Entries:
    return _skewed((rows, rows), nnz, skew, seed)


def _uniform(rows: int, columns: int, nnz: int, seed: int) -> Entries:
    return _skewed((rows, columns), nnz, 1, seed)


def _blocks(dims: tuple[int, ...], block: int, blocks: int, seed: int) -> Entries:
    rng = np.random.default_rng(seed)
    coarse = tuple(size // block for size in dims)
    places = math.prod(coarse)
    # Few out of many are drawn with rejection; most out of few by shuffling them all.
    if 2 * blocks <= places:
        chosen = _distinct(rng, coarse, blocks, 1)
    else:
        chosen = np.sort(rng.permutation(places)[:blocks])
    corners = _unflatten(chosen, coarse) * block
    inside = np.indices((block,) * len(dims)).reshape(len(dims), -1)
    coordinates = (corners[:, :, None] + inside[:, None, :]).reshape(len(dims), -1)
    return coordinates, _values(rng, coordinates.shape[1]), dims


def _block_sparse(rows: int, block: int, blocks: int, seed: int) -> Entries:
    return _blocks((rows, rows), block, blocks, seed)


def _banded(rows: int, width: int, seed: int) -> Entries:
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(rows, dtype=np.int64), 2 * width + 1)
    column = row + np.tile(np.arange(-width, width + 1, dtype=np.int64), rows)
    inside = (column >= 0) & (column < rows)
    coordinates = np.vstack([row[inside], column[inside]])
    return coordinates, _values(rng, coordinates.shape[1]), (rows, rows)


def _stencil(points: int, side: int) -> Entries:
    dimensions = 2 if points in (5, 9) else 3
    reach = np.indices((3,) * dimensions).reshape(dimensions, -1) - 1
    if points in (5, 7):
        reach = reach[:, np.abs(reach).sum(axis=0) <= 1]
    shape = (side,) * dimensions
    grid = np.indices(shape).reshape(dimensions, -1)
    near = grid[:, :, None] + reach[:, None, :]
    inside = ((near >= 0) & (near < side)).all(axis=0)
    rows, columns = np.zeros(inside.shape, np.int64), np.zeros(inside.shape, np.int64)
    for axis in range(dimensions):
        rows = rows * side + grid[axis][:, None]
        columns = columns * side + near[axis]
    values = np.where(rows == columns, float(points - 1), -1.0)
    count = side**dimensions
    return np.vstack([rows[inside], columns[inside]]), values[inside], (count, count)


def _fem(rows: int, seed: int) -> Entries:
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(seed)
    corners = Delaunay(rng.random((rows, 2))).simplices.astype(np.int64)
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    edges = np.sort(low * rows + high)
    edges = edges[np.concatenate([[True], edges[1:] != edges[:-1]])]
    low, high = edges // rows, edges % rows
    weights = 0.5 + 0.5 * rng.random(edges.size)
    diagonal = np.bincount(low, weights, rows) + np.bincount(high, weights, rows) + 1.0
    every = np.arange(rows, dtype=np.int64)
    row = np.concatenate([low, high, every])
    column = np.concatenate([high, low, every])
    values = np.concatenate([-weights, -weights, diagonal])
    return np.vstack([row, column]), values, (rows, rows)


_MATRICES: dict[str, Callable[..., Entries]] = {
    "banded": _banded,
    "stencil": _stencil,
    "fem": _fem,
    "power-law": _power_law,
    "block-sparse": _block_sparse,
    "uniform": _uniform,
}
_TENSORS: dict[str, Callable[..., Entries]] = {
    "skewed": _skewed,
    "blocks": _blocks,
    "uniform": _uniform_tensor,
}
