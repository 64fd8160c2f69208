"""NVIDIA's run-time compiler: from CUDA C++ text to what a driver loads.

Names, signatures and codes are those of NVRTC's documentation (CUDA 12 and 13).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

from daybreak import BuildFailed, RequirementError
from daybreak_rise.runtime.cudalibs import compiler_package

__all__ = ["Nvrtc", "architecture", "newest_for"]

_P = ctypes.c_void_p
_SIZE = ctypes.POINTER(ctypes.c_size_t)
_INT = ctypes.POINTER(ctypes.c_int)
_STRINGS = ctypes.POINTER(ctypes.c_char_p)
_SIGNATURES: dict[str, tuple[object, ...]] = {
    "nvrtcVersion": (_INT, _INT),
    "nvrtcGetNumSupportedArchs": (_INT,),
    "nvrtcGetSupportedArchs": (_INT,),
    "nvrtcCreateProgram": (_P, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, _STRINGS, _STRINGS),
    "nvrtcCompileProgram": (_P, ctypes.c_int, _STRINGS),
    "nvrtcDestroyProgram": (_P,),
    "nvrtcGetProgramLogSize": (_P, _SIZE),
    "nvrtcGetProgramLog": (_P, ctypes.c_char_p),
    "nvrtcGetPTXSize": (_P, _SIZE),
    "nvrtcGetPTX": (_P, ctypes.c_char_p),
    "nvrtcGetCUBINSize": (_P, _SIZE),
    "nvrtcGetCUBIN": (_P, ctypes.c_char_p),
}


@dataclass(frozen=True, slots=True)
class _Output:
    size: str
    get: str


_PTX = _Output("nvrtcGetPTXSize", "nvrtcGetPTX")
_CUBIN = _Output("nvrtcGetCUBINSize", "nvrtcGetCUBIN")
_LOG = _Output("nvrtcGetProgramLogSize", "nvrtcGetProgramLog")


class Nvrtc:
    """One libnvrtc.

    Attributes:
        version: of CUDA, as (12, 9).
        capabilities: of the devices that it makes code for, as 90 for 9.0; ascending.
    """

    def __init__(self, library: str) -> None:
        """Load it.

        Raises:
            OSError: it does not load.
        """
        self._lib = ctypes.CDLL(library)
        for name, arguments in _SIGNATURES.items():
            getattr(self._lib, name).argtypes = arguments
        major, minor, count = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        self._lib.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        self._lib.nvrtcGetNumSupportedArchs(ctypes.byref(count))
        known = (ctypes.c_int * count.value)()
        self._lib.nvrtcGetSupportedArchs(known)
        self.version = (major.value, minor.value)
        self.capabilities: tuple[int, ...] = tuple(sorted(known))

    def compile(self, source: str, options: Sequence[str]) -> bytes:
        """Return machine code for an `sm_` architecture among the options, else PTX.

        Raises:
            BuildFailed: the compiler refuses the text; the detail holds its log.
        """
        lib, program = self._lib, _P()
        flags = (ctypes.c_char_p * len(options))(*(one.encode() for one in options))
        if lib.nvrtcCreateProgram(
            ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
        ):
            raise BuildFailed("NVIDIA's run-time compiler does not start")
        try:
            code = lib.nvrtcCompileProgram(program, len(options), flags)
            if code:
                log = self._get(program, _LOG).rstrip(b"\0").decode(errors="replace")
                first = next((line for line in log.splitlines() if "error" in line), f"code {code}")
                raise BuildFailed(f"NVRTC: {first.strip()}", detail=log[-4000:])
            real = any("=sm_" in option for option in options)
            return self._get(program, _CUBIN if real else _PTX)
        finally:
            lib.nvrtcDestroyProgram(ctypes.byref(program))

    def _get(self, program: ctypes.c_void_p, output: _Output) -> bytes:
        size = ctypes.c_size_t()
        getattr(self._lib, output.size)(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(max(size.value, 1))
        getattr(self._lib, output.get)(program, text)
        return text.raw


def newest_for(libraries: Sequence[str], driver: tuple[int, int]) -> Nvrtc:
    """Return the newest compiler whose code a driver for CUDA `driver` loads.

    Code of a newer major version than the driver's is refused by it.

    Raises:
        RequirementError: there is none.
    """
    found, seen = [], []
    for library in libraries:
        try:
            one = Nvrtc(library)
        except (OSError, AttributeError) as error:
            seen.append(str(error))
            continue
        seen.append(f"NVRTC {one.version[0]}.{one.version[1]}")
        if one.version[0] <= driver[0]:
            found.append(one)
    if not found:
        raise RequirementError(
            f"NVIDIA's driver takes code of CUDA {driver[0]} and older; found: {', '.join(seen)}",
            expected=f"libnvrtc of CUDA {driver[0]}",
            remedy=compiler_package(driver[0]),
        )
    return max(found, key=lambda one: one.version)


def architecture(capability: int, compiler: Nvrtc) -> str:
    """Return the compiler's option for a device of `capability`, as 90 for 9.0.

    Machine code where the compiler knows the device; else code for the newest older one, which the
    driver translates.

    Raises:
        RequirementError: the compiler knows only newer devices.
    """
    if capability in compiler.capabilities:
        return f"--gpu-architecture=sm_{capability}"
    older = [one for one in compiler.capabilities if one < capability]
    if not older:
        raise RequirementError(
            f"NVRTC {compiler.version[0]}.{compiler.version[1]} has dropped devices of compute "
            f"capability {capability // 10}.{capability % 10}",
            expected="an older libnvrtc",
            remedy=compiler_package(compiler.version[0] - 1),
        )
    return f"--gpu-architecture=compute_{older[-1]}"
