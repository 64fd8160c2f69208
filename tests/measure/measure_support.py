"""Opening benches on the nasty target, and finding what they leave behind."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daybreak.measure import Bench, open_bench
from daybreak.plugin.specs import Isolation
from daybreak.records import Limits, MeasurementProtocol, Metric

MIB = 1024 * 1024
TIME = Metric("time", "s")
SMALL = Limits(memory_bytes=192 * MIB, output_bytes=MIB, file_bytes=MIB)


def open_nasty(
    isolation: str,
    *,
    options: Mapping[str, Any] | None = None,
    timeout_s: float = 10.0,
    limits: Limits = SMALL,
    objectives: tuple[Metric, ...] = (TIME,),
    **more: Any,
) -> Bench:
    return open_bench(
        factory="nasty_target:Target",
        name="nasty",
        options=options or {},
        protocol=more.pop("protocol", MeasurementProtocol(timeout_s=timeout_s)),
        limits=limits,
        isolation=Isolation(isolation),
        objectives=objectives,
        **more,
    )


def processes_with(name: str, value: str) -> list[int]:
    """Return the processes whose environment holds ``name=value``."""
    needle = f"{name}={value}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if needle in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                found.append(int(entry))
        except OSError:
            continue
    return found


def wait_until(condition: Any, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
