"""What is to be measured on: the processors that may be used, their caches, free memory."""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from daybreak.measure.affinity import chosen_cpus
from daybreak.measure.readings import machine_readings
from daybreak.measure.system import read_number, read_text

__all__ = ["Cache", "cache_levels", "free_memory_bytes", "usable_cpus"]

_CPUS = Path("/sys/devices/system/cpu")
_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cache:
    """A level of data caches: `bytes` of one, how many there are (`count`), `name` such as L2."""

    name: str
    bytes: int
    count: int


def usable_cpus() -> tuple[int, ...]:
    """Return the processors to measure on: `DAYBREAK_CPUS`, else all that this process may use.

    No more of them than the control group grants time for.
    """
    cpus = chosen_cpus() or tuple(sorted(os.sched_getaffinity(0)))
    quota = machine_readings(gpus=False)["cpu_quota"]
    return cpus if quota is None else cpus[: max(1, math.floor(quota))]


def cache_levels(cpus: Collection[int], root: Path = _CPUS) -> list[Cache]:
    """Return the data caches of `cpus`, nearest first."""
    found: dict[int, dict[str, tuple[str, int]]] = {}
    for cpu in sorted(cpus):
        for folder in sorted((root / f"cpu{cpu}" / "cache").glob("index[0-9]*")):
            level, kind = read_number(folder / "level"), read_text(folder / "type")
            size = _bytes(read_text(folder / "size"))
            if level is None or size is None or kind not in ("Data", "Unified"):
                continue
            shared = read_text(folder / "shared_cpu_list") or str(cpu)
            name = f"L{level}" + ("d" if kind == "Data" else "")
            found.setdefault(level, {})[shared] = (name, size)
    levels = []
    for _, caches in sorted(found.items()):
        names, sizes = zip(*caches.values(), strict=True)
        levels.append(Cache(names[0], min(sizes), len(sizes)))
    return levels


def free_memory_bytes() -> int | None:
    """Return how much memory can be had: what the machine, and the control group, has left."""
    left = [machine_readings(gpus=False)["memory_available_bytes"]]
    most, used = read_number(_GROUP / "memory.max"), read_number(_GROUP / "memory.current")
    if most is not None and used is not None:
        left.append(most - used)
    known = [value for value in left if value is not None]
    return max(0, min(known)) if known else None


def _bytes(text: str | None) -> int | None:
    if text is None or not text.rstrip("KMG").isdigit():
        return None
    return int(text.rstrip("KMG")) * {"K": 1024, "M": 1024**2, "G": 1024**3}.get(text[-1], 1)
