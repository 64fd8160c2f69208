"""The system's C compiler: finds it, says which one it is, and builds kernels into libraries."""

from __future__ import annotations

import ctypes
import functools
import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daybreak import BuildFailed, RequirementError, find_program

__all__ = ["INSTALL_COMPILER", "CCompiler", "find_compiler"]

#: what the user may type when there is no compiler
INSTALL_COMPILER = (
    "Debian, Ubuntu: sudo apt install gcc libc6-dev; Fedora: sudo dnf install gcc; "
    "macOS: xcode-select --install"
)

_FIXED = ("-std=gnu11", "-shared", "-fPIC", "-w")
_SECONDS = 120.0
#: what every kernel needs of a compiler: GNU C 11, vectors, a library, libm
_TRIAL = """
#include <math.h>
#include <time.h>
typedef float daybreak_vector __attribute__((vector_size(16)));
double daybreak_run(void **a) {
  struct timespec now;
  daybreak_vector v = {1.0f, 2.0f, 3.0f, 4.0f};
  clock_gettime(CLOCK_MONOTONIC, &now);
  for (int i = 0; i < 4; i++) ((float *)a[0])[i] = sqrtf((v * v)[i]);
  return (double)now.tv_sec;
}
"""


@dataclass(frozen=True)
class CCompiler:
    """A C compiler: the program with arguments that always go with it, and its version."""

    command: tuple[str, ...]
    version: str

    def build(self, source: str, flags: tuple[str, ...], library: Path) -> None:
        """Compile C text into the shared library `library`.

        Raises:
            BuildFailed: the compiler refuses or takes too long; the detail holds the end of its
                output.
        """
        with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
            text = Path(scratch, "kernel.c")
            text.write_text(source, encoding="utf-8")
            try:
                done = subprocess.run(
                    [*self.command, *flags, *_FIXED, str(text), "-o", str(library), "-lm"],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise BuildFailed(f"the C compiler took more than {_SECONDS:g} s") from None
            except OSError as error:
                raise BuildFailed(f"the C compiler cannot be started: {error}") from None
            if done.returncode != 0 or not library.exists():
                output = done.stderr.replace(scratch + os.sep, "")
                first = next((line for line in output.splitlines() if "error:" in line), "")
                said = first.partition("error:")[2].strip()[:300]
                ended = f"it ended with status {done.returncode}" + (
                    "" if done.returncode else " and made no library"
                )
                raise BuildFailed(f"C compiler: {said or ended}", detail=output[-4000:])

    def load(self, library: Path) -> ctypes.CDLL:
        """Load a library that `build` made, with its function `daybreak_run(void **) -> double`.

        Raises:
            BuildFailed: it is none that this process can load.
        """
        try:
            loaded = ctypes.CDLL(str(library))
            function = loaded.daybreak_run
        except (OSError, AttributeError) as error:
            said = str(error).replace(str(library), "it")
            raise BuildFailed(f"what the C compiler made is no library of ours: {said}") from None
        function.argtypes = (ctypes.POINTER(ctypes.c_void_p),)
        function.restype = ctypes.c_double
        return loaded

    def try_out(self, flags: tuple[str, ...], folder: Path) -> None:
        """Build and load a small kernel, so that a compiler that never will do is known at once.

        Raises:
            RequirementError: it will not do, with these flags.
        """
        library = folder / "trial.so"
        try:
            self.build(_TRIAL, flags, library)
            self.load(library)
        except BuildFailed as error:
            raise RequirementError(
                f"the C compiler '{shlex.join(self.command)}' ({self.version}) cannot build "
                f"kernels with the flags '{shlex.join(flags)}': {error.message}",
                expected="a compiler of GNU C 11 for this processor: gcc from 5, or clang",
                remedy=f"name another by the option 'compiler', change 'flags'; {INSTALL_COMPILER}",
            ) from None
        finally:
            library.unlink(missing_ok=True)


@functools.cache
def find_compiler(named: str | None = None) -> CCompiler:
    """Return the compiler named by `named`, by $DAYBREAK_CC or $CC, or `gcc`, `clang`, `cc`.

    Raises:
        RequirementError: there is none, or it does not run.
    """
    asked = named or os.environ.get("DAYBREAK_CC") or os.environ.get("CC", "")
    found = find_program(asked, ("gcc", "clang", "cc"))
    if found is not None:
        return CCompiler(found.command, found.version)
    wanted = f"'{asked}'" if asked.strip() else "gcc, clang or cc"
    raise RequirementError(
        f"no C compiler: {wanted} was not found or does not run",
        expected="a C compiler",
        remedy=INSTALL_COMPILER,
    )
