"""The target `cmatmul`: a tiled matrix product in C."""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from daybreak import (
    Benchmark,
    Categorical,
    Configuration,
    Direction,
    FailureKind,
    MeasurementProtocol,
    Metric,
    Ordinal,
    Permutation,
    Reference,
    Requirement,
    Sample,
    Space,
    Verdict,
)
from daybreak_example.kernel import Kernel, compile_kernel, compiler_version, source_of
from daybreak_example.options import MatmulOptions

__all__ = ["CMatmul"]

_TILES = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
_LEVELS = ("-O1", "-O2", "-O3", "-Os")
#: floating-point operations per second that no core reaches: two units of eight lanes at 6 GHz,
#: a multiplication and an addition each
_BEYOND_ANY_CORE = 2 * 8 * 2 * 6e9
#: rounding errors of a sum of 1024 products stay far below it, a wrong element far above
_TOLERANCE = 1e-10


class CMatmul:
    """Square matrix products; tiles, loop order, unrolling and the compiler's level are tuned."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List the benchmark with its default options."""
        return [self.define("square", MatmulOptions().model_dump())]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark; cheap, loads no data."""
        size = int(options["size"])
        elements = int(options["cache_kib"]) * 1024 // 8
        tiles = tuple(tile for tile in _TILES if tile <= size)
        half = tiles[len(tiles) // 2]
        untiled = {"tile_i": size, "tile_j": size, "tile_k": size}
        space = Space(
            [
                Ordinal("tile_i", tiles, log=True, default=half),
                Ordinal("tile_j", tiles, log=True, default=half),
                Ordinal("tile_k", tiles, log=True, default=half),
                Permutation("order", 3, default=(0, 1, 2)),
                Ordinal("unroll", (1, 2, 4, 8, 16), log=True, default=1),
                Categorical("level", _LEVELS, default="-O2"),
            ],
            [
                "unroll <= tile_j",
                f"tile_i * tile_k + tile_k * tile_j + tile_i * tile_j <= {elements}",
            ],
            name="square",
        )
        expert = {
            "tile_i": min(64, size),
            "tile_j": min(64, size),
            "tile_k": min(32, size),
            "order": (0, 2, 1),
            "unroll": 4,
            "level": "-O3",
        }
        plain = {**untiled, "order": (0, 1, 2), "unroll": 1, "level": "-O2"}
        return Benchmark(
            name=name,
            instance=f"n{size}",
            space=space,
            objectives=(Metric("time", "ms", summary="wall time of one product"),),
            metrics=(
                Metric("throughput", "GFLOP/s", Direction.MAXIMIZE, summary="2 size^3 per time"),
            ),
            references=(
                Reference("default", plain, in_space=plain in space, note="no tiling"),
                Reference(
                    "expert", expert, in_space=expert in space, note="found by hand on one machine"
                ),
            ),
            summary="product of two square matrices of doubles, one thread",
            options=dict(options),
            notes=("`#pragma GCC unroll` is GCC's; other compilers may ignore it.",),
        )

    def check(self) -> Iterable[Requirement]:
        """Look for the default compiler."""
        version = compiler_version("cc")
        return [
            Requirement(
                "C compiler",
                met=version is not None,
                detail=version or "no 'cc' on PATH",
                remedy="sudo apt install build-essential",
            )
        ]

    def open(self, benchmark: Benchmark) -> MatmulSession:
        """Return a session; called in the worker."""
        return MatmulSession(benchmark)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return small options for the conformance kit."""
        return {"square": {"size": 64}}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return kernels that must fail, for the conformance kit."""
        good = benchmark.references[0].configuration
        return [
            (FailureKind.WRONG_RESULT, {**good, "fault": "wrong"}),
            (FailureKind.CRASH, {**good, "fault": "crash"}),
            (FailureKind.TIMEOUT, {**good, "fault": "hang"}),
            (FailureKind.MEMORY, {**good, "fault": "hog"}),
            (FailureKind.BUILD, {**good, "level": "-no-such-option"}),
        ]


class MatmulSession:
    """Two matrices and their product in memory; kernels are compiled into a scratch folder."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._size = int(benchmark.options["size"])
        self._compiler = str(benchmark.options["compiler"])
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.identity: Mapping[str, str] = {}
        self.floors: Mapping[str, float] = {
            "time": 2 * self._size**3 / _BEYOND_ANY_CORE * 1e3,
        }

    def __enter__(self) -> Self:
        """Make the data."""
        shape = (self._size, self._size)
        rng = np.random.default_rng(1)
        self._a = rng.uniform(-1.0, 1.0, shape)
        self._b = rng.uniform(-1.0, 1.0, shape)
        self._c = np.empty(shape)
        self._expected = self._a @ self._b
        self._scale = float(np.abs(self._a).max() * np.abs(self._b).max() * self._size)
        self._scratch = tempfile.TemporaryDirectory(prefix="cmatmul-")
        data = hashlib.sha256(self._a.tobytes() + self._b.tobytes())
        self.identity = {
            "data": data.hexdigest()[:16],
            "compiler": compiler_version(self._compiler) or "",
        }
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the scratch folder; safe to call twice."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def build(self, configuration: Configuration) -> Kernel:
        """Write the C, compile it, load it."""
        if self._scratch is None:
            raise RuntimeError("the session is not open")
        source = source_of(self._size, configuration)
        folder = Path(tempfile.mkdtemp(dir=self._scratch.name))
        return compile_kernel(source, str(configuration["level"]), self._compiler, folder)

    def verify(self, artifact: Kernel) -> Verdict:
        """Compare with NumPy's product, element by element."""
        self._c.fill(np.nan)
        self._run(artifact)
        error = float(np.abs(self._c - self._expected).max()) / self._scale
        if math.isnan(error):
            return Verdict(correct=False, message="some elements were left alone or are NaN")
        return Verdict(correct=error <= _TOLERANCE, error=error, tolerance=_TOLERANCE)

    def measure(
        self,
        artifact: Kernel,
        protocol: MeasurementProtocol,  # noqa: ARG002 - the caller applies it
    ) -> Iterator[Sample]:
        """Yield time and throughput for each repetition, for as long as the caller wants more."""
        operations = 2 * self._size**3
        repetition = 0
        while True:
            began = time.perf_counter_ns()
            self._run(artifact)
            nanoseconds = max(1, time.perf_counter_ns() - began)
            yield Sample("throughput", operations / nanoseconds, repetition)
            yield Sample("time", nanoseconds * 1e-6, repetition)
            repetition += 1

    def _run(self, artifact: Kernel) -> None:
        artifact.function(self._a.ctypes.data, self._b.ctypes.data, self._c.ctypes.data)
