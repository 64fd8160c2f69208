"""Matrix multiplication on a GPU: tiles in local memory, a block of results in registers."""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import BuildFailed, Configuration, Parameter
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.base import (
    Sizes,
    Work,
    Workload,
    group_constraints,
    ordinal,
    powers,
)
from daybreak_rise.dsl import (
    PRIVATE,
    add,
    as_scalar,
    as_vector,
    fst,
    fun,
    generate,
    join,
    let,
    literal,
    map_,
    map_local,
    map_seq,
    map_work_group,
    pair,
    reduce_,
    reduce_seq,
    snd,
    split,
    to_local,
    to_private,
    transpose,
    zip_,
)
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.types import array, f32

__all__ = ["MmGpu"]

#: vectors of the copies between global and local memory
_WIDTH = 4


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
        """Return the published constraints."""
        n, most = sizes["n"], limits.local_bytes
        return [
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
            f"ls0 <= {limits.work_items[0]}",
            "gs1 % ls1 == 0",
            f"ls0 * ls1 <= {limits.work_group}",
            "1024 % gs0 == 0",
            "1024 % gs1 == 0",
            *group_constraints(limits, 2)[1:],
        ]

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
        return fun(
            matrix,
            matrix,
            lambda at, b: (
                at
                | transpose
                | map_(
                    lambda row: (
                        b
                        | transpose
                        | map_(
                            lambda column: (
                                zip_(row, column)
                                | map_(lambda two: fst(two) * snd(two))
                                | reduce_(add, 0.0)
                            )
                        )
                    )
                )
            ),
        )

    def lower(self, sizes: Sizes, configuration: Configuration) -> Expr:
        """Return the published tiled form."""
        n = sizes["n"]
        v3, v4, v5, v6, v7, v8 = (int(configuration[f"v{i}"]) for i in range(3, 9))  # type: ignore[arg-type]
        _check(n, v3, v4, v5, v6, v7, v8)
        matrix = array(n, n, f32)

        def copies(tiles: Expr) -> Expr:
            left = (
                fst(tiles)  # v8.v5
                | join
                | split(v6)
                | map_local(1)(as_vector(_WIDTH) >> map_local(0)(_same) >> as_scalar)
                | join
                | split(v5)
            )
            right = snd(tiles) | map_local(1)(  # v8.v7
                as_vector(_WIDTH) >> map_local(0)(_same) >> as_scalar
            )
            found: Expr = to_local(pair(left, right))
            return found

        def deeper(sums: Expr, tiles: Expr) -> Expr:
            """Add the products of one pair of tiles: sums are (v5/v4).(v7/v3).v4.v3."""
            found: Expr = let(
                copies(tiles),
                lambda kept: (
                    zip_(sums, fst(kept) | transpose | split(v4))
                    | map_local(1)(
                        lambda rows: (
                            zip_(fst(rows), snd(kept) | transpose | split(v3))
                            | map_local(0)(
                                lambda block: (
                                    zip_(snd(rows) | transpose, snd(block) | transpose)
                                    | reduce_seq(PRIVATE)(
                                        _block, fst(block) | map_seq(map_seq(_same))
                                    )
                                )
                            )
                        )
                    )
                ),
            )
            return found

        def tile(rows: Expr, columns: Expr) -> Expr:
            zero = generate(v5 // v4)(
                lambda _: generate(v7 // v3)(
                    lambda _: generate(v4)(lambda _: generate(v3)(lambda _: literal(0.0, f32)))
                )
            )
            found: Expr = (
                zip_(rows, columns)
                | reduce_seq(PRIVATE)(
                    deeper, zero | map_local(1)(map_local(0)(map_seq(map_seq(_same))))
                )
                | map_local(1)(
                    map_local(0)(map_seq(as_vector(_WIDTH) >> map_seq(_same) >> as_scalar))
                )
                | map_(transpose)  # (v5/v4).v4.(v7/v3).v3
                | join
                | map_(join)
                | transpose
            )
            return found

        return fun(
            matrix,
            matrix,
            lambda at, b: (
                at
                | map_(split(v5))
                | split(v8)
                | map_(transpose)
                | transpose
                | map_work_group(1)(
                    lambda rows: (
                        b
                        | map_(split(v7))
                        | split(v8)
                        | map_(transpose)
                        | transpose
                        | map_work_group(0)(lambda columns: tile(rows, columns))
                        | join
                        | transpose
                    )
                )
                | join
            ),
        )

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


def _same(one: Expr) -> Expr:
    return one


def _block(sums: Expr, values: Expr) -> Expr:
    """Add the products of v4 and v3 values to the v4.v3 sums."""
    copied = to_private(pair(fst(values) | map_seq(_same), snd(values) | map_seq(_same)))
    found: Expr = let(
        copied,
        lambda kept: (
            zip_(sums, fst(kept))
            | map_seq(
                lambda row: (
                    zip_(fst(row), snd(kept)) | map_seq(lambda one: fst(one) + snd(row) * snd(one))
                )
            )
        ),
    )
    return found


def _check(n: int, v3: int, v4: int, v5: int, v6: int, v7: int, v8: int) -> None:
    for whole, part, text in (
        (n, v5, "the matrices by v5"),
        (n, v7, "the matrices by v7"),
        (n, v8, "the matrices by v8"),
        (v5, v4, "v5 by v4"),
        (v7, v3, "v7 by v3"),
        (v5 * v8, v6, "v5 * v8 by v6"),
        (v3, _WIDTH, f"v3 by {_WIDTH}"),
        (v6, _WIDTH, f"v6 by {_WIDTH}"),
        (v7, _WIDTH, f"v7 by {_WIDTH}"),
    ):
        if whole % part:
            raise BuildFailed(f"cannot split {text}: {whole} / {part}")
