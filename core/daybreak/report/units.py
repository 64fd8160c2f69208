"""Units in which numbers are easily read."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["duration", "readable_unit"]

_SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def readable_unit(values: Iterable[float | None], unit: str | None) -> tuple[float, str | None]:
    """Return a factor and a unit in which times are easily read; other units stay.

    The one in the middle decides: a single value that is far off must not.
    """
    known = sorted(abs(value) for value in values if value and math.isfinite(value))
    if unit != "s" or not known:
        return 1.0, unit
    middle = known[(len(known) - 1) // 2]
    for size, name in _SCALES:
        if middle >= size:
            return 1 / size, name
    return 1e9, "ns"


def duration(seconds: float) -> str:
    """Return a duration in words: ``85 ms``, ``12.3 s``, ``4 min 5 s``, ``3 h 12 min``, ``2 d 3 h``."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 60:
        factor, unit = readable_unit([seconds], "s")
        return f"{seconds * factor:.3g} {unit}" if round(seconds, 1) < 60 else "1 min 0 s"
    whole = round(seconds)
    for size, name, smaller, part in (
        (86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"),
    ):  # fmt: skip
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {part}"
    return f"{whole} s"
