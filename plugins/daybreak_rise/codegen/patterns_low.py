"""Translation of the patterns that compute and of those that say how to run."""

# ruff: noqa: ARG001 - all handlers are called alike

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybreak import BuildFailed
from daybreak_rise.codegen.arguments import Argument
from daybreak_rise.codegen.index import ZERO, Index
from daybreak_rise.codegen.inplace import in_place
from daybreak_rise.codegen.ir import Block, Buffer, Level
from daybreak_rise.codegen.patterns_move import accepting, kept_already, unwritten
from daybreak_rise.codegen.rotation import rotated
from daybreak_rise.codegen.storage import allocate, leaves, plain_place
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
from daybreak_rise.expr import Primitive
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.types import AddressSpace, ArrayType, PairType, Type

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = ["HANDLERS"]

_PARALLEL = {
    "mapGlobal": Level.GLOBAL,
    "mapWorkGroup": Level.GROUP,
    "mapLocal": Level.LOCAL,
}


def _result(head: Primitive) -> Any:
    type_: Any = head.type
    for _ in range(PATTERNS[head.name].arity):
        type_ = type_.output
    return type_


def _map(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    function, array = arguments
    if out is not None and unwritten(array):
        target = as_array(out)
        place = accepting(translator, function, target.at(ZERO)) if target.size else None
        if place is not None:
            translator.put(
                array, ArrayView(target.size, lambda i: _place(translator, function, target.at(i)))
            )
            return None
    return _loop(translator, head, arguments, out)


def _place(translator: Translator, function: Argument, out: View) -> View:
    found = accepting(translator, function, out)
    assert found is not None  # noqa: S101  (asked for the first element)
    return found


def _loop(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    function, array = arguments
    source = translator.array(array)
    if out is None:
        return ArrayView(source.size, lambda i: translator.call(function, (source.at(i),)))
    target = as_array(out)
    translator.loop(
        source.size,
        lambda i: translator.call(function, (source.at(i),), target.at(i)),
        unroll=head.name == "mapSeqUnroll",
        threads=head.name == "mapPar",
    )
    return None


def _parallel(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    level, dimension = _PARALLEL[head.name], int(head.statics[0])  # type: ignore[arg-type]
    if out is None:
        raise BuildFailed(
            f"{head.name}({dimension}) has a result that is read but was never written: "
            "put toMem around it"
        )
    function, array = arguments
    source, target = translator.array(array), as_array(out)
    translator.parallel(
        source.size,
        level,
        dimension,
        lambda i: translator.call(function, (source.at(i),), target.at(i)),
    )
    return None


def _reduce(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    function, initial, array = arguments
    type_ = _result(head)
    space = AddressSpace(str(head.statics[0])) if head.statics else AddressSpace.PRIVATE
    source = translator.array(array)
    kept = out if out is not None and _may_hold(out, type_, space) else None
    accumulator = kept if kept is not None else allocate(translator, type_, space)
    with translator.fill():
        translator.put(initial, accumulator)
    buffers = _buffers(accumulator)
    unroll = head.name == "reduceSeqUnroll"
    block = Block()

    def step(i: Index) -> None:
        with translator.fill():
            translator.call(function, (accumulator, source.at(i)), accumulator)

    with translator.into(block):
        translator.loop(source.size, step, unroll)
    if not all(in_place(block, buffer) for buffer in buffers):
        # a step reads what it has overwritten: give it a second accumulator and copy
        other = allocate(translator, type_, space)
        block = Block()

        def step_and_copy(i: Index) -> None:
            with translator.fill():
                translator.call(function, (accumulator, source.at(i)), other)
            with translator.fill():
                translator.write(other, accumulator)

        with translator.into(block):
            translator.loop(source.size, step_and_copy, unroll)
    translator.block.statements += block.statements
    return accumulator if kept is None else None


def _may_hold(out: View, type_: Type, space: AddressSpace) -> bool:
    """Return whether a reduction may keep its accumulator right where its result goes."""
    return isinstance(type_, ArrayType) and plain_place(out, space.value)


def _buffers(view: View) -> set[Buffer]:
    return {leaf.buffer for leaf in leaves(view)}


def _to_memory(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    space = AddressSpace(str(head.statics[0]))
    type_ = _result(head)
    if out is not None and plain_place(out, space.value):
        translator.put(arguments[0], out)
        return None
    if space is AddressSpace.PRIVATE and not _has_array(type_):
        return _in_registers(translator, translator.view(arguments[0]))
    if kept_already(arguments[0], space):
        return translator.view(arguments[0])
    place = allocate(translator, type_, space)
    with translator.fill():
        translator.put(arguments[0], place)
    return place


def _has_array(type_: Type) -> bool:
    if isinstance(type_, PairType):
        return _has_array(type_.first) or _has_array(type_.second)
    return isinstance(type_, ArrayType)


def _in_registers(translator: Translator, view: View) -> View:
    if isinstance(view, PairView):
        return PairView(
            _in_registers(translator, view.first), _in_registers(translator, view.second)
        )
    if isinstance(view, IndexView):
        return view
    return Scalar(translator.define(as_scalar(view).value()))


def _let(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    value, function = arguments
    return translator.call(function, (translator.view(value),), out)


def _generate(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    size, function = int(head.statics[0]), arguments[0]  # type: ignore[arg-type]
    if out is None:
        return ArrayView(size, lambda i: translator.call(function, (IndexView(i),)))
    target = as_array(out)
    translator.loop(size, lambda i: translator.call(function, (IndexView(i),), target.at(i)))
    return None


def _select(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    test = translator.once(as_scalar(translator.view(arguments[0]))).value()
    yes, no = translator.view(arguments[1]), translator.view(arguments[2])
    return translator.guarded(test, lambda: yes, lambda: no, _result(head))


def _pair(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View | None:
    type_ = _result(head)
    if out is None or not _has_array(type_):
        return PairView(translator.view(arguments[0]), translator.view(arguments[1]))
    target = as_pair(out)
    translator.put(arguments[0], target.first)
    translator.put(arguments[1], target.second)
    return None


def _first(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    return as_pair(translator.view(arguments[0])).first


def _second(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    return as_pair(translator.view(arguments[0])).second


HANDLERS = {
    "map": _map,
    "mapSeq": _loop,
    "mapSeqUnroll": _loop,
    "mapPar": _loop,
    "mapGlobal": _parallel,
    "mapWorkGroup": _parallel,
    "mapLocal": _parallel,
    "reduce": _reduce,
    "reduceSeq": _reduce,
    "reduceSeqUnroll": _reduce,
    "rotateValues": rotated,
    "toMem": _to_memory,
    "let": _let,
    "generate": _generate,
    "select": _select,
    "pair": _pair,
    "fst": _first,
    "snd": _second,
}
