"""Where NVIDIA's driver and run-time compiler are, without loading more than their names."""

from __future__ import annotations

import ctypes.util
import importlib.util
from pathlib import Path

from daybreak import RequirementError

__all__ = ["find_libraries"]

_REMEDY = "install NVIDIA's driver, and the run-time compiler: pip install nvidia-cuda-nvrtc-cu12"
#: packages that hold libnvrtc, newest first
_PACKAGES = ("nvidia.cu13", "nvidia.cuda_nvrtc")


def find_libraries() -> tuple[str, str]:
    """Return the names or paths of libcuda and libnvrtc, as `ctypes.CDLL` takes them.

    Raises:
        RequirementError: one of them is missing.
    """
    driver = ctypes.util.find_library("cuda")
    if driver is None:
        raise RequirementError(
            "NVIDIA's driver library libcuda was not found",
            expected="an NVIDIA GPU with its driver",
            remedy=_REMEDY,
        )
    compiler = _from_package() or ctypes.util.find_library("nvrtc")
    if compiler is None:
        raise RequirementError(
            "NVIDIA's run-time compiler libnvrtc was not found",
            expected="libnvrtc beside the driver",
            remedy=_REMEDY,
        )
    return driver, compiler


def _from_package() -> str | None:
    for package in _PACKAGES:
        try:
            spec = importlib.util.find_spec(package)
        except ModuleNotFoundError:
            continue
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found = sorted(Path(folder, "lib").glob("libnvrtc.so.*"))
            if found:
                return str(found[0])
    return None
