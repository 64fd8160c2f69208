"""What is read off the machine around one trial: cheap enough to take every time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from resource import struct_rusage
from typing import Any

__all__ = ["TrialReadings", "steal_seconds"]

_MHZ = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")


class TrialReadings:
    """Readings from the making of the object until `finish`."""

    __slots__ = ("_steal",)

    def __init__(self) -> None:
        self._steal = steal_seconds()

    def finish(self, usage: struct_rusage | None = None) -> dict[str, Any]:
        """Return the readings; what the system does not say is left out.

        ``load_1m``; ``steal_s``: seconds that the hypervisor gave to others, over all processors;
        ``cpu_mhz``; and of the trial's process ``max_rss_bytes``, ``cpu_s`` and
        ``involuntary_switches`` (how often it was put off its processor).
        """
        found: dict[str, Any] = {"load_1m": round(os.getloadavg()[0], 2)}
        steal = steal_seconds()
        if steal is not None and self._steal is not None:
            found["steal_s"] = round(steal - self._steal, 3)
        with contextlib.suppress(OSError, ValueError):
            found["cpu_mhz"] = int(_MHZ.read_text()) / 1000
        if usage is not None:
            found["max_rss_bytes"] = usage.ru_maxrss * 1024
            found["cpu_s"] = usage.ru_utime + usage.ru_stime
            found["involuntary_switches"] = usage.ru_nivcsw
        return found


def steal_seconds() -> float | None:
    """Return the seconds stolen by the hypervisor since boot, over all processors."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            fields = file.readline().split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
