"""The identity of the software: what has to be the same for times to be comparable."""

from __future__ import annotations

import copy
import importlib.metadata
import os
import platform
import re
from functools import lru_cache
from typing import Any

from daybreak.measure.hardware import gpu_rows
from daybreak.measure.system import ask_program, fingerprint, read_text

__all__ = ["COMPILERS", "environment_lock"]

#: Programs whose versions are part of the lock, when they are on PATH.
COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++", "gfortran", "nvcc", "cmake", "ld")


def environment_lock() -> tuple[str, dict[str, Any]]:
    """Return the environment's id (16 hexadecimal digits) and what it was made of.

    Keys: `python` (version and implementation), `distributions` (version by name, all that are
    installed), `compilers` (first line of ``--version`` by program), `libc`, `kernel`, `os`,
    `gpu_driver` (None without an NVIDIA GPU). Read once per process.
    """
    lock = copy.deepcopy(_lock())
    return fingerprint(lock), lock


@lru_cache(maxsize=1)
def _lock() -> dict[str, Any]:
    drivers = {row["driver_version"] for row in gpu_rows("driver_version")}
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "distributions": _distributions(),
        "compilers": {
            name: version for name in COMPILERS if (version := _version(name)) is not None
        },
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "kernel": platform.release() or None,
        "os": _os_name(),
        "gpu_driver": ", ".join(sorted(drivers)) or None,
    }


def _distributions() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        # A broken installation can lack its name; the first on the path is the one imported.
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return dict(sorted(found.items()))


def _version(program: str) -> str | None:
    text = ask_program(program, "--version")
    if text is None:
        return None
    lines = text.splitlines()
    # nvcc prints its name first and its version in the last but one line.
    return next((line for line in lines if re.search(r"\d+\.\d+", line)), lines[0]).strip()


def _os_name() -> str | None:
    for line in (read_text("/etc/os-release") or "").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip("\"'") or None
    return os.uname().sysname if hasattr(os, "uname") else None
