"""Where NVIDIA's driver and run-time compilers are, without loading them."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
from pathlib import Path

from daybreak import RequirementError

__all__ = ["compiler_package", "find_libraries"]

#: packages that hold libnvrtc, newest first
_PACKAGES = ("nvidia.cu13", "nvidia.cuda_nvrtc")
#: where containers and distributions put the driver without telling the linker's cache
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/lib64",
    "/run/opengl-driver/lib",
)
_DRIVER = "libcuda.so.1"


def compiler_package(major: int = 12) -> str:
    """Return the command that installs the run-time compiler for drivers of CUDA `major`."""
    suffix = f"-cu{major}" if major < 13 else ""  # the suffix was dropped with CUDA 13
    return f"pip install nvidia-cuda-nvrtc{suffix}"


def find_libraries() -> tuple[str, tuple[str, ...]]:
    """Return the name or path of libcuda, and of every libnvrtc, newest package first.

    Raises:
        RequirementError: one of them is missing.
    """
    remedy = f"install NVIDIA's driver, and the run-time compiler: {compiler_package()}"
    driver = ctypes.util.find_library("cuda") or _driver_file()
    if driver is None:
        raise RequirementError(
            "NVIDIA's driver library libcuda was not found",
            expected="an NVIDIA GPU with its driver",
            remedy=remedy,
        )
    system = ctypes.util.find_library("nvrtc")
    compilers = (*_from_packages(), *((system,) if system else ()))
    if not compilers:
        raise RequirementError(
            "NVIDIA's run-time compiler libnvrtc was not found",
            expected="libnvrtc beside the driver",
            remedy=remedy,
        )
    return driver, compilers


def _driver_file() -> str | None:
    named = [one for one in os.environ.get("LD_LIBRARY_PATH", "").split(":") if one]
    for folder in (*named, *_FOLDERS):
        if Path(folder, _DRIVER).exists():
            return str(Path(folder, _DRIVER))
    return None


def _from_packages() -> list[str]:
    found: list[str] = []
    for package in _PACKAGES:
        try:
            spec = importlib.util.find_spec(package)
        except ModuleNotFoundError:
            continue
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found += map(str, sorted(Path(folder, "lib").glob("libnvrtc.so.*"), reverse=True))
    return found
