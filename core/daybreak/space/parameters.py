"""The six kinds of parameter: what values each has, how they are numbered and written.

A parameter is frozen. Its values are numbered 0 .. size-1 in a fixed order (`value_at`,
`index_of`), ascending for numbers, as listed for categories, lexicographic for permutations; a
real parameter and a program cannot be numbered and have `size` None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from daybreak.errors import SpaceError, nearest
from daybreak.space.listed import Categorical, Ordinal
from daybreak.space.parameter import NAME, RESERVED, Parameter, whole_of
from daybreak.space.ranges import Integer, Real

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
        length = whole_of(self.length)
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
            element = whole_of(entry)
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
        if not isinstance(self.name, str) or not NAME.match(self.name) or self.name in RESERVED:
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
