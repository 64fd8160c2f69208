"""The dozen functions of NVIDIA's driver and run-time compiler that running a kernel takes.

Names, signatures and codes are those of the CUDA driver API and of NVRTC (documentation of CUDA
12); the driver's functions with a `_v2` are the ones that the header maps their names to.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from daybreak import BuildFailed, OutOfMemory, RequirementError, ResourceExceeded, TrialFailed
from daybreak_rise.runtime.cudalibs import find_libraries

__all__ = ["CudaApi"]

_OUT_OF_MEMORY, _OUT_OF_RESOURCES, _INVALID_VALUE = 2, 701, 1
#: CUdevice_attribute
ATTRIBUTES = {
    "work_group": 1,
    "x": 2,
    "y": 3,
    "z": 4,
    "local_bytes": 8,
    "units": 16,
    "major": 75,
    "minor": 76,
}


class CudaApi:
    """NVIDIA's first device. Handles are plain numbers."""

    def __init__(self) -> None:
        driver, compiler = find_libraries()
        try:
            self._cu = ctypes.CDLL(driver)
            self._nvrtc = ctypes.CDLL(compiler)
        except OSError as error:
            raise RequirementError(
                f"NVIDIA's libraries do not load: {error}",
                expected="a driver that works",
                remedy="reinstall NVIDIA's driver",
            ) from None
        self._context = ctypes.c_void_p()

    def open(self) -> dict[str, Any]:
        """Open the first device and return its name, driver version and attributes.

        Raises:
            RequirementError: the driver has no device.
        """
        cu, device, version = self._cu, ctypes.c_int(), ctypes.c_int()
        if cu.cuInit(0) or cu.cuDeviceGet(ctypes.byref(device), 0):
            raise RequirementError(
                "NVIDIA's driver has no device",
                expected="an NVIDIA GPU",
                remedy="look at nvidia-smi, and at CUDA_VISIBLE_DEVICES",
            )
        name = ctypes.create_string_buffer(256)
        self._check(cu.cuDeviceGetName(name, 256, device), "asking the device")
        self._check(cu.cuDriverGetVersion(ctypes.byref(version)), "asking the driver")
        found: dict[str, Any] = {"name": name.value.decode(), "driver": version.value}
        for key, number in ATTRIBUTES.items():
            value = ctypes.c_int()
            self._check(
                cu.cuDeviceGetAttribute(ctypes.byref(value), number, device), "asking the device"
            )
            found[key] = value.value
        self._check(
            cu.cuDevicePrimaryCtxRetain(ctypes.byref(self._context), device), "opening the device"
        )
        self._check(cu.cuCtxSetCurrent(self._context), "opening the device")
        self._device = device
        return found

    def close(self) -> None:
        """Give the device back."""
        if self._context:
            self._cu.cuDevicePrimaryCtxRelease_v2(self._device)
            self._context = ctypes.c_void_p()

    def compile(self, source: str, name: str, options: Sequence[str]) -> int:
        """Return the function `name` of CUDA C text.

        Raises:
            BuildFailed: the compiler or the driver's assembler refuses it.
        """
        nvrtc, program = self._nvrtc, ctypes.c_void_p()
        flags = (ctypes.c_char_p * len(options))(*(one.encode() for one in options))
        if nvrtc.nvrtcCreateProgram(
            ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
        ):
            raise BuildFailed("NVIDIA's run-time compiler does not start")
        try:
            code = nvrtc.nvrtcCompileProgram(program, len(options), flags)
            if code:
                log = self._text(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog")
                first = next((line for line in log.splitlines() if "error" in line), f"code {code}")
                raise BuildFailed(f"NVRTC: {first.strip()}", detail=log[-4000:])
            ptx = self._text(program, "nvrtcGetPTXSize", "nvrtcGetPTX")
        finally:
            nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        code = self._cu.cuModuleLoadData(ctypes.byref(module), ptx.encode())
        if code:
            raise BuildFailed(f"the driver refuses the kernel: CUDA error {code}")
        self._check(
            self._cu.cuModuleGetFunction(ctypes.byref(function), module, name.encode()),
            "finding the kernel",
        )
        return function.value or 0

    def _text(self, program: Any, size_of: str, get: str) -> str:
        size = ctypes.c_size_t()
        getattr(self._nvrtc, size_of)(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value + 1)
        getattr(self._nvrtc, get)(program, text)
        return text.value.decode(errors="replace")

    def allocate(self, size: int) -> int:
        """Return the device's address of `size` bytes."""
        address = ctypes.c_uint64()
        self._check(self._cu.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(size)), "memory")
        return address.value

    def free(self, address: int) -> None:
        """Free what `allocate` gave."""
        self._cu.cuMemFree_v2(ctypes.c_uint64(address))

    def upload(self, address: int, array: Any) -> None:
        """Copy a contiguous array to the device."""
        code = self._cu.cuMemcpyHtoD_v2(
            ctypes.c_uint64(address), array.ctypes.data_as(ctypes.c_void_p), array.nbytes
        )
        self._check(code, "copying to the device")

    def download(self, array: Any, address: int) -> None:
        """Fill a contiguous array from the device."""
        code = self._cu.cuMemcpyDtoH_v2(
            array.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(address), array.nbytes
        )
        self._check(code, "copying from the device")

    def launch(
        self, function: int, groups: Sequence[int], items: Sequence[int], arguments: Sequence[Any]
    ) -> float:
        """Launch a kernel and return the seconds between events around it.

        `arguments` are ctypes values in the kernel's order.
        """
        cu, times = self._cu, (ctypes.c_void_p(), ctypes.c_void_p())
        pointers = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(a) for a in arguments))
        for event in times:
            self._check(cu.cuEventCreate(ctypes.byref(event), 0), "an event")
        try:
            self._check(cu.cuCtxSynchronize(), "what came before")
            self._check(cu.cuEventRecord(times[0], None), "an event")
            code = cu.cuLaunchKernel(
                ctypes.c_void_p(function), *groups, *items, 0, None, pointers, None
            )
            self._check(code, "launching the kernel")
            self._check(cu.cuEventRecord(times[1], None), "an event")
            self._check(cu.cuCtxSynchronize(), "running the kernel")
            seconds = ctypes.c_float()
            self._check(cu.cuEventElapsedTime(ctypes.byref(seconds), *times), "an event")
            return 1e-3 * seconds.value
        finally:
            for event in times:
                cu.cuEventDestroy_v2(event)

    def _check(self, code: int, what: str) -> None:
        if not code:
            return
        text = f"{what}: CUDA error {code}"
        if code == _OUT_OF_MEMORY:
            raise OutOfMemory(text)
        if code in (_OUT_OF_RESOURCES, _INVALID_VALUE):
            raise ResourceExceeded(text)
        raise TrialFailed(text, kind="crash")
