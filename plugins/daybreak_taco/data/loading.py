"""Loads a data source into memory, sorted and without duplicates."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daybreak import RequirementError, UserError
from daybreak_taco.data.source import parse_source

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Coordinates", "load_matrix", "load_tensor", "operand"]

_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Coordinates:
    """A sparse tensor: int64 coordinates (order, nnz), sorted and distinct, and float64 values."""

    coordinates: np.ndarray[Any, Any]
    values: np.ndarray[Any, Any]
    dimensions: tuple[int, ...]


def _packed(
    coordinates: np.ndarray[Any, Any],
    values: np.ndarray[Any, Any],
    dimensions: tuple[int, ...],
    source: str,
) -> Coordinates:
    """Sort the entries, add up duplicates, and refuse what the kernels cannot take.

    Raises:
        UserError: there is nothing in it, or too much for 32-bit positions.
    """
    if values.size == 0 or not all(dimensions):
        raise UserError(f"'{source}' is empty: it stores no entry")
    if values.size > _LARGEST or max(dimensions) > _LARGEST:
        raise UserError(f"'{source}' is too large: TACO's code counts positions in 32 bits")
    order = _sorting(coordinates, dimensions)
    if order is not None:
        coordinates, values = coordinates[:, order], values[order]
    first = np.ones(values.size, dtype=bool)
    first[1:] = (coordinates[:, 1:] != coordinates[:, :-1]).any(axis=0)
    if not first.all():
        values = np.add.reduceat(values, np.flatnonzero(first))
        coordinates = coordinates[:, first]
    return Coordinates(
        np.ascontiguousarray(coordinates, dtype=np.int64),
        np.ascontiguousarray(values, dtype=np.float64),
        tuple(int(size) for size in dimensions),
    )


def _sorting(
    coordinates: np.ndarray[Any, Any], dimensions: tuple[int, ...]
) -> np.ndarray[Any, Any] | None:
    """Return the order that sorts the entries row by row, or None if they are sorted."""
    if math.prod(dimensions) >= 2**62:
        return np.lexsort(coordinates[::-1])
    place = np.zeros(coordinates.shape[1], dtype=np.int64)
    for size, coordinate in zip(dimensions, coordinates, strict=True):
        place = place * size + coordinate
    if (place[1:] >= place[:-1]).all():
        return None
    return np.argsort(place, kind="stable")


def load_matrix(source: str) -> csr_matrix:
    """Return a matrix as SciPy CSR: float64, sorted, no duplicates, at least one entry.

    Raises:
        UserError: the source cannot be read or is empty.
        RequirementError: it is not in the cache, or pyamg is missing.
    """
    from scipy.sparse import csr_matrix

    parsed = parse_source(source, tensor=False)
    if parsed.kind == "generate":
        from daybreak_taco.data.generators import generate

        entries = generate(parsed.name, parsed.arguments, tensor=False)
    elif parsed.kind == "pyamg":
        entries = _pyamg(parsed.name)
    else:
        from daybreak_taco.data.matrixmarket import read_matrix_market

        entries = read_matrix_market(_file(parsed.kind, parsed.name))
    packed = _packed(*entries, source)
    matrix = csr_matrix(
        (packed.values, (packed.coordinates[0], packed.coordinates[1])), shape=packed.dimensions
    )
    matrix.sort_indices()
    return matrix


def load_tensor(source: str, *, order: int) -> Coordinates:
    """Return a tensor with `order` modes.

    Raises:
        UserError: the source cannot be read, is empty, or has another number of modes.
        RequirementError: it is not in the cache.
    """
    parsed = parse_source(source, tensor=True)
    if parsed.kind == "generate":
        from daybreak_taco.data.generators import generate

        entries = generate(parsed.name, parsed.arguments, tensor=True)
    else:
        from daybreak_taco.data.tns import read_tns

        entries = read_tns(_file(parsed.kind, parsed.name))
    if len(entries[2]) != order:
        raise UserError(
            f"'{source}' has {len(entries[2])} modes", expected=f"a tensor with {order} modes"
        )
    return _packed(*entries, source)


def _file(kind: str, name: str) -> Path:
    if kind == "file":
        return Path(name).expanduser()
    from daybreak_taco.data.fetching import cached

    return cached(kind, name)


def _pyamg(name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], tuple[int, int]]:
    try:
        from pyamg.gallery import load_example
    except ImportError:
        raise RequirementError(
            f"matrix 'pyamg:{name}' comes with the package pyamg, which is not installed",
            remedy="pip install 'daybreak[taco]'",
        ) from None
    coo = load_example(name)["A"].tocoo()
    return (
        np.vstack([coo.row, coo.col]).astype(np.int64),
        np.real(coo.data).astype(float),
        coo.shape,
    )


def operand(shape: tuple[int, ...], name: str) -> np.ndarray[Any, Any]:
    """Return a dense operand: values in [-1, 1), the same for the same shape and name anywhere."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), *shape])
    return 2.0 * rng.random(shape) - 1.0
