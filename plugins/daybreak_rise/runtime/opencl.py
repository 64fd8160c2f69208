"""Kernels through PyOpenCL: built from source, timed by the device's own clock.

Everything happens in one in-order queue with profiling. A run is one kernel launch between two
waits for an empty queue, and its time is the device's from start to end of that command, so that
neither transfers, nor the launch, nor what came before is part of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from daybreak import (
    BuildFailed,
    OutOfMemory,
    RequirementError,
    ResourceExceeded,
    TrialFailed,
)
from daybreak_rise.runtime.base import Array, Plan, check_fits
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.runtime.listing import (
    choose,
    list_devices,
    load_pyopencl,
    prepare_environment,
)

if TYPE_CHECKING:
    from daybreak_rise.codegen import Kernel, Program

__all__ = ["OpenClRuntime"]

#: strict arithmetic, as C has it: no fast-math options
_FLAGS = "-cl-std=CL1.2"
#: OpenCL's codes for what does not fit, by what a person calls it
_RESOURCES = {
    -5: "out of resources",
    -54: "invalid work-group size",
    -55: "invalid work-item size",
    -52: "invalid kernel arguments: the kernel has more than the device takes",
}
_BUILD_FAILURE = -11
#: codes with which a driver refuses what it is asked for, and goes on: the device is as it was
_HARMLESS = frozenset({_BUILD_FAILURE, -4, -52, -53, -54, -55, -61})
#: characters of a log, and of a line of it, that are looked at
_LOG, _LINE = 1 << 18, 500
_SOURCE_FILE = re.compile(r"[^\s:]*/[^\s:/]*\.cl(?=:)")
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
        prepare_environment()
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

    def compile(self, program: Program) -> _Compiled:
        """Build a program and take memory for its buffers; see `base.Runtime.compile`."""
        for kernel in program.kernels:
            check_fits(kernel, self.limits)
        began = time.perf_counter()
        built = [self._build(kernel) for kernel in program.kernels]
        seconds = time.perf_counter() - began
        return _Compiled(self._cl, self._context, self._queue, built, program, seconds)

    def _build(self, kernel: Kernel) -> Any:
        cl = self._cl
        source = cl.Program(self._context, kernel.source)
        try:
            source.build(options=[_FLAGS], devices=[self._chosen])
            built = cl.Kernel(source, kernel.name)
            info = cl.kernel_work_group_info
            most = built.get_work_group_info(info.WORK_GROUP_SIZE, self._chosen)
            local = built.get_work_group_info(info.LOCAL_MEM_SIZE, self._chosen)
        except cl.Error as error:
            log = _log(cl, source, self._chosen) if _code(error) == _BUILD_FAILURE else None
            raise _failure(cl, error, "the OpenCL compiler", log) from None
        if kernel.work_items > most:
            raise ResourceExceeded(
                f"this kernel runs with at most {most} work-items in a group, not "
                f"{kernel.work_items}",
                numbers={"work_items": kernel.work_items, "work_items_limit": most},
            )
        if local > self.limits.local_bytes:
            raise ResourceExceeded(
                f"this kernel takes {local} bytes of local memory, the device has "
                f"{self.limits.local_bytes}",
                numbers={"local_bytes": local, "local_bytes_limit": self.limits.local_bytes},
            )
        return built


class _Compiled:
    """See `base.Compiled`."""

    def __init__(
        self,
        cl: Any,
        context: Any,
        queue: Any,
        kernels: list[Any],
        program: Program,
        seconds: float,
    ) -> None:
        self._cl = cl
        self._queue = queue
        self._kernels = list(zip(kernels, program.kernels, strict=True))
        self.facts: Mapping[str, Any] = {
            "code": hashlib.sha256(program.source.encode()).hexdigest()[:16],
            "local_bytes": max(kernel.local_bytes for kernel in program.kernels),
        }
        self.phases: Mapping[str, float] = {"compile": seconds}
        self._plan = Plan(program)
        self._buffers: dict[str, Any] = {}
        self._values: dict[str, Array] = {}
        try:
            for name, size in self._plan.bytes.items():
                self._buffers[name] = cl.Buffer(context, cl.mem_flags.READ_WRITE, size)
        except cl.Error as error:
            self.close()
            raise _failure(cl, error, "taking memory") from None

    def touch(self) -> None:
        """Launch once on zeros."""
        self.load(self._plan.zeros())
        self.run()

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs, poison the output and set the arguments."""
        cl = self._cl
        try:
            for argument, value in self._plan.inputs(inputs):
                if argument.by_value:
                    self._values[argument.name] = value
                else:
                    cl.enqueue_copy(self._queue, self._buffers[argument.name], value)
            output = self._buffers[self._plan.output.name]
            cl.enqueue_copy(self._queue, output, self._plan.poison())
            self._queue.finish()
            for built, kernel in self._kernels:
                for place, argument in enumerate(kernel.arguments):
                    if argument.by_value:
                        built.set_arg(place, self._values[argument.name][()])
                    else:
                        built.set_arg(place, self._buffers[argument.name])
        except cl.Error as error:
            raise _failure(cl, error, "copying data to the device") from None

    def run(self) -> float:
        """Launch the kernels once and return the seconds between each one's start and end."""
        cl = self._cl
        try:
            self._queue.finish()
            events = [
                cl.enqueue_nd_range_kernel(
                    self._queue, built, kernel.global_size, kernel.local_size
                )
                for built, kernel in self._kernels
            ]
            self._queue.finish()
            return 1e-9 * float(sum(one.profile.end - one.profile.start for one in events))
        except cl.Error as error:
            raise _failure(cl, error, "running the kernel") from None

    def result(self) -> Array:
        """Return a copy of the output."""
        cl = self._cl
        host = self._plan.poison()
        try:
            cl.enqueue_copy(self._queue, host, self._buffers[self._plan.output.name])
            self._queue.finish()
        except cl.Error as error:
            raise _failure(cl, error, "copying the result back") from None
        return host

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        while self._buffers:
            # of a device that is lost there is nothing to release
            with contextlib.suppress(self._cl.Error):
                self._buffers.popitem()[1].release()


def _failure(cl: Any, error: Any, what: str, log: str | None = None) -> TrialFailed:
    """Return the trial's failure that an OpenCL error means; `log` is the compiler's, if it is one.

    Whatever is no plain refusal may have left the device, its context or its queue useless (out of
    resources is what some drivers call a kernel that wrote where it must not): then the session is
    lost, and the next trial gets a new one.
    """
    code = _code(error)
    text = _told(log or str(error))
    lost = code not in _HARMLESS
    if code in _RESOURCES:
        return ResourceExceeded(
            f"{what}: {_RESOURCES[code]}", detail=text[-4000:], session_lost=lost
        )
    if isinstance(error, cl.MemoryError) or code in _MEMORY:
        said = _MEMORY.get(code or 0, "out of memory")
        return OutOfMemory(f"{what}: {said}", detail=text[-4000:], session_lost=lost)
    if code != _BUILD_FAILURE:
        # a device that was lost, a driver in trouble: no fault of the kernel that is known
        line = " ".join(text.split())
        return TrialFailed(
            f"{what}: {line[:200]}", detail=text[-4000:], kind="crash", session_lost=True
        )
    said = next((one.strip() for one in text.splitlines() if "error:" in one), "it gives no reason")
    return BuildFailed(f"{what}: {said[:300]}", detail=text[-4000:])


def _code(error: Any) -> int | None:
    return getattr(error, "code", None)


def _log(cl: Any, source: Any, device: Any) -> str | None:
    """Return what the compiler said; PyOpenCL's own errors lack it where it is no UTF-8."""
    try:
        return str(source.get_build_info(device, cl.program_build_info.LOG))
    except UnicodeDecodeError as error:
        return bytes(error.object).decode(errors="replace")
    except (cl.Error, AttributeError):
        return None


def _told(text: str) -> str:
    """Return a driver's words, without the middle if they are very many.

    The same failure has the same words, wherever the driver kept the source.
    """
    text = text.replace("\0", "")
    if len(text) > _LOG:
        text = f"{text[: _LOG // 2]}\n[...]\n{text[-_LOG // 2 :]}"
    return "\n".join(_SOURCE_FILE.sub("kernel.cl", line[:_LINE]) for line in text.splitlines())
