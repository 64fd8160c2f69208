"""The patterns: every primitive with its type scheme and what it takes besides arguments.

A scheme is a type over variables (`s`, `t` for data; `u` for numbers; sizes `n`, `m`), printed in
the notation of the RISE papers ("RISE & Shine", arXiv 2201.03611, section 2). `PATTERNS` is the
whole table: the documentation, the interpreter, inference and the checks all read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from daybreak import nearest
from daybreak_rise.errors import RiseTypeError
from daybreak_rise.nat import nat
from daybreak_rise.types import (
    ArrayType,
    IndexType,
    PairType,
    Type,
    TypeVariable,
    VectorType,
    boolean,
    function,
    inputs,
)

__all__ = ["MAPS", "PATTERNS", "REDUCES", "Layer", "Pattern", "StaticKind", "pattern"]


class Layer(StrEnum):
    """What a pattern says: what to compute, where data stands, or how to run."""

    SCALAR = "scalar"
    COMPUTE = "compute"
    MOVE = "move"
    LOW = "low"


class StaticKind(StrEnum):
    """Kinds of static parameters."""

    SIZE = "size"
    DIMENSION = "dimension"
    ADDRESS = "address"
    SCALAR = "scalar"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One primitive.

    Attributes:
        name: as in `Primitive.name`.
        statics: names and kinds of the static parameters, in order. A size is free in `scheme`.
        scheme: its type; sizes and variables of it are bound afresh at every use.
        layer: what it is for.
        says: one line for the documentation.
        arity: how many arguments it takes.
    """

    name: str
    statics: tuple[tuple[str, StaticKind], ...]
    scheme: Type
    layer: Layer
    says: str
    arity: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arity", len(inputs(self.scheme)[0]))


# scheme variables; the quote keeps their sizes apart from those of a user
_S, _T = TypeVariable("s"), TypeVariable("t")
_U, _A, _B = TypeVariable("u", "number"), TypeVariable("a", "scalar"), TypeVariable("b", "scalar")
_N, _M, _K = nat("'n"), nat("'m"), nat("'k")
_LEFT, _RIGHT, _STEP = nat("'left"), nat("'right"), nat("'step")
_SIZE = StaticKind.SIZE


def _of(size: object, element: Type) -> ArrayType:
    return ArrayType(size, element)  # type: ignore[arg-type]


def _compute() -> list[Pattern]:
    layer = Layer.COMPUTE
    n_s, n_t = _of(_N, _S), _of(_N, _T)
    step = function(_S, _T)
    return [
        Pattern("map", (), function(step, n_s, n_t), layer, "applies a function to every element"),
        Pattern(
            "reduce",
            (),
            function(function(_T, _T, _T), _T, n_t, _T),
            layer,
            "folds an array by an associative, commutative function from its neutral element",
        ),
        Pattern(
            "generate",
            (("n", _SIZE),),
            function(function(IndexType(_N), _T), n_t),
            layer,
            "an array of the function's values at 0, 1, ..., n - 1",
        ),
        Pattern("let", (), function(_S, step, _T), layer, "names a value that is used often"),
        Pattern(
            "select", (), function(boolean, _T, _T, _T), layer, "the second where true, the third"
        ),
        Pattern("pair", (), function(_S, _T, PairType(_S, _T)), layer, "a pair of two values"),
        Pattern("fst", (), function(PairType(_S, _T), _S), layer, "the first of a pair"),
        Pattern("snd", (), function(PairType(_S, _T), _T), layer, "the second of a pair"),
    ]


def _move() -> list[Pattern]:
    layer = Layer.MOVE
    n_s, n_t, m_t = _of(_N, _S), _of(_N, _T), _of(_M, _T)
    pairs = _of(_N, PairType(_S, _T))
    padded = _of(_N + _LEFT + _RIGHT, _T)
    sides = (("left", _SIZE), ("right", _SIZE))
    k = (("k", _SIZE),)
    vectors = _of(_N, VectorType(_K, _A))
    pairs_of_vectors = _of(_N, PairType(VectorType(_K, _A), VectorType(_K, _B)))
    return [
        Pattern("zip", (), function(n_s, n_t, pairs), layer, "pairs of elements at equal places"),
        Pattern("unzip", (), function(pairs, PairType(n_s, n_t)), layer, "a pair of arrays"),
        Pattern("split", k, function(_of(_N * _K, _T), _of(_N, _of(_K, _T))), layer, "rows of k"),
        Pattern(
            "join", (), function(_of(_N, _of(_M, _T)), _of(_N * _M, _T)), layer, "one after another"
        ),
        Pattern(
            "transpose",
            (),
            function(_of(_N, _of(_M, _T)), _of(_M, _of(_N, _T))),
            layer,
            "rows become columns",
        ),
        Pattern(
            "slide",
            (("k", _SIZE), ("step", _SIZE)),
            function(_of(_STEP * _N + _K - _STEP, _T), _of(_N, _of(_K, _T))),
            layer,
            "windows of k elements, each `step` after the last",
        ),
        Pattern("padConstant", sides, function(_T, n_t, padded), layer, "a value around an array"),
        Pattern("padClamp", sides, function(n_t, padded), layer, "the outermost elements repeated"),
        Pattern("take", k, function(_of(_N + _K, _T), _of(_K, _T)), layer, "the first k"),
        Pattern("drop", k, function(_of(_N + _K, _T), n_t), layer, "all but the first k"),
        Pattern("concat", (), function(n_t, m_t, _of(_N + _M, _T)), layer, "one, then the other"),
        Pattern("reverse", (), function(n_t, n_t), layer, "last element first"),
        Pattern(
            "reorderWithStride",
            k,
            function(_of(_N * _K, _T), _of(_N * _K, _T)),
            layer,
            "elements 0, k, 2k, ..., then 1, k+1, ...",
        ),
        Pattern("idx", (), function(IndexType(_N), n_t, _T), layer, "the element at an index"),
        Pattern(
            "gather",
            (),
            function(_of(_M, IndexType(_N)), n_t, m_t),
            layer,
            "the elements at those indices",
        ),
        Pattern(
            "scatter",
            (),
            function(_of(_N, IndexType(_N)), n_t, n_t),
            layer,
            "element i goes to index i of a permutation",
        ),
        Pattern("asVector", k, function(_of(_N * _K, _A), vectors), layer, "vectors of k scalars"),
        Pattern("asScalar", (), function(vectors, _of(_N * _K, _A)), layer, "vectors as scalars"),
        Pattern(
            "asScalarPairs",
            (),
            function(pairs_of_vectors, _of(_N * _K, PairType(_A, _B))),
            layer,
            "pairs of vectors as pairs of scalars",
        ),
        Pattern("vectorFromScalar", k, function(_A, VectorType(_K, _A)), layer, "k copies"),
    ]


def _scalar() -> list[Pattern]:
    layer = Layer.SCALAR
    binary, unary = function(_U, _U, _U), function(_U, _U)
    compare, logic = function(_A, _A, boolean), function(boolean, boolean, boolean)
    found = [
        Pattern(name, (), binary, layer, says)
        for name, says in (
            ("add", "sum"),
            ("sub", "difference"),
            ("mul", "product"),
            ("div", "quotient; of integers rounded towards zero"),
            ("mod", "remainder, with the sign of the dividend"),
            ("min", "the smaller"),
            ("max", "the larger"),
        )
    ]
    found += [
        Pattern(name, (), unary, layer, says)
        for name, says in (
            ("neg", "sign changed"),
            ("abs", "without its sign"),
            ("sqrt", "square root"),
            ("exp", "power of e"),
        )
    ]
    found += [
        Pattern(name, (), compare, layer, says)
        for name, says in (
            ("lt", "less"),
            ("le", "less or equal"),
            ("gt", "greater"),
            ("ge", "greater or equal"),
            ("eq", "equal"),
        )
    ]
    found += [
        Pattern("and", (), logic, layer, "both"),
        Pattern("or", (), logic, layer, "either"),
        Pattern("not", (), function(boolean, boolean), layer, "the opposite"),
        Pattern(
            "cast",
            (("to", StaticKind.SCALAR),),
            function(_A, _B),
            layer,
            "a scalar or an index as another scalar type; to i32 rounds towards zero",
        ),
    ]
    return found


def _low() -> list[Pattern]:
    layer = Layer.LOW
    as_map = function(function(_S, _T), _of(_N, _S), _of(_N, _T))
    as_fold = function(function(_T, _S, _T), _T, _of(_N, _S), _T)
    dimension = (("dimension", StaticKind.DIMENSION),)
    address = (("address", StaticKind.ADDRESS),)
    return [
        Pattern("mapSeq", (), as_map, layer, "a loop"),
        Pattern("mapSeqUnroll", (), as_map, layer, "straight-line code"),
        Pattern("mapPar", (), as_map, layer, "a loop shared by the threads of a CPU"),
        Pattern("mapGlobal", dimension, as_map, layer, "over all work-items"),
        Pattern("mapWorkGroup", dimension, as_map, layer, "over work-groups"),
        Pattern("mapLocal", dimension, as_map, layer, "over the work-items of a group"),
        Pattern("reduceSeq", address, as_fold, layer, "a loop with its accumulator in `address`"),
        Pattern("reduceSeqUnroll", address, as_fold, layer, "the same as straight-line code"),
        Pattern(
            "rotateValues",
            (("k", _SIZE),),
            function(function(_S, _T), _of(_N + _K - 1, _S), _of(_N, _of(_K, _T))),
            layer,
            "windows of k values of a function, in registers: a loop computes one a turn",
        ),
        Pattern("toMem", address, function(_T, _T), layer, "writes the value to `address`"),
    ]


PATTERNS: dict[str, Pattern] = {
    one.name: one for one in (*_compute(), *_move(), *_scalar(), *_low())
}

# every way to map and to reduce; the first of each says nothing of how
MAPS = ("map", "mapSeq", "mapSeqUnroll", "mapPar", "mapGlobal", "mapWorkGroup", "mapLocal")
REDUCES = ("reduce", "reduceSeq", "reduceSeqUnroll")


def pattern(name: str) -> Pattern:
    """Return the pattern called `name`.

    Raises:
        RiseTypeError: there is none.
    """
    found = PATTERNS.get(name)
    if found is None:
        raise RiseTypeError(f"no pattern '{name}'", nearest=nearest(name, PATTERNS))
    return found
