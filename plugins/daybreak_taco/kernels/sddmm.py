"""Sampled product of two dense matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration
from daybreak_taco.data import load_matrix, operand, short_name
from daybreak_taco.kernels.base import Kernel
from daybreak_taco.problem import Expected, Problem, check_positions, digest
from daybreak_taco.schedule import Schedule, runtime
from daybreak_taco.tensors import compressed, dense

__all__ = ["Sddmm"]

#: entries whose dot products the reference computes at a time
_BLOCK = 65536


class Sddmm(Kernel):
    """A(i,j) = B(i,j) C(i,k) D(k,j) with B in CSR; A is dense, as published."""

    name = "sddmm"
    summary = "dense times dense matrix, sampled at the entries of a sparse matrix (CSR)"
    expression = "A(i,j)=B(i,j)*C(i,k)*D(k,j)"
    formats: ClassVar[Mapping[str, str]] = {"A": "dd", "B": "ds", "C": "dd", "D": "dd"}
    hidden_constraints = False
    loops = ("i0", "i1", "jpos0", "k", "jpos1")
    notes = (
        "The result is dense, as published, because TACO runs no loop in parallel that writes a "
        "sparse result; clearing it is part of the kernel's time.",
    )
    expert: ClassVar[Mapping[str, Any]] = {
        "chunk_size": 16,
        "unroll_factor": 8,
        "permutation": (0, 1, 2, 3, 4),
        "omp_scheduling_type": 0,
        "omp_chunk_size": 1,
        "omp_num_threads": 32,
    }
    rehearsal: ClassVar[Mapping[str, Any]] = {
        "matrix": "generate:power-law(rows=301, nnz=3000, skew=3)",
        "columns": 33,
    }
    refused = (("reorder(j,i)",),)

    def commands(self, configuration: Configuration, sizes: Mapping[str, int]) -> Schedule:  # noqa: ARG002
        """Return the published schedule."""
        return Schedule(
            commands=(
                f"split(i,i0,i1,{configuration['chunk_size']})",
                "pos(j,jpos,B)",
                f"split(jpos,jpos0,jpos1,{configuration['unroll_factor']})",
                f"reorder({self.order(configuration)})",
                "parallelize(i0,CPUThread,NoRaces)",
                "parallelize(jpos1,CPUVector,ParallelReduction)",
            ),
            independent=True,
            **runtime(configuration),
        )

    def instance(self, options: Mapping[str, Any]) -> str:
        """Return matrix and inner size."""
        return f"{short_name(options['matrix'], tensor=False)}-k{options['columns']}"

    def load(self, options: Mapping[str, Any]) -> tuple[Problem, str]:
        """Return the operands and NumPy's products."""
        sparse = load_matrix(options["matrix"])
        rows, columns = sparse.shape
        inner = int(options["columns"])
        check_positions((rows, columns), "the dense result")
        check_positions((rows, inner), "the first dense operand")
        check_positions((inner, columns), "the second dense operand")
        left, right = operand((rows, inner), "C"), operand((inner, columns), "D")
        coo = sparse.tocoo()
        values, scale = np.empty(sparse.nnz), np.empty(sparse.nnz)
        turned = np.ascontiguousarray(right.T)
        for begin in range(0, sparse.nnz, _BLOCK):
            part = slice(begin, begin + _BLOCK)
            terms = left[coo.row[part]] * turned[coo.col[part]]
            values[part] = coo.data[part] * terms.sum(axis=1)
            scale[part] = np.abs(coo.data[part]) * np.abs(terms).sum(axis=1)
        problem = Problem(
            inputs=(
                compressed(np.vstack([coo.row, coo.col]), sparse.data, sparse.shape, "ds"),
                dense(left),
                dense(right),
            ),
            shape=(rows, columns),
            sizes={"i": rows, "j": columns, "k": inner},
            expected=Expected(
                values=values,
                scale=scale,
                positions=coo.row.astype(np.int64) * columns + coo.col,
                terms=inner,
            ),
            flops=2.0 * sparse.nnz * inner,
            least_bytes=12.0 * sparse.nnz + 8.0 * rows * columns,
        )
        return problem, digest(sparse.indptr, sparse.indices, sparse.data, left, right)
