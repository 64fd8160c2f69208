"""Asks, in a process of its own, which OpenCL devices there are: a driver may crash or hang.

The answer is kept in the user's cache folder until the drivers change, an hour at most (a device may
vanish and leave its driver), so that defining a benchmark stays cheap. ``python -m daybreak_rise.runtime.probe`` prints it as JSON.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import time
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
#: seconds for which an answer holds
_KEPT = 3600.0
#: what drivers put there for each GPU
_NODES = ("nvidia[0-9]*", "dri/renderD*", "kfd")
_PACKAGES = ("pyopencl", "intel-opencl-rt", "intel-cmplr-lib-rt", "pocl-binary-distribution")


def known_devices() -> tuple[DeviceDescription, ...]:
    """Return the devices, from the cache where the drivers are the same as when it was written.

    Asked once in a process, whatever the answer: a driver that hangs does so for long enough.

    Raises:
        RequirementError: there is none, or the drivers crash or hang.
    """
    found = _found()
    if isinstance(found, RequirementError):
        raise RequirementError(found.message, expected=found.expected, remedy=found.remedy)
    return found


@functools.cache
def _found() -> tuple[DeviceDescription, ...] | RequirementError:
    folder = Path(platformdirs.user_cache_dir("daybreak")) / "rise"
    file = folder / f"devices-{_drivers()}.json"
    try:
        if time.time() - file.stat().st_mtime < _KEPT:
            kept = json.loads(file.read_text(encoding="utf-8"))
            return tuple(DeviceDescription.from_json(one) for one in kept)
    except (OSError, ValueError, TypeError):
        pass
    try:
        found = ask_devices()
    except RequirementError as error:
        return error
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
    names = ("OCL_ICD_FILENAMES", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "POCL_DEVICES")
    parts = [sys.prefix, named, *(os.environ.get(name, "") for name in names)]
    parts += [str(path) for pattern in _NODES for path in sorted(Path("/dev").glob(pattern))]
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
