"""Sparse matrix times dense matrix."""

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

__all__ = ["Spmm"]


class Spmm(Kernel):
    """A(i,k) = B(i,j) C(j,k) with B in CSR, A and C dense and row-major."""

    name = "spmm"
    summary = "sparse matrix (CSR) times dense matrix"
    expression = "A(i,k)=B(i,j)*C(j,k)"
    formats: ClassVar[Mapping[str, str]] = {"A": "dd", "B": "ds", "C": "dd"}
    loops = ("i0", "i1", "jpos0", "k", "jpos1")
    hidden_constraints = False
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
        """Return the published schedule: rows and the positions of each row in blocks."""
        return Schedule(
            commands=(
                f"split(i,i0,i1,{configuration['chunk_size']})",
                "pos(j,jpos,B)",
                f"split(jpos,jpos0,jpos1,{configuration['unroll_factor']})",
                f"reorder({self.order(configuration)})",
                "parallelize(i0,CPUThread,NoRaces)",
                "parallelize(k,CPUVector,IgnoreRaces)",
            ),
            independent=True,
            unroll=("jpos1", int(configuration["unroll_factor"])),  # type: ignore[arg-type]
            **runtime(configuration),
        )

    def instance(self, options: Mapping[str, Any]) -> str:
        """Return matrix and number of columns."""
        return f"{short_name(options['matrix'], tensor=False)}-k{options['columns']}"

    def load(self, options: Mapping[str, Any]) -> tuple[Problem, str]:
        """Return the operands and SciPy's product."""
        sparse = load_matrix(options["matrix"])
        rows, inner = sparse.shape
        columns = int(options["columns"])
        check_positions((rows, columns), "the result")
        check_positions((inner, columns), "the dense operand")
        factor = operand((inner, columns), "C")
        coo = sparse.tocoo()
        problem = Problem(
            inputs=(
                compressed(np.vstack([coo.row, coo.col]), sparse.data, sparse.shape, "ds"),
                dense(factor),
            ),
            shape=(rows, columns),
            sizes={"i": rows, "j": inner, "k": columns},
            expected=Expected(
                values=np.asarray(sparse @ factor).reshape(-1),
                scale=np.asarray(abs(sparse) @ np.abs(factor)).reshape(-1),
                positions=None,
                terms=int(np.diff(sparse.indptr).max()),
            ),
            flops=2.0 * sparse.nnz * columns,
            least_bytes=12.0 * sparse.nnz + 8.0 * rows * columns,
        )
        return problem, digest(sparse.indptr, sparse.indices, sparse.data, factor)
