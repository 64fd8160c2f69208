"""Packing into TACO's storage formats."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_taco.tensors import Tensor, compressed, dense


def unpack(tensor: Tensor) -> dict[tuple[int, ...], float]:
    """Walk the storage level by level, as an emitted kernel does."""
    found: dict[tuple[int, ...], float] = {}

    def walk(level: int, parent: int, prefix: tuple[int, ...]) -> None:
        if level == len(tensor.dimensions):
            found[prefix] = float(tensor.values.array[parent])
        elif tensor.format[level] == "d":
            for coordinate in range(tensor.dimensions[level]):
                walk(
                    level + 1, parent * tensor.dimensions[level] + coordinate, (*prefix, coordinate)
                )
        else:
            positions, coordinates = (array.array for array in tensor.indices[level])
            for place in range(positions[parent], positions[parent + 1]):
                walk(level + 1, place, (*prefix, int(coordinates[place])))

    walk(0, 0, ())
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_packing_keeps_every_entry(data: st.DataObject) -> None:
    format_ = data.draw(st.sampled_from(["ds", "ss", "sss", "dsss", "ssss", "dss"]))
    dims = tuple(data.draw(st.integers(1, 5)) for _ in format_)
    cells = st.tuples(*(st.integers(0, size - 1) for size in dims))
    entries = data.draw(st.dictionaries(cells, st.floats(-9, 9), min_size=1, max_size=20))
    keys = sorted(entries)
    tensor = compressed(
        np.array(keys, dtype=np.int64).T, np.array([entries[k] for k in keys]), dims, format_
    )
    assert unpack(tensor) == entries


def test_csr_equals_scipys() -> None:
    from scipy.sparse import random

    matrix = random(30, 20, 0.2, format="csr", random_state=np.random.default_rng(1))
    coo = matrix.tocoo()
    made = compressed(np.vstack([coo.row, coo.col]), coo.data, matrix.shape, "ds")
    positions, coordinates = (array.array for array in made.indices[1])
    assert (positions == matrix.indptr).all()
    assert (coordinates == matrix.indices).all()
    assert (made.values.array == matrix.data).all()
    assert made.bytes == 12 * matrix.nnz + 4 * 31


def test_the_c_structure_points_to_the_arrays() -> None:
    tensor = dense(np.arange(6.0).reshape(2, 3))
    structure: Any = tensor.structure()
    assert structure.order == 2
    assert structure.dimensions[:2] == [2, 3]
    # a miscompiled kernel that reads a dimension too many always finds the same
    assert structure.dimensions[2:10] == [0] * 8
    assert structure.csize == 8
    assert structure.vals_size == 6
    values = ctypes.cast(structure.vals, ctypes.POINTER(ctypes.c_double))
    assert values[:6] == [0, 1, 2, 3, 4, 5]


def test_an_empty_row_has_no_positions() -> None:
    tensor = compressed(np.array([[0, 3], [1, 0]]), np.array([1.0, 2.0]), (5, 2), "ds")
    assert tensor.indices[1][0].array.tolist() == [0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("format_", ["ss", "sss"])
def test_compressed_levels_hold_no_duplicates(format_: str) -> None:
    coordinates = np.zeros((len(format_), 3), dtype=np.int64)
    coordinates[-1] = [0, 1, 2]
    tensor = compressed(coordinates, np.ones(3), (4,) * len(format_), format_)
    assert tensor.indices[0][1].array.tolist() == [0]
    assert tensor.indices[-1][1].array.tolist() == [0, 1, 2]
