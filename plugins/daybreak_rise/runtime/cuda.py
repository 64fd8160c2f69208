"""Kernels through NVIDIA's run-time compiler: where an NVIDIA GPU has no OpenCL."""

from __future__ import annotations

import ctypes
import hashlib
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from daybreak_rise.runtime.base import Array, Plan, check_fits
from daybreak_rise.runtime.limits import DeviceLimits

if TYPE_CHECKING:
    from daybreak_rise.codegen import Program
    from daybreak_rise.runtime.listing import DeviceDescription

__all__ = ["CudaRuntime"]

_C_TYPES: dict[str, Any] = {
    "f32": ctypes.c_float,
    "f64": ctypes.c_double,
    "i32": ctypes.c_int32,
    "bool": ctypes.c_uint8,
}


class _Api(Protocol):
    """What `cudaapi.CudaApi` offers; a test's fake too. What `compile` gives is its own affair."""

    @property
    def options(self) -> Sequence[str]: ...
    @property
    def compiler(self) -> str: ...
    def open(self, platform: str | None = None, device: str | None = None) -> DeviceDescription: ...
    def close(self) -> None: ...
    def compile(self, source: str, name: str) -> Any: ...
    def unload(self, kernel: Any) -> None: ...
    def allocate(self, size: int) -> int: ...
    def free(self, address: int) -> None: ...
    def upload(self, address: int, array: Any) -> None: ...
    def download(self, array: Any, address: int) -> None: ...
    def launch(
        self, kernel: Any, groups: Sequence[int], items: Sequence[int], arguments: Sequence[Any]
    ) -> float: ...


class CudaRuntime:
    """An NVIDIA device. Opened by `with`, in the process that runs the kernels."""

    language = "cuda"
    kind = "gpu"
    threads = None

    def __init__(
        self, platform: str | None = None, device: str | None = None, api: _Api | None = None
    ) -> None:
        self._platform = platform
        self._device = device
        self._api = api
        self._open = False
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
        found = self._api.open(self._platform, self._device)
        self._open = True
        self.limits = found.limits
        self.identity = {
            "platform": f"{found.platform}, {found.platform_version}",
            "device": f"{found.device}, {found.units} multiprocessors",
            "driver": found.driver,
            "compiler": self._api.compiler,
            "flags": " ".join(self._api.options),
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

    def compile(self, program: Program) -> _Compiled:
        """Build a program and take memory for its buffers; see `base.Runtime.compile`."""
        if self._api is None:
            raise RuntimeError("the runtime is not open")
        for kernel in program.kernels:
            check_fits(kernel, self.limits)
        began = time.perf_counter()
        built: list[Any] = []
        try:
            for kernel in program.kernels:  # one by one: those before a refused one are removed
                built.append(self._api.compile(kernel.source, kernel.name))  # noqa: PERF401
        except BaseException:
            for one in built:
                self._api.unload(one)
            raise
        return _Compiled(self._api, built, program, time.perf_counter() - began)


class _Compiled:
    """See `base.Compiled`."""

    def __init__(self, api: _Api, built: list[Any], program: Program, seconds: float) -> None:
        self._api = api
        self._kernels = list(zip(built, program.kernels, strict=True))
        self._plan = Plan(program)
        self._values: dict[str, Any] = {}
        self._addresses: dict[str, int] = {}
        self.facts: Mapping[str, Any] = {
            "code": hashlib.sha256(program.source.encode()).hexdigest()[:16],
            "local_bytes": max(kernel.local_bytes for kernel in program.kernels),
        }
        self.phases: Mapping[str, float] = {"compile": seconds}
        try:
            for name, size in self._plan.bytes.items():
                self._addresses[name] = api.allocate(size)
        except BaseException:
            self.close()
            raise

    def touch(self) -> None:
        """Launch once on zeros."""
        self.load(self._plan.zeros())
        self.run()

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs and poison the output."""
        for argument, value in self._plan.inputs(inputs):
            if argument.by_value:
                self._values[argument.name] = _C_TYPES[argument.scalar](value.item())
            else:
                self._api.upload(self._addresses[argument.name], value)
        self._api.upload(self._addresses[self._plan.output.name], self._plan.poison())

    def run(self) -> float:
        """Launch the kernels once and return the seconds between events around each."""
        total = 0.0
        for built, kernel in self._kernels:
            arguments = [
                self._values[one.name]
                if one.by_value
                else ctypes.c_uint64(self._addresses[one.name])
                for one in kernel.arguments
            ]
            groups = [a // b for a, b in zip(kernel.global_size, kernel.local_size, strict=True)]
            total += self._api.launch(built, groups, kernel.local_size, arguments)
        return total

    def result(self) -> Array:
        """Return a copy of the output."""
        host = self._plan.poison()
        self._api.download(host, self._addresses[self._plan.output.name])
        return host

    def close(self) -> None:
        """Free the buffers and remove the kernels; safe to call twice."""
        while self._addresses:
            self._api.free(self._addresses.popitem()[1])
        while self._kernels:
            self._api.unload(self._kernels.pop()[0])
