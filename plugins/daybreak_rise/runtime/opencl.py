"""Kernels through PyOpenCL: built from source, timed by the device's own clock.

Everything happens in one in-order queue with profiling. A run is one kernel launch between two
waits for an empty queue, and its time is the device's from start to end of that command, so that
neither transfers, nor the launch, nor what came before is part of it.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from daybreak import BuildFailed, OutOfMemory, RequirementError, ResourceExceeded
from daybreak_rise.runtime.base import Buffers, check_fits
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.runtime.listing import (
    choose,
    list_devices,
    load_pyopencl,
    prepare_environment,
)

if TYPE_CHECKING:
    from daybreak_rise.codegen import Kernel

__all__ = ["OpenClRuntime"]

Array = np.ndarray[Any, Any]

#: strict arithmetic, as C has it: no fast-math options
_FLAGS = "-cl-std=CL1.2"
#: OpenCL's codes for what does not fit, by what a person calls it
_RESOURCES = {
    -5: "out of resources",
    -54: "invalid work-group size",
    -55: "invalid work-item size",
    -52: "invalid kernel arguments: the kernel has more than the device takes",
}
_MEMORY = {
    -4: "memory object allocation failure",
    -6: "out of host memory",
    -61: "buffer too large",
}


class OpenClRuntime:
    """One OpenCL device. Opened by `with`, in the process that runs the kernels."""

    language = "opencl"
    threads = None

    def __init__(self, platform: str | None = None, device: str | None = None) -> None:
        self._platform = platform
        self._device = device
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._cl: Any = None
        self._context: Any = None
        self._queue: Any = None
        self._chosen: Any = None
        self.kind = "custom"
        self.identity: dict[str, str] = {}
        self.limits = DeviceLimits(1, (1, 1, 1), 0)

    def __enter__(self) -> Self:
        """Open the device.

        Raises:
            RequirementError: PyOpenCL or the device is missing, or the driver does not open it.
        """
        self._scratch = tempfile.TemporaryDirectory(prefix="daybreak-opencl-")
        prepare_environment(Path(self._scratch.name))
        self._cl = cl = load_pyopencl()
        found = list_devices()
        described = choose([one for _, one in found], self._platform, self._device)
        self._chosen = next(device for device, one in found if one is described)
        try:
            self._context = cl.Context([self._chosen])
            self._queue = cl.CommandQueue(
                self._context, properties=cl.command_queue_properties.PROFILING_ENABLE
            )
        except cl.Error as error:
            raise RequirementError(
                f"the OpenCL driver does not open {described.device}: {error}",
                expected="a device that works",
                remedy="choose another by the options 'platform' and 'device'",
            ) from None
        self.kind = described.kind
        self.limits = described.limits
        self.identity = {
            "platform": f"{described.platform}, {described.platform_version}",
            "device": f"{described.device}, {described.units} compute units",
            "driver": described.driver,
            "flags": _FLAGS,
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the device; safe to call twice."""
        self._queue = self._context = self._chosen = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def compile(self, kernel: Kernel) -> _Compiled:
        """Build a kernel and allocate its buffers; see `base.Runtime.compile`."""
        check_fits(kernel, self.limits)
        cl = self._cl
        began = time.perf_counter()
        program = cl.Program(self._context, kernel.source)
        try:
            program.build(options=[_FLAGS], devices=[self._chosen])
            built = cl.Kernel(program, kernel.name)
            most = built.get_work_group_info(
                cl.kernel_work_group_info.WORK_GROUP_SIZE, self._chosen
            )
            local = built.get_work_group_info(
                cl.kernel_work_group_info.LOCAL_MEM_SIZE, self._chosen
            )
        except cl.Error as error:
            log = _log(cl, program, self._chosen)
            raise _failure(cl, error, "the OpenCL compiler", log) from None
        seconds = time.perf_counter() - began
        group = int(np.prod(kernel.local_size, dtype=np.int64))
        if group > most:
            raise ResourceExceeded(
                f"this kernel runs with at most {most} work-items in a group, not {group}",
                numbers={"work_items_in_group": group, "work_items_in_group_limit": most},
            )
        if local > self.limits.local_bytes:
            raise ResourceExceeded(
                f"this kernel takes {local} bytes of local memory, the device has "
                f"{self.limits.local_bytes}",
                numbers={"local_bytes": local, "local_bytes_limit": self.limits.local_bytes},
            )
        return _Compiled(cl, self._context, self._queue, built, kernel, seconds)


class _Compiled:
    """See `base.Compiled`."""

    def __init__(
        self, cl: Any, context: Any, queue: Any, built: Any, kernel: Kernel, seconds: float
    ) -> None:
        self._cl = cl
        self._context = context
        self._queue = queue
        self._kernel = built
        self._shape = kernel
        self.facts: Mapping[str, Any] = {
            "code": hashlib.sha256(kernel.source.encode()).hexdigest()[:16],
            "local_bytes": kernel.local_bytes,
        }
        self.phases: dict[str, float] = {"compile": seconds}
        self._buffers: dict[str, Any] = {}
        self._plan = Buffers(kernel)
        flags = cl.mem_flags
        try:
            for name, size in self._plan.bytes.items():
                self._buffers[name] = cl.Buffer(context, flags.READ_WRITE, max(size, 1))
        except cl.Error as error:
            raise _failure(cl, error, "allocating memory", None) from None

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs, poison the output and set the arguments."""
        cl = self._cl
        arguments: list[Any] = []
        try:
            for name, value in self._plan.arguments(inputs):
                if name in self._buffers:
                    if value is not None:
                        cl.enqueue_copy(self._queue, self._buffers[name], value)
                    arguments.append(self._buffers[name])
                else:
                    arguments.append(value)
            self._queue.finish()
            self._kernel.set_args(*arguments)
        except cl.Error as error:
            raise _failure(cl, error, "copying data to the device", None) from None

    def run(self) -> float:
        """Launch once and return the seconds between the device's start and end."""
        cl = self._cl
        shape = self._shape
        try:
            self._queue.finish()
            event = cl.enqueue_nd_range_kernel(
                self._queue, self._kernel, tuple(shape.global_size), tuple(shape.local_size)
            )
            event.wait()
            self._queue.finish()
            return 1e-9 * float(event.profile.end - event.profile.start)
        except cl.Error as error:
            raise _failure(cl, error, "running the kernel", None) from None

    def result(self) -> Array:
        """Return a copy of the output."""
        cl = self._cl
        name, host = self._plan.host_output()
        try:
            cl.enqueue_copy(self._queue, host, self._buffers[name])
            self._queue.finish()
        except cl.Error as error:
            raise _failure(cl, error, "copying the result back", None) from None
        return self._plan.shaped(host)

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        for buffer in self._buffers.values():
            buffer.release()
        self._buffers = {}


def _log(cl: Any, program: Any, device: Any) -> str:
    try:
        return str(program.get_build_info(device, cl.program_build_info.LOG)).strip()
    except cl.Error:
        return ""


def _failure(cl: Any, error: Any, what: str, log: str | None) -> Exception:
    """Return the trial's failure that an OpenCL error means."""
    code = getattr(error, "code", None)
    text = " ".join(str(error).split())
    if code in _RESOURCES:
        return ResourceExceeded(f"{what}: {_RESOURCES[code]}", detail=text)
    if isinstance(error, cl.MemoryError) or code in _MEMORY:
        return OutOfMemory(f"{what}: {_MEMORY.get(code or 0, 'out of memory')}", detail=text)
    first = next((line.strip() for line in (log or "").splitlines() if "error" in line), "")
    detail = (log or text)[-4000:]
    return BuildFailed(f"{what}: {first or text[:200]}", detail=detail)
