"""From a configuration to C, and from C to a function."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak import BuildFailed, RequirementError

__all__ = ["FAULTS", "Kernel", "compile_kernel", "compiler_version", "source_of"]

#: C statements that make a kernel misbehave, to prove that it is found out
FAULTS: Mapping[str, str] = {
    "wrong": "c[0] += 1.0;",
    "crash": "*(volatile double *)8 = 1.0;",
    "hang": "for (volatile int forever = 1; forever;) {}",
    "hog": "for (;;) { char *p = malloc(1 << 24); if (!p) abort(); memset(p, 1, 1 << 24); }",
}
_COMPILE_SECONDS = 60


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel. Daybreak stores `facts` and `phases` with the trial."""

    function: Any
    facts: Mapping[str, str] = field(default_factory=dict)


def source_of(size: int, configuration: Mapping[str, Any]) -> str:
    """Return the C source of ``c = a * b`` for square, row-major matrices of `size`.

    Args:
        size: a multiple of every tile.
        configuration: `tile_i`, `tile_j`, `tile_k`; `order`, the nesting of the tile loops from
            the outermost, where 0 is i, 1 is j and 2 is k; `unroll` of the innermost loop; and
            perhaps `fault`.
    """
    tiles = {axis: int(configuration[f"tile_{axis}"]) for axis in "ijk"}
    order = ["ijk"[position] for position in configuration["order"]]
    loops = "\n".join(
        f"  for (int {axis}0 = 0; {axis}0 < {size}; {axis}0 += {tiles[axis]})" for axis in order
    )
    fault = FAULTS.get(str(configuration.get("fault")), "")
    return f"""\
#include <stdlib.h>
#include <string.h>

void kernel(const double *restrict a, const double *restrict b, double *restrict c) {{
  memset(c, 0, sizeof(double) * {size} * {size});
{loops}
    for (int i = i0; i < i0 + {tiles["i"]}; i++)
      for (int k = k0; k < k0 + {tiles["k"]}; k++) {{
        const double x = a[i * {size} + k];
        _Pragma("GCC unroll {int(configuration["unroll"])}")
        for (int j = j0; j < j0 + {tiles["j"]}; j++)
          c[i * {size} + j] += x * b[k * {size} + j];
      }}
  {fault}
}}
"""


def compile_kernel(source: str, level: str, compiler: str, folder: Path) -> Kernel:
    """Compile `source` in `folder`, load it and return the kernel.

    Raises:
        BuildFailed: the compiler refuses; with the end of what it said.
        RequirementError: there is no such compiler.
    """
    digest = hashlib.sha256(f"{level}\n{source}".encode()).hexdigest()[:16]
    file = folder / f"{digest}.c"
    library = file.with_suffix(".so")
    file.write_text(source)
    command = [compiler, level, "-march=native", "-shared", "-fPIC", "-o", library, file]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_COMPILE_SECONDS, check=False
        )
    except FileNotFoundError:
        raise RequirementError(
            f"there is no C compiler '{compiler}'", remedy="sudo apt install build-essential"
        ) from None
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"the compiler took longer than {_COMPILE_SECONDS} s") from None
    if done.returncode != 0:
        raise BuildFailed(f"{compiler} refused the kernel", detail=done.stderr[-4000:])
    function = ctypes.CDLL(str(library)).kernel
    function.argtypes = [ctypes.c_void_p] * 3
    function.restype = None
    return Kernel(function, {"source_sha256": digest})


def compiler_version(compiler: str) -> str | None:
    """Return the first line of ``compiler --version``, or None if there is no such compiler."""
    if shutil.which(compiler) is None:
        return None
    done = subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    return (done.stdout.splitlines() or [""])[0].strip() or None
