"""The system's C compiler: finds it, says which one it is, and builds kernels into libraries."""

from __future__ import annotations

import functools
import os
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
            if done.returncode != 0 or not library.exists():
                output = done.stderr.replace(scratch + os.sep, "")
                first = next((line for line in output.splitlines() if "error:" in line), "")
                said = first.partition("error:")[2].strip()
                raise BuildFailed(
                    f"C compiler: {said or f'it ended with status {done.returncode}'}",
                    detail=output[-4000:],
                )


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
