"""Kernels through NVIDIA's run-time compiler: where an NVIDIA GPU has no OpenCL."""

from __future__ import annotations

import ctypes
import hashlib
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from daybreak_rise.runtime.base import Buffers, check_fits
from daybreak_rise.runtime.limits import DeviceLimits

if TYPE_CHECKING:
    from daybreak_rise.codegen import Kernel

__all__ = ["CudaRuntime"]

Array = np.ndarray[Any, Any]

_C_TYPES = {"f": ctypes.c_float, "d": ctypes.c_double, "i": ctypes.c_int32, "l": ctypes.c_int64}


class _Api(Protocol):
    """What `cudaapi.CudaApi` offers; a test's fake too."""

    def open(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    def compile(self, source: str, name: str, options: Sequence[str]) -> int: ...
    def allocate(self, size: int) -> int: ...
    def free(self, address: int) -> None: ...
    def upload(self, address: int, array: Any) -> None: ...
    def download(self, array: Any, address: int) -> None: ...
    def launch(
        self, function: int, groups: Sequence[int], items: Sequence[int], arguments: Sequence[Any]
    ) -> float: ...


class CudaRuntime:
    """NVIDIA's first device. Opened by `with`, in the process that runs the kernels."""

    language = "cuda"
    kind = "gpu"
    threads = None

    def __init__(self, api: _Api | None = None) -> None:
        self._api = api
        self._open = False
        self._options: tuple[str, ...] = ()
        self.identity: dict[str, str] = {}
        self.limits = DeviceLimits(1, (1, 1, 1), 0)

    def __enter__(self) -> Self:
        """Open the device.

        Raises:
            RequirementError: libraries or device are missing.
        """
        if self._api is None:
            from daybreak_rise.runtime.cudaapi import CudaApi

            self._api = CudaApi()
        found = self._api.open()
        self._open = True
        self.limits = DeviceLimits(
            found["work_group"], (found["x"], found["y"], found["z"]), found["local_bytes"]
        )
        # contraction to multiply-add off, as OpenCL compilers have it without options
        self._options = (f"--gpu-architecture=compute_{found['major']}{found['minor']}",)
        self.identity = {
            "platform": "CUDA",
            "device": f"{found['name']}, {found['units']} multiprocessors",
            "driver": str(found["driver"]),
            "flags": " ".join(self._options),
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the device; safe to call twice."""
        if self._open and self._api is not None:
            self._open = False
            self._api.close()

    def compile(self, kernel: Kernel) -> _Compiled:
        """Build a kernel and allocate its buffers; see `base.Runtime.compile`."""
        check_fits(kernel, self.limits)
        if self._api is None:
            raise RuntimeError("the runtime is not open")
        began = time.perf_counter()
        function = self._api.compile(kernel.source, kernel.name, self._options)
        return _Compiled(self._api, function, kernel, time.perf_counter() - began)


class _Compiled:
    """See `base.Compiled`."""

    def __init__(self, api: _Api, function: int, kernel: Kernel, seconds: float) -> None:
        self._api = api
        self._function = function
        self._kernel = kernel
        self._plan = Buffers(kernel)
        self._arguments: list[Any] = []
        self.facts: Mapping[str, Any] = {
            "code": hashlib.sha256(kernel.source.encode()).hexdigest()[:16],
            "local_bytes": kernel.local_bytes,
        }
        self.phases: Mapping[str, float] = {"compile": seconds}
        self._addresses: dict[str, int] = {}
        try:
            for name, size in self._plan.bytes.items():
                self._addresses[name] = api.allocate(max(size, 1))
        except BaseException:
            self.close()
            raise

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs and poison the output."""
        self._arguments = []
        for name, value in self._plan.arguments(inputs):
            address = self._addresses.get(name)
            if address is None:
                self._arguments.append(_C_TYPES[np.asarray(value).dtype.char](value))
                continue
            if value is not None:
                self._api.upload(address, np.ascontiguousarray(value))
            self._arguments.append(ctypes.c_uint64(address))

    def run(self) -> float:
        """Launch once and return the seconds between events around it."""
        kernel = self._kernel
        groups = [a // b for a, b in zip(kernel.global_size, kernel.local_size, strict=True)]
        return self._api.launch(self._function, groups, kernel.local_size, self._arguments)

    def result(self) -> Array:
        """Return a copy of the output."""
        name, host = self._plan.host_output()
        self._api.download(host, self._addresses[name])
        return self._plan.shaped(host)

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        while self._addresses:
            self._api.free(self._addresses.popitem()[1])
