"""Matrix multiplication on a CPU: the loops of tiles in an order, the innermost one as vectors.

The strategy is that of the ELEVATE paper (Hagedorn et al., "Achieving high-performance the
functional way", ICFP 2020, section 5), in which a loop nest of six loops is reordered at will.
"""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from daybreak import Configuration, Parameter, Permutation
from daybreak_rise.benchmarks.answers import Expected
from daybreak_rise.benchmarks.base import Launch, Sizes, Work, Workload, ordinal, powers
from daybreak_rise.benchmarks.mm_gpu import MmGpu
from daybreak_rise.benchmarks.product import product
from daybreak_rise.dsl import fun
from daybreak_rise.elevate.strategy import Strategy
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.strategies.lowering import lower_rest
from daybreak_rise.strategies.products import blocked_product
from daybreak_rise.types import array, f32

__all__ = ["MmCpu"]

#: the published orders of the loops over 0 tiles of rows, 1 tiles of columns, 2 rows and 3 columns
#: of a tile, 4 chunks of the sum, 5 terms of a chunk
_ORDERS = (
    (0, 1, 2, 4, 5, 3),
    (4, 0, 1, 2, 5, 3),
    (0, 1, 4, 2, 5, 3),
    (0, 4, 1, 2, 5, 3),
    (4, 0, 1, 5, 2, 3),
    (0, 4, 1, 5, 2, 3),
    (0, 1, 4, 5, 2, 3),
)


class MmCpu(Workload):
    """C = A B by one thread."""

    name = "mm-cpu"
    summary = "a product of square matrices on one thread: tiles, loop order, vectors"
    language: ClassVar[Literal["opencl", "c"]] = "c"
    published: ClassVar[Sizes] = {"n": 1024}
    rehearsal: ClassVar[Sizes] = {"n": 64}
    notes = (
        "the published space has seven loop orders; the paper's table counts the space with five",
    )

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the five parameters."""
        return [
            *(
                ordinal(name, powers(1, sizes["n"]))
                for name in ("tile51", "tile52", "vec101", "split100")
            ),
            Permutation("reorder", 6),
        ]

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints."""
        n = sizes["n"]
        orders = (
            "(" + " and ".join(f"(reorder[{i}] == {loop})" for i, loop in enumerate(order)) + ")"
            for order in _ORDERS
        )
        return [
            "tile51 % vec101 == 0",
            f"{n} % tile51 == 0",
            "((tile51*(1/(vec101)))) >= (1)",
            "(tile51) >= (1)",
            f"(({n}*(1/(tile51)))) >= (1)",
            f"(({n}*(1/(tile52)))) >= (1)",
            f"{n} % tile52 == 0",
            "(tile52) >= (1)",
            "vec101 >= 1",
            "vec101 <= 128",
            "vec101 % 2 == 0",
            f"(({n}*(1/(split100)))) >= (1)",
            f"{n} % split100 == 0",
            "(split100) >= (1)",
            " or ".join(orders),
        ]

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones, with tiles no larger than the matrices."""
        n = sizes["n"]
        return {
            "default": {
                "tile51": min(32, n), "tile52": min(32, n), "split100": 4, "vec101": min(8, n),
                "reorder": (0, 1, 4, 5, 2, 3),
            },
            "expert": {
                "tile51": min(8, n), "tile52": min(128, n), "split100": min(128, n),
                "vec101": min(8, n), "reorder": (0, 1, 4, 2, 5, 3),
            },
        }  # fmt: skip

    def program(self, sizes: Sizes) -> Expr:
        """Return the sums of products of rows with columns."""
        matrix = array(sizes["n"], sizes["n"], f32)
        return fun(matrix, matrix, product)

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return the loops in the order asked for."""
        columns, rows, chunk, width = (
            int(configuration[name])  # type: ignore[arg-type]
            for name in ("tile51", "tile52", "split100", "vec101")
        )
        order: Any = configuration["reorder"]
        return blocked_product(rows, columns, chunk, tuple(order), width) >> lower_rest

    def launch(self, configuration: Configuration) -> Launch | None:
        """Return nothing: one thread."""
        return None

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return two matrices of numbers in [-1, 1)."""
        return MmGpu().draw(sizes, rng)

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the product."""
        a, b = inputs
        return MmGpu().expected(sizes, configuration, (a.T, b))

    def work(self, sizes: Sizes) -> Work:
        """Return a multiplication and an addition for each of n^3; three matrices once."""
        return MmGpu().work(sizes)

    def unbuildable(self, sizes: Sizes) -> Configuration:
        """Return an order that reads terms before there are chunks of them."""
        return {**self.configurations(sizes)["default"], "reorder": (5, 4, 3, 2, 1, 0)}
