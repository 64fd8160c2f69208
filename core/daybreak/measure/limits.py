"""Resource limits of a worker and of its trials, set by the process that is to be limited."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal

from daybreak.records import Limits

__all__ = ["address_space", "apply_limits", "default_memory_bytes", "limit_cpu_time"]

_GIB = 1024**3
_OPEN_FILES = 4096


def default_memory_bytes() -> int:
    """Return the address space allowed when the suite does not say: 8 GiB or 3/4 of the memory."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 8 * _GIB
    return min(8 * _GIB, memory * 3 // 4)


def address_space(limits: Limits, devices: tuple[str, ...]) -> int | None:
    """Return the bytes of address space allowed, or None for no bound.

    A process with a GPU context reserves far more addresses than memory, so that targets with the
    device `gpu` are bounded only if the suite says so, and then in their data segment.
    """
    if limits.memory_bytes is not None:
        return limits.memory_bytes
    return None if "gpu" in devices else default_memory_bytes()


def apply_limits(limits: Limits, devices: tuple[str, ...] = (), *, reserves: bool = False) -> None:
    """Bound this process and all that it starts: memory, file size, open files, no core dumps.

    With `reserves`, memory is bounded in the data segment: programs reserve more addresses.
    """
    memory = address_space(limits, devices)
    if memory is not None:
        segment = reserves or "gpu" in devices
        _bound(resource.RLIMIT_DATA if segment else resource.RLIMIT_AS, memory)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, limits.file_bytes)
    _bound(resource.RLIMIT_NOFILE, _OPEN_FILES)
    # Python ignores this signal, and a candidate would go on after a write that was cut off.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def limit_cpu_time(seconds: float) -> None:
    """Kill this process (SIGXCPU) after `seconds` more of processor time, over all its threads.

    A backstop: wall time is watched from outside. Only the soft limit is set, so that a persistent
    worker can move it on with each trial.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _bound(which: int, value: int) -> None:
    """Lower a limit, both soft and hard, never above what is already allowed."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (value, value))
