"""The OpenCL devices of this machine, and which one an option means. Imports PyOpenCL when asked.

Drivers are found through the .icd files that OCL_ICD_VENDORS (or /etc/OpenCL/vendors) holds.
Intel's CPU runtime from its wheel brings .icd files that point to where the wheel was built, so it
gets one of our own, beside copies of the system's.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import os
import shutil
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from daybreak import RequirementError, nearest
from daybreak_rise.runtime.limits import DeviceLimits

__all__ = [
    "DEBIAN",
    "INSTALL",
    "INTEL",
    "WHEEL",
    "DeviceDescription",
    "choose",
    "describe",
    "list_devices",
    "prepare_environment",
]

#: commands that bring an OpenCL driver for the CPU
DEBIAN = "sudo apt install pocl-opencl-icd ocl-icd-libopencl1"
INTEL = "pip install intel-opencl-rt intel-cmplr-lib-rt"
WHEEL = "pip install pocl-binary-distribution"
INSTALL = (
    f"Debian, Ubuntu: {DEBIAN}; any x86-64 Linux with pip alone: {INTEL}, or {WHEEL} (older); "
    "a GPU's driver package brings its own"
)

_VENDORS = "OCL_ICD_VENDORS"
_SYSTEM = Path("/etc/OpenCL/vendors")
#: what Intel's driver needs beside it, from a package that it does not depend on
_INTEL_NEEDS = ("libintlc.so.5", "libimf.so", "libirng.so", "libsvml.so")


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """An OpenCL device as text and numbers; `limits` bound its kernels."""

    platform: str
    platform_version: str
    device: str
    kind: str
    driver: str
    units: int
    limits: DeviceLimits

    def as_json(self) -> dict[str, Any]:
        """Return the description as JSON values."""
        return {**asdict(self), "limits": self.limits.as_json()}

    @classmethod
    def from_json(cls, value: Any) -> DeviceDescription:
        """Return the description that `as_json` wrote.

        Raises:
            ValueError: `value` is something else.
        """
        try:
            return cls(
                **{
                    name: str(value[name])
                    for name in ("platform", "platform_version", "device", "kind", "driver")
                },
                units=int(value["units"]),
                limits=DeviceLimits.from_json(value["limits"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no description of a device: {value!r}") from error


@functools.cache
def prepare_environment() -> None:
    """Set this process's environment for honest builds and for drivers from wheels.

    Must happen before PyOpenCL is imported, and once for the process: drivers read it when they are
    loaded. Build times are true because neither PyOpenCL nor PoCL keeps what it built.
    """
    folder = Path(tempfile.mkdtemp(prefix="daybreak-opencl-"))
    # drivers go on writing there until the process ends
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["PYOPENCL_NO_CACHE"] = "1"
    os.environ["PYOPENCL_COMPILER_OUTPUT"] = "0"
    os.environ["POCL_KERNEL_CACHE"] = "0"
    os.environ["POCL_CACHE_DIR"] = str(folder / "pocl")
    # NVIDIA's driver keeps compiled kernels in the home folder otherwise
    os.environ["CUDA_CACHE_DISABLE"] = "1"
    intel = Path(sys.prefix, "lib", "libintelocl.so")
    if intel.exists():
        _add_intel(intel, folder / "icd")


def _add_intel(library: Path, vendors: Path) -> None:
    named = os.environ.get(_VENDORS)
    source = Path(named) if named else _SYSTEM
    vendors.mkdir(parents=True, exist_ok=True)
    for file in [source] if source.is_file() else sorted(source.glob("*.icd")):
        shutil.copy(file, vendors / file.name)
    try:
        # found by name once they are loaded, so that LD_LIBRARY_PATH needs no change
        for name in _INTEL_NEEDS:
            ctypes.CDLL(str(library.parent / name), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return  # the runtime without its libraries would not load: leave it out
    (vendors / "daybreak-intel.icd").write_text(f"{library}\n", encoding="utf-8")
    # ocl-icd takes a folder only with the slash behind it
    os.environ[_VENDORS] = f"{vendors}{os.sep}"


def load_pyopencl() -> Any:
    """Return the module.

    Raises:
        RequirementError: it is not installed, or does not load.
    """
    try:
        cl: Any = importlib.import_module("pyopencl")
        # what a compiler says of a kernel that it takes is noise here
        warnings.filterwarnings("ignore", category=cl.CompilerWarning)
        return cl
    except (ImportError, OSError) as error:
        raise RequirementError(
            f"PyOpenCL does not load: {error}",
            expected="the package pyopencl",
            remedy="pip install 'daybreak[rise]'",
        ) from None


def list_devices() -> list[tuple[Any, DeviceDescription]]:
    """Return every usable device (PyOpenCL's object) with its description, in the drivers' order.

    Raises:
        RequirementError: PyOpenCL does not load, or no driver is found.
    """
    cl = load_pyopencl()
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        raise RequirementError(
            f"no OpenCL driver was found ({error})", expected="an OpenCL device", remedy=INSTALL
        ) from None
    found = []
    for platform in platforms:
        try:
            devices = [one for one in platform.get_devices() if one.available]
            found += [(device, describe(device)) for device in devices]
        except cl.Error:
            continue  # a driver without its device: a GPU that vanished, say
    if not found:
        names = ", ".join(platform.name for platform in platforms) or "none"
        raise RequirementError(
            f"no OpenCL platform has a device (platforms: {names})",
            expected="an OpenCL device",
            remedy=INSTALL,
        )
    return found


def describe(device: Any) -> DeviceDescription:
    """Return the description of one of PyOpenCL's devices."""
    cl = load_pyopencl()
    kinds = {
        "gpu": cl.device_type.GPU,
        "cpu": cl.device_type.CPU,
        "accelerator": cl.device_type.ACCELERATOR,
    }
    kind = next((name for name, bit in kinds.items() if device.type & bit), "custom")
    items = (*device.max_work_item_sizes, 1, 1, 1)[:3]
    return DeviceDescription(
        platform=device.platform.name.strip(),
        platform_version=device.platform.version.strip(),
        device=device.name.strip(),
        kind=kind,
        driver=device.driver_version.strip(),
        units=device.max_compute_units,
        limits=DeviceLimits(device.max_work_group_size, items, device.local_mem_size),
    )


def choose(
    devices: list[DeviceDescription],
    platform: str | None,
    device: str | None,
    what: str = "OpenCL",
) -> DeviceDescription:
    """Return the device that the options mean; without any the first GPU, else the first one.

    `what` kind of devices these are: OpenCL or NVIDIA.

    Raises:
        RequirementError: there is no such device.
    """
    fitting = [
        one
        for one in devices
        if _contains(f"{one.platform} {one.platform_version}", platform)
        and (device is None or device.lower() == one.kind or _contains(one.device, device))
    ]
    if fitting:
        return next((one for one in fitting if one.kind == "gpu"), fitting[0])
    wanted = " and ".join(
        f"{part} '{word}'" for part, word in (("platform", platform), ("device", device)) if word
    )
    here = "; ".join(f"{one.device} ({one.platform_version})" for one in devices)
    install = f", or install a driver: {INSTALL}" if what == "OpenCL" else ""
    meant = _meant(devices, platform, device)
    raise RequirementError(
        f"no {what} device has {wanted or 'any name'}"
        + (f"; here: {here}" if here else "")
        + (f"; did you mean '{meant}'?" if meant else ""),
        expected=f"an {what} device",
        remedy=f"change the options 'platform' and 'device'{install}",
    )


def _meant(
    devices: list[DeviceDescription], platform: str | None, device: str | None
) -> str | None:
    """Return what may have been meant by the option that no device answers to."""
    for word, known in (
        (platform, [name for one in devices for name in (one.platform, one.platform_version)]),
        (device, ["gpu", "cpu", *(name for one in devices for name in (one.kind, one.device))]),
    ):
        if word is not None and not any(_contains(text, word) for text in known):
            # parts of names will do, too
            parts = {part.lower() for text in known for part in (text, *text.split())}
            found = nearest(word.lower(), sorted(parts))
            if found is not None:
                return found
    return None


def _contains(text: str, word: str | None) -> bool:
    return word is None or word.lower() in text.lower()
