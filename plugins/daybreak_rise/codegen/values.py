"""Values of the imperative programs: scalars and vectors, without effects.

Every value has a scalar type by name ("f32", "f64", "i32", "bool") and a `width`: 1 for a scalar,
else the number of lanes. They print nothing themselves: see `printing`.
"""

# ruff: noqa: ARG002 - all values are rebuilt alike

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from daybreak_rise.codegen.index import Index, Variable

if TYPE_CHECKING:
    from daybreak_rise.codegen.ir import Buffer

__all__ = [
    "Broadcast",
    "Choice",
    "Constant",
    "Inside",
    "Lane",
    "Load",
    "Number",
    "Operation",
    "Pack",
    "Register",
    "Value",
    "loads",
    "registers",
]


class Value:
    """Base of the values."""

    __slots__ = ("scalar", "width")
    scalar: str
    width: int

    def parts(self) -> tuple[Value, ...]:
        """Return the values it is computed from."""
        return ()

    def index(self) -> Index | None:
        """Return the index it holds, if it holds one of its own."""
        return None

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return the same kind of value over other parts."""
        raise NotImplementedError

    def replaced(self, values: Mapping[Variable, Index]) -> Value:
        """Return the value with index variables replaced."""
        before = self.parts()
        after = tuple(part.replaced(values) for part in before)
        index = self.index()
        new = None if index is None else index.replaced(values)
        if new is index and all(a is b for a, b in zip(before, after, strict=True)):
            return self
        return self.rebuilt(after, new)

    def variables(self) -> Iterator[Variable]:
        """Yield the index variables it depends on."""
        index = self.index()
        if index is not None:
            yield from index.variables()
        for part in self.parts():
            yield from part.variables()


class Constant(Value):
    """A literal."""

    __slots__ = ("value",)

    def __init__(self, value: float | bool, scalar: str) -> None:
        self.value = value
        self.scalar = scalar
        self.width = 1

    def __repr__(self) -> str:
        return str(self.value)


class Number(Value):
    """An index as an i32."""

    __slots__ = ("of",)

    def __init__(self, of: Index) -> None:
        self.of = of
        self.scalar = "i32"
        self.width = 1

    def index(self) -> Index:
        """Return the index."""
        return self.of

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return the number of another index."""
        assert index is not None  # noqa: S101  (Value.replaced keeps it)
        return Number(index)

    def __repr__(self) -> str:
        return repr(self.of)


class Load(Value):
    """`width` scalars of a buffer from `offset` on (in scalars)."""

    __slots__ = ("buffer", "offset")

    def __init__(self, buffer: Buffer, offset: Index, width: int = 1) -> None:
        self.buffer = buffer
        self.offset = offset
        self.scalar = buffer.scalar
        self.width = width

    def index(self) -> Index:
        """Return the offset."""
        return self.offset

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return a load from another offset."""
        assert index is not None  # noqa: S101  (Value.replaced keeps it)
        return Load(self.buffer, index, self.width)

    def __repr__(self) -> str:
        return f"{self.buffer.name}[{self.offset!r}:{self.width}]"


class Register(Value):
    """A named value that is computed once (`ir.Define`)."""

    __slots__ = ("name",)

    def __init__(self, name: str, scalar: str, width: int) -> None:
        self.name = name
        self.scalar = scalar
        self.width = width

    def __repr__(self) -> str:
        return self.name


class Operation(Value):
    """A pattern of layer `scalar` applied, by its name (`patterns.PATTERNS`), lane by lane.

    All arguments have the same width. `cast` has the wanted type in `scalar`; comparisons and
    logic give "bool".
    """

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: tuple[Value, ...], scalar: str) -> None:
        self.name = name
        self.arguments = arguments
        self.scalar = scalar
        self.width = arguments[0].width

    def parts(self) -> tuple[Value, ...]:
        """Return the arguments."""
        return self.arguments

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return the operation on other arguments."""
        return Operation(self.name, parts, self.scalar)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.arguments))})"


class Choice(Value):
    """`yes` where the scalar `test` is true, else `no`; only the chosen one is computed."""

    __slots__ = ("no", "test", "yes")

    def __init__(self, test: Value, yes: Value, no: Value) -> None:
        self.test = test
        self.yes = yes
        self.no = no
        self.scalar = yes.scalar
        self.width = yes.width

    def parts(self) -> tuple[Value, ...]:
        """Return test and alternatives."""
        return self.test, self.yes, self.no

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return the choice between other values."""
        return Choice(*parts)

    def __repr__(self) -> str:
        return f"({self.test!r} ? {self.yes!r} : {self.no!r})"


class Inside(Value):
    """Whether low <= index < high."""

    __slots__ = ("high", "low", "of")

    def __init__(self, of: Index, low: int, high: int) -> None:
        self.of = of
        self.low = low
        self.high = high
        self.scalar = "bool"
        self.width = 1

    def index(self) -> Index:
        """Return the index that is tested."""
        return self.of

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return the same test of another index."""
        assert index is not None  # noqa: S101  (Value.replaced keeps it)
        return Inside(index, self.low, self.high)

    @property
    def always(self) -> bool:
        """Whether the index's range alone says yes."""
        return self.low <= self.of.low and self.of.high < self.high

    @property
    def never(self) -> bool:
        """Whether the index's range alone says no."""
        return self.of.high < self.low or self.of.low >= self.high

    def __repr__(self) -> str:
        return f"{self.low} <= {self.of!r} < {self.high}"


class Broadcast(Value):
    """A vector of `width` equal scalars."""

    __slots__ = ("of",)

    def __init__(self, of: Value, width: int) -> None:
        self.of = of
        self.scalar = of.scalar
        self.width = width

    def parts(self) -> tuple[Value, ...]:
        """Return the scalar."""
        return (self.of,)

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return copies of another scalar."""
        return Broadcast(parts[0], self.width)

    def __repr__(self) -> str:
        return f"<{self.width}>({self.of!r})"


class Pack(Value):
    """A vector of several scalars."""

    __slots__ = ("lanes",)

    def __init__(self, lanes: tuple[Value, ...]) -> None:
        self.lanes = lanes
        self.scalar = lanes[0].scalar
        self.width = len(lanes)

    def parts(self) -> tuple[Value, ...]:
        """Return the scalars."""
        return self.lanes

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return the vector of other scalars."""
        return Pack(parts)

    def __repr__(self) -> str:
        return f"<{', '.join(map(repr, self.lanes))}>"


class Lane(Value):
    """The scalar at `place` of a vector."""

    __slots__ = ("of", "place")

    def __init__(self, of: Value, place: Index) -> None:
        self.of = of
        self.place = place
        self.scalar = of.scalar
        self.width = 1

    def parts(self) -> tuple[Value, ...]:
        """Return the vector."""
        return (self.of,)

    def index(self) -> Index:
        """Return the lane's number."""
        return self.place

    def rebuilt(self, parts: tuple[Value, ...], index: Index | None) -> Value:
        """Return a lane of another vector."""
        assert index is not None  # noqa: S101  (Value.replaced keeps it)
        return Lane(parts[0], index)

    def __repr__(self) -> str:
        return f"{self.of!r}.{self.place!r}"


def loads(value: Value) -> list[Load]:
    """Return every load in `value`, those in its indices among them."""
    return [one for one in _everything(value) if isinstance(one, Load)]


def registers(value: Value) -> list[Register]:
    """Return every register that `value` uses."""
    return [one for one in _everything(value) if isinstance(one, Register)]


def _everything(value: Value) -> list[Value]:
    """Return a value and all it is computed from."""
    found = [value]
    for one in found:
        index = one.index()
        if index is not None:
            found += index.reads()
        found += one.parts()
    return found
