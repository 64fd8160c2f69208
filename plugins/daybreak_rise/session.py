"""One benchmark opened in the worker: rewrites, generates, compiles, verifies and times kernels."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from daybreak import (
    Benchmark,
    Configuration,
    Event,
    MeasurementProtocol,
    RequirementError,
    Sample,
    Verdict,
)
from daybreak_rise.benchmarks import WORKLOADS, Workload, sizes_in
from daybreak_rise.codegen import GENERATOR, Program
from daybreak_rise.generation import generate_program
from daybreak_rise.roofline import least_ms
from daybreak_rise.runtime.base import Compiled, Runtime

__all__ = ["LEAST_SECONDS", "Built", "RiseSession", "open_runtime"]

#: a sample lasts at least so long: a faster kernel is launched several times for one sample
LEAST_SECONDS = 50e-6


@dataclass
class Built:
    """A compiled kernel. `facts` and `phases` (seconds) are recorded with the trial."""

    configuration: Configuration
    program: Program
    compiled: Compiled
    facts: Mapping[str, Any]
    phases: Mapping[str, float]


class RiseSession:
    """A session of the embedded compiler; see `daybreak.plugin.contracts.Session`."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._options = dict(benchmark.options)
        self._workload: Workload = WORKLOADS[benchmark.name]
        self._sizes = sizes_in(self._workload, self._options)
        self._stack = ExitStack()
        self._runtime: Runtime | None = None
        self._last: Compiled | None = None
        # fresh inputs every time, and others in every process
        self._rng = np.random.default_rng()
        self.identity: Mapping[str, str] = {}
        self.floors: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        """Open the device."""
        self._runtime = open_runtime(self._workload.language, self._options, self._stack)
        work = self._workload.work(self._sizes)
        self.identity = {"generator": GENERATOR, **self._runtime.identity}
        self.floors = {"time": least_ms(work, self._runtime.kind, self._runtime.threads)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free buffers and device; safe to call twice."""
        self._release()
        self._runtime = None
        self._stack.close()

    def _release(self) -> None:
        if self._last is not None:
            self._last.close()
            self._last = None

    def build(self, configuration: Configuration) -> Built:
        """Rewrite the program, generate its kernel and compile it.

        Raises:
            BuildFailed: the strategy, the generator or the device's compiler refuses it.
            ResourceExceeded: it asks for more than the device has.
        """
        if self._runtime is None:
            raise RuntimeError("the session is not open")
        self._release()
        made, phases = generate_program(
            self._workload, self._sizes, configuration, self._runtime.language
        )
        compiled = self._last = self._runtime.compile(made)
        phases.update(compiled.phases)
        # the first launch touches every page, and some drivers compile once more for it (PoCL)
        began = time.perf_counter()
        compiled.touch()
        phases["first_launch"] = time.perf_counter() - began
        work = self._workload.work(self._sizes)
        facts = {
            **compiled.facts,
            "global_size": [list(kernel.global_size) for kernel in made.kernels],
            "local_size": [list(kernel.local_size) for kernel in made.kernels],
            # the view percent_of_peak compares this with the machine's measured roofline
            "work": {"flops": work.flops, "bytes": work.bytes},
        }
        return Built(configuration, made, compiled, facts, phases)

    def verify(self, artifact: Built) -> Verdict:
        """Run on fresh random inputs and compare with what NumPy computes in float64.

        The buffers were touched, and the kernel launched, once before: while building it.
        """
        inputs = self._workload.draw(self._sizes, self._rng)
        artifact.compiled.load(inputs)
        artifact.compiled.run()
        expected = self._workload.expected(self._sizes, artifact.configuration, inputs)
        return expected.compare(artifact.compiled.result())

    def measure(self, artifact: Built, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:
        """Yield throughput (GFLOP/s) and time (ms) of one launch after another, without end."""
        if protocol.flush_cache:
            raise RequirementError(
                "the target 'rise' cannot evict a device's caches",
                remedy="set `flush_cache: false` in the suite's protocol",
            )
        flops = self._workload.work(self._sizes).flops
        run = artifact.compiled.run
        launches, i = 1, 0
        while True:
            seconds = max(sum(run() for _ in range(launches)) / launches, 1e-9)
            if i == 0 and launches == 1 and seconds < LEAST_SECONDS:
                launches = math.ceil(LEAST_SECONDS / seconds)
                continue
            yield Sample("throughput", flops / seconds / 1e9, i)
            yield Sample("time", 1e3 * seconds, i)
            i += 1


def open_runtime(language: str, options: Mapping[str, Any], stack: ExitStack) -> Runtime:
    """Return the runtime that the options choose, entered on `stack`.

    Raises:
        RequirementError: its device, driver or compiler is missing.
    """
    if language == "c":
        from daybreak_rise.runtime.native import NativeRuntime

        return stack.enter_context(NativeRuntime(options["compiler"], options["flags"]))
    from daybreak_rise.runtime.cuda import CudaRuntime
    from daybreak_rise.runtime.opencl import OpenClRuntime

    wanted = options["runtime"]
    if wanted == "cuda":
        return stack.enter_context(CudaRuntime(options["platform"], options["device"]))
    try:
        return stack.enter_context(OpenClRuntime(options["platform"], options["device"]))
    except RequirementError:
        if wanted == "opencl":
            raise
        try:
            return stack.enter_context(CudaRuntime(options["platform"], options["device"]))
        except RequirementError:
            pass
        raise
