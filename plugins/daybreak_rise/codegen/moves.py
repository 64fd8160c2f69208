"""Views of views: how the patterns that move data are read."""

# ruff: noqa: ARG001 - all patterns are read alike

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybreak import BuildFailed
from daybreak_rise.codegen.arguments import Argument, Thunk
from daybreak_rise.codegen.index import Index, of
from daybreak_rise.codegen.index import Read as ReadAtom
from daybreak_rise.codegen.values import Broadcast, Inside
from daybreak_rise.codegen.vectors import joined_vectors, split_vectors
from daybreak_rise.codegen.views import (
    ArrayView,
    IndexView,
    PairView,
    Scalar,
    View,
    as_array,
    as_pair,
    as_scalar,
)
from daybreak_rise.expr import Literal, Primitive
from daybreak_rise.patterns import PATTERNS

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = [
    "READ",
    "as_index",
    "join",
    "reverse",
    "split",
    "static_of",
    "strided",
    "transpose",
    "types_of",
    "unzipped",
    "zipped",
]


def types_of(head: Primitive) -> tuple[list[Any], Any]:
    """Return a saturated primitive's argument types and its result's."""
    type_: Any = head.type
    found = []
    for _ in range(PATTERNS[head.name].arity):
        found.append(type_.input)
        type_ = type_.output
    return found, type_


def static_of(head: Primitive, place: int = 0) -> int:
    """Return a static parameter that is a number."""
    return int(head.statics[place])  # type: ignore[arg-type]


# ---- splitting, joining, turning


def split(array: ArrayView, k: int) -> ArrayView:
    """Return an array as rows of k."""
    return ArrayView(array.size // k, lambda i: ArrayView(k, lambda j: array.at(i * k + j)))


def join(array: ArrayView, k: int) -> ArrayView:
    """Return rows of k one after another."""
    return ArrayView(array.size * k, lambda i: as_array(array.at(i // k)).at(i % k))


def transpose(array: ArrayView, k: int) -> ArrayView:
    """Return rows of k as columns."""
    return ArrayView(k, lambda j: ArrayView(array.size, lambda i: as_array(array.at(i)).at(j)))


def zipped(first: ArrayView, second: ArrayView) -> ArrayView:
    """Return the array of pairs."""
    return ArrayView(first.size, lambda i: PairView(first.at(i), second.at(i)))


def unzipped(array: ArrayView) -> PairView:
    """Return the pair of arrays."""
    return PairView(
        ArrayView(array.size, lambda i: as_pair(array.at(i)).first),
        ArrayView(array.size, lambda i: as_pair(array.at(i)).second),
    )


def reverse(array: ArrayView) -> ArrayView:
    """Return the array last element first."""
    return ArrayView(array.size, lambda i: array.at(i * -1 + (array.size - 1)))


def strided(array: ArrayView, k: int) -> ArrayView:
    """Return elements 0, k, 2k, ..., then 1, k+1, ..."""
    rows = array.size // k
    return ArrayView(array.size, lambda i: array.at((i % rows) * k + i // rows))


def _read_split(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return split(translator.array(arguments[0]), static_of(head))


def _read_join(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    (type_,), _ = types_of(head)
    return join(translator.array(arguments[0]), type_.element.size)


def _read_transpose(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    (type_,), _ = types_of(head)
    return transpose(translator.array(arguments[0]), type_.element.size)


def _read_zip(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return zipped(translator.array(arguments[0]), translator.array(arguments[1]))


def _read_unzip(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return unzipped(translator.array(arguments[0]))


def _read_reverse(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return reverse(translator.array(arguments[0]))


def _read_strided(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return strided(translator.array(arguments[0]), static_of(head))


# ---- windows, borders, parts


def _read_slide(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    array = translator.array(arguments[0])
    size, step = static_of(head), static_of(head, 1)
    _, result = types_of(head)
    return ArrayView(result.size, lambda i: ArrayView(size, lambda j: array.at(i * step + j)))


def _read_pad_constant(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    value, array = translator.view(arguments[0]), translator.array(arguments[1])
    left = static_of(head)
    _, result = types_of(head)

    def at(i: Index) -> View:
        place = i + -left
        test = Inside(place, 0, array.size)
        return translator.guarded(test, lambda: array.at(place), lambda: value, result.element)

    return ArrayView(result.size, at)


def _read_pad_clamp(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    array, left = translator.array(arguments[0]), static_of(head)
    _, result = types_of(head)
    return ArrayView(result.size, lambda i: array.at((i + -left).clamped(0, array.size - 1)))


def _read_take(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return ArrayView(static_of(head), translator.array(arguments[0]).at)


def _read_drop(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    array, k = translator.array(arguments[0]), static_of(head)
    return ArrayView(array.size - k, lambda i: array.at(i + k))


def _read_concat(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    first, second = translator.array(arguments[0]), translator.array(arguments[1])
    _, result = types_of(head)

    def at(i: Index) -> View:
        test = Inside(i, 0, first.size)
        return translator.guarded(
            test, lambda: first.at(i), lambda: second.at(i + -first.size), result.element
        )

    return ArrayView(first.size + second.size, at)


# ---- indices


def as_index(view: View, size: int) -> Index:
    """Return the index that a view shows."""
    if isinstance(view, IndexView):
        return view.index
    return of(ReadAtom(as_scalar(view).value(), size))


def _read_idx(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    array = translator.array(arguments[1])
    return array.at(as_index(translator.view(arguments[0]), array.size))


def _read_gather(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    places, array = translator.array(arguments[0]), translator.array(arguments[1])
    return ArrayView(places.size, lambda i: array.at(as_index(places.at(i), array.size)))


def _read_scatter(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    places = arguments[0]
    found = places.expression if isinstance(places, Thunk) else None
    if not isinstance(found, Literal):
        raise BuildFailed("scatter's result is read before it is written: put toMem around it")
    order = [0] * len(found.value)
    for number, place in enumerate(found.value):
        order[place] = number
    inverse = Literal(tuple(order), found.type)
    from daybreak_rise.codegen.patterns_scalar import literal_view

    table = as_array(literal_view(translator, inverse))
    array = translator.array(arguments[1])
    return ArrayView(array.size, lambda i: array.at(as_index(table.at(i), array.size)))


# ---- vectors


def _read_vectors(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return split_vectors(translator.array(arguments[0]), static_of(head), translator.scratch)


def _read_scalars(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    (type_,), _ = types_of(head)
    return joined_vectors(translator.array(arguments[0]), type_.element.size)


def _read_scalar_pairs(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    (type_,), _ = types_of(head)
    width, pairs = type_.element.first.size, unzipped(translator.array(arguments[0]))
    return zipped(joined_vectors(pairs.first, width), joined_vectors(pairs.second, width))


def _read_copies(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    view, width = as_scalar(translator.view(arguments[0])), static_of(head)
    if width == 1:
        return view
    return Scalar(lambda: Broadcast(view.value(), width))


READ = {
    "split": _read_split,
    "join": _read_join,
    "transpose": _read_transpose,
    "zip": _read_zip,
    "unzip": _read_unzip,
    "slide": _read_slide,
    "padConstant": _read_pad_constant,
    "padClamp": _read_pad_clamp,
    "take": _read_take,
    "drop": _read_drop,
    "concat": _read_concat,
    "reverse": _read_reverse,
    "reorderWithStride": _read_strided,
    "idx": _read_idx,
    "gather": _read_gather,
    "scatter": _read_scatter,
    "asVector": _read_vectors,
    "asScalar": _read_scalars,
    "asScalarPairs": _read_scalar_pairs,
    "vectorFromScalar": _read_copies,
}
