"""Readings: what varies on a machine, around one trial (cheap) or for a run (thorough)."""

from __future__ import annotations

import contextlib
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from resource import struct_rusage
from statistics import fmean
from typing import Any

from daybreak.measure.hardware import gpu_rows
from daybreak.measure.system import read_number, read_text

__all__ = ["TrialReadings", "governors", "machine_readings", "steal_seconds", "turbo"]

_CPUS = Path("/sys/devices/system/cpu")
_MHZ = _CPUS / "cpu0/cpufreq/scaling_cur_freq"
_GPU_FIELDS = ("temperature.gpu", "clocks.sm", "clocks.mem", "power.draw", "utilization.gpu")


def machine_readings(*, gpus: bool = True) -> dict[str, Any]:
    """Return what varies on this machine, read now; None where the system does not say.

    Keys: `taken_at` (UTC), `host`, `uptime_s`, `load_1m`, `load_5m`, `load_15m`, `cpu_mhz` (`mean`,
    `low`, `high` over processors), `governors`, `turbo`, `smt`, `temperature_c` (hottest zone),
    `memory_available_bytes`, `swap_used_bytes`, `steal_s` (since boot, over all processors),
    `cpus_allowed`, `cpu_quota` (processors that the control group allows), and `gpus` (a row for
    each NVIDIA GPU, unless `gpus` is False: asking its driver takes a good part of a second).
    """
    load = os.getloadavg()
    memory = _memory_info()
    swap_total, swap_free = memory.get("SwapTotal"), memory.get("SwapFree")
    uptime = read_text("/proc/uptime")
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "host": platform.node() or None,
        "uptime_s": None if uptime is None else float(uptime.split()[0]),
        "load_1m": load[0],
        "load_5m": load[1],
        "load_15m": load[2],
        "cpu_mhz": _frequencies(),
        "governors": governors(),
        "turbo": turbo(),
        "smt": {"1": True, "0": False}.get(read_text(_CPUS / "smt/active") or ""),
        "temperature_c": _temperature(),
        "memory_available_bytes": memory.get("MemAvailable"),
        "swap_used_bytes": (
            None if swap_total is None or swap_free is None else swap_total - swap_free
        ),
        "steal_s": steal_seconds(),
        "cpus_allowed": len(os.sched_getaffinity(0)),
        "cpu_quota": _cpu_quota(),
        "gpus": gpu_rows(*_GPU_FIELDS) if gpus else None,
    }


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


def governors() -> list[str] | None:
    """Return the frequency governors in use, or None where there are none to be read."""
    found = {
        text
        for path in _CPUS.glob("cpu[0-9]*/cpufreq/scaling_governor")
        if (text := read_text(path)) is not None
    }
    return sorted(found) or None


def turbo() -> bool | None:
    """Return whether processors may raise their clock above its nominal rate, if it can be read."""
    off = read_number(_CPUS / "intel_pstate/no_turbo")
    if off is not None:
        return off == 0
    on = read_number(_CPUS / "cpufreq/boost")
    return None if on is None else on == 1


def _frequencies() -> dict[str, float] | None:
    """Return the processors' clock rates in MHz: from cpufreq, else from what the kernel prints."""
    rates = [
        number / 1000
        for path in _CPUS.glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        if (number := read_number(path)) is not None
    ]
    if not rates:
        for line in (read_text("/proc/cpuinfo") or "").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "cpu MHz":
                with contextlib.suppress(ValueError):
                    rates.append(float(value))
    if not rates:
        return None
    return {"mean": round(fmean(rates), 3), "low": min(rates), "high": max(rates)}


def _temperature() -> float | None:
    zones = [
        number / 1000
        for pattern in ("thermal/thermal_zone*/temp", "hwmon/hwmon*/temp*_input")
        for path in Path("/sys/class").glob(pattern)
        if (number := read_number(path)) is not None
    ]
    return max(zones, default=None)


def _memory_info() -> dict[str, int]:
    found: dict[str, int] = {}
    for line in (read_text("/proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        fields = value.split()
        if fields and fields[0].isdigit():
            found[name] = int(fields[0]) * (1024 if fields[-1] == "kB" else 1)
    return found


def _cpu_quota() -> float | None:
    """Return how many processors' time the control group grants; None for no bound."""
    text = read_text("/sys/fs/cgroup/cpu.max")
    if text is not None:
        quota, _, period = text.partition(" ")
        return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None
    quota_us = read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period_us = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    if quota_us is None or period_us is None or quota_us < 0 or period_us <= 0:
        return None
    return quota_us / period_us
