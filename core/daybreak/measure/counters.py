"""The machine's energy counters: RAPL of the processor packages, NVML of the GPUs.

RAPL is read through Linux' powercap files (``intel-rapl:N/energy_uj``, AMD's too): the package
domains, which hold their cores and caches but not the memory modules. The files belong to root
since CVE-2020-8694. A counter returns to zero after ``max_energy_range_uj``.

NVML (package nvidia-ml-py) counts whole GPUs, from Volta on, since the driver was loaded.

A counter that is not there or cannot be read is a `Missing` with its reason; nothing is estimated.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from daybreak.measure.system import read_number, read_text

__all__ = [
    "Counter",
    "Found",
    "Missing",
    "NvmlCounter",
    "RaplCounter",
    "find_counters",
    "find_nvml",
    "find_rapl",
    "has_nvidia_driver",
]

#: Another place for powercap's files: a container may see them elsewhere.
_FOLDER = "DAYBREAK_POWERCAP"
_POWERCAP = Path("/sys/class/powercap")
_DRIVER = Path("/proc/driver/nvidia/version")
#: A package domain's folder. ``intel-rapl-mmio:N`` counts the same energy again.
_ZONE = re.compile(r"intel-rapl:(\d+)")
#: Watts that no package exceeds whose limits the system does not tell.
_MOST_W = 1000.0
_OPEN_UP = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"


class Counter(Protocol):
    """A counter of energy. `range_j`: where it returns to zero; None: it does not.

    `most_w`: watts that its part of the machine does not exceed, for telling after how many seconds
    it may have gone round unseen.
    """

    @property
    def name(self) -> str:
        """What facts call it: ``rapl:package-0``, ``nvml:GPU-...``."""

    @property
    def range_j(self) -> float | None:
        """Joules after which it returns to zero."""

    @property
    def most_w(self) -> float:
        """Watts that are not exceeded."""

    def joules(self) -> float:
        """Return the counter's value.

        Raises:
            OSError: it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Missing:
    """A counter that cannot be read, why not, and what to do about it if anything."""

    name: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The counters that can be read here, and those that cannot."""

    counters: tuple[Counter, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class RaplCounter:
    """A processor package's counter."""

    name: str
    path: Path
    range_j: float
    most_w: float = _MOST_W

    def joules(self) -> float:
        """Return the counter's value; see `Counter.joules`."""
        try:
            return int(self.path.read_text(encoding="ascii")) * 1e-6
        except ValueError as error:
            raise OSError(f"{self.path} holds no number") from error


@dataclass(frozen=True, slots=True)
class NvmlCounter:
    """A GPU's counter: 64 bits of millijoules, which last for millions of years."""

    name: str
    nvml: Any = field(repr=False)
    handle: Any = field(repr=False)
    range_j: float | None = None
    most_w: float = _MOST_W

    def joules(self) -> float:
        """Return the counter's value; see `Counter.joules`."""
        try:
            return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) * 1e-3
        except Exception as error:  # NVML's own exceptions have no common built-in base
            raise OSError(f"NVML: {error}") from error


def find_counters(devices: Iterable[str]) -> Found:
    """Return the counters that a trial on `devices` is measured with.

    With `cpu` those of all processor packages, if all of them can be read. With `gpu` those of the
    GPUs too, and none at all if the GPUs have none: the processor's share alone would pass for the
    whole. With other devices none.
    """
    occupied = set(devices)
    if not occupied & {"cpu", "gpu"}:
        return Found()
    packages = find_rapl()
    if "gpu" not in occupied:
        return packages
    gpus = find_nvml()
    missing = (*packages.missing, *gpus.missing)
    return Found((*packages.counters, *gpus.counters) if gpus.counters else (), missing)


def find_rapl(folder: Path | None = None) -> Found:
    """Return the counters of the processor packages: all of them, or none.

    Args:
        folder: powercap's; None: `DAYBREAK_POWERCAP`, or where Linux has it.
    """
    root = folder or Path(os.environ.get(_FOLDER) or _POWERCAP)
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return _nothing(f"there is no {root}: no RAPL on this processor, or a virtual machine")
    counters: list[Counter] = []
    missing: list[Missing] = []
    for entry in entries:
        package = read_text(entry / "name") or ""
        if not _ZONE.fullmatch(entry.name) or not package.startswith("package-"):
            continue
        found = _package(entry, f"rapl:{package}")
        if isinstance(found, Missing):
            missing.append(found)
        else:
            counters.append(found)
    if not counters and not missing:
        return _nothing(f"{root} has no RAPL package domain")
    # a part of the packages would pass for the whole machine
    return Found(() if missing else tuple(counters), tuple(missing))


def _nothing(reason: str) -> Found:
    return Found(missing=(Missing("rapl", reason),))


def _package(folder: Path, name: str) -> RaplCounter | Missing:
    path = folder / "energy_uj"
    span = read_number(folder / "max_energy_range_uj")
    if span is None or span <= 0:
        return Missing(name, f"{folder} does not say where its counter returns to zero")
    limits = [read_number(file) or 0 for file in folder.glob("constraint_*_max_power_uw")]
    # a package may exceed its limits for a moment, hardly by half and never for long
    most_w = 2e-6 * max(limits, default=0) or _MOST_W
    counter = RaplCounter(name, path, span * 1e-6, most_w)
    try:
        counter.joules()
    except PermissionError:
        return Missing(
            name, f"only root may read {path} (others could watch what is computed)", _OPEN_UP
        )
    except OSError as error:
        return Missing(name, f"{path} cannot be read: {error.strerror or error}")
    return counter


def has_nvidia_driver() -> bool:
    """Return whether an NVIDIA driver is loaded, so that a GPU's counter may be expected."""
    return _DRIVER.exists()


def find_nvml(nvml: Any = None) -> Found:
    """Return the counters of the GPUs that this process may use: all of them, or none.

    `CUDA_VISIBLE_DEVICES` is obeyed: names (``GPU-...``) or numbers in the order of the bus.

    Args:
        nvml: the module `pynvml`; None: it is imported.
    """
    if nvml is None:
        try:
            nvml = importlib.import_module("pynvml")
        except ImportError:
            return Found(
                missing=(
                    Missing("nvml", "nvidia-ml-py is missing", "pip install 'daybreak[energy]'"),
                )
            )
    try:
        nvml.nvmlInit()
        handles = [
            nvml.nvmlDeviceGetHandleByIndex(i) for i in range(int(nvml.nvmlDeviceGetCount()))
        ]
        names = [_text(nvml.nvmlDeviceGetUUID(handle)) for handle in handles]
    except Exception as error:
        return Found(missing=(Missing("nvml", f"NVML does not work here: {error}"),))
    chosen = _visible(names)
    if isinstance(chosen, Missing):
        return Found(missing=(chosen,))
    counters, missing = [], []
    for i in chosen:
        counter = NvmlCounter(f"nvml:{names[i]}", nvml, handles[i])
        try:
            counter.joules()
        except OSError as error:
            missing.append(Missing(counter.name, f"the GPU has no counter: {error}"))
        else:
            counters.append(counter)
    if not counters and not missing:
        missing.append(Missing("nvml", "no GPU may be used"))
    return Found(() if missing else tuple(counters), tuple(missing))


def _visible(names: list[str]) -> list[int] | Missing:
    """Return the numbers of the GPUs that `CUDA_VISIBLE_DEVICES` leaves, as CUDA reads it."""
    text = os.environ.get("CUDA_VISIBLE_DEVICES")
    if text is None:
        return list(range(len(names)))
    chosen: list[int] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word.startswith("MIG"):
            return Missing("nvml", "a part of a GPU (MIG) has no counter of its own")
        fitting = [i for i, name in enumerate(names) if name.startswith(word)]
        if word.isdigit() and int(word) < len(names):
            fitting = [int(word)]
        if len(fitting) != 1:
            break  # CUDA stops at the first that it does not know
        chosen += fitting
    return chosen


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
