"""Asks, in a process of its own, which OpenCL devices there are: a driver may crash or hang.

The answer is kept in the user's cache folder until the drivers change, so that defining a benchmark
stays cheap. ``python -m daybreak_rise.runtime.probe`` prints it as JSON.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import platformdirs

from daybreak import RequirementError
from daybreak_rise.runtime.listing import (
    INSTALL,
    DeviceDescription,
    list_devices,
    prepare_environment,
)

__all__ = ["ask_devices", "known_devices"]

_SECONDS = 60.0
_PACKAGES = ("pyopencl", "intel-opencl-rt", "intel-cmplr-lib-rt", "pocl-binary-distribution")


@functools.cache
def known_devices() -> tuple[DeviceDescription, ...]:
    """Return the devices, from the cache where the drivers are the same as when it was written.

    Raises:
        RequirementError: there is none, or the drivers crash or hang.
    """
    folder = Path(platformdirs.user_cache_dir("daybreak")) / "rise"
    file = folder / f"devices-{_drivers()}.json"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return tuple(DeviceDescription.from_json(one) for one in kept)
    except (OSError, ValueError):
        pass
    found = ask_devices()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps([one.as_json() for one in found]), encoding="utf-8")
        scratch.replace(file)
    except OSError:
        pass  # a cache folder that cannot be written to: ask again next time
    return found


def ask_devices(seconds: float = _SECONDS) -> tuple[DeviceDescription, ...]:
    """Start a process that lists the devices, and return them.

    Raises:
        RequirementError: there is none, or the drivers crash or hang.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "daybreak_rise.runtime.probe"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise RequirementError(
            f"an OpenCL driver hangs: it named no device within {seconds:g} s",
            expected="an OpenCL device",
            remedy="choose the drivers by OCL_ICD_VENDORS=FOLDER/, or mend the one at fault",
        ) from None
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
        if "error" in answer:
            raise RequirementError(
                answer["error"], expected="an OpenCL device", remedy=answer["remedy"]
            )
        return tuple(DeviceDescription.from_json(one) for one in answer["devices"])
    except (IndexError, KeyError, TypeError, ValueError):
        tail = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        raise RequirementError(
            f"an OpenCL driver ended the process that asked it (status {done.returncode}): "
            f"{tail[0]}",
            expected="an OpenCL device",
            remedy=f"choose the drivers by OCL_ICD_VENDORS=FOLDER/, or install one: {INSTALL}",
        ) from None


def _drivers() -> str:
    """Return a hash of whatever decides which devices are found."""
    named = os.environ.get("OCL_ICD_VENDORS", "")
    parts = [sys.prefix, named, os.environ.get("CUDA_VISIBLE_DEVICES", "")]
    vendors = Path(named or "/etc/OpenCL/vendors")
    for file in sorted(vendors.glob("*.icd")) if vendors.is_dir() else [vendors]:
        try:
            library = Path(file.read_text(encoding="utf-8").strip())
            parts.append(f"{file} {library} {file.stat().st_mtime_ns}")
            if library.is_absolute():
                parts.append(str(library.stat().st_mtime_ns))
        except (OSError, UnicodeDecodeError):
            parts.append(str(file))
    for name in _PACKAGES:
        try:
            parts.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _main() -> None:
    prepare_environment()
    answer: dict[str, Any]
    try:
        answer = {"devices": [described.as_json() for _, described in list_devices()]}
    except RequirementError as error:
        answer = {"error": error.message, "remedy": error.remedy or INSTALL}
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    _main()
