"""Warnings that this machine is not fit for timing just now, each with its remedy."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from daybreak.measure.readings import governors, steal_seconds, turbo

__all__ = ["noise_warnings"]

#: Share of one processor from which on another process counts as busy.
_BUSY = 0.2
#: Share of all processors' time stolen by the hypervisor from which on it is worth a warning.
_STEAL = 0.01


def noise_warnings(interval: float = 0.25) -> list[str]:
    """Return what disturbs timing on this machine now, one sentence each; empty when it is quiet.

    Watches the processes and the hypervisor for `interval` seconds. This process, those that it
    started and those that started it are no disturbance.
    """
    warnings = []
    settings = governors()
    if settings is not None and settings != ["performance"]:
        warnings.append(
            f"the frequency governor is {', '.join(settings)}: clock rates follow the load "
            "(remedy: cpupower frequency-set -g performance)"
        )
    if turbo():
        warnings.append(
            "turbo is on: clock rates depend on temperature and on neighbouring cores "
            "(remedy: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, "
            "or echo 0 > /sys/devices/system/cpu/cpufreq/boost)"
        )
    before, steal, began = _cpu_times(), steal_seconds(), time.monotonic()
    time.sleep(interval)
    after, stolen, took = _cpu_times(), steal_seconds(), time.monotonic() - began
    busy = _busy(before, after, took)
    if busy:
        listed = ", ".join(f"{name} ({share:.0%} of a processor)" for name, share in busy[:5])
        warnings.append(f"other processes are busy: {listed} (remedy: end them or wait)")
    cpus = os.cpu_count() or 1
    load = os.getloadavg()[0]
    if load > 0.5 * cpus and not busy:
        warnings.append(
            f"the load average is {load:.1f} on {cpus} processors (remedy: wait for it to fall)"
        )
    if steal is not None and stolen is not None:
        share = (stolen - steal) / took / cpus
        if share > _STEAL:
            warnings.append(
                f"the hypervisor gives {share:.0%} of this machine's time to others "
                "(remedy: a dedicated machine, or more repeats)"
            )
    return warnings


def _busy(
    before: Mapping[int, tuple[int, str, float]],
    after: Mapping[int, tuple[int, str, float]],
    took: float,
) -> list[tuple[str, float]]:
    """Return name and share of the busy processes, busiest first; not our own family's."""
    family = {os.getpid()}
    pid = os.getpid()
    while pid in after and after[pid][0] not in family:
        pid = after[pid][0]
        family.add(pid)
    found = []
    for pid, (_, name, seconds) in after.items():
        if pid not in before or pid in family or _descends(pid, os.getpid(), after):
            continue
        share = (seconds - before[pid][2]) / took
        if share >= _BUSY:
            found.append((name, share))
    return sorted(found, key=lambda item: -item[1])


def _descends(pid: int, ancestor: int, processes: Mapping[int, tuple[int, str, float]]) -> bool:
    for _ in range(64):
        if pid == ancestor:
            return True
        if pid not in processes:
            return False
        pid = processes[pid][0]
    return False


def _cpu_times() -> dict[int, tuple[int, str, float]]:
    """Return parent, name and processor seconds of every process that can be read."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # The name, in parentheses, may itself hold spaces and parentheses.
        end = stat.rfind(")")
        fields = stat[end + 2 :].split()
        seconds = (int(fields[11]) + int(fields[12])) / tick
        found[int(name)] = (int(fields[1]), stat[stat.find("(") + 1 : end], seconds)
    return found
