"""Matrix multiplication on a GPU: tiles in local memory, a block of results in registers."""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Parameter
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.base import (
    Sizes,
    Work,
    Workload,
    group_constraints,
    ordinal,
    powers,
)
from daybreak_rise.benchmarks.product import product
from daybreak_rise.dsl import fun, transpose
from daybreak_rise.elevate.strategy import Strategy
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits
from daybreak_rise.strategies.products import tiled_product
from daybreak_rise.types import array, f32

__all__ = ["MmGpu"]


class MmGpu(Workload):
    """C = A B, where A is given transposed, as in the published benchmark."""

    name = "mm-gpu"
    summary = "a product of square matrices: tiles, register blocks, local memory"
    published: ClassVar[Sizes] = {"n": 1024}
    rehearsal: ClassVar[Sizes] = {"n": 64}
    notes = (
        "v5 x v7 results for a group, v8 deep; v4 x v3 of them for a work-item; A's tile is copied "
        "in rows of v6. The known constraints count the results as local memory, as published, "
        "although they stand in registers here",
    )

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the ten parameters."""
        n = sizes["n"]
        return [
            *(
                ordinal(name, powers(1 if name in ("v4", "v8") else 4, n))
                for name in ("v3", "v4", "v5", "v6", "v7", "v8")
            ),
            *(ordinal(name, powers(1, 1024)) for name in ("ls0", "ls1", "gs0", "gs1")),
        ]

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints, and the tiles' own where the device has less memory.

        The published ones count v5 x v7 results as local memory. That is kept, with the published
        number of bytes; of a smaller device only what really stands there is asked for.
        """
        n, most = sizes["n"], PUBLISHED.local_bytes
        found = [
            "v3 % 4 == 0",
            "v7 % v3 == 0",
            "v5 % v4 == 0",
            f"{n} % v5 == 0",
            "v5 % 4 == 0",
            f"{most} - v5 * 1 * 4 - v5 * 1 * 4 - 4 * 1 * 1 >= 0",
            "v6 % 4 == 0",
            "v5*v8 % v6 == 0",
            f"{n} % v7 == 0",
            "v7 % 4 == 0",
            f"{most} - v5 * v7 * 4 - v5 * 1 * 4 - 4 * v7 * 1 >= 0",
            f"{n} % v8 == 0",
            f"{most} - v5 * v7 * 4 - v5 * v8 * 4 - 4 * v7 * v8 >= 0",
            "gs0 % ls0 == 0",
            f"ls0 <= {PUBLISHED.work_items[0]}",
            "gs1 % ls1 == 0",
            f"ls0 * ls1 <= {limits.work_group}",
            "1024 % gs0 == 0",
            "1024 % gs1 == 0",
            *group_constraints(limits, 2),
        ]
        if limits.local_bytes < most:
            found.append(f"4 * (v5 * v8 + v7 * v8) <= {limits.local_bytes}")
        return found

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones, with tiles no larger than the matrices."""
        n = sizes["n"]
        launch = {"ls0": 32, "ls1": 8, "gs0": 256, "gs1": 128}
        tiles = {"v3": 4, "v4": 8, "v5": 64, "v6": 128, "v7": 128, "v8": 16}
        return {
            "default": {
                "ls0": 1, "ls1": 1, "gs0": 1024, "gs1": 1024,
                "v3": 4, "v4": 1, "v5": 4, "v6": 4, "v7": 4, "v8": 1,
            },
            "expert": {**launch, **{name: min(value, n) for name, value in tiles.items()}},
        }  # fmt: skip

    def program(self, sizes: Sizes) -> Expr:
        """Return the sums of products of columns of A's transpose with columns of B."""
        matrix = array(sizes["n"], sizes["n"], f32)
        return fun(matrix, matrix, lambda at, b: product(at | transpose, b))

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return the published tiled form."""
        v3, v4, v5, v6, v7, v8 = (int(configuration[f"v{i}"]) for i in range(3, 9))  # type: ignore[arg-type]
        return tiled_product(v3, v4, v5, v6, v7, v8)

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return two matrices of numbers in [-1, 1)."""
        shape = (sizes["n"], sizes["n"])
        return tuple(
            rng.random(shape, dtype=np.float32) * np.float32(2) - np.float32(1) for _ in range(2)
        )

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the product."""
        at, b = (one.astype(np.float64) for one in inputs)
        return Expected(at.T @ b, np.abs(at).T @ np.abs(b), rounding(sizes["n"]))

    def work(self, sizes: Sizes) -> Work:
        """Return a multiplication and an addition for each of n^3; three matrices once."""
        return Work(2.0 * sizes["n"] ** 3, 12.0 * sizes["n"] ** 2)

    def too_large(self, sizes: Sizes) -> Sequence[Configuration]:
        """Return more work-items in a group than any device takes."""
        small = {"v3": 4, "v4": 1, "v5": 4, "v6": 4, "v7": 4, "v8": 1}
        return ({"ls0": 1 << 14, "ls1": 1 << 14, "gs0": 1 << 14, "gs1": 1 << 14, **small},)

    def unbuildable(self, sizes: Sizes) -> Configuration:
        """Return tiles that do not divide the matrices."""
        return {
            "ls0": 1, "ls1": 1, "gs0": 4, "gs1": 4,
            "v3": 4, "v4": 1, "v5": 12, "v6": 4, "v7": 4, "v8": 1,
        }  # fmt: skip
