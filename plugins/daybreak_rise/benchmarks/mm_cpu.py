"""Matrix multiplication on a CPU: the loops of tiles in an order, the innermost one as vectors.

The strategy is that of the ELEVATE paper (Hagedorn et al., "Achieving high-performance the
functional way", ICFP 2020, section 5), in which a loop nest of six loops is reordered at will.
"""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from daybreak import BuildFailed, Configuration, Parameter, Permutation
from daybreak_rise.benchmarks.answers import Expected
from daybreak_rise.benchmarks.base import Launch, Sizes, Work, Workload, ordinal, powers
from daybreak_rise.benchmarks.mm_gpu import MmGpu
from daybreak_rise.dsl import (
    GLOBAL,
    PRIVATE,
    add,
    as_scalar,
    as_vector,
    fst,
    fun,
    generate,
    join,
    literal,
    map_,
    map_seq,
    reduce_,
    reduce_seq,
    snd,
    split,
    transpose,
    vector_from_scalar,
    zip_,
)
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.types import ArrayType, array, f32, shape

__all__ = ["LOOPS", "MmCpu"]

#: the loops that the permutation orders: tiles of rows and of columns, rows and columns of a tile,
#: chunks of the sum, terms of a chunk
LOOPS = ("io", "jo", "ii", "ji", "ko", "ki")
#: the published orders: the columns of a tile innermost, chunks before terms, tiles before elements
_ORDERS = (
    (0, 1, 2, 4, 5, 3),
    (4, 0, 1, 2, 5, 3),
    (0, 1, 4, 2, 5, 3),
    (0, 4, 1, 2, 5, 3),
    (4, 0, 1, 5, 2, 3),
    (0, 4, 1, 5, 2, 3),
    (0, 1, 4, 5, 2, 3),
)
#: larger blocks of sums stand in memory instead of registers
_REGISTERS = 4096


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
        return fun(
            matrix,
            matrix,
            lambda a, b: (
                a
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
        """Return the loops in the order asked for."""
        n = sizes["n"]
        columns, rows, chunk, width = (
            int(configuration[name])  # type: ignore[arg-type]
            for name in ("tile51", "tile52", "split100", "vec101")
        )
        for whole, part, text in (
            (n, rows, "the rows by tile52"),
            (n, columns, "the columns by tile51"),
            (n, chunk, "the sums by split100"),
            (columns, width, "tile51 by vec101"),
        ):
            if whole % part:
                raise BuildFailed(f"cannot split {text}: {whole} / {part}")
        order = tuple(configuration["reorder"])  # type: ignore[arg-type]
        if order not in _ORDERS:
            raise BuildFailed(f"no strategy reorders the loops as {order}")
        nest = _Nest(rows, columns, chunk, width)
        matrix = array(n, n, f32)
        loops = tuple(LOOPS[loop] for loop in order)
        return fun(matrix, matrix, lambda a, b: nest.build(loops, _Block(a, b, None)))

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


@dataclass(frozen=True)
class _Block:
    """What is left to do: `left` has rows (unless done) and terms (unless done), `right` terms and
    columns, `sums` rows and columns; None before the sum began.
    """

    left: Expr
    right: Expr
    sums: Expr | None


@dataclass(frozen=True)
class _Nest:
    """The loop nest of one configuration: sizes of tiles, chunks and vectors."""

    rows: int
    columns: int
    chunk: int
    width: int

    def build(self, loops: tuple[str, ...], block: _Block) -> Expr:
        """Return the nest of `loops` over `block`, outermost first; its value is the sums."""
        loop, *rest = loops
        made: Expr = getattr(self, f"_{loop}")(tuple(rest), block)
        return made

    def _over(self, left: Expr, block: _Block, sums: Expr | None, rest: tuple[str, ...]) -> Expr:
        """Return a loop over parts of the rows."""
        if sums is None:
            found: Expr = left | map_seq(lambda one: self.build(rest, replace(block, left=one)))
        else:
            found = zip_(left, sums) | map_seq(
                lambda two: self.build(rest, replace(block, left=fst(two), sums=snd(two)))
            )
        return found

    def _io(self, rest: tuple[str, ...], block: _Block) -> Expr:
        tiles = None if block.sums is None else block.sums | split(self.rows)
        found: Expr = self._over(block.left | split(self.rows), block, tiles, rest) | join
        return found

    def _ii(self, rest: tuple[str, ...], block: _Block) -> Expr:
        return self._over(block.left, block, block.sums, rest)

    def _jo(self, rest: tuple[str, ...], block: _Block) -> Expr:
        tiles = block.right | transpose | split(self.columns) | map_(transpose)
        if block.sums is None:
            blocks = tiles | map_seq(lambda one: self.build(rest, replace(block, right=one)))
        else:
            blocks = zip_(tiles, block.sums | map_(split(self.columns)) | transpose) | map_seq(
                lambda two: self.build(rest, replace(block, right=fst(two), sums=snd(two)))
            )
        found: Expr = blocks | transpose | map_(join)
        return found

    def _sum(self, terms: Expr, rest: tuple[str, ...], block: _Block) -> Expr:
        sums = block.sums
        if sums is None:
            rows = shape(block.left.type)[:-1]
            sums = _zeros((*rows, shape(block.right.type)[-1]))
        count = 1
        for size in shape(sums.type):
            count *= int(size)  # type: ignore[arg-type]
        found: Expr = terms | reduce_seq(PRIVATE if count <= _REGISTERS else GLOBAL)(
            lambda so_far, two: self.build(rest, _Block(fst(two), snd(two), so_far)), sums
        )
        return found

    def _ko(self, rest: tuple[str, ...], block: _Block) -> Expr:
        if isinstance(block.left.type, ArrayType) and len(shape(block.left.type)) == 2:
            left = block.left | map_(split(self.chunk)) | transpose
        else:
            left = block.left | split(self.chunk)
        return self._sum(zip_(left, block.right | split(self.chunk)), rest, block)

    def _ki(self, rest: tuple[str, ...], block: _Block) -> Expr:
        left = block.left | transpose if len(shape(block.left.type)) == 2 else block.left
        return self._sum(zip_(left, block.right), rest, block)

    def _ji(self, rest: tuple[str, ...], block: _Block) -> Expr:
        """Return the innermost loop: a number times a row of columns, added to the sums."""
        assert block.sums is not None  # noqa: S101  (the terms are summed by loops further out)
        number = vector_from_scalar(self.width)(block.left)
        found: Expr = (
            zip_(block.sums | as_vector(self.width), block.right | as_vector(self.width))
            | map_seq(lambda two: fst(two) + number * snd(two))
            | as_scalar
        )
        return found


def _zeros(sizes: tuple[Any, ...]) -> Expr:
    if not sizes:
        return literal(0.0, f32)
    found: Expr = generate(sizes[0])(lambda _: _zeros(sizes[1:]))
    return found
