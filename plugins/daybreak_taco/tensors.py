"""Sparse tensors in TACO's storage formats, and the C structure that carries one to a kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from daybreak_taco.memory import Guarded, guarded_copy

__all__ = ["Structure", "Tensor", "compressed", "dense", "output"]

_DENSE, _SPARSE = 0, 1
#: zeros after the dimensions: some schedules make TACO read a dimension that the tensor lacks
_NO_DIMENSION = (0,) * 8


class Structure(ctypes.Structure):
    """The `taco_tensor_t` of the header that the TACO command line writes."""

    _fields_ = (
        ("order", ctypes.c_int32),
        ("dimensions", ctypes.POINTER(ctypes.c_int32)),
        ("csize", ctypes.c_int32),
        ("mode_ordering", ctypes.POINTER(ctypes.c_int32)),
        ("mode_types", ctypes.POINTER(ctypes.c_int)),
        ("indices", ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))),
        ("vals", ctypes.c_void_p),
        ("fill_value", ctypes.c_void_p),
        ("vals_size", ctypes.c_int32),
    )


@dataclass
class Tensor:
    """A tensor in guarded memory.

    Attributes:
        format: a letter per mode, `d` (dense) or `s` (compressed), as TACO's `-f` takes it.
        dimensions: the size of each mode.
        values: the stored values in storage order.
        indices: per mode nothing (dense) or its position and coordinate arrays (compressed).
    """

    format: str
    dimensions: tuple[int, ...]
    values: Guarded
    indices: tuple[tuple[Guarded, ...], ...]
    _kept: list[Any] = field(default_factory=list, repr=False)

    @property
    def bytes(self) -> int:
        """Bytes of all arrays."""
        arrays = [self.values, *(array for mode in self.indices for array in mode)]
        return int(sum(array.array.nbytes for array in arrays))

    def arrays(self) -> list[tuple[int, int]]:
        """Return address and size in bytes of every array."""
        arrays = [self.values, *(array for mode in self.indices for array in mode)]
        return [(array.address, int(array.array.nbytes)) for array in arrays]

    def structure(self) -> Structure:
        """Return the C structure; the tensor keeps it alive."""
        order = len(self.dimensions)
        given = (*self.dimensions, *_NO_DIMENSION)
        dimensions = (ctypes.c_int32 * len(given))(*given)
        ordering = (ctypes.c_int32 * order)(*range(order))
        types = (ctypes.c_int * order)(*(_SPARSE if c == "s" else _DENSE for c in self.format))
        modes = (ctypes.POINTER(ctypes.c_void_p) * order)()
        for level, mode in enumerate(self.indices):
            entries = (ctypes.c_void_p * max(len(mode), 1))(*(array.address for array in mode))
            self._kept.append(entries)
            modes[level] = ctypes.cast(entries, ctypes.POINTER(ctypes.c_void_p))
        made = Structure(
            order=order,
            dimensions=ctypes.cast(dimensions, ctypes.POINTER(ctypes.c_int32)),
            csize=ctypes.sizeof(ctypes.c_double),
            mode_ordering=ctypes.cast(ordering, ctypes.POINTER(ctypes.c_int32)),
            mode_types=ctypes.cast(types, ctypes.POINTER(ctypes.c_int)),
            indices=ctypes.cast(modes, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))),
            vals=self.values.address,
            fill_value=None,
            vals_size=self.values.array.size,
        )
        self._kept += [dimensions, ordering, types, modes, made]
        return made


def dense(array: np.ndarray[Any, Any]) -> Tensor:
    """Return a dense input tensor, stored row by row."""
    return Tensor(
        format="d" * array.ndim,
        dimensions=tuple(int(size) for size in array.shape),
        values=guarded_copy(array, np.float64),
        indices=((),) * array.ndim,
    )


def output(dimensions: Sequence[int]) -> Tensor:
    """Return a dense output tensor without overread: its end is guarded to the cache line."""
    count = int(np.prod(np.asarray(dimensions, dtype=np.int64)))
    return Tensor(
        format="d" * len(dimensions),
        dimensions=tuple(int(size) for size in dimensions),
        values=Guarded(count, np.float64),
        indices=((),) * len(dimensions),
    )


def compressed(
    coordinates: np.ndarray[Any, Any],
    values: np.ndarray[Any, Any],
    dimensions: Sequence[int],
    format: str,  # noqa: A002 - TACO's own word
) -> Tensor:
    """Return a sparse input tensor packed from coordinates.

    Args:
        coordinates: int array (order, nnz), 0-based, sorted row by row without duplicates.
        values: float array (nnz,).
        dimensions: size of each mode.
        format: `s` for every compressed mode; a leading `d` for a dense one.
    """
    count = values.size
    # One entry per stored node of the level above; a tree with one root to begin with.
    parents, owner = 1, np.zeros(count, dtype=np.int64)
    indices: list[tuple[Guarded, ...]] = []
    for level, letter in enumerate(format):
        coordinate = coordinates[level].astype(np.int64)
        if letter == "d":
            owner = owner * int(dimensions[level]) + coordinate
            parents *= int(dimensions[level])
            indices.append(())
            continue
        if level == len(format) - 1:
            first = np.ones(count, dtype=bool)
        else:
            first = np.empty(count, dtype=bool)
            first[:1] = True
            first[1:] = (owner[1:] != owner[:-1]) | (coordinate[1:] != coordinate[:-1])
        children = np.bincount(owner[first], minlength=parents)
        positions = np.concatenate([[0], np.cumsum(children)])
        indices.append(
            (guarded_copy(positions, np.int32), guarded_copy(coordinate[first], np.int32))
        )
        owner = np.cumsum(first) - 1
        parents = int(first.sum())
    return Tensor(
        format=format,
        dimensions=tuple(int(size) for size in dimensions),
        values=guarded_copy(values, np.float64),
        indices=tuple(indices),
    )
