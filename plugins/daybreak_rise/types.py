"""Types of RISE: data (scalars, indices, vectors, pairs, arrays) and functions.

Every type is interned: two equal types are the same object, so that comparing is `is` and hashing
is free. Sizes are `nat.Size`: a plain `int`, or a `Nat` where a symbol is still unknown.
Printed as the RISE papers print them: `4.8.f32` is an array of 4 rows of 8 floats, `<4>f32` a
vector, `(f32 x i32)` a pair, `idx[8]` an index below 8, `s -> t` a function.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from daybreak_rise.nat import Nat, Size, replace_sizes

__all__ = [
    "AddressSpace",
    "ArrayType",
    "FunType",
    "IndexType",
    "PairType",
    "ScalarType",
    "Type",
    "TypeVariable",
    "VectorType",
    "array",
    "boolean",
    "element",
    "f32",
    "f64",
    "function",
    "i32",
    "inputs",
    "replace_sizes_in",
    "shape",
]

_T = TypeVar("_T", bound="Type")


class AddressSpace(StrEnum):
    """Where a value that is written lives."""

    GLOBAL = "global"
    LOCAL = "local"
    PRIVATE = "private"


class Type:
    """Base of all types; compare with `is`."""

    __slots__: tuple[str, ...] = ()
    _interned: dict[Hashable, Any] = {}  # noqa: RUF012  (one table for the process, on purpose)

    @classmethod
    def _one(cls: type[_T], *fields: Hashable) -> _T:
        key = (cls, *fields)
        found: _T | None = Type._interned.get(key)
        if found is None:
            made = object.__new__(cls)
            for slot, value in zip(cls.__slots__, fields, strict=True):
                object.__setattr__(made, slot, value)
            found = Type._interned.setdefault(key, made)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a type is immutable: {name}")

    def __reduce__(self) -> tuple[type[Type], tuple[Any, ...]]:
        return type(self), tuple(getattr(self, slot) for slot in self.__slots__)


class ScalarType(Type):
    """f32, f64, i32 or bool."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str) -> ScalarType:
        """Return the scalar type called `name`."""
        if name not in ("f32", "f64", "i32", "bool"):
            raise ValueError(f"no scalar type '{name}'")
        return cls._one(name)

    def __repr__(self) -> str:
        return self.name


class IndexType(Type):
    """A number from 0 to `size` - 1, as `generate` gives and `idx` takes."""

    __slots__ = ("size",)
    size: Size

    def __new__(cls, size: Size) -> IndexType:
        """Return the type of indices below `size`."""
        return cls._one(size)

    def __repr__(self) -> str:
        return f"idx[{self.size}]"


class VectorType(Type):
    """`size` scalars in one register."""

    __slots__ = ("element", "size")
    size: Size
    element: Type

    def __new__(cls, size: Size, element: Type) -> VectorType:
        """Return the type of vectors of `size` scalars."""
        return cls._one(element, size)

    def __reduce__(self) -> tuple[type[Type], tuple[Any, ...]]:
        return VectorType, (self.size, self.element)

    def __repr__(self) -> str:
        return f"<{self.size}>{self.element}"


class PairType(Type):
    """Two values."""

    __slots__ = ("first", "second")
    first: Type
    second: Type

    def __new__(cls, first: Type, second: Type) -> PairType:
        """Return the type of pairs of the two."""
        return cls._one(first, second)

    def __repr__(self) -> str:
        return f"({self.first} x {self.second})"


class ArrayType(Type):
    """`size` elements of one type."""

    __slots__ = ("element", "size")
    size: Size
    element: Type

    def __new__(cls, size: Size, element: Type) -> ArrayType:
        """Return the type of arrays of `size` elements."""
        return cls._one(element, size)

    def __reduce__(self) -> tuple[type[Type], tuple[Any, ...]]:
        return ArrayType, (self.size, self.element)

    def __repr__(self) -> str:
        size = str(self.size)
        return f"({size}).{self.element}" if " " in size else f"{size}.{self.element}"


class FunType(Type):
    """A function of one argument; more arguments by currying."""

    __slots__ = ("input", "output")
    input: Type
    output: Type

    def __new__(cls, input: Type, output: Type) -> FunType:  # noqa: A002
        """Return the type of functions from `input` to `output`."""
        return cls._one(input, output)

    def __repr__(self) -> str:
        left = f"({self.input})" if isinstance(self.input, FunType) else str(self.input)
        return f"{left} -> {self.output}"


class TypeVariable(Type):
    """Stands for a type in a pattern's scheme; never part of an expression's type.

    `kind` restricts it: "data" (anything but a function), "number" (a scalar or a vector) or
    "scalar".
    """

    __slots__ = ("kind", "name")
    name: str
    kind: str

    def __new__(cls, name: str, kind: str = "data") -> TypeVariable:
        """Return the variable of that name and kind."""
        return cls._one(kind, name)

    def __reduce__(self) -> tuple[type[Type], tuple[Any, ...]]:
        return TypeVariable, (self.name, self.kind)

    def __repr__(self) -> str:
        return self.name


f32 = ScalarType("f32")
f64 = ScalarType("f64")
i32 = ScalarType("i32")
boolean = ScalarType("bool")

_Part: TypeAlias = "Size | Type"


def array(*parts: _Part) -> ArrayType:
    """Return `array(n, m, t)`: n rows of m elements of type t."""
    *sizes, made = parts
    if not sizes or not isinstance(made, Type):
        raise ValueError("array(size, ..., type) takes at least one size and then a type")
    for size in reversed(sizes):
        if not isinstance(size, int | Nat):
            raise TypeError(f"array(size, ..., type): {size!r} is no size")
        made = ArrayType(size, made)
    assert isinstance(made, ArrayType)  # noqa: S101  (at least one size, see above)
    return made


def function(*parts: Type) -> Type:
    """Return `function(a, b, c)`: a -> b -> c."""
    *taken, made = parts
    for one in reversed(taken):
        made = FunType(one, made)
    return made


@lru_cache(maxsize=1 << 14)
def inputs(type: Type) -> tuple[tuple[Type, ...], Type]:  # noqa: A002
    """Return the arguments' types of a curried function and its final result's."""
    found = []
    while isinstance(type, FunType):
        found.append(type.input)
        type = type.output  # noqa: A001
    return tuple(found), type


def shape(type: Type) -> tuple[Size, ...]:  # noqa: A002
    """Return the sizes of nested arrays, outermost first; `()` for anything else."""
    found = []
    while isinstance(type, ArrayType):
        found.append(type.size)
        type = type.element  # noqa: A001
    return tuple(found)


def element(type: Type) -> Type:  # noqa: A002
    """Return what nested arrays hold in the end."""
    while isinstance(type, ArrayType):
        type = type.element  # noqa: A001
    return type


def replace_sizes_in(type: Type, values: Mapping[str, Size]) -> Type:  # noqa: A002
    """Return `type` with the symbols in its sizes replaced."""
    match type:
        case ArrayType():
            return ArrayType(
                replace_sizes(type.size, values), replace_sizes_in(type.element, values)
            )
        case VectorType():
            return VectorType(
                replace_sizes(type.size, values), replace_sizes_in(type.element, values)
            )
        case IndexType():
            return IndexType(replace_sizes(type.size, values))
        case PairType():
            return PairType(
                replace_sizes_in(type.first, values), replace_sizes_in(type.second, values)
            )
        case FunType():
            return FunType(
                replace_sizes_in(type.input, values), replace_sizes_in(type.output, values)
            )
        case _:
            return type
