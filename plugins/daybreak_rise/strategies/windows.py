"""Strategies on pipelines of windows: image filters that are fused, cut into tiles and turned.

A stage is `slide(n, s) >> *(rows. rows >> *slide(m, t) >> T >> *f)`, what `slide_2d(n, m)` and a map
over all windows become; a pipeline is some of them behind each other, the first one a map of
single pixels. After Koehler and Steuwer, "Towards a Domain-Extensible Compiler: Optimizing an Image
Processing Pipeline on Mobile CPUs" (CGO 2021), and for overlapped tiles Hagedorn et al., "High
Performance Stencil Code Generation with Lift" (CGO 2018, section 4.1). `*f` is map(f), `S` slide,
`T` transpose, `J` join.
"""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.elevate.strategy import (
    Failure,
    Result,
    Strategy,
    id_,
    named,
    repeat,
    seq,
    try_,
)
from daybreak_rise.elevate.traversal import (
    argument,
    fmap,
    function,
    in_lambdas,
    normalise,
)
from daybreak_rise.errors import RewriteError
from daybreak_rise.expr import Expr
from daybreak_rise.rules.forms import MapForm, as_map
from daybreak_rise.rules.lowering import (
    reduce_to_seq,
    to_map_local,
    to_map_work_group,
    unroll,
)
from daybreak_rise.rules.maps import (
    map_fission,
    map_fusion,
    map_in_parts,
    map_interchange,
    split_join,
)
from daybreak_rise.rules.memory import stored
from daybreak_rise.rules.movement import (
    join_before_map,
    map_before_split,
    reorder_before_map,
    split_before_map,
    transpose_before_inner_map,
)
from daybreak_rise.rules.normalising import let_inline, transpose_twice
from daybreak_rise.rules.reductions import reduce_from_first, reduce_map_fusion
from daybreak_rise.rules.reshaping import transpose_before_map_split, transpose_before_split
from daybreak_rise.rules.vectors import vectorise
from daybreak_rise.rules.weights import separate_dot
from daybreak_rise.rules.windows import part_before_slide, slide_before_slide, slide_before_split
from daybreak_rise.rules.zips import map_out_of_zip, zip_same
from daybreak_rise.strategies.lowering import lower_nest
from daybreak_rise.strategies.normal import dfnf, flow_and
from daybreak_rise.types import AddressSpace, ArrayType

__all__ = [
    "fuse_stages",
    "inline_lets",
    "tile_windows",
    "tiled_windows",
    "turn_stages",
    "turn_stages_back",
    "vectorise_most",
    "write_out_windows",
]


#: a map over all windows for each stage: windows are taken of what is computed on before it is, and
#: what several maps take of the same windows becomes one map that gives pairs
fuse_stages = named(
    "fuse_stages",
    flow_and(
        map_fusion
        | map_out_of_zip
        | zip_same
        | split_before_map
        | join_before_map
        | transpose_before_inner_map
    ),
)

#: values that are named around everything else are put where they are used
inline_lets = named("inline_lets", in_lambdas(repeat(let_inline >> dfnf)))

#: weighted sums over windows by rows and columns where the weights allow it, then without loops,
#: from their first term on
write_out_windows = named(
    "write_out_windows",
    seq(
        normalise(separate_dot),
        flow_and(map_fusion | map_out_of_zip),
        normalise(reduce_map_fusion),
        dfnf,
        normalise(reduce_from_first),
        normalise(reduce_to_seq() | unroll),
    ),
)


def _recursive(strategy: Callable[[Strategy], Strategy]) -> Strategy:
    """Return a strategy that is made of itself: `strategy` gets it and returns it."""

    def run(e: Expr) -> Result:
        return made.run(e)

    made = strategy(Strategy("again", run))
    return made


# ---- tiles

# map(f)(tiles(x)), the windows of x taken or its maps done after its tiles are cut; into f
_tile_upstream = repeat(
    seq(argument(slide_before_slide | slide_before_split | split_before_map), map_fusion, dfnf)
)

# take or drop moved upstream as far as it goes
_part_upstream = _recursive(
    lambda again: try_(seq(reorder_before_map | part_before_slide, argument(again)))
)


def _blocks(k: int) -> Strategy:
    return seq(split_join(k), dfnf, argument(_tile_upstream))


def tile_windows(k: int, inside: Strategy) -> Strategy:
    """Return what cuts a pipeline into tiles of k rows of its result, which overlap in its input.

    `inside` is then applied to the map over the tiles. If k does not divide the rows, the last ones
    are a smaller tile of their own, to which it is applied as well.

    Fails where there are fewer than k rows.
    """
    name = f"tile_windows({k})"

    def run(e: Expr) -> Result:
        size = _size(as_map(e))
        if size is None:
            return Failure(name, "the expression is no map")
        left = size % k
        if left == size:
            return Failure(name, f"a tile of {k} does not fit a result of {size}", telling=True)
        if left == 0:
            return (_blocks(k) >> argument(inside)).run(e)

        def one(rows: int) -> Strategy:
            return seq(argument(_part_upstream), _blocks(rows), argument(inside))

        return seq(map_in_parts(size - left), function(argument(one(k))), argument(one(left))).run(
            e
        )

    return Strategy(name, run)


def _size(form: MapForm | None) -> int | None:
    if form is None or not isinstance(form.array.type, ArrayType):
        return None
    size = form.array.type.size
    return size if isinstance(size, int) else None


# ---- rows and columns


def _turned(name: str, windows: Strategy) -> Strategy:
    """Return what turns all stages; `windows` brings those of one stage to their new form.

    It gets `*(x. X(x))(S(y)) >> T`, the windows before they are computed on, and gives
    `*(row. X'(row))(S'(T(y)))`.
    """
    stage = seq(map_interchange, argument(seq(argument(windows), map_fusion)), dfnf)
    before = _recursive(
        lambda again: (
            seq(argument(stage), transpose_twice, argument(argument(again)))
            | transpose_before_inner_map
            | id_
        )
    )
    return named(name, seq(stage, argument(argument(argument(before)))))


#: a pipeline by rows becomes one by columns, its result turned: S >> *(*S' >> T >> *f) for every
#: stage becomes T >> S' >> *(T >> S >> *f) >> T
turn_stages = _turned(
    "turn_stages",
    seq(
        argument(map_fission),
        argument(argument(map_before_split)),
        argument(transpose_before_split),
        transpose_twice,
        argument(transpose_before_map_split),
        map_fusion,
    ),
)

#: and back: S' >> *(T >> S >> *f) becomes T >> S >> *(*S' >> T >> *f) >> T
turn_stages_back = _turned(
    "turn_stages_back",
    seq(
        argument(map_fission),
        argument(argument(transpose_before_split)),
        transpose_before_map_split,
        argument(argument(transpose_twice)),
        argument(split_before_map),
        map_fusion,
    ),
)


# ---- vectors


def vectorise_most(width: int) -> Strategy:
    """Return what computes on vectors of `width` as far as they go, on smaller ones at the end."""
    name = f"vectorise_most({width})"
    here = vectorise(width) if width > 1 else id_
    rest = vectorise_most(width // 2) if width > 1 else id_

    def run(e: Expr) -> Result:
        size = _size(as_map(e))
        if size is None:
            return Failure(name, "the expression is no map")
        left = size % width
        if left == 0:
            return here.run(e)
        if left == size:
            return rest.run(e)
        return seq(map_in_parts(size - left), function(argument(here)), argument(rest)).run(e)

    return Strategy(name, run)


# ---- all of it


def tiled_windows(rows: int, columns: int, *, widths: tuple[int, ...]) -> Strategy:
    """Return the strategy of a pipeline of stages: a work-group for each tile of its result.

    A stage is what is named by let, and the result. What all stages but the last give of a tile
    stands in local memory; each is computed by the group's work-items together. Tiles overlap by
    what windows need; smaller ones are at the end.

    Args:
        rows: rows of a tile.
        columns: columns of a tile.
        widths: scalars in a vector, for each stage, the result's last; 1 for none. If there are
            more stages, the first ones are computed where they are used.

    Raises:
        RewriteError: there is no width.
    """
    lacking = f"the pipeline has fewer than {len(widths)} stages: name each by let"
    missing = Strategy("stage", lambda _: Failure("stage", lacking, telling=True))
    threads = lower_nest(to_map_local(1), to_map_local(0))
    made: Strategy | None = None
    for width in widths:
        here = seq(threads | missing, fmap(vectorise_most(width)))
        if made is not None:
            # what comes before: the windows' argument's argument
            here = here >> argument(argument(made >> stored(AddressSpace.LOCAL)))
        made = here
    if made is None:
        raise RewriteError("a pipeline has at least one stage", expected="a width for each")
    in_tile = seq(turn_stages_back, argument(made), dfnf)
    groups = tile_windows(columns, to_map_work_group(0) >> fmap(in_tile))
    strips = to_map_work_group(1) >> fmap(turn_stages >> argument(groups))
    return named(
        f"tiled_windows({rows}, {columns}, {list(widths)})",
        seq(
            fuse_stages,
            inline_lets,
            write_out_windows,
            in_lambdas(tile_windows(rows, strips)),
            normalise(transpose_twice),
        ),
    )
