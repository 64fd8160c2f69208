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

from daybreak_rise.runtime.base import Array, Plan
from daybreak_rise.runtime.ccompiler import CCompiler, find_compiler
from daybreak_rise.runtime.limits import DeviceLimits

if TYPE_CHECKING:
    from daybreak_rise.codegen import Kernel, Program

__all__ = ["NativeRuntime"]

#: vectors are read and written whole; wider than any that a processor has
_ALIGNMENT = 512
_C_TYPES = {"f32": "float", "f64": "double", "i32": "int", "bool": "unsigned char"}
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
        """Find the compiler, and try it out.

        Raises:
            RequirementError: there is none, or none that will do.
        """
        self._compiler = find_compiler(self._named)
        self._scratch = tempfile.TemporaryDirectory(prefix="daybreak-rise-")
        try:
            self._compiler.try_out(self._flags, Path(self._scratch.name))
        except BaseException:
            self._scratch.cleanup()
            raise
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

    def compile(self, program: Program) -> _Compiled:
        """Build a program into libraries and load them; see `base.Runtime.compile`."""
        if self._compiler is None or self._scratch is None:
            raise RuntimeError("the runtime is not open")
        libraries: list[Path] = []
        loaded: list[ctypes.CDLL] = []
        began = time.perf_counter()
        for kernel in program.kernels:
            # a library of the same name would be the one already loaded
            library = Path(self._scratch.name, f"kernel{self._count}.so")
            self._count += 1
            self._compiler.build(kernel.source + _timed(kernel), self._flags, library)
            libraries.append(library)
            loaded.append(self._compiler.load(library))
        size = sum(library.stat().st_size for library in libraries)
        return _Compiled(program, loaded, size, time.perf_counter() - began)


class _Compiled:
    """See `base.Compiled`."""

    def __init__(
        self, program: Program, libraries: list[ctypes.CDLL], size: int, seconds: float
    ) -> None:
        self._plan = Plan(program)
        self._kernels = list(zip(libraries, program.kernels, strict=True))
        self._memory = {name: _aligned(size) for name, size in self._plan.bytes.items()}
        self._values: dict[str, Array] = {}
        self._packs: list[Any] = []
        self.facts: Mapping[str, Any] = {
            "code": hashlib.sha256(program.source.encode()).hexdigest()[:16],
            "library_bytes": size,
        }
        self.phases: Mapping[str, float] = {"compile": seconds}

    def touch(self) -> None:
        """Launch once on zeros."""
        self.load(self._plan.zeros())
        self.run()

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs and poison the output."""
        for argument, value in self._plan.inputs(inputs):
            if argument.by_value:
                self._values[argument.name] = value
            else:
                self._memory[argument.name][:] = _flat(value)
        self._memory[self._plan.output.name][:] = _flat(self._plan.poison())
        self._packs = [
            (ctypes.c_void_p * len(kernel.arguments))(
                *(
                    (self._values if one.by_value else self._memory)[one.name].ctypes.data
                    for one in kernel.arguments
                )
            )
            for _, kernel in self._kernels
        ]

    def run(self) -> float:
        """Call once and return the seconds by the monotonic clock."""
        return sum(
            float(library.daybreak_run(pack))
            for (library, _), pack in zip(self._kernels, self._packs, strict=True)
        )

    def result(self) -> Array:
        """Return a copy of the output."""
        host = self._plan.poison()
        _flat(host)[:] = self._memory[self._plan.output.name]
        return host

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        self._memory = {}
        self._packs = []


def _timed(kernel: Kernel) -> str:
    arguments = (
        f"*(const {_C_TYPES[one.scalar]} *)a[{place}]" if one.by_value else f"a[{place}]"
        for place, one in enumerate(kernel.arguments)
    )
    return _TIMED % (kernel.name, ", ".join(arguments))


def _flat(array: Array) -> Array:
    return array.reshape(-1).view(np.uint8)


def _aligned(size: int) -> Array:
    whole = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -whole.ctypes.data % _ALIGNMENT
    return whole[start : start + size]
