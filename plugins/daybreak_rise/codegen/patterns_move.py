"""Translation of the patterns that move data, for reading and for writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybreak_rise.codegen.arguments import Argument, Thunk
from daybreak_rise.codegen.index import Index
from daybreak_rise.codegen.moves import (
    READ,
    as_index,
    join,
    reverse,
    split,
    static_of,
    strided,
    transpose,
    types_of,
    unzipped,
    zipped,
)
from daybreak_rise.codegen.vectors import joined_vectors, split_vectors
from daybreak_rise.codegen.views import (
    ArrayView,
    View,
    as_array,
    as_pair,
)
from daybreak_rise.expr import Expr, Identifier, Lambda, Primitive, spine
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.types import ArrayType, FunType, IndexType, Type

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = ["HANDLERS", "accepting", "kept_already", "unwritten"]


def _place_through(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View
) -> View | None:
    """Return the place of a pattern's last argument when its result goes to `out`.

    None: the pattern drops or repeats elements, so that nothing can be written through it.
    """
    (*_, type_), result = types_of(head)
    match head.name:
        case "split":
            return join(as_array(out), static_of(head))
        case "join":
            return split(as_array(out), int(type_.element.size))
        case "transpose":
            return transpose(as_array(out), int(result.element.size))
        case "reverse":
            return reverse(as_array(out))
        case "reorderWithStride":
            return strided(as_array(out), as_array(out).size // static_of(head))
        case "unzip":
            pair = as_pair(out)
            return zipped(as_array(pair.first), as_array(pair.second))
        case "asVector":
            return joined_vectors(out, static_of(head))
        case "asScalar":
            return split_vectors(as_array(out), int(type_.element.size), translator.scratch)
        case "asScalarPairs":
            both, width = unzipped(as_array(out)), int(type_.element.first.size)
            first, second = (
                split_vectors(as_array(one), width, translator.scratch)
                for one in (both.first, both.second)
            )
            return zipped(first, second)
        case "scatter":
            places, target = translator.array(arguments[0]), as_array(out)
            return ArrayView(target.size, lambda i: target.at(as_index(places.at(i), target.size)))
    return None


def _handler(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    if out is None:
        return READ[head.name](translator, head, arguments)
    if head.name == "zip":
        both = unzipped(as_array(out))
        translator.put(arguments[0], both.first)
        translator.put(arguments[1], both.second)
        return None
    if head.name == "concat":
        whole = as_array(out)
        first = types_of(head)[0][0].size
        translator.put(arguments[0], ArrayView(first, whole.at))
        translator.put(arguments[1], ArrayView(whole.size - first, lambda i: whole.at(i + first)))
        return None
    place = _place_through(translator, head, arguments, out)
    if place is None:
        return READ[head.name](translator, head, arguments)
    translator.put(arguments[-1], place)
    return None


HANDLERS = dict.fromkeys(READ, _handler)


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
    if head.name in READ:
        return _place_through(translator, head, before, out)
    return None


def _sure(translator: Translator, function: Argument, out: View) -> View:
    found = accepting(translator, function, out)
    assert found is not None  # noqa: S101  (asked before)
    return found


#: patterns that show all elements of an array, each once
_SHOWN = frozenset(
    ("split", "join", "transpose", "asScalar", "asScalarPairs", "asVector", "reverse")
)


def kept_already(argument: Argument, space: str) -> bool:
    """Return whether an argument only shows in another order what toMem wrote to that space."""
    expression = argument.expression if isinstance(argument, Thunk) else None
    while expression is not None:
        head, arguments = spine(expression)
        if not isinstance(head, Primitive) or not arguments:
            return False
        if head.name == "toMem":
            return str(head.statics[0]) == space
        if head.name not in _SHOWN:
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
    if head.name in READ or head.name == "map":
        return any(_writes(a) for a in arguments if _is_data(a.type))
    return False


def _is_data(type_: Type) -> bool:
    return isinstance(type_, ArrayType) and not isinstance(type_.element, IndexType)
