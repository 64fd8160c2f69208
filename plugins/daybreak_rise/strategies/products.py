"""Matrix multiplication on a GPU and on a CPU: the published strategies, made of rules.

The expressions that these take are a map over rows of a map over columns of a sum of products,
`a | map(row. b | map(col. zip(row, col) | map(p. fst(p) * snd(p)) | reduce(add, 0)))`, the
matrices read as they are stored or transposed.
"""

from __future__ import annotations

from collections.abc import Sequence

from daybreak_rise.dsl import (
    join,
    map_local,
    map_seq,
    split,
    to_local,
    transpose,
)
from daybreak_rise.elevate.predicates import is_applied_map, is_applied_reduce, map_nest
from daybreak_rise.elevate.strategy import Strategy, named, seq
from daybreak_rise.elevate.traversal import in_lambdas, innermost, outermost, top_down
from daybreak_rise.errors import RewriteError
from daybreak_rise.expr import Expr
from daybreak_rise.rules.lowering import (
    to_map_local,
    to_map_work_group,
)
from daybreak_rise.rules.memory import copied
from daybreak_rise.rules.vectors import vectorise
from daybreak_rise.strategies.loops import (
    block_reduction,
    fuse_reductions,
    reduction_outwards,
    tile,
)
from daybreak_rise.strategies.lowering import (
    in_fold,
    lower_nest,
    lower_rest,
    result_copied,
    stage_fold,
    start_copied,
    upstream,
)
from daybreak_rise.strategies.normal import dfnf
from daybreak_rise.types import AddressSpace

__all__ = ["blocked_product", "nested_product", "tiled_product"]


def tiled_product(
    v3: int, v4: int, v5: int, v6: int, v7: int, v8: int, *, width: int = 4
) -> Strategy:
    """Return the strategy for a GPU: tiles in local memory, blocks of results in registers.

    Args:
        v3: columns of the block that a work-item computes.
        v4: rows of it.
        v5: rows of the tile that a work-group computes.
        v6: elements of the first tile that a row of work-items copies at a time; divides v5 * v8.
        v7: columns of the tile that a work-group computes.
        v8: how deep the tiles are that are in local memory at a time.
        width: scalars that are copied at a time, to local memory and, where it divides v3, to the
            result.

    After "Matrix Multiplication Beyond Auto-Tuning" (Steuwer, Remmelg, Dubach, CASES 2016); the
    parameters are those of BaCO's MM_GPU. Fails with a reason where sizes do not divide.
    """
    threads = (map_local(1), map_local(0))
    block = (*threads, map_seq, map_seq)

    wide = copied(*threads, width=width)

    def rows(y: Expr) -> Expr:  # (v5/v4).v4.v8, read along the rows of the stored matrix
        flat = wide(y | join | transpose | join | split(v6)) | to_local
        made: Expr = flat | join | split(v5) | transpose | split(v4)
        return made

    def columns(y: Expr) -> Expr:  # (v7/v3).v3.v8
        made: Expr = wide(y | join | transpose) | to_local | transpose | split(v3)
        return made

    registers = stage_fold(AddressSpace.PRIVATE, copied(map_seq), copied(map_seq))
    step = seq(
        lower_nest(to_map_local(1), to_map_local(0)),
        (registers >> start_copied(map_seq, map_seq)) @ outermost(is_applied_reduce),
    )
    group = seq(
        in_fold(step),
        stage_fold(AddressSpace.LOCAL, rows, columns),
        start_copied(*block),
        result_copied(*block, width=width if v3 % width == 0 else 1),
    )
    return named(
        f"tiled_product({v3}, {v4}, {v5}, {v6}, {v7}, {v8})",
        seq(
            nested_product(v5, v7, v4, v3, v8),
            in_lambdas(upstream(lower_nest(to_map_work_group(1), to_map_work_group(0)))),
            group @ outermost(is_applied_reduce),
            lower_rest,
        ),
    )


def nested_product(v5: int, v7: int, v4: int, v3: int, v8: int) -> Strategy:
    """Return what brings the loops into order and says nothing of where they run.

    Two maps over tiles; a fold over v8-deep pieces of them; two maps over blocks of v4 x v3; a
    fold along the piece; two maps in the block.
    """
    return named(
        f"nested_product({v5}, {v7}, {v4}, {v3}, {v8})",
        seq(
            fuse_reductions,
            tile(v5, v7) @ outermost(map_nest(2)),
            tile(v4, v3) @ innermost(map_nest(2)),
            block_reduction(v8) @ innermost(is_applied_reduce),
            *[reduction_outwards @ top_down] * 4,
            *[reduction_outwards @ innermost(is_applied_map)] * 2,
        ),
    )


def blocked_product(
    tile_rows: int, tile_columns: int, depth: int, order: Sequence[int], width: int
) -> Strategy:
    """Return the strategy for a CPU: tiles, a sum in blocks, loops in an order, vectors.

    Args:
        tile_rows: rows of a tile of results.
        tile_columns: columns of it.
        depth: products that are summed in a block.
        order: the six loops outermost first, 0 and 1 over tiles, 2 and 3 in a tile, 4 over blocks
            of the sum, 5 in a block. Maps keep their order, 4 comes before 5, 3 is last.
        width: scalars in a vector.

    After the TVM comparison of "Achieving High-Performance the Functional Way" (ICFP 2020,
    section 5.3); the parameters are those of BaCO's MM_CPU.

    Raises:
        RewriteError: the order cannot be reached.
    """
    if sorted(order) != list(range(6)):
        raise RewriteError(f"the order {list(order)} is no permutation of the six loops")
    if [i for i in order if i < 4] != [0, 1, 2, 3] or order.index(4) > order.index(5):
        raise RewriteError(
            f"the loops cannot be brought into the order {list(order)}",
            expected="0, 1, 2, 3 in this order, and 4 before 5",
        )
    outer = 4 - order.index(4)
    inner = 4 - (order.index(5) - 1)
    return named(
        f"blocked_product({tile_rows}, {tile_columns}, {depth}, {list(order)}, {width})",
        seq(
            fuse_reductions,
            tile(tile_rows, tile_columns) @ outermost(map_nest(2)),
            block_reduction(depth) @ innermost(is_applied_reduce),
            *[reduction_outwards @ top_down] * outer,
            *[reduction_outwards @ innermost(is_applied_map)] * inner,
            vectorise(width) @ innermost(is_applied_map),
            dfnf,
        ),
    )
