"""Kernels in C, compiled by the system's compiler and called on this thread."""

from __future__ import annotations

import ctypes
import hashlib
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from daybreak_rise.runtime.base import Buffers
from daybreak_rise.runtime.ccompiler import CCompiler, find_compiler
from daybreak_rise.runtime.limits import DeviceLimits

if TYPE_CHECKING:
    from daybreak_rise.codegen import Kernel

__all__ = ["NativeRuntime"]

Array = np.ndarray[Any, Any]

#: vectors are read and written whole; wider than any that a processor has
_ALIGNMENT = 512
_TIMED = """
#include <time.h>
/* Seconds of one call by the monotonic clock; called through a volatile pointer, so that nothing
   of it is inlined here or left out. */
static void daybreak_call(void **a) { %s(%s); }
static void (*volatile daybreak_entry)(void **) = daybreak_call;
double daybreak_run(void **a) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  daybreak_entry(a);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}
"""


class NativeRuntime:
    """The processor that this process runs on. Opened by `with`."""

    language = "c"
    kind = "cpu"
    threads = 1

    def __init__(self, compiler: str | None, flags: str) -> None:
        self._named = compiler
        self._flags = tuple(shlex.split(flags))
        self._compiler: CCompiler | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0
        self.identity: dict[str, str] = {}
        self.limits = DeviceLimits(1, (1, 1, 1), 0)

    def __enter__(self) -> Self:
        """Find the compiler.

        Raises:
            RequirementError: there is none.
        """
        self._compiler = find_compiler(self._named)
        self._scratch = tempfile.TemporaryDirectory(prefix="daybreak-rise-")
        self.identity = {"compiler": self._compiler.version, "flags": shlex.join(self._flags)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what was built; safe to call twice."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def compile(self, kernel: Kernel) -> _Compiled:
        """Build a kernel into a library and load it; see `base.Runtime.compile`."""
        if self._compiler is None or self._scratch is None:
            raise RuntimeError("the runtime is not open")
        plan = Buffers(kernel)
        arguments = []
        for place, argument in enumerate(kernel.arguments):
            if argument.name in plan.bytes:
                arguments.append(f"a[{place}]")
            else:
                arguments.append(f"*({argument.c_type} *)a[{place}]")
        source = kernel.source + _TIMED % (kernel.name, ", ".join(arguments))
        # a library of the same name would be the one already loaded
        library = Path(self._scratch.name, f"kernel{self._count}.so")
        self._count += 1
        began = time.perf_counter()
        self._compiler.build(source, self._flags, library)
        seconds = time.perf_counter() - began
        return _Compiled(library, source, plan, seconds)


class _Compiled:
    """See `base.Compiled`."""

    def __init__(self, library: Path, source: str, plan: Buffers, seconds: float) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.daybreak_run.argtypes = (ctypes.POINTER(ctypes.c_void_p),)
        self._library.daybreak_run.restype = ctypes.c_double
        self._plan = plan
        self._memory = {name: _aligned(size) for name, size in plan.bytes.items()}
        self._kept: list[Any] = []
        self._pack: Any = None
        self.facts: Mapping[str, Any] = {
            "code": hashlib.sha256(source.encode()).hexdigest()[:16],
            "library_bytes": library.stat().st_size,
        }
        self.phases: Mapping[str, float] = {"compile": seconds}

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs and poison the output."""
        addresses: list[int] = []
        self._kept = []
        for name, value in self._plan.arguments(inputs):
            if name in self._memory:
                target = self._memory[name]
                if value is not None:
                    flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
                    target[: flat.size] = flat
                addresses.append(target.ctypes.data)
            else:
                held = np.array([value])
                self._kept.append(held)
                addresses.append(held.ctypes.data)
        self._pack = (ctypes.c_void_p * len(addresses))(*addresses)

    def run(self) -> float:
        """Call once and return its seconds by the monotonic clock."""
        return float(self._library.daybreak_run(self._pack))

    def result(self) -> Array:
        """Return a copy of the output."""
        name, host = self._plan.host_output()
        host.reshape(-1).view(np.uint8)[:] = self._memory[name][: host.nbytes]
        return self._plan.shaped(host)

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        self._memory = {}
        self._pack = None


def _aligned(size: int) -> Array:
    whole = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -whole.ctypes.data % _ALIGNMENT
    return whole[start : start + size]
