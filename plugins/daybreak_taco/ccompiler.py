"""The system's C compiler: finds it, says which one it is, and builds kernels into libraries."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daybreak import BuildFailed, RequirementError, find_program
from daybreak_taco.emit import ENTRY
from daybreak_taco.pragmas import for_gcc

__all__ = [
    "DEFAULT_FLAGS",
    "INSTALL_COMPILER",
    "CCompiler",
    "find_compiler",
    "finish",
    "load",
    "supports_openmp",
]

#: optimisation flags unless the user names others. Strict IEEE arithmetic is kept: no -ffast-math.
DEFAULT_FLAGS = "-O3 -march=native"
#: what the user may type when there is no compiler
INSTALL_COMPILER = (
    "Debian, Ubuntu: sudo apt install build-essential; Fedora: sudo dnf install gcc gcc-c++ make; "
    "macOS: brew install gcc, then export CC=gcc-14"
)

_FIXED = ("-std=gnu11", "-fopenmp", "-shared", "-fPIC", "-w")
_SECONDS = 120.0


@dataclass(frozen=True)
class CCompiler:
    """A C compiler.

    Attributes:
        command: the program and arguments that always go with it.
        version: the first line of what ``--version`` prints.
        clang: whether it is Clang, which understands TACO's pragmas as they are.
    """

    command: tuple[str, ...]
    version: str
    clang: bool

    def build(self, source: str, flags: tuple[str, ...], folder: Path) -> Path:
        """Return the shared library of C text `source`, compiled into `folder`.

        A library is named by the hash of its source and command, so the same kernel is compiled
        once per folder.

        Raises:
            BuildFailed: the compiler refuses; the detail holds the end of its output.
        """
        command = (*self.command, *flags, *_FIXED)
        digest = hashlib.sha256("\0".join((*command, self.version, source)).encode()).hexdigest()
        library = folder / f"{digest[:32]}.so"
        if library.exists():
            return library
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            text, made = Path(scratch, "kernel.c"), Path(scratch, "kernel.so")
            text.write_text(source, encoding="utf-8")
            try:
                done = subprocess.run(
                    [*command, str(text), "-o", str(made), "-lm"],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise BuildFailed(f"the C compiler took more than {_SECONDS:g} s") from None
            if done.returncode != 0 or not made.exists():
                output = done.stderr.replace(scratch + os.sep, "")
                raise BuildFailed(_first_error(output, done.returncode), detail=output[-4000:])
            made.replace(library)
        return library


def _first_error(output: str, code: int) -> str:
    for line in output.splitlines():
        if "error:" in line:
            return "C compiler: " + line.partition("error:")[2].strip()
    return f"the C compiler ended with status {code}"


@functools.cache
def find_compiler(named: str | None = None) -> CCompiler:
    """Return the compiler named by `named`, by $DAYBREAK_CC or $CC, or `cc`, `gcc`, `clang`.

    Raises:
        RequirementError: there is none, or it does not run.
    """
    asked = named or os.environ.get("DAYBREAK_CC") or os.environ.get("CC", "")
    found = find_program(asked, ("cc", "gcc", "clang"))
    if found is not None:
        return CCompiler(found.command, found.version, "clang" in found.version.lower())
    wanted = f"'{asked}'" if asked.strip() else "cc, gcc or clang"
    raise RequirementError(
        f"no C compiler: {wanted} was not found or does not run",
        expected="a C compiler with OpenMP",
        remedy=INSTALL_COMPILER,
    )


@functools.cache
def supports_openmp(compiler: CCompiler) -> bool:
    """Whether the compiler builds a library with OpenMP."""
    text = "#include <omp.h>\nint probe(void) { return omp_get_max_threads(); }\n"
    with tempfile.TemporaryDirectory() as folder:
        try:
            compiler.build(text, ("-O0",), Path(folder))
        except (BuildFailed, OSError):
            return False
    return True


@functools.cache
def _shim() -> str:
    return Path(__file__).with_name("shim.c").read_text(encoding="utf-8")


def finish(text: str, operands: int, compiler: CCompiler, *, independent: bool) -> str:
    """Return emitted C text ready to compile: pragmas translated, the timing shim appended.

    `independent` is what `daybreak_taco.pragmas.for_gcc` wants to know.
    """
    kernel = text if compiler.clang else for_gcc(text, independent=independent)
    arguments = ", ".join(f"(taco_tensor_t *)tensors[{place}]" for place in range(operands))
    call = f"#define DAYBREAK_CALL {ENTRY}({arguments})\n"
    return kernel + "\n" + call + _shim()


def load(library: Path) -> ctypes.CDLL:
    """Load a built kernel and declare the shim's functions."""
    loaded = ctypes.CDLL(str(library))
    loaded.daybreak_configure.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int)
    loaded.daybreak_configure.restype = None
    loaded.daybreak_threads.argtypes = ()
    loaded.daybreak_threads.restype = ctypes.c_int
    loaded.daybreak_run.argtypes = (ctypes.POINTER(ctypes.c_void_p), ctypes.c_int)
    loaded.daybreak_run.restype = ctypes.c_double
    loaded.daybreak_evict.argtypes = (ctypes.c_void_p, ctypes.c_long)
    loaded.daybreak_evict.restype = ctypes.c_int
    return loaded
