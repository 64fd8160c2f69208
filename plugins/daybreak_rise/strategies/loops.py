"""Strategies on nests of maps and reductions: cutting, tiling, exchanging, moving sums outwards."""

from __future__ import annotations

from daybreak_rise.elevate.strategy import Result, Strategy, named, seq, try_
from daybreak_rise.elevate.traversal import argument, fmap, normalise
from daybreak_rise.expr import Expr
from daybreak_rise.nat import Size
from daybreak_rise.rules.maps import map_fission, map_fusion, map_interchange, split_join
from daybreak_rise.rules.movement import split_into_zip, transpose_map_zip
from daybreak_rise.rules.reductions import reduce_blocked, reduce_map_fusion, reduce_out_of_map
from daybreak_rise.rules.zips import map_out_of_zip
from daybreak_rise.strategies.normal import dfnf, simplify

__all__ = [
    "block_reduction",
    "fuse_reductions",
    "interchange",
    "past_movements",
    "reduction_outwards",
    "tile",
]


def past_movements(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to a map once what follows in its body is cut off.

    `map(x. join(map(f)(x)))` is cut to `map(x. map(f)(x)) >> map(join)`, and so on, until the
    strategy applies to the first part.
    """

    def run(e: Expr) -> Result:
        return either.run(e)

    again = Strategy(f"past_movements({strategy.name})", run)
    either = strategy | (map_fission >> argument(again))
    return again


#: a reduction of maps becomes one fold: nothing is stored between them
fuse_reductions = named("fuse_reductions", seq(dfnf, normalise(reduce_map_fusion), dfnf))

#: map(x. map(y. b)(ys))(xs) with the loops exchanged, also where reshaping follows the inner map
interchange = named("interchange", past_movements(map_interchange))


def tile(*sizes: Size) -> Strategy:
    """Return what cuts a nest of maps into blocks of these sizes: loops over blocks outside.

    `tile(a, b)` turns map(x. map(y. f)) into map over blocks of a, map over blocks of b, map in
    the block, map in the block (ELEVATE, ICFP 2020, section 5.2). Needs: sizes divide.
    """
    first, *rest = sizes
    name = f"tile({', '.join(map(str, sizes))})"
    if not rest:
        return named(name, split_join(first) >> dfnf)
    inner = seq(fmap(tile(*rest)), split_join(first), dfnf)
    # join(map(block. map(x. ..blocks..)(block))(split)): sink the block's map below the others'
    sink: Strategy = interchange
    for _ in rest[1:]:
        sink = seq(interchange, dfnf, _deepest(fmap(sink)))
    return named(name, seq(inner, argument(fmap(sink)), dfnf))


def _deepest(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to the first expression that flows into this one and allows it."""

    def run(e: Expr) -> Result:
        return either.run(e)

    again = Strategy(f"upstream({strategy.name})", run)
    either = strategy | argument(again)
    return again


def block_reduction(k: Size) -> Strategy:
    """Return what turns a fold into one over blocks of k, each zipped array cut by itself."""
    return named(
        f"block_reduction({k})",
        seq(reduce_blocked(k), try_(argument(split_into_zip) >> reduce_map_fusion), dfnf),
    )


# zip(acc, map(g)(ys)) in the new fold: the map is done as part of the step
_fold = normalise(map_out_of_zip | map_fusion)

_columns = seq(argument(transpose_map_zip), reduce_map_fusion, dfnf)

#: a map of a reduction becomes a reduction whose steps are maps, its inputs zipped and transposed
reduction_outwards = named(
    "reduction_outwards",
    past_movements(seq(reduce_out_of_map, simplify, try_(_columns), _fold, simplify)),
)
