"""Views: where the elements of an expression's value are found, or where they are to be written.

A view of an array gives a view of the element at an index; the patterns that only move data
(`split`, `zip`, `transpose`, ...) make a view of a view and cost nothing. The same views serve as
acceptors (Atkey et al., arXiv 1710.08332): to write `join(e)` into a place is to write `e` into the
place seen as rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from daybreak_rise.codegen.index import Index
from daybreak_rise.codegen.ir import Buffer
from daybreak_rise.codegen.values import Constant, Load, Number, Register, Value
from daybreak_rise.types import ArrayType, IndexType, PairType, ScalarType, Type, VectorType

__all__ = [
    "ArrayView",
    "IndexView",
    "Memory",
    "PairView",
    "Scalar",
    "Storage",
    "Value",
    "View",
    "as_array",
    "as_pair",
    "as_scalar",
    "layout",
    "memory",
    "scalar_of",
]


class View:
    """Base of the views."""

    __slots__ = ()


class ArrayView(View):
    """`size` elements."""

    __slots__ = ("at", "size")

    def __init__(self, size: int, at: Callable[[Index], View]) -> None:
        self.size = size
        self.at = at


class PairView(View):
    """Two values."""

    __slots__ = ("first", "second")

    def __init__(self, first: View, second: View) -> None:
        self.first = first
        self.second = second


class Scalar(View):
    """A scalar or a vector; `value` may add statements to the present block."""

    __slots__ = ("_value",)

    def __init__(self, value: Callable[[], Value] | Value) -> None:
        self._value = value

    def value(self) -> Value:
        """Return the value."""
        return self._value if isinstance(self._value, Value) else self._value()

    @property
    def cheap(self) -> bool:
        """Whether using the value twice costs nothing."""
        found = self._value
        return isinstance(found, Constant | Register | Number)


class Memory(Scalar):
    """Scalars in a buffer: can be read and written."""

    __slots__ = ("buffer", "offset", "size", "width")

    def __init__(self, buffer: Buffer, offset: Index, width: int, size: int | None = None) -> None:
        self.buffer = buffer
        self.offset = offset
        self.width = width
        self.size = size  # of an index that is kept in memory: what it stays below

    def value(self) -> Value:
        """Return the load."""
        return Load(self.buffer, self.offset, self.width)

    @property
    def cheap(self) -> bool:
        """Whether it is a register's worth of private memory."""
        return self.buffer.space == "private"


class IndexView(Scalar):
    """A number below some size."""

    __slots__ = ("index",)

    def __init__(self, index: Index) -> None:
        super().__init__(Number(index))
        self.index = index


# the buffers of a type: one, or those of both sides of a pair (arrays of pairs: a pair of arrays)
Storage: TypeAlias = "Buffer | tuple[Storage, Storage]"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One buffer that a type needs: its scalar type, scalars, array sizes, and path in pairs."""

    scalar: str
    length: int
    shape: tuple[int, ...]
    path: str


def scalar_of(type_: Type) -> tuple[str, int]:
    """Return the scalar type's name and the width of what is kept in one place of memory."""
    match type_:
        case ScalarType():
            return type_.name, 1
        case IndexType():
            return "i32", 1
        case VectorType():
            return scalar_of(type_.element)[0], int(type_.size)  # type: ignore[arg-type]
    raise TypeError(f"no scalar: {type_}")


def layout(type_: Type, shape: tuple[int, ...] = (), path: str = "") -> list[Leaf]:
    """Return the buffers that hold a value of `type_`, in the order of its parts."""
    match type_:
        case ArrayType():
            return layout(type_.element, (*shape, int(type_.size)), path)  # type: ignore[arg-type]
        case PairType():
            return [
                *layout(type_.first, shape, path + "0"),
                *layout(type_.second, shape, path + "1"),
            ]
    scalar, width = scalar_of(type_)
    if width > 1:
        shape = (*shape, width)
    length = 1
    for size in shape:
        length *= size
    return [Leaf(scalar, length, shape, path)]


def memory(type_: Type, storage: Storage, position: Index) -> View:
    """Return the view of a value of `type_` that is kept in `storage` as its `position`-th."""
    match type_:
        case ArrayType():
            size, inner = int(type_.size), type_.element  # type: ignore[arg-type]
            base = position * size
            return ArrayView(size, lambda i: memory(inner, storage, base + i))
        case PairType():
            assert isinstance(storage, tuple)  # noqa: S101  (made from the same type)
            return PairView(
                memory(type_.first, storage[0], position),
                memory(type_.second, storage[1], position),
            )
    assert isinstance(storage, Buffer)  # noqa: S101
    _, width = scalar_of(type_)
    size_ = int(type_.size) if isinstance(type_, IndexType) else None  # type: ignore[arg-type]
    return Memory(storage, position * width, width, size_)


def as_array(view: View) -> ArrayView:
    """Return `view`, which types say is an array's."""
    assert isinstance(view, ArrayView), view  # noqa: S101
    return view


def as_pair(view: View) -> PairView:
    """Return `view`, which types say is a pair's."""
    assert isinstance(view, PairView), view  # noqa: S101
    return view


def as_scalar(view: View) -> Scalar:
    """Return `view`, which types say is a scalar's or a vector's."""
    assert isinstance(view, Scalar), view  # noqa: S101
    return view
