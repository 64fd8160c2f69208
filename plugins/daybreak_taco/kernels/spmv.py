"""Sparse matrix times vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration
from daybreak_taco.data import load_matrix, operand, short_name
from daybreak_taco.kernels.base import Kernel
from daybreak_taco.problem import Expected, Problem, digest
from daybreak_taco.schedule import Schedule, runtime
from daybreak_taco.tensors import compressed, dense

__all__ = ["Spmv"]


class Spmv(Kernel):
    """a(i) = B(i,j) c(j) with B in CSR."""

    name = "spmv"
    summary = "sparse matrix (CSR) times vector"
    expression = "a(i)=B(i,j)*c(j)"
    formats: ClassVar[Mapping[str, str]] = {"a": "d", "B": "ds", "c": "d"}
    hidden_constraints = False
    loops = ("i0", "i10", "i11", "jpos1", "jpos0")
    notes = (
        "The published client splits j over its coordinates; this release of TACO turns that into "
        "code that adds entries more than once, so that no configuration would pass verification. "
        "Here chunk_size3 splits the stored positions of a row (pos, then split), as in SpMM.",
        "Where chunk_size2 exceeds chunk_size, rows would be computed more than once: TACO does not "
        "guard the inner split. There the inner block is the whole outer one.",
        "As published, the permutation's loop 4 (here jpos0, the blocks of positions) stays innermost "
        "and loop 3 (here jpos1, the chunk_size3 places within a block) may stand anywhere before it. "
        "jpos1 is vectorised where it is the last but one loop; elsewhere TACO emits code that does "
        "not compile.",
    )
    expert: ClassVar[Mapping[str, Any]] = {
        "chunk_size": 16,
        "chunk_size2": 16,
        "chunk_size3": 16,
        "permutation": (0, 1, 2, 3, 4),
        "omp_scheduling_type": 0,
        "omp_chunk_size": 1,
        "omp_num_threads": 32,
    }
    expert_note = "the published fixed schedule, with the split of j in position space"
    rehearsal: ClassVar[Mapping[str, Any]] = {
        "matrix": "generate:power-law(rows=301, nnz=3000, skew=3)"
    }
    refused = (("reorder(j,i)",),)
    miscompiled = (
        ("precompute(B(i,j)*c(j),j,jp)",),
        # as published: adds entries more than once
        (
            "split(i,i0,i1,16)",
            "split(i1,i10,i11,4)",
            "split(j,j0,j1,4)",
            "reorder(i0,i10,i11,j1,j0)",
            "parallelize(i0,CPUThread,NoRaces)",
            "parallelize(j1,CPUVector,IgnoreRaces)",
        ),
    )

    def commands(self, configuration: Configuration, sizes: Mapping[str, int]) -> Schedule:  # noqa: ARG002
        """Return the schedule: rows in two levels of blocks, each row's positions in blocks."""
        order = self.order(configuration)
        # The guard that TACO puts around a vectorised loop names the row, so all row loops must
        # stand outside of it.
        inside = order.endswith("jpos1,jpos0")
        block = int(configuration["chunk_size"])  # type: ignore[arg-type]
        inner = min(block, int(configuration["chunk_size2"]))  # type: ignore[arg-type]
        vector = ("parallelize(jpos1,CPUVector,ParallelReduction)",) if inside else ()
        return Schedule(
            commands=(
                f"split(i,i0,i1,{block})",
                f"split(i1,i10,i11,{inner})",
                "pos(j,jpos,B)",
                f"split(jpos,jpos0,jpos1,{configuration['chunk_size3']})",
                f"reorder({order})",
                "parallelize(i0,CPUThread,NoRaces)",
                *vector,
            ),
            **runtime(configuration),
        )

    def instance(self, options: Mapping[str, Any]) -> str:
        """Return the matrix."""
        return short_name(options["matrix"], tensor=False)

    def load(self, options: Mapping[str, Any]) -> tuple[Problem, str]:
        """Return the operands and SciPy's product."""
        sparse = load_matrix(options["matrix"])
        rows, columns = sparse.shape
        vector = operand((columns,), "c")
        coo = sparse.tocoo()
        problem = Problem(
            inputs=(
                compressed(np.vstack([coo.row, coo.col]), sparse.data, sparse.shape, "ds"),
                dense(vector),
            ),
            shape=(rows,),
            sizes={"i": rows, "j": columns},
            expected=Expected(
                values=np.asarray(sparse @ vector),
                scale=np.asarray(abs(sparse) @ np.abs(vector)),
                positions=None,
                terms=int(np.diff(sparse.indptr).max()),
            ),
            flops=2.0 * sparse.nnz,
            least_bytes=12.0 * sparse.nnz + 8.0 * rows,
        )
        return problem, digest(sparse.indptr, sparse.indices, sparse.data, vector)
