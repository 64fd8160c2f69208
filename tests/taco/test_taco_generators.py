"""Generated matrices and tensors: structure, size, determinism."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak import UserError
from daybreak_taco.data import load_matrix, load_tensor, operand
from daybreak_taco.problem import digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("generate:banded(rows=50, width=3)", "9e14892cfc5886cc1aa8149729c04d51"),
        ("generate:stencil(points=7, side=5)", "e8f966df17905f7b9caaa73b0588ec0c"),
        ("generate:power-law(rows=300, nnz=2000, seed=7)", "cde67bccb7da47afaa82dd9ce219b248"),
        ("generate:block-sparse(rows=64, block=8, blocks=20)", "33eb99cc41da85875282d4f4313e83b1"),
        ("generate:uniform(rows=60, columns=80, nnz=500)", "3a0585bf6d69e14b99cc3f1b6cbae03f"),
    ],
)
def test_the_same_arguments_give_the_same_matrix_everywhere(text: str, expected: str) -> None:
    matrix = load_matrix(text)
    found = digest(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("generate:skewed(dims=20x30x40, nnz=500, seed=3)", "94ce413b802c3288491bdf45bac9a49e"),
        (
            "generate:blocks(dims=16x16x16x16, block=4, blocks=9)",
            "65e1241293c00a909772cd1b9dd69664",
        ),
    ],
)
def test_the_same_arguments_give_the_same_tensor_everywhere(text: str, expected: str) -> None:
    tensor = load_tensor(text, order=3 if "skewed" in text else 4)
    assert digest(tensor.coordinates, tensor.values) == expected


def test_the_seed_changes_the_matrix() -> None:
    one, two = (load_matrix(f"generate:uniform(nnz=500, seed={seed})") for seed in (1, 2))
    assert (one != two).nnz > 0


def test_power_law_has_exactly_the_entries_asked_for_and_heavy_rows() -> None:
    matrix = load_matrix("generate:power-law(rows=2000, nnz=1e5, seed=1)")
    lengths = np.sort(np.diff(matrix.indptr))[::-1]
    assert matrix.nnz == 100_000
    assert lengths[:200].sum() > 0.25 * matrix.nnz
    assert np.diff(load_matrix("generate:uniform(nnz=1e5)").indptr).max() < lengths[0] / 4


def test_banded_matrix_is_full_within_its_band() -> None:
    dense = load_matrix("generate:banded(rows=9, width=2)").toarray()
    rows, columns = np.indices(dense.shape)
    assert ((dense != 0) == (abs(rows - columns) <= 2)).all()


@pytest.mark.parametrize(("points", "rows"), [(5, 49), (9, 49), (7, 343), (27, 343)])
def test_stencils_are_symmetric_laplacians(points: int, rows: int) -> None:
    matrix = load_matrix(f"generate:stencil(points={points}, side=7)")
    assert matrix.shape == (rows, rows)
    assert np.diff(matrix.indptr).max() == points
    assert (matrix != matrix.T).nnz == 0
    inner = rows // 2
    assert matrix[[inner]].sum() == 0.0


def test_meshes_are_symmetric_connected_and_have_about_seven_entries_per_row() -> None:
    from scipy.sparse.csgraph import connected_components

    matrix = load_matrix("generate:fem(rows=500)")
    assert matrix.shape == (500, 500)
    assert (abs(matrix - matrix.T) > 1e-15).nnz == 0
    assert connected_components(matrix)[0] == 1
    assert 6.0 < matrix.nnz / 500 < 7.0


def test_block_sparse_consists_of_full_blocks() -> None:
    matrix = load_matrix("generate:block-sparse(rows=64, block=8, blocks=20)").toarray()
    blocks = (matrix.reshape(8, 8, 8, 8) != 0).sum(axis=(1, 3))
    assert set(np.unique(blocks)) == {0, 64}
    assert (blocks == 64).sum() == 20


def test_all_blocks_can_be_asked_for() -> None:
    assert load_matrix("generate:block-sparse(rows=8, block=2, blocks=16)").nnz == 64


def test_tensors_have_the_order_that_the_kernel_needs() -> None:
    with pytest.raises(UserError, match="has 4 modes"):
        load_tensor("generate:uniform(dims=9x9x9x9, nnz=100)", order=3)


@pytest.mark.parametrize("order", [3, 4])
def test_tensor_entries_are_sorted_and_distinct(order: int) -> None:
    dims = "x".join(["11"] * order)
    tensor = load_tensor(f"generate:skewed(dims={dims}, nnz=400, skew=4)", order=order)
    flat = np.ravel_multi_index(tuple(tensor.coordinates), tensor.dimensions)
    assert (np.diff(flat) > 0).all()
    assert tensor.values.size == 400
    assert (tensor.values != 0).all()


def test_dense_operands_depend_on_name_and_shape_only() -> None:
    assert (operand((4, 5), "C") == operand((4, 5), "C")).all()
    assert (operand((4, 5), "C") != operand((4, 5), "D")).any()
    assert abs(operand((1000,), "c")).max() <= 1.0


def test_pyamg_matrices_load_and_complex_ones_are_taken_by_their_real_part() -> None:
    pytest.importorskip("pyamg")
    from daybreak_taco.data.source import PYAMG

    for name, (rows, entries) in PYAMG.items():
        matrix = load_matrix(f"pyamg:{name}")
        assert matrix.shape == (rows, rows)
        assert matrix.nnz == entries
        assert matrix.dtype == np.float64
