"""What is timed: the triad of STREAM, and a matrix product.

The triad is ``a = b + s * c`` in double precision (J. McCalpin, "Memory Bandwidth and Machine
Balance in Current High Performance Computers", 1995). Counted are STREAM's 24 bytes per element:
two are read and one is written. What a cache reads of a line before it is written is not counted,
so that the counted rate is what a program gets, not what the wires carry.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["BYTES_PER_ELEMENT", "Kernel", "gemm", "triad_numba", "triad_numpy"]

#: STREAM's count for one element of the triad in double precision.
BYTES_PER_ELEMENT = 24

#: Runs so many times over and returns nothing.
Kernel = Callable[[int], None]

#: Elements of a stretch of the NumPy triad: the written stretch stays in a cache between its passes.
_STRETCHES = (4096, 8192, 16384, 32768, 65536, 131072)


def triad_numba(elements: int) -> tuple[Kernel, dict[str, Any]]:
    """Return the triad as one compiled loop over `elements` per array, and what to know of it.

    Raises:
        ImportError: numba is missing.
    """
    import numba

    @numba.njit(fastmath=True)  # type: ignore[untyped-decorator, unused-ignore]
    def loop(a: Any, b: Any, c: Any, scale: float, times: int) -> None:
        for t in range(times):
            # another factor each time, lest the compiler does it once
            factor = scale + t
            for i in range(a.shape[0]):
                a[i] = b[i] + factor * c[i]

    a, b, c = _arrays(elements)
    loop(a[:8], b[:8], c[:8], 3.0, 1)  # compiles

    def run(times: int) -> None:
        loop(a, b, c, 3.0, times)

    return run, {"kernel": "numba", "numba": numba.__version__, **_model(elements)}


def triad_numpy(elements: int) -> tuple[Kernel, dict[str, Any]]:
    """Return the triad as NumPy can do it: two passes over stretches that stay in a cache.

    The length of a stretch is the one that is fastest here.
    """
    import numpy as np

    a, b, c = _arrays(elements)

    def run_stretches(stretch: int, times: int) -> None:
        for t in range(times):
            factor = 3.0 + t
            for start in range(0, elements, stretch):
                part = a[start : start + stretch]
                np.multiply(c[start : start + stretch], factor, out=part)
                np.add(part, b[start : start + stretch], out=part)

    def seconds(stretch: int) -> float:
        laps = []
        for _ in range(3):
            began = time.perf_counter()
            run_stretches(stretch, 1)
            laps.append(time.perf_counter() - began)
        return min(laps)

    stretch = min(_STRETCHES, key=seconds)

    def run(times: int) -> None:
        run_stretches(stretch, times)

    return run, {
        "kernel": "numpy",
        "numpy": np.__version__,
        "stretch": stretch,
        **_model(elements),
    }


def gemm(size: int, precision: str) -> tuple[Kernel, dict[str, Any]]:
    """Return the product of two square matrices of `size`, 2 size^3 operations, through NumPy.

    Args:
        size: rows and columns.
        precision: ``f64`` or ``f32``.
    """
    import numpy as np

    dtype = {"f64": np.float64, "f32": np.float32}[precision]
    rng = np.random.default_rng(0)
    a = rng.random((size, size)).astype(dtype)
    b = rng.random((size, size)).astype(dtype)
    out = np.empty_like(a)

    def run(times: int) -> None:
        for _ in range(times):
            np.matmul(a, b, out=out)

    return run, {
        "kernel": "matmul",
        "numpy": np.__version__,
        "blas": _blas(),
        "size": size,
        "counts": "2 n^3 operations",
    }


def _arrays(elements: int) -> tuple[Any, Any, Any]:
    import numpy as np

    # written, not only reserved: pages lie where they are first touched
    return np.full(elements, 0.5), np.full(elements, 1.0), np.full(elements, 2.0)


def _model(elements: int) -> dict[str, Any]:
    return {"elements": elements, "counts": f"{BYTES_PER_ELEMENT} bytes per element (STREAM triad)"}


def _blas() -> str | None:
    """Return name and version of the library that NumPy multiplies with."""
    import numpy as np

    try:
        found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index, unused-ignore]
        return f"{found['name']} {found['version']}"
    except (KeyError, TypeError):
        return None
