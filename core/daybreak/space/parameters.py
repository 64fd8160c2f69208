"""The six kinds of parameter: what values each has, how they are numbered and written.

A parameter is frozen. Its values are numbered 0 .. size-1 in a fixed order (`value_at`,
`index_of`), ascending for numbers, as listed for categories, lexicographic for permutations; a
real parameter and a program cannot be numbered and have `size` None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from daybreak.errors import SpaceError, nearest
from daybreak.records import Value

__all__ = [
    "Categorical",
    "Integer",
    "Ordinal",
    "Parameter",
    "Permutation",
    "Program",
    "Real",
    "parameter_from_dict",
]

#: Words of the constraint language, which no parameter may be named after.
RESERVED = frozenset(
    {"and", "or", "not", "in", "min", "max", "abs", "pos", "True", "False", "true", "false"}
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SHOWN = 12
#: Whole numbers beyond this have no float, which models need.
_LARGEST = 10**300


class Parameter:
    """What every parameter offers. Make one of the six subclasses.

    Attributes:
        name: an identifier, unique in its space.
        type: `real`, `integer`, `ordinal`, `categorical`, `permutation` or `program`.
        default: the user's default or None.
        when: a constraint expression; where it does not hold the parameter is inactive and
            stands at `rest`. None means always active.
    """

    __slots__ = ()
    type: ClassVar[str] = ""
    name: str
    default: Any
    when: str | None

    @property
    def size(self) -> int | None:
        """Number of values; None if they cannot be listed (real, program)."""
        raise NotImplementedError

    @property
    def rest(self) -> Value:
        """The value an inactive parameter stands at: the default, else a documented stand-in.

        Stand-ins: middle of the range (geometric on a log scale) for numbers, first value for
        ordinal and categorical, identity for permutations, the baseline for programs.
        """
        raise NotImplementedError

    def normalise(self, value: Any) -> Value:
        """Return `value` in the parameter's own type (4.0 -> 4, list -> tuple, NumPy -> Python).

        Raises:
            SpaceError: `value` is not one of the parameter's values.
        """
        raise NotImplementedError

    def contains(self, value: Any) -> bool:
        """Say whether `normalise` would accept `value`."""
        try:
            self.normalise(value)
        except SpaceError:
            return False
        return True

    def value_at(self, index: int) -> Value:
        """Return value number `index`; only where `size` is not None."""
        raise NotImplementedError

    def index_of(self, value: Any) -> int:
        """Return the number of an already normalised value; only where `size` is not None."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description that `parameter_from_dict` reads."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy through the description, which also rebuilds the look-up table."""
        return parameter_from_dict, (self.to_dict(),)

    def _described(self, **fields: Any) -> dict[str, Any]:
        described: dict[str, Any] = {"name": self.name, "type": self.type, **fields}
        if self.default is not None:
            value = self.default
            described["default"] = list(value) if isinstance(value, tuple) else value
        if self.when is not None:
            described["when"] = self.when
        return described

    def _check_common(self) -> None:
        """Check name and `when`, and bring the default into the parameter's own type."""
        if not isinstance(self.name, str) or not _NAME.match(self.name):
            raise SpaceError(
                f"{self.name!r} cannot name a parameter",
                expected="a letter or underscore, then letters, digits and underscores",
            )
        if self.name in RESERVED:
            raise SpaceError(
                f"'{self.name}' is a word of the constraint language and cannot name a parameter",
                field=self.name,
            )
        if self.when is not None and not isinstance(self.when, str):
            raise SpaceError(
                "`when` must be a constraint expression",
                field=self.name,
                expected="text such as 'tiles > 1'",
            )
        if self.default is not None:
            try:
                object.__setattr__(self, "default", self.normalise(self.default))
            except SpaceError as error:
                raise SpaceError(
                    f"the default {self.default!r} is not one of the parameter's values",
                    field=self.name,
                    expected=error.expected,
                ) from error

    def _refuse(self, value: Any, expected: str, close: str | None = None) -> SpaceError:
        return SpaceError(
            f"{value!r} is not a value of this {self.type} parameter",
            field=self.name,
            expected=expected,
            nearest=close,
        )


def _number(value: Any) -> int | float | None:
    """Return a Python number for a number of Python or NumPy that a float can hold, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("i", "u", "f") and getattr(value, "shape", None) == ():
        return _number(value.item())
    return None


def _whole(value: Any) -> int | None:
    """Return `value` as an int if it is a whole number, else None."""
    number = _number(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number


def _alike(numbers: list[Any]) -> list[Any]:
    """Make all numbers floats if one of them is, so that a column of values has one type."""
    if any(isinstance(number, float) for number in numbers):
        return [float(number) for number in numbers]
    return numbers


@dataclass(frozen=True, slots=True)
class Real(Parameter):
    """A real number in [low, high]; `log` samples, encodes and steps on a log scale."""

    type: ClassVar[str] = "real"
    name: str
    low: float
    high: float
    log: bool = False
    default: float | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        """Check the bounds and the default."""
        low, high = _number(self.low), _number(self.high)
        if low is None or high is None:
            raise SpaceError("`low` and `high` must be finite numbers", field=str(self.name))
        object.__setattr__(self, "low", float(low))
        object.__setattr__(self, "high", float(high))
        if not math.isfinite(self.high - self.low):
            raise SpaceError("the range is too wide for a float", field=str(self.name))
        _check_range(self.name, self.low, self.high, self.log)
        self._check_common()

    @property
    def size(self) -> int | None:
        """None: a real parameter has no countable values."""
        return None

    @property
    def rest(self) -> float:
        """The default, else the (geometric) middle of the range."""
        if self.default is not None:
            return self.default
        return (
            math.sqrt(self.low) * math.sqrt(self.high)
            if self.log
            else (self.low / 2 + self.high / 2)
        )

    def normalise(self, value: Any) -> float:
        """Return `value` as a float in [low, high]."""
        number = _number(value)
        if number is None or not self.low <= number <= self.high:
            raise self._refuse(value, f"a number in [{self.low:g}, {self.high:g}]")
        return float(number)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return self._described(low=self.low, high=self.high, log=self.log)


@dataclass(frozen=True, slots=True)
class Integer(Parameter):
    """A whole number in low..high, both included; `log` encodes on a log scale.

    Sampling stays uniform over the whole numbers even with `log`, so that it is uniform over
    configurations; list powers in an `Ordinal` where only magnitudes matter.
    """

    type: ClassVar[str] = "integer"
    name: str
    low: int
    high: int
    log: bool = False
    default: int | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        """Check the bounds and the default."""
        low, high = _whole(self.low), _whole(self.high)
        if low is None or high is None:
            raise SpaceError("`low` and `high` must be whole numbers", field=str(self.name))
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        _check_range(self.name, low, high, self.log)
        self._check_common()

    @property
    def size(self) -> int:
        """Number of values, high - low + 1."""
        return self.high - self.low + 1

    @property
    def rest(self) -> int:
        """The default, else the (geometric) middle of the range, rounded down."""
        if self.default is not None:
            return self.default
        return math.isqrt(self.low * self.high) if self.log else (self.low + self.high) // 2

    def normalise(self, value: Any) -> int:
        """Return `value` as an int in low..high."""
        number = _whole(value)
        if number is None or not self.low <= number <= self.high:
            raise self._refuse(value, f"a whole number in {self.low}..{self.high}")
        return number

    def value_at(self, index: int) -> int:
        """Return low + index."""
        return self.low + index

    def index_of(self, value: Any) -> int:
        """Return value - low."""
        return int(value) - self.low

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return self._described(low=self.low, high=self.high, log=self.log)


class _Listed(Parameter):
    """Shared by ordinal and categorical: values in a tuple, found through a table."""

    __slots__ = ("_table",)
    values: tuple[Any, ...]
    _table: dict[Any, int]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def rest(self) -> Value:
        """The default, else the first value."""
        if self.default is not None:
            return self.default  # type: ignore[no-any-return]
        return self.values[0]  # type: ignore[no-any-return]

    def value_at(self, index: int) -> Value:
        """Return value number `index`."""
        return self.values[index]  # type: ignore[no-any-return]

    def index_of(self, value: Any) -> int:
        """Return the place of `value` in `values`."""
        return self._table[value]

    def _take_values(self) -> list[Any]:
        values = self.values
        if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
            raise SpaceError("`values` must be a list", field=str(self.name))
        listed = list(values)
        if not listed:
            raise SpaceError("`values` is empty", field=str(self.name))
        return listed

    def _keep_values(self, values: list[Any]) -> None:
        object.__setattr__(self, "values", tuple(values))
        object.__setattr__(self, "_table", {value: i for i, value in enumerate(values)})
        if len(self._table) < len(values):
            twice = next(v for i, v in enumerate(values) if self._table[v] != i)
            raise SpaceError(f"the value {twice!r} occurs twice", field=str(self.name))

    def _listing(self) -> str:
        shown = ", ".join(repr(value) for value in self.values[:_SHOWN])
        more = len(self.values) - _SHOWN
        return f"one of {shown}" + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Ordinal(_Listed):
    """One of a list of numbers, kept in ascending order; `log` encodes on a log scale.

    If one of the values is a float, all become floats.
    """

    type: ClassVar[str] = "ordinal"
    name: str
    values: tuple[int | float, ...]
    log: bool = False
    default: int | float | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        """Check the values and the default; sort the values."""
        numbers = []
        for value in self._take_values():
            number = _number(value)
            if number is None:
                raise SpaceError(
                    f"the value {value!r} is not a number",
                    field=str(self.name),
                    expected="numbers; for names or truth values use a categorical parameter",
                )
            numbers.append(number)
        self._keep_values(sorted(_alike(numbers)))
        if self.log and self.values[0] <= 0:
            raise SpaceError("a log scale needs values above 0", field=str(self.name))
        self._check_common()

    def normalise(self, value: Any) -> int | float:
        """Return the equal value of `values`."""
        number = _number(value)
        index = None if number is None else self._table.get(number)
        if index is None:
            close = None
            if number is not None:
                close = repr(min(self.values, key=lambda other: abs(other - number)))
            raise self._refuse(value, self._listing(), close)
        return self.values[index]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return self._described(values=list(self.values), log=self.log)


@dataclass(frozen=True, slots=True)
class Categorical(_Listed):
    """One of a list of names, truth values or numbers without order."""

    type: ClassVar[str] = "categorical"
    name: str
    values: tuple[str | bool | int | float, ...]
    default: str | bool | int | float | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        """Check the values and the default."""
        taken: list[Any] = []
        for value in self._take_values():
            kept = value if isinstance(value, (str, bool)) else _number(value)
            if kept is None:
                raise SpaceError(
                    f"{value!r} cannot be a value",
                    field=str(self.name),
                    expected="texts, truth values or finite numbers",
                )
            taken.append(kept)
        if not any(isinstance(value, (str, bool)) for value in taken):
            taken = _alike(taken)
        self._keep_values(taken)
        self._check_common()

    def normalise(self, value: Any) -> Value:
        """Return the equal value of `values`; a truth value never equals a number."""
        if type(value).__name__ in ("bool_", "bool"):
            kept: Any = bool(value)
        elif isinstance(value, str):
            kept = str(value)
        else:
            kept = _number(value)
        index = None if kept is None else self._table.get(kept)
        if index is None or isinstance(kept, bool) != isinstance(self.values[index], bool):
            names = [str(other) for other in self.values]
            raise self._refuse(value, self._listing(), nearest(str(value), names))
        return self.values[index]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return self._described(values=list(self.values))


@dataclass(frozen=True, slots=True)
class Permutation(Parameter):
    """An order of the elements 0 .. length-1, as a tuple: entry p is the element at position p."""

    type: ClassVar[str] = "permutation"
    name: str
    length: int
    default: tuple[int, ...] | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        """Check the length and the default."""
        length = _whole(self.length)
        if length is None or not 1 <= length <= 1000:
            raise SpaceError("`length` must be a whole number in 1..1000", field=str(self.name))
        object.__setattr__(self, "length", length)
        self._check_common()

    @property
    def size(self) -> int:
        """Number of orders, length!."""
        return math.factorial(self.length)

    @property
    def rest(self) -> tuple[int, ...]:
        """The default, else the identity."""
        return self.default if self.default is not None else tuple(range(self.length))

    def normalise(self, value: Any) -> tuple[int, ...]:
        """Return `value` (any sequence) as a tuple that holds 0 .. length-1 once each."""
        expected = f"a list with each of 0..{self.length - 1} once"
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise self._refuse(value, expected)
        taken: list[int] = []
        for entry in value:
            element = _whole(entry)
            if element is None or len(taken) > self.length:
                raise self._refuse(value, expected)
            taken.append(element)
        if sorted(taken) != list(range(self.length)):
            raise self._refuse(value, expected)
        return tuple(taken)

    def value_at(self, index: int) -> tuple[int, ...]:
        """Return order number `index` in lexicographic order (factorial number system)."""
        left = list(range(self.length))
        order = []
        for remaining in range(self.length - 1, -1, -1):
            place, index = divmod(index, math.factorial(remaining))
            order.append(left.pop(place))
        return tuple(order)

    def index_of(self, value: Any) -> int:
        """Return the lexicographic number of an order."""
        left = list(range(self.length))
        index = 0
        for element in value:
            place = left.index(element)
            left.pop(place)
            index += place * math.factorial(len(left))
        return index

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return self._described(length=self.length)


@dataclass(frozen=True, slots=True)
class Program(Parameter):
    """Source text, starting from a baseline; any text is a value, so it cannot be constrained."""

    type: ClassVar[str] = "program"
    name: str
    baseline: str
    language: str = ""

    def __post_init__(self) -> None:
        """Check the baseline."""
        if not isinstance(self.baseline, str) or not isinstance(self.language, str):
            raise SpaceError("`baseline` and `language` must be text", field=str(self.name))
        self._check_common()

    @property
    def default(self) -> str:
        """The baseline."""
        return self.baseline

    @property
    def when(self) -> None:  # type: ignore[override]
        """None: a program is always active."""
        return

    @property
    def size(self) -> int | None:
        """None: texts cannot be counted."""
        return None

    @property
    def rest(self) -> str:
        """The baseline."""
        return self.baseline

    def _check_common(self) -> None:
        if not isinstance(self.name, str) or not _NAME.match(self.name) or self.name in RESERVED:
            raise SpaceError(f"{self.name!r} cannot name a parameter")

    def normalise(self, value: Any) -> str:
        """Return `value` if it is text."""
        if not isinstance(value, str):
            raise self._refuse(value, "source text")
        return str(value)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return {
            "name": self.name,
            "type": self.type,
            "baseline": self.baseline,
            "language": self.language,
        }


def _check_range(name: str, low: float, high: float, log: bool) -> None:
    if low > high:
        raise SpaceError(f"`low` {low} is above `high` {high}", field=str(name))
    if log and low <= 0:
        raise SpaceError("a log scale needs `low` above 0", field=str(name))


_TYPES: dict[str, type[Parameter]] = {
    cls.type: cls for cls in (Real, Integer, Ordinal, Categorical, Permutation, Program)
}


def parameter_from_dict(described: Mapping[str, Any]) -> Parameter:
    """Make the parameter that a mapping with `name`, `type` and the type's fields describes.

    Raises:
        SpaceError: unknown type or field, missing field, or a value that does not fit.
    """
    if not isinstance(described, Mapping):
        raise SpaceError("a parameter must be a mapping", expected="`name:`, `type:` and values")
    fields = dict(described)
    name = str(fields.get("name", "parameter"))
    if "name" not in fields:
        raise SpaceError("a parameter has no `name`")
    kind = fields.pop("type", None)
    cls = _TYPES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise SpaceError(
            "a parameter has no `type`" if kind is None else f"unknown parameter type {kind!r}",
            field=name,
            expected="one of " + ", ".join(_TYPES),
            nearest=nearest(str(kind), _TYPES),
        )
    allowed = list(cls.__dataclass_fields__)  # type: ignore[attr-defined]
    for key in fields:
        if key not in allowed:
            raise SpaceError(
                f"unknown key '{key}' for a parameter of type {kind}",
                field=name,
                expected="one of " + ", ".join(allowed),
                nearest=nearest(str(key), allowed),
            )
    try:
        return cls(**fields)
    except TypeError as error:
        required = {"real": "low, high", "integer": "low, high", "permutation": "length"}
        needed = required.get(str(kind), "baseline" if kind == "program" else "values")
        raise SpaceError(
            f"a parameter of type {kind} lacks a key", field=name, expected=f"name, {needed}"
        ) from error
