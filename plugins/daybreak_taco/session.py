"""One benchmark opened in the worker: builds, verifies and times kernels on loaded data.

The data is loaded once, before the worker forks; whatever starts OpenMP threads runs only in the
forked children, since a process that has threads cannot be forked safely.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from daybreak import (
    Benchmark,
    Event,
    MeasurementProtocol,
    RequirementError,
    Sample,
    Verdict,
    WrongResult,
)
from daybreak_taco.ccompiler import CCompiler, find_compiler, finish, load
from daybreak_taco.emit import emit
from daybreak_taco.kernels import KERNELS
from daybreak_taco.pragmas import UNROLL_FLAGS, unroll_loop
from daybreak_taco.problem import Problem
from daybreak_taco.roofline import least_ms
from daybreak_taco.schedule import Schedule
from daybreak_taco.tensors import Tensor, output
from daybreak_taco.toolchain import Taco, find_taco

__all__ = ["LEAST_SECONDS", "Built", "TacoSession"]

#: a sample lasts at least so long: a faster kernel is called several times for one sample
LEAST_SECONDS = 50e-6
#: a kernel that takes so long is verified by one run instead of two
_LONG_SECONDS = 0.5


@dataclass
class Built:
    """A compiled kernel. `facts` and `phases` (seconds) are recorded with the trial."""

    library: Path
    schedule: Schedule
    source: str
    facts: Mapping[str, Any]
    phases: Mapping[str, float]
    _runner: _Runner | None = None


class _Runner:
    """A loaded kernel with its operands, in the process that runs it."""

    def __init__(self, built: Built, problem: Problem) -> None:
        self._library = load(built.library)
        self._result = output(problem.shape)
        self._operands: list[Tensor] = [self._result, *problem.inputs]
        structures = [tensor.structure() for tensor in self._operands]
        self._pack = (ctypes.c_void_p * len(structures))(
            *(ctypes.addressof(structure) for structure in structures)
        )
        self._structures = structures
        schedule = built.schedule
        self._library.daybreak_configure(schedule.threads, int(schedule.dynamic), schedule.chunk)

    def run(self, repeats: int = 1) -> float:
        """Return the seconds of `repeats` calls.

        Raises:
            WrongResult: the kernel reports an error, or wrote beside its output.
        """
        seconds = float(self._library.daybreak_run(self._pack, repeats))
        if seconds < 0:
            raise WrongResult("the kernel reports an error")
        if not self._result.values.intact():
            raise WrongResult("the kernel wrote outside its output array")
        return seconds

    def poison(self) -> None:
        """Fill the output with NaN, so that whatever the kernel leaves out is seen."""
        self._result.values.array.fill(np.nan)

    def result(self) -> np.ndarray[Any, Any]:
        """Return a copy of the flat output."""
        return self._result.values.array.copy()

    def flush(self) -> None:
        """Evict all operands from the processor's caches.

        Raises:
            RequirementError: this processor has no instruction for it.
        """
        for tensor in self._operands:
            for address, size in tensor.arrays():
                if not self._library.daybreak_evict(address, size):
                    raise RequirementError(
                        "flush_cache needs an x86-64 or AArch64 processor",
                        remedy="set `flush_cache: false` in the suite's protocol",
                    )


class TacoSession:
    """A session of the target `taco`; see `daybreak.plugin.contracts.Session`."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._kernel = KERNELS[benchmark.name]
        self._options = dict(benchmark.options)
        self._scratch: Path | None = None
        self._problem: Problem | None = None
        self._taco: Taco | None = None
        self._compiler: CCompiler | None = None
        self.identity: dict[str, str] = {}
        self.floors: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Find the compilers and load the data."""
        options = self._options
        self._taco = find_taco(options.get("taco"))
        self._compiler = find_compiler(options.get("compiler"))
        self._problem, data = self._kernel.load(options)
        self._scratch = Path(tempfile.mkdtemp(prefix="daybreak-taco-"))
        self.identity = {
            "data": data,
            "taco": f"{self._taco.version}, build {self._taco.build}",
            "compiler": self._compiler.version,
            "flags": options["flags"],
        }
        self.floors = {"time": least_ms(self._problem)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what was built; safe to call twice."""
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch = self._problem = None

    def _open(self) -> tuple[Problem, Path, Taco, CCompiler]:
        if not (self._problem and self._scratch and self._taco and self._compiler):
            raise RuntimeError("the session is not open")
        return self._problem, self._scratch, self._taco, self._compiler

    def emit(self, configuration: Mapping[str, Any]) -> tuple[Schedule, str]:
        """Return the schedule of `configuration` and the C text of its kernel.

        Raises:
            BuildFailed: TACO refuses the schedule.
        """
        problem, scratch, taco, _ = self._open()
        schedule = self._kernel.schedule(configuration, problem.sizes, self._options)
        text = emit(
            str(taco.path),
            self._kernel.expression,
            self._kernel.formats,
            problem.sizes,
            schedule,
            scratch,
        )
        if schedule.unroll is not None:
            text = unroll_loop(text, *schedule.unroll)
        return schedule, text

    def build(self, configuration: Mapping[str, Any]) -> Built:
        """Emit and compile the kernel of `configuration`.

        Raises:
            BuildFailed: TACO or the C compiler refuses it.
        """
        problem, scratch, _, compiler = self._open()
        began = time.perf_counter()
        schedule, text = self.emit(configuration)
        emitted = time.perf_counter()
        source = finish(text, 1 + len(problem.inputs), compiler, independent=schedule.independent)
        flags = tuple(shlex.split(self._options["flags"]))
        if "#pragma GCC unroll" in source:
            flags += UNROLL_FLAGS
        library = compiler.build(source, flags, scratch)
        done = time.perf_counter()
        facts = {
            "code": hashlib.sha256(source.encode()).hexdigest()[:16],
            "library_bytes": library.stat().st_size,
            "schedule": list(schedule.commands),
            "threads": schedule.threads,
            # the view percent_of_peak compares this with the machine's measured roofline
            "work": {
                "flops": problem.flops,
                "bytes": problem.least_bytes,
                "threads": schedule.threads,
            },
        }
        phases = {"emit": emitted - began, "compile": done - emitted}
        return Built(library, schedule, source, facts, phases)

    def _runner(self, built: Built) -> _Runner:
        if built._runner is None:
            built._runner = _Runner(built, self._open()[0])
        return built._runner

    def verify(self, artifact: Built) -> Verdict:
        """Run the kernel twice on the real data and compare each result with the reference.

        The first run finds NaN in its output, the second what the first one left there, so that a
        kernel that does not clear its output, or that races now and then, is noticed. A kernel that
        takes long is run once only.
        """
        problem = self._open()[0]
        runner = self._runner(artifact)
        runner.poison()
        seconds = runner.run()
        verdict = problem.expected.compare(runner.result())
        if verdict.correct and seconds < _LONG_SECONDS:
            runner.run()
            verdict = problem.expected.compare(runner.result())
        return verdict

    def measure(self, artifact: Built, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:
        """Yield throughput (GFLOP/s) and time (ms) of one call after another, without end.

        Only the compute function is timed, by the monotonic clock, in C; assembling and packing
        are done before.
        """
        problem = self._open()[0]
        runner = self._runner(artifact)
        calls, i = 1, 0
        while True:
            if protocol.flush_cache:
                runner.flush()
            seconds = max(runner.run(calls), 1e-9)
            if seconds < LEAST_SECONDS and i == 0 and calls == 1 and not protocol.flush_cache:
                calls = math.ceil(LEAST_SECONDS / max(min(seconds, runner.run()), 1e-9))
                continue
            each = seconds / calls
            yield Sample("throughput", problem.flops / each / 1e9, i)
            yield Sample("time", 1e3 * each, i)
            i += 1
