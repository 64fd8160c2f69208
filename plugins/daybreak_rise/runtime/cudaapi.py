"""The dozen functions of NVIDIA's driver that running a kernel takes.

Names, signatures and codes are those of the CUDA driver API (documentation of CUDA 12); functions
with a `_v2` are the ones that the header maps their names to.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from daybreak import BuildFailed, OutOfMemory, RequirementError, ResourceExceeded, TrialFailed
from daybreak_rise.runtime.cudalibs import find_libraries
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.runtime.listing import DeviceDescription, choose
from daybreak_rise.runtime.nvrtc import Nvrtc, architecture, newest_for

__all__ = ["CudaApi", "Loaded"]

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

_P = ctypes.c_void_p
_ADDRESS = ctypes.c_uint64  # CUdeviceptr
_INT, _UINT, _SIZE = ctypes.c_int, ctypes.c_uint, ctypes.c_size_t
#: without them a size of four gigabytes would be cut to 32 bits
_SIGNATURES: dict[str, tuple[object, ...]] = {
    "cuInit": (_UINT,),
    "cuDriverGetVersion": (_P,),
    "cuDeviceGetCount": (_P,),
    "cuDeviceGet": (_P, _INT),
    "cuDeviceGetName": (ctypes.c_char_p, _INT, _INT),
    "cuDeviceGetAttribute": (_P, _INT, _INT),
    "cuDevicePrimaryCtxRetain": (_P, _INT),
    "cuDevicePrimaryCtxRelease_v2": (_INT,),
    "cuCtxSetCurrent": (_P,),
    "cuCtxSynchronize": (),
    "cuModuleLoadData": (_P, ctypes.c_char_p),
    "cuModuleUnload": (_P,),
    "cuModuleGetFunction": (_P, _P, ctypes.c_char_p),
    "cuMemAlloc_v2": (_P, _SIZE),
    "cuMemFree_v2": (_ADDRESS,),
    "cuMemcpyHtoD_v2": (_ADDRESS, _P, _SIZE),
    "cuMemcpyDtoH_v2": (_P, _ADDRESS, _SIZE),
    "cuLaunchKernel": (_P, *(_UINT,) * 7, _P, _P, _P),
    "cuEventCreate": (_P, _UINT),
    "cuEventRecord": (_P, _P),
    "cuEventElapsedTime": (_P, _P, _P),
    "cuEventDestroy_v2": (_P,),
}


class Loaded:
    """A kernel on the device: handles of its module and function."""

    __slots__ = ("function", "module")

    def __init__(self, module: int, function: int) -> None:
        self.module = module
        self.function = function


class CudaApi:
    """An NVIDIA device. Handles are plain numbers."""

    def __init__(self) -> None:
        driver, self._compilers = find_libraries()
        try:
            self._cu = ctypes.CDLL(driver)
            for name, arguments in _SIGNATURES.items():
                getattr(self._cu, name).argtypes = arguments
        except (OSError, AttributeError) as error:
            raise RequirementError(
                f"NVIDIA's driver does not load: {error}",
                expected="a driver that works",
                remedy="reinstall NVIDIA's driver",
            ) from None
        self._nvrtc: Nvrtc | None = None
        self._device = 0
        self._held = False
        self._arch = ""

    def open(self, platform: str | None = None, device: str | None = None) -> DeviceDescription:
        """Open the device that the options mean and return its description.

        Raises:
            RequirementError: the driver has no such device, or no compiler fits it.
        """
        cu = self._cu
        if cu.cuInit(0):
            raise RequirementError(
                "NVIDIA's driver has no device",
                expected="an NVIDIA GPU",
                remedy="look at nvidia-smi, and at CUDA_VISIBLE_DEVICES",
            )
        version = self._number(cu.cuDriverGetVersion)
        known = [self._describe(i, version) for i in range(self._number(cu.cuDeviceGetCount))]
        chosen = choose(known, platform, device, "NVIDIA")
        self._device = self._number(cu.cuDeviceGet, known.index(chosen))
        self._nvrtc = newest_for(self._compilers, (version // 1000, version % 1000 // 10))
        major, minor = (self._attribute(self._device, name) for name in ("major", "minor"))
        self._arch = architecture(10 * major + minor, self._nvrtc)
        context = _P()
        self._check(
            cu.cuDevicePrimaryCtxRetain(ctypes.byref(context), self._device), "opening the device"
        )
        self._held = True
        self._check(cu.cuCtxSetCurrent(context), "opening the device")
        return chosen

    @property
    def options(self) -> tuple[str, ...]:
        """Return what the compiler is told: the device, and nothing that loosens arithmetic."""
        return (self._arch,)

    @property
    def compiler(self) -> str:
        """Return the compiler's name and version."""
        return "" if self._nvrtc is None else "NVRTC {}.{}".format(*self._nvrtc.version)

    def _describe(self, place: int, version: int) -> DeviceDescription:
        cu = self._cu
        device = self._number(cu.cuDeviceGet, place)
        name = ctypes.create_string_buffer(256)
        self._check(cu.cuDeviceGetName(name, 256, device), "asking the device")
        found = {key: self._attribute(device, key) for key in ATTRIBUTES}
        return DeviceDescription(
            platform="NVIDIA CUDA",
            platform_version=f"CUDA {version // 1000}.{version % 1000 // 10}",
            device=name.value.decode(errors="replace"),
            kind="gpu",
            driver=str(version),
            units=found["units"],
            limits=DeviceLimits(
                found["work_group"], (found["x"], found["y"], found["z"]), found["local_bytes"]
            ),
        )

    def _number(self, function: Any, *arguments: int) -> int:
        value = _INT()
        self._check(function(ctypes.byref(value), *arguments), "asking the driver")
        return value.value

    def _attribute(self, device: int, name: str) -> int:
        return self._number(self._cu.cuDeviceGetAttribute, ATTRIBUTES[name], device)

    def close(self) -> None:
        """Give the device back; safe to call twice."""
        if self._held:
            self._held = False
            self._cu.cuDevicePrimaryCtxRelease_v2(self._device)

    def compile(self, source: str, name: str) -> Loaded:
        """Return the kernel `name` of CUDA C++ text, on the device.

        Raises:
            BuildFailed: the compiler or the driver's assembler refuses it.
        """
        if self._nvrtc is None:
            raise RuntimeError("the device is not open")
        image = self._nvrtc.compile(source, self.options)
        module, function = _P(), _P()
        code = self._cu.cuModuleLoadData(ctypes.byref(module), image)
        if code == _OUT_OF_MEMORY:
            raise OutOfMemory("loading the kernel: CUDA error 2")
        if code:
            raise BuildFailed(f"the driver refuses the kernel: CUDA error {code}")
        code = self._cu.cuModuleGetFunction(ctypes.byref(function), module, name.encode())
        if code:
            self._cu.cuModuleUnload(module)
            raise BuildFailed(f"the driver does not find the kernel: CUDA error {code}")
        return Loaded(module.value or 0, function.value or 0)

    def unload(self, kernel: Loaded) -> None:
        """Remove what `compile` gave."""
        self._cu.cuModuleUnload(kernel.module)

    def allocate(self, size: int) -> int:
        """Return the device's address of `size` bytes.

        Raises:
            OutOfMemory: there is not so much.
        """
        address = _ADDRESS()
        self._check(self._cu.cuMemAlloc_v2(ctypes.byref(address), size), f"taking {size} bytes")
        return address.value

    def free(self, address: int) -> None:
        """Free what `allocate` gave."""
        self._cu.cuMemFree_v2(address)

    def upload(self, address: int, array: Any) -> None:
        """Copy a contiguous array to the device."""
        code = self._cu.cuMemcpyHtoD_v2(address, array.ctypes.data, array.nbytes)
        self._check(code, "copying to the device")

    def download(self, array: Any, address: int) -> None:
        """Fill a contiguous array from the device."""
        code = self._cu.cuMemcpyDtoH_v2(array.ctypes.data, address, array.nbytes)
        self._check(code, "copying from the device")

    def launch(
        self, kernel: Loaded, groups: Sequence[int], items: Sequence[int], arguments: Sequence[Any]
    ) -> float:
        """Launch a kernel and return the seconds between events around it.

        `arguments` are ctypes values in the kernel's order.
        """
        cu, times = self._cu, (_P(), _P())
        pointers = (_P * len(arguments))(*(ctypes.addressof(a) for a in arguments))
        for event in times:
            self._check(cu.cuEventCreate(ctypes.byref(event), 0), "an event")
        try:
            self._check(cu.cuCtxSynchronize(), "what came before")
            self._check(cu.cuEventRecord(times[0], None), "an event")
            code = cu.cuLaunchKernel(kernel.function, *groups, *items, 0, None, pointers, None)
            self._check(code, "launching the kernel")
            self._check(cu.cuEventRecord(times[1], None), "an event")
            self._check(cu.cuCtxSynchronize(), "running the kernel")
            milliseconds = ctypes.c_float()
            self._check(cu.cuEventElapsedTime(ctypes.byref(milliseconds), *times), "an event")
            return 1e-3 * milliseconds.value
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
        # whatever else it is stays with the context: every later call fails as well
        raise TrialFailed(text, kind="crash", session_lost=True)
