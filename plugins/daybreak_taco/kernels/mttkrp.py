"""Matricised tensor times Khatri-Rao product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Space, parse_constraint
from daybreak_taco.data import load_tensor, operand, short_name
from daybreak_taco.kernels.base import Kernel
from daybreak_taco.problem import Expected, Problem, check_positions, digest
from daybreak_taco.schedule import Schedule, runtime
from daybreak_taco.tensors import compressed, dense

__all__ = ["Mttkrp"]

#: elements of intermediate products that the reference holds at a time
_BLOCK = 1 << 22


class Mttkrp(Kernel):
    """A(i,j) = B(i,k,l,m) C(k,j) D(l,j) E(m,j), B sparse but for its first mode, the rest dense."""

    name = "mttkrp"
    summary = "sparse 4-way tensor times the Khatri-Rao product of three matrices"
    expression = "A(i,j)=B(i,k,l,m)*C(k,j)*D(l,j)*E(m,j)"
    formats: ClassVar[Mapping[str, str]] = {
        "A": "dd", "B": "dsss", "C": "dd", "D": "dd", "E": "dd",
    }  # fmt: skip
    tensor = True
    loops = ("i2", "k", "l", "m", "jb")
    notes = (
        "In the published client permutation and unroll_factor change nothing. Here they do: the "
        "permutation orders the loops i2, k, l, m, j below the parallel loop i1, and unroll_factor "
        "unrolls the innermost of them. GCC counts the iterations of a vectorised loop before it "
        "vectorises, so where j is innermost a factor up to the vector length changes nothing.",
        "The storage order of B demands i2 before k before l before m. With the option "
        "`orders: stored` (the default) that is a known constraint (5 orders); with "
        "`orders: published` all 120 orders may be tried and the others fail to build.",
    )
    expert: ClassVar[Mapping[str, Any]] = {
        "chunk_size": 16,
        "unroll_factor": 8,
        "permutation": (0, 1, 2, 3, 4),
        "omp_scheduling_type": 0,
        "omp_chunk_size": 1,
        "omp_num_threads": 32,
    }
    expert_note = (
        "not published as such: ours, from the fixed loop order of the published client and the "
        "sizes of its other kernels"
    )
    rehearsal: ClassVar[Mapping[str, Any]] = {
        "tensor": "generate:skewed(dims=21x15x16x17, nnz=301)",
        "columns": 33,
    }
    refused = (("reorder(m,i,j,k,l)",),)

    def variant(self, options: Mapping[str, Any]) -> str:
        """Return which loop orders are asked for: `stored` or `published`."""
        return "published" if options.get("orders") == "published" else "stored"

    def published(self, variant: str) -> Space:
        """Return the published space, by default with the storage order as known constraints."""
        space = super().published(variant)
        if variant == "published":
            return space
        stored = [
            parse_constraint(f"pos(permutation,{loop}) < pos(permutation,{loop + 1})")
            for loop in range(3)
        ]
        return Space(space.parameters, (*space.constraints, *stored), name=space.name)

    def commands(self, configuration: Configuration, sizes: Mapping[str, int]) -> Schedule:
        """Return the schedule: rows in blocks, the loops below in the asked order."""
        factor = int(configuration["unroll_factor"])  # type: ignore[arg-type]
        order = self.order(configuration)
        innermost = order.rpartition(",")[2]
        # TACO unrolls no loop without a guard, which splits it in two; so the pragma is put there
        # afterwards. The emitted loop over the stored positions of mode m of B is called mB.
        loop = innermost if innermost in ("jb", "i2") else f"{innermost}B"
        return Schedule(
            commands=(
                f"split(i,i1,i2,{configuration['chunk_size']})",
                f"bound(j,jb,{sizes['j']},MaxExact)",
                f"reorder(i1,{order})",
                "parallelize(i1,CPUThread,NoRaces)",
            ),
            unroll=(loop, factor),
            **runtime(configuration),
        )

    def instance(self, options: Mapping[str, Any]) -> str:
        """Return tensor and number of columns."""
        return f"{short_name(options['tensor'], tensor=True)}-j{options['columns']}"

    def load(self, options: Mapping[str, Any]) -> tuple[Problem, str]:
        """Return the operands and the reference, summed by SciPy over blocks of entries."""
        from scipy.sparse import csr_matrix

        tensor = load_tensor(options["tensor"], order=4)
        rows = tensor.dimensions[0]
        columns = int(options["columns"])
        factors = []
        for size, name in zip(tensor.dimensions[1:], "CDE", strict=True):
            check_positions((size, columns), f"the dense operand {name}")
            factors.append(operand((size, columns), name))
        check_positions((rows, columns), "the result")
        count = tensor.values.size
        expected, scale = np.zeros((rows, columns)), np.zeros((rows, columns))
        step = max(1, _BLOCK // columns)
        for begin in range(0, count, step):
            part = slice(begin, min(begin + step, count))
            i, k, m, n = (mode[part] for mode in tensor.coordinates)
            terms = tensor.values[part, None] * factors[0][k] * factors[1][m] * factors[2][n]
            ones, places = np.ones(i.size), np.arange(i.size)
            gather = csr_matrix((ones, (i, places)), shape=(rows, i.size))
            expected += gather @ terms
            scale += gather @ np.abs(terms)
        problem = Problem(
            inputs=(
                compressed(tensor.coordinates, tensor.values, tensor.dimensions, "dsss"),
                *(dense(factor) for factor in factors),
            ),
            shape=(rows, columns),
            sizes=dict(zip("iklm", tensor.dimensions, strict=True)) | {"j": columns},
            expected=Expected(
                values=expected.reshape(-1),
                scale=scale.reshape(-1),
                positions=None,
                terms=int(np.bincount(tensor.coordinates[0]).max()),
            ),
            # The least: per stored row of mode m a product and a sum; the hoisted ones are fewer.
            flops=2.0 * count * columns,
            least_bytes=12.0 * count + 8.0 * rows * columns,
        )
        return problem, digest(tensor.coordinates, tensor.values, *factors)
