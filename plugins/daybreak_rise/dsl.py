"""The words in which a person writes an expression; see the package's docstring for examples.

Python's own words get an underscore behind them (`map_`, `zip_`, `min_`); the rest are the
pattern's names in snake case (`mapSeq` is `map_seq`). A pattern with static parameters takes them
first: `split(8)`, `map_global(0)(f)`, `reduce_seq(PRIVATE)(add, 0.0)`.
"""

from __future__ import annotations

from daybreak_rise.building import (
    Argument,
    Composed,
    Pending,
    Piped,
    as_expression,
    elaborate,
    fun,
    literal,
    pipe,
)
from daybreak_rise.nat import Size
from daybreak_rise.types import AddressSpace, ScalarType

__all__ = [
    "GLOBAL",
    "LOCAL",
    "PRIVATE",
    "Argument",
    "Composed",
    "Pending",
    "Piped",
    "abs_",
    "add",
    "and_",
    "as_expression",
    "as_scalar",
    "as_scalar_pairs",
    "as_vector",
    "cast",
    "concat",
    "div",
    "drop",
    "elaborate",
    "eq",
    "exp",
    "fst",
    "fun",
    "gather",
    "ge",
    "generate",
    "gt",
    "idx",
    "join",
    "le",
    "let",
    "literal",
    "lt",
    "map_",
    "map_global",
    "map_local",
    "map_par",
    "map_seq",
    "map_seq_unroll",
    "map_work_group",
    "max_",
    "min_",
    "mod",
    "mul",
    "neg",
    "not_",
    "or_",
    "pad_2d",
    "pad_clamp",
    "pad_constant",
    "pair",
    "pipe",
    "reduce_",
    "reduce_seq",
    "reduce_seq_unroll",
    "reorder_with_stride",
    "reverse",
    "rotate_values",
    "scatter",
    "select",
    "slide",
    "slide_2d",
    "snd",
    "split",
    "sqrt",
    "sub",
    "take",
    "to_global",
    "to_local",
    "to_mem",
    "to_private",
    "transpose",
    "unzip",
    "vector_from_scalar",
    "zip_",
]

GLOBAL, LOCAL, PRIVATE = AddressSpace.GLOBAL, AddressSpace.LOCAL, AddressSpace.PRIVATE

# what to compute
map_ = Pending("map", ())
reduce_ = Pending("reduce", ())
let = Pending("let", ())
select = Pending("select", ())
pair = Pending("pair", ())
fst = Pending("fst", ())
snd = Pending("snd", ())

# where data stands
zip_ = Pending("zip", ())
unzip = Pending("unzip", ())
join = Pending("join", ())
transpose = Pending("transpose", ())
concat = Pending("concat", ())
reverse = Pending("reverse", ())
idx = Pending("idx", ())
gather = Pending("gather", ())
scatter = Pending("scatter", ())
as_scalar = Pending("asScalar", ())
as_scalar_pairs = Pending("asScalarPairs", ())

# scalars
add = Pending("add", ())
sub = Pending("sub", ())
mul = Pending("mul", ())
div = Pending("div", ())
mod = Pending("mod", ())
min_ = Pending("min", ())
max_ = Pending("max", ())
neg = Pending("neg", ())
abs_ = Pending("abs", ())
sqrt = Pending("sqrt", ())
exp = Pending("exp", ())
lt = Pending("lt", ())
le = Pending("le", ())
gt = Pending("gt", ())
ge = Pending("ge", ())
eq = Pending("eq", ())
and_ = Pending("and", ())
or_ = Pending("or", ())
not_ = Pending("not", ())

# how to run
map_seq = Pending("mapSeq", ())
map_seq_unroll = Pending("mapSeqUnroll", ())
map_par = Pending("mapPar", ())
to_global = Pending("toMem", (GLOBAL.value,))
to_local = Pending("toMem", (LOCAL.value,))
to_private = Pending("toMem", (PRIVATE.value,))


def generate(n: Size) -> Pending:
    """Return `generate(n)(f)`: the values of f at 0, 1, ..., n - 1."""
    return Pending("generate", (n,))


def split(k: Size) -> Pending:
    """Return what cuts an array into rows of k."""
    return Pending("split", (k,))


def slide(k: Size, step: Size = 1) -> Pending:
    """Return what lists the windows of k elements, each `step` after the last."""
    return Pending("slide", (k, step))


def pad_constant(left: Size, right: Size) -> Pending:
    """Return `pad_constant(l, r)(value)`: l copies of the value before an array, r behind it."""
    return Pending("padConstant", (left, right))


def pad_clamp(left: Size, right: Size) -> Pending:
    """Return what repeats the first element `left` more times and the last one `right` times."""
    return Pending("padClamp", (left, right))


def take(k: Size) -> Pending:
    """Return what keeps the first k elements (and leaves at least one)."""
    return Pending("take", (k,))


def drop(k: Size) -> Pending:
    """Return what leaves the first k elements out."""
    return Pending("drop", (k,))


def reorder_with_stride(k: Size) -> Pending:
    """Return what lists elements 0, k, 2k, ..., then 1, k+1, ..."""
    return Pending("reorderWithStride", (k,))


def as_vector(k: Size) -> Pending:
    """Return what reads k scalars at a time."""
    return Pending("asVector", (k,))


def vector_from_scalar(k: Size) -> Pending:
    """Return what makes a vector of k copies."""
    return Pending("vectorFromScalar", (k,))


def cast(to: ScalarType) -> Pending:
    """Return what turns a scalar or an index into another scalar type."""
    return Pending("cast", (to.name,))


def map_global(dimension: int) -> Pending:
    """Return the map over all work-items of a dimension (0, 1 or 2)."""
    return Pending("mapGlobal", (dimension,))


def map_work_group(dimension: int) -> Pending:
    """Return the map over the work-groups of a dimension (0, 1 or 2)."""
    return Pending("mapWorkGroup", (dimension,))


def map_local(dimension: int) -> Pending:
    """Return the map over a group's work-items of a dimension (0, 1 or 2)."""
    return Pending("mapLocal", (dimension,))


def reduce_seq(address: AddressSpace = PRIVATE) -> Pending:
    """Return `reduce_seq(a)(f, init)`: a loop that keeps its accumulator in `a`."""
    return Pending("reduceSeq", (str(address),))


def reduce_seq_unroll(address: AddressSpace = PRIVATE) -> Pending:
    """Return `reduce_seq` as straight-line code."""
    return Pending("reduceSeqUnroll", (str(address),))


def rotate_values(k: Size) -> Pending:
    """Return `rotate_values(k)(f)`: windows of k values of f, which move on through registers."""
    return Pending("rotateValues", (k,))


def to_mem(address: AddressSpace) -> Pending:
    """Return what writes a value to an address space."""
    return Pending("toMem", (str(address),))


# two dimensions, from the above


def slide_2d(rows: Size, columns: Size | None = None, step: Size = 1) -> Composed:
    """Return the windows of rows x columns of a matrix: n.m.t -> n'.m'.rows.columns.t."""
    across = slide(rows if columns is None else columns, step)
    inner: Pending = map_(map_(across) >> transpose)
    return slide(rows, step) >> inner


def pad_2d(rows: Size, columns: Size | None = None) -> Composed:
    """Return a matrix with its border repeated `rows` up and down, `columns` left and right."""
    wide = rows if columns is None else columns
    inner: Pending = map_(pad_clamp(wide, wide))
    return pad_clamp(rows, rows) >> inner
