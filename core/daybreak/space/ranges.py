"""Parameters with a range: real and integer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from daybreak.errors import SpaceError
from daybreak.space.parameter import Parameter, number_of, whole_of

__all__ = ["Integer", "Real"]


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
        low, high = number_of(self.low), number_of(self.high)
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
        number = number_of(value)
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
        low, high = whole_of(self.low), whole_of(self.high)
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
        number = whole_of(value)
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


def _check_range(name: str, low: float, high: float, log: bool) -> None:
    if low > high:
        raise SpaceError(f"`low` {low} is above `high` {high}", field=str(name))
    if log and low <= 0:
        raise SpaceError("a log scale needs `low` above 0", field=str(name))
