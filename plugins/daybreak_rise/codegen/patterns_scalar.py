"""Translation of literals and of the patterns of layer `scalar`."""

# ruff: noqa: ARG001 - all handlers are called alike

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from daybreak_rise.codegen.arguments import Argument
from daybreak_rise.codegen.index import Index
from daybreak_rise.codegen.ir import Space
from daybreak_rise.codegen.values import Constant, Load, Number, Operation, Value
from daybreak_rise.codegen.views import (
    ArrayView,
    IndexView,
    PairView,
    Scalar,
    View,
    scalar_of,
)
from daybreak_rise.expr import Literal, Primitive
from daybreak_rise.patterns import PATTERNS, Layer
from daybreak_rise.types import ArrayType, IndexType, PairType, ScalarType, Type, VectorType

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = ["HANDLERS", "literal_view"]

_INDEX_FOLDS: dict[str, Callable[[Any, Any], Any]] = {"add": operator.add, "sub": operator.sub}


def _operation(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    views = [translator.view(argument) for argument in arguments]

    def value() -> Value:
        values = tuple(view.value() for view in views if isinstance(view, Scalar))
        return operation(head.name, values, scalar_of(_result(head))[0])

    if out is not None:
        return Scalar(value())
    return Scalar(value)


def _result(head: Primitive) -> Type:
    type_: Any = head.type
    for _ in range(PATTERNS[head.name].arity):
        type_ = type_.output
    return type_  # type: ignore[no-any-return]


def operation(name: str, values: tuple[Value, ...], scalar: str) -> Value:
    """Return a scalar pattern applied to values; sums of indices stay indices."""
    fold = _INDEX_FOLDS.get(name)
    if fold is not None and all(isinstance(v, Number) for v in values):
        return Number(fold(*(v.of for v in values if isinstance(v, Number))))
    if name == "cast" and values[0].scalar == scalar:
        return values[0]
    return Operation(name, values, scalar)


def literal_view(translator: Translator, literal: Literal) -> View:
    """Return the view of a constant; an array becomes a table unless its indices are known."""
    return _literal(translator, literal.value, literal.type)


def _literal(translator: Translator, value: Any, type_: Type) -> View:
    match type_:
        case ArrayType():
            return _Table(translator, value, type_).view((), type_)
        case VectorType():
            raise TypeError("no literal is a vector")
        case PairType():
            return PairView(
                _literal(translator, value[0], type_.first),
                _literal(translator, value[1], type_.second),
            )
        case IndexType():
            from daybreak_rise.codegen.index import constant

            return IndexView(constant(int(value)))
    assert isinstance(type_, ScalarType)  # noqa: S101
    return Scalar(Constant(value, type_.name))


class _Table:
    """A literal array: a buffer of numbers, made when an element is first asked for."""

    def __init__(self, translator: Translator, value: Any, type_: ArrayType) -> None:
        self.translator = translator
        self.scalar, _ = scalar_of(_inner(type_))
        self.table = tuple(_flat(value))
        self.buffer: Any = None

    def view(self, path: tuple[tuple[Index, int], ...], type_: Type) -> View:
        if isinstance(type_, ArrayType):
            size, inner = int(type_.size), type_.element  # type: ignore[arg-type]
            return ArrayView(size, lambda i: self.view((*path, (i, size)), inner))
        position = Index((), 0)
        for index, size in path:
            position = position * size + index
        if position.known:
            number = self.table[position.rest]
            if isinstance(type_, IndexType):
                return IndexView(Index((), int(number)))
            return Scalar(Constant(number, self.scalar))
        if self.buffer is None:
            self.buffer = self.translator.buffer(
                self.scalar, len(self.table), Space.TABLE, table=self.table
            )
        if isinstance(type_, IndexType):
            from daybreak_rise.codegen.views import Memory

            return Memory(self.buffer, position, 1, int(type_.size))  # type: ignore[arg-type]
        return Scalar(Load(self.buffer, position))


def _inner(type_: Type) -> Type:
    while isinstance(type_, ArrayType):
        type_ = type_.element
    return type_


def _flat(value: Any) -> list[float]:
    if isinstance(value, tuple):
        return [number for part in value for number in _flat(part)]
    return [value]


def _cast(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    view = translator.view(arguments[0])
    if isinstance(view, IndexView) and str(head.statics[0]) == "i32":
        return Scalar(Number(view.index))
    assert isinstance(view, Scalar)  # noqa: S101  (typed)
    return Scalar(lambda: operation("cast", (view.value(),), str(head.statics[0])))


HANDLERS = {name: _operation for name, one in PATTERNS.items() if one.layer is Layer.SCALAR} | {
    "cast": _cast
}
