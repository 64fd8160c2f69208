"""Parameters with a list of values: ordinal and categorical."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from daybreak.errors import SpaceError, nearest
from daybreak.records import Value
from daybreak.space.parameter import Parameter, number_of

__all__ = ["Categorical", "Ordinal"]

#: Values shown in a message.
_SHOWN = 12


def _alike(numbers: list[Any]) -> list[Any]:
    """Make all numbers floats if one of them is, so that a column of values has one type."""
    if any(isinstance(number, float) for number in numbers):
        return [float(number) for number in numbers]
    return numbers


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
            number = number_of(value)
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
        number = number_of(value)
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
            kept = value if isinstance(value, (str, bool)) else number_of(value)
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
            kept = number_of(value)
        index = None if kept is None else self._table.get(kept)
        if index is None or isinstance(kept, bool) != isinstance(self.values[index], bool):
            names = [str(other) for other in self.values]
            raise self._refuse(value, self._listing(), nearest(str(value), names))
        return self.values[index]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description."""
        return self._described(values=list(self.values))
