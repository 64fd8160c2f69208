"""What every parameter offers, and how numbers are taken from users."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

from daybreak.errors import SpaceError
from daybreak.records import Value

__all__ = ["NAME", "RESERVED", "Parameter", "number_of", "whole_of"]

#: Words of the constraint language, which no parameter may be named after.
RESERVED = frozenset(
    {"and", "or", "not", "in", "min", "max", "abs", "pos", "True", "False", "true", "false"}
)
#: What a parameter may be called.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
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
        from daybreak.space.parameters import parameter_from_dict

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
        if not isinstance(self.name, str) or not NAME.match(self.name):
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


def number_of(value: Any) -> int | float | None:
    """Return a Python number for a number of Python or NumPy that a float can hold, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("i", "u", "f") and getattr(value, "shape", None) == ():
        return number_of(value.item())
    return None


def whole_of(value: Any) -> int | None:
    """Return `value` as an int if it is a whole number, else None."""
    number = number_of(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number
