"""Values with units as a suite spells them: durations, sizes, counts."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

__all__ = [
    "Bytes",
    "Count",
    "Seconds",
    "convert_unit",
    "format_seconds",
    "parse_duration",
    "parse_size",
]

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_BYTES = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_PART = re.compile(rf"\s*({_NUMBER})\s*([a-zA-Zµ]+)\s*")
_BARE = re.compile(_NUMBER)

_DURATION = "a duration such as 500ms, 30s, 2min, 1h30min; a bare number is in seconds"
_SIZE = "a size such as 512MiB, 4GiB, 2GB; a bare number is in bytes"

#: the largest count that every part of the store takes
_LARGEST = 10**15


def _parse(text: str, units: dict[str, float] | dict[str, int]) -> float | None:
    """Return the sum of all ``number unit`` parts of `text`, or None when it does not parse."""
    if _BARE.fullmatch(text.strip()):
        return float(text)
    total = 0.0
    end = 0
    while end < len(text):
        found = _PART.match(text, end)
        if found is None or found[2] not in units:
            return None
        total += float(found[1]) * units[found[2]]
        end = found.end()
    return total if end else None


def parse_duration(text: str) -> float:
    """Return the seconds that `text` says: ``500ms``, ``30s``, ``2min``, ``1h30min``, ``45``.

    Raises:
        ValueError: no number, or an unknown unit.
    """
    seconds = _parse(text, _SECONDS)
    if seconds is None:
        raise ValueError(f"{text!r} is no duration; expected {_DURATION}")
    return seconds


def parse_size(text: str) -> int:
    """Return the bytes that `text` says: ``512MiB``, ``4GiB``, ``2GB``, ``4096``.

    Raises:
        ValueError: no number, an unknown unit, or too large.
    """
    size = _parse(text, _BYTES)
    if size is None or not math.isfinite(size):
        raise ValueError(f"{text!r} is no size; expected {_SIZE}")
    return round(size)


def convert_unit(value: float, unit: str, to: str) -> float | None:
    """Return `value` in unit `to`, or None when the units do not convert into each other."""
    if unit == to:
        return value
    for table in (_SECONDS, _BYTES):
        if unit in table and to in table:
            return value * table[unit] / table[to]
    return None


def format_seconds(seconds: float) -> str:
    """Return a duration for people: ``850 ms``, ``12 s``, ``4 min 10 s``, ``3 h 20 min``."""
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for size, name, below, below_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            big, rest = divmod(whole, size)
            small = rest // below
            return f"{big} {name} {small} {below_name}" if small else f"{big} {name}"
    big, small = divmod(whole, 60)
    return f"{big} min {small} s" if small else f"{big} min"


def _wrong(value: Any, what: str, expected: str) -> PydanticCustomError:
    from daybreak.suite.faults import describe

    context = {"found": describe(value), "expected": expected}
    return PydanticCustomError("wrong_value", f"{what}: {{found}}", context)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seconds(value: Any) -> float:
    try:
        seconds = parse_duration(value) if isinstance(value, str) else value
    except ValueError:
        raise _wrong(value, "not a duration", _DURATION) from None
    if not _number(seconds):
        raise _wrong(value, "wrong type", _DURATION)
    try:
        seconds = float(seconds)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds) or seconds <= 0:
        raise _wrong(value, "wrong value", "a duration greater than zero")
    return float(seconds)


def _bytes(value: Any) -> int:
    try:
        size = parse_size(value) if isinstance(value, str) else value
    except ValueError:
        raise _wrong(value, "not a size", _SIZE) from None
    if not _number(size):
        raise _wrong(value, "wrong type", _SIZE)
    if isinstance(size, float) and not size.is_integer():
        raise _wrong(value, "wrong value", "a whole number of bytes")
    if not 0 < size <= _LARGEST:
        raise _wrong(value, "wrong value", f"a size greater than zero, at most {_LARGEST} bytes")
    return int(size)


def _whole(value: Any) -> Any:
    """Let ``1e6`` stand for a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: seconds, from a number or a text with a unit
Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {
                    "type": "string",
                    "pattern": r"^\s*([0-9.]+([eE][-+]?[0-9]+)?\s*(ns|us|µs|ms|s|min|h|d)?\s*)+$",
                },
            ],
            "description": _DURATION,
        }
    ),
]
#: bytes, from a number or a text with a unit
Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\s*[0-9.]+\s*([kKMGT]i?)?B?\s*$"},
            ],
            "description": _SIZE,
        }
    ),
]
#: a whole number of at least 1; ``1e6`` will do
Count = Annotated[int, Field(strict=True, ge=1, le=_LARGEST), BeforeValidator(_whole)]
