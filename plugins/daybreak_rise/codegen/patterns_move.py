"""Translation of the patterns that move data: views of views, both for reading and for writing."""

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
from daybreak_rise.expr import Expr, Identifier, Lambda, Literal, Primitive, spine
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.types import ArrayType, FunType, IndexType, Type

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = ["HANDLERS", "accepting", "as_index", "kept_already", "unwritten"]


def _types(head: Primitive) -> tuple[list[Any], Any]:
    """Return a saturated primitive's argument types and its result's."""
    type_: Any = head.type
    found = []
    for _ in range(PATTERNS[head.name].arity):
        found.append(type_.input)
        type_ = type_.output
    return found, type_


def _static(head: Primitive, place: int = 0) -> int:
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
    return split(translator.array(arguments[0]), _static(head))


def _read_join(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    (type_,), _ = _types(head)
    return join(translator.array(arguments[0]), type_.element.size)


def _read_transpose(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    (type_,), _ = _types(head)
    return transpose(translator.array(arguments[0]), type_.element.size)


def _read_zip(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return zipped(translator.array(arguments[0]), translator.array(arguments[1]))


def _read_unzip(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return unzipped(translator.array(arguments[0]))


def _read_reverse(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return reverse(translator.array(arguments[0]))


def _read_strided(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return strided(translator.array(arguments[0]), _static(head))


# ---- windows, borders, parts


def _read_slide(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    array = translator.array(arguments[0])
    size, step = _static(head), _static(head, 1)
    _, result = _types(head)
    return ArrayView(result.size, lambda i: ArrayView(size, lambda j: array.at(i * step + j)))


def _read_pad_constant(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    value, array = translator.view(arguments[0]), translator.array(arguments[1])
    left = _static(head)
    _, result = _types(head)

    def at(i: Index) -> View:
        place = i + -left
        test = Inside(place, 0, array.size)
        return translator.guarded(test, lambda: array.at(place), lambda: value, result.element)

    return ArrayView(result.size, at)


def _read_pad_clamp(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...]
) -> View:
    array, left = translator.array(arguments[0]), _static(head)
    _, result = _types(head)
    return ArrayView(result.size, lambda i: array.at((i + -left).clamped(0, array.size - 1)))


def _read_take(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    return ArrayView(_static(head), translator.array(arguments[0]).at)


def _read_drop(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    array, k = translator.array(arguments[0]), _static(head)
    return ArrayView(array.size - k, lambda i: array.at(i + k))


def _read_concat(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    first, second = translator.array(arguments[0]), translator.array(arguments[1])
    _, result = _types(head)

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
    return split_vectors(translator.array(arguments[0]), _static(head), translator.scratch)


def _read_scalars(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    (type_,), _ = _types(head)
    return joined_vectors(translator.array(arguments[0]), type_.element.size)


def _read_copies(translator: Translator, head: Primitive, arguments: tuple[Argument, ...]) -> View:
    view, width = as_scalar(translator.view(arguments[0])), _static(head)
    if width == 1:
        return view
    return Scalar(lambda: Broadcast(view.value(), width))


_READ = {
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
    "vectorFromScalar": _read_copies,
}


# ---- writing through a pattern


def _place_through(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View
) -> View | None:
    """Return the place of a pattern's last argument when its result goes to `out`.

    None: the pattern drops or repeats elements, so that nothing can be written through it.
    """
    (*_, type_), result = _types(head)
    match head.name:
        case "split":
            return join(as_array(out), _static(head))
        case "join":
            return split(as_array(out), int(type_.element.size))
        case "transpose":
            return transpose(as_array(out), int(result.element.size))
        case "reverse":
            return reverse(as_array(out))
        case "reorderWithStride":
            return strided(as_array(out), as_array(out).size // _static(head))
        case "unzip":
            pair = as_pair(out)
            return zipped(as_array(pair.first), as_array(pair.second))
        case "asVector":
            return joined_vectors(out, _static(head))
        case "asScalar":
            return split_vectors(as_array(out), int(type_.element.size), translator.scratch)
        case "scatter":
            places, target = translator.array(arguments[0]), as_array(out)
            return ArrayView(target.size, lambda i: target.at(as_index(places.at(i), target.size)))
    return None


def _handler(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    if out is None:
        return _READ[head.name](translator, head, arguments)
    if head.name == "zip":
        both = unzipped(as_array(out))
        translator.put(arguments[0], both.first)
        translator.put(arguments[1], both.second)
        return None
    if head.name == "concat":
        whole = as_array(out)
        first = _types(head)[0][0].size
        translator.put(arguments[0], ArrayView(first, whole.at))
        translator.put(arguments[1], ArrayView(whole.size - first, lambda i: whole.at(i + first)))
        return None
    place = _place_through(translator, head, arguments, out)
    if place is None:
        return _READ[head.name](translator, head, arguments)
    translator.put(arguments[-1], place)
    return None


HANDLERS = dict.fromkeys(_READ, _handler)


def accepting(translator: Translator, function: Argument, out: View) -> View | None:
    """Return the place of x when `function(x)` goes to `out` and `function` only moves data.

    None: it computes something, or does not write every element of its result.
    """
    if not isinstance(function, Thunk):
        return None
    expression, environment = function.expression, function.environment
    if isinstance(expression, Lambda):
        return _through(translator, expression.body, environment, expression.param.name, out)
    head, arguments = spine(expression)
    if not isinstance(head, Primitive):
        return None
    thunks = tuple(Thunk(a, environment) for a in arguments)
    return _through_one(translator, head, thunks, out)


def _through(
    translator: Translator, body: Expr, environment: Any, name: str, out: View
) -> View | None:
    if isinstance(body, Identifier):
        return out if body.name == name else None
    head, arguments = spine(body)
    if not isinstance(head, Primitive) or len(arguments) != PATTERNS[head.name].arity:
        return None
    *before, last = arguments
    if any(name in one.free for one in before):
        return None
    thunks = tuple(Thunk(a, environment) for a in before)
    place = _through_one(translator, head, thunks, out)
    return None if place is None else _through(translator, last, environment, name, place)


def _through_one(
    translator: Translator, head: Primitive, before: tuple[Argument, ...], out: View
) -> View | None:
    if len(before) != PATTERNS[head.name].arity - 1:
        return None
    if head.name == "map":
        target = as_array(out)
        # the first element's place tells whether there is one for each
        if accepting(translator, before[0], target.at(Index((), 0))) is None:
            return None
        return ArrayView(target.size, lambda i: _sure(translator, before[0], target.at(i)))
    if head.name in _READ:
        return _place_through(translator, head, before, out)
    return None


def _sure(translator: Translator, function: Argument, out: View) -> View:
    found = accepting(translator, function, out)
    assert found is not None  # noqa: S101  (asked before)
    return found


def kept_already(argument: Argument, space: str) -> bool:
    """Return whether an argument only shows in another order what toMem wrote to that space."""
    expression = argument.expression if isinstance(argument, Thunk) else None
    while expression is not None:
        head, arguments = spine(expression)
        if not isinstance(head, Primitive) or not arguments:
            return False
        if head.name == "toMem":
            return str(head.statics[0]) == space
        if head.name not in ("split", "join", "transpose", "asScalar", "asVector", "reverse"):
            return False
        expression = arguments[-1]
    return False


_WRITERS = frozenset(("mapSeq", "mapSeqUnroll", "mapPar", "mapGlobal", "mapWorkGroup", "mapLocal"))


def unwritten(argument: Argument) -> bool:
    """Return whether an argument is a loop's result, which only exists once it is written."""
    if not isinstance(argument, Thunk):
        return False
    return _writes(argument.expression)


def _writes(expression: Expr) -> bool:
    head, arguments = spine(expression)
    if isinstance(head, Lambda):
        return _writes(head.body) if arguments else False
    if not isinstance(head, Primitive) or not arguments:
        return False
    if isinstance(arguments[-1].type, FunType) and head.name != "let":
        return False
    if head.name in _WRITERS:
        return True
    if head.name == "let":
        function = arguments[-1]
        return isinstance(function, Lambda) and _writes(function.body)
    if head.name in _READ or head.name == "map":
        return any(_writes(a) for a in arguments if _is_data(a.type))
    return False


def _is_data(type_: Type) -> bool:
    return isinstance(type_, ArrayType) and not isinstance(type_.element, IndexType)
