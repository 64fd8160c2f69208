"""The identity of the machine: the same in every process and after every reboot."""

from __future__ import annotations

import copy
import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any

from daybreak.measure.system import ask_program, fingerprint, read_text

__all__ = ["gpu_rows", "machine_identity"]

_CPUS = Path("/sys/devices/system/cpu")
_GIB = 1024**3


def machine_identity() -> tuple[str, dict[str, Any]]:
    """Return the machine's id (16 hexadecimal digits) and what it was made of.

    Keys: `cpu`, `architecture`, `system`, `sockets`, `cores`, `threads` (of the machine, whatever
    this process may use), `caches` (bytes by level, as one processor sees them), `memory_gib`
    (rounded, since the kernel's share of it varies), `gpus` (name and memory of each; empty list
    for none). The name of the host is no part of it: two like machines are one, and a container
    stays the same under a new name.
    """
    identity = copy.deepcopy(_identity())
    return fingerprint(identity), identity


def gpu_rows(*fields: str) -> list[dict[str, str]]:
    """Return one row per NVIDIA GPU with the named fields of ``nvidia-smi --query-gpu``."""
    text = ask_program(
        "nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"
    )
    rows = [line.split(",") for line in (text or "").splitlines()]
    return [
        {field: cell.strip() for field, cell in zip(fields, row, strict=True)}
        for row in rows
        if len(row) == len(fields)
    ]


@lru_cache(maxsize=1)
def _identity() -> dict[str, Any]:
    sockets, cores, threads = _topology()
    return {
        "cpu": _cpu_model(),
        "architecture": platform.machine() or None,
        "system": platform.system() or None,
        "sockets": sockets,
        "cores": cores,
        "threads": threads,
        "caches": _caches(),
        "memory_gib": _memory_gib(),
        "gpus": [
            {"name": row["name"], "memory_mib": row["memory.total"]}
            for row in gpu_rows("name", "memory.total")
        ],
    }


def _cpu_model() -> str | None:
    for line in (read_text("/proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "cpu model", "Model", "Processor"):
            return " ".join(value.split())
    return platform.processor() or None


def _topology() -> tuple[int | None, int | None, int | None]:
    """Return sockets, cores and threads; of processors that are switched on."""
    sockets: set[str] = set()
    cores: set[tuple[str, str]] = set()
    threads = 0
    for folder in _CPUS.glob("cpu[0-9]*"):
        socket = read_text(folder / "topology/physical_package_id")
        core = read_text(folder / "topology/core_id")
        if socket is not None and core is not None:
            threads += 1
            sockets.add(socket)
            cores.add((socket, core))
    return len(sockets) or None, len(cores) or None, threads or os.cpu_count()


def _caches() -> dict[str, int]:
    units = {"K": 1024, "M": 1024**2, "G": 1024**3}
    found: dict[str, int] = {}
    for folder in sorted(_CPUS.glob("cpu[0-9]*/cache/index[0-9]*")):
        level, kind = read_text(folder / "level"), read_text(folder / "type")
        size = read_text(folder / "size")
        if level is None or kind is None or size is None or not size.rstrip("KMG").isdigit():
            continue
        suffix = {"Data": "d", "Instruction": "i"}.get(kind, "")
        count = int(size.rstrip("KMG")) * units.get(size[-1], 1)
        name = f"L{level}{suffix}"
        found[name] = max(count, found.get(name, 0))
    return dict(sorted(found.items()))


def _memory_gib() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB)
    except (OSError, ValueError):
        return None
