"""Units of time as files spell them."""

from __future__ import annotations

from daybreak import UserError, nearest

__all__ = ["TIME_UNITS", "seconds_per", "time_unit"]

#: Seconds in each unit.
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}

# the words of T1, T4, and of files that are spelt less carefully: Kernel Tuner's own hub writes
# "miliseconds"
_WORDS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "msec": "ms", "msecs": "ms", "milisecond": "ms", "miliseconds": "ms",
    "millisecond": "ms", "milliseconds": "ms",
    "us": "us", "µs": "us", "μs": "us", "usec": "us", "microsecond": "us", "microseconds": "us",
    "ns": "ns", "nsec": "ns", "nanosecond": "ns", "nanoseconds": "ns",
    "min": "min", "minute": "min", "minutes": "min",
    "h": "h", "hour": "h", "hours": "h",
}  # fmt: skip


def time_unit(word: str) -> str | None:
    """Return the unit that `word` means, one of `TIME_UNITS`; None if it means no time."""
    return _WORDS.get(word.strip().lower())


def seconds_per(word: str, *, field: str, file: str | None = None) -> float:
    """Return the seconds in the unit `word`.

    Raises:
        UserError: `word` is no unit of time.
    """
    unit = time_unit(word)
    if unit is None:
        raise UserError(
            f"'{word}' is no unit of time",
            file=file,
            field=field,
            expected="one of " + ", ".join(TIME_UNITS),
            nearest=_WORDS.get(nearest(word.strip().lower(), _WORDS) or ""),
        )
    return TIME_UNITS[unit]
