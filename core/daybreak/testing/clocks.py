"""Finding out whether code reads the clock."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["forbid_clocks"]

_OF_TIME = frozenset(
    {
        "clock_gettime",
        "clock_gettime_ns",
        "ctime",
        "gmtime",
        "localtime",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "process_time",
        "process_time_ns",
        "thread_time",
        "thread_time_ns",
        "time",
        "time_ns",
    }
)
_OF_DATETIME = frozenset({"now", "today", "utcnow"})


def _is_clock(function: Any) -> bool:
    name = getattr(function, "__name__", "")
    if getattr(function, "__module__", None) == "time":
        return name in _OF_TIME
    owner = getattr(function, "__self__", None)
    return name in _OF_DATETIME and isinstance(owner, type) and owner.__module__ == "datetime"


@contextmanager
def forbid_clocks(package: str) -> Iterator[list[str]]:
    """Yield a list to which each reading of a clock by code of `package` is added: where and which.

    Works through the interpreter's profiling hook, so that it also sees functions imported by name
    and `datetime`; the calls themselves go through. Only this thread is watched.
    """
    readings: list[str] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event != "c_call" or not _is_clock(argument):
            return
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] == package:
            place = f"{module}:{frame.f_lineno} calls {argument.__name__}()"
            if place not in readings:
                readings.append(place)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield readings
    finally:
        sys.setprofile(before)
