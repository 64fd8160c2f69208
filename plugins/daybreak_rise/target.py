"""The target `rise`: lists and defines the benchmarks, and says what each needs on this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from daybreak import (
    Benchmark,
    Configuration,
    Direction,
    FailureKind,
    Metric,
    Requirement,
    RequirementError,
    Session,
    UserError,
    nearest,
)
from daybreak_rise.benchmarks import WORKLOADS, Workload, sizes_in
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits

__all__ = ["RiseTarget"]

_TIME = Metric(
    "time", "ms", Direction.MINIMIZE, "one launch of the kernel, by the device's own clock"
)
_C_TIME = Metric("time", "ms", Direction.MINIMIZE, "one call of the function, monotonic clock")
_SHINE_TIME = Metric("time", "ms", Direction.MINIMIZE, "the runtime that Shine reports")
_THROUGHPUT = Metric(
    "throughput",
    "GFLOP/s",
    Direction.MAXIMIZE,
    "operations that the problem asks for, per time",
)
_PACKAGE = "pip install 'daybreak[rise]'"
#: verifying takes NumPy's arrays in double precision, and copies: so many times what a kernel touches
_COPIES = 6.0


class RiseTarget:
    """RISE programs on the OpenCL devices and processors of this machine."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List every benchmark with its default options and the published limits."""
        from daybreak_rise.options import options_of

        for name in WORKLOADS:
            yield self._define(name, options_of(name)().model_dump(), PUBLISHED)

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return benchmark `name`.

        Its known constraints are the published ones, made stricter where the device that the
        options choose has less; a device that cannot be asked changes nothing here.

        Raises:
            UserError: there is no such benchmark.
        """
        if name not in WORKLOADS:
            raise UserError(
                f"target 'rise' has no benchmark '{name}'",
                expected="one of " + ", ".join(WORKLOADS),
                nearest=nearest(name, WORKLOADS),
            )
        return self._define(name, options, _limits(options))

    def _define(self, name: str, options: Mapping[str, Any], limits: DeviceLimits) -> Benchmark:
        workload = WORKLOADS[name]
        sizes = sizes_in(workload, dict(options))
        space = workload.space(sizes, limits)
        shine = options["backend"] == "shine"
        notes = list(workload.notes)
        if limits.strictest(PUBLISHED) != PUBLISHED:
            notes.append(
                f"the device takes {limits.work_group} work-items in a group and has "
                f"{limits.local_bytes} bytes of local memory: stricter than published"
            )
        time = _SHINE_TIME if shine else _C_TIME if workload.language == "c" else _TIME
        return Benchmark(
            name=name,
            space=space,
            objectives=(time,),
            instance=workload.instance(sizes) + ("-shine" if shine else ""),
            references=workload.references(space, sizes),
            metrics=() if shine else (_THROUGHPUT,),
            summary=workload.summary,
            options=dict(options),
            hidden_constraints=True,
            notes=tuple(notes),
        )

    def check(self) -> Iterable[Requirement]:
        """Say which drivers and compilers are there; which of them is needed is for `demands`."""
        yield _opencl({}, needed=False)
        yield _compiler(None, needed=False)
        yield _cuda(needed=False)

    def demands(self, benchmark: Benchmark) -> Iterable[Requirement]:
        """Return what `benchmark` with its options needs."""
        options = benchmark.options
        if options["backend"] == "shine":
            yield from _shine(options)
            return
        workload = WORKLOADS[benchmark.name]
        yield from _memory(workload.work(sizes_in(workload, dict(options))).bytes)
        if workload.language == "c":
            yield _compiler(options.get("compiler"))
        elif options["runtime"] == "cuda":
            yield _cuda()
        else:
            found = _opencl(options)
            # without OpenCL, `auto` means CUDA where it is there
            yield found if found.met or options["runtime"] == "opencl" else _either(found, _cuda())

    def open(self, benchmark: Benchmark) -> Session:
        """Return a session, not yet entered."""
        if benchmark.options["backend"] == "shine":
            from daybreak_rise.shine.session import ShineSession

            return ShineSession(benchmark)
        from daybreak_rise.session import RiseSession

        return RiseSession(benchmark)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return options with sizes so small that a trial takes about a second."""
        return {name: dict(workload.rehearsal) for name, workload in WORKLOADS.items()}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return configurations that must fail, on any device: no strategy, or no room."""
        return list(_faults(WORKLOADS[benchmark.name], benchmark))


def _faults(
    workload: Workload, benchmark: Benchmark
) -> Iterator[tuple[FailureKind, Configuration]]:
    if benchmark.options["backend"] == "shine":
        return
    sizes = sizes_in(workload, dict(benchmark.options))
    unbuildable = workload.unbuildable(sizes)
    if unbuildable is not None:
        yield FailureKind.BUILD, unbuildable
    for configuration in workload.too_large(sizes):
        yield FailureKind.RESOURCE, configuration


def _limits(options: Mapping[str, Any]) -> DeviceLimits:
    if options["backend"] == "shine" or options.get("limits") != "device":
        return PUBLISHED
    from daybreak_rise.runtime.listing import choose
    from daybreak_rise.runtime.probe import known_devices

    if options["runtime"] == "cuda":
        return PUBLISHED
    try:
        found = choose(list(known_devices()), options["platform"], options["device"])
    except RequirementError:
        return PUBLISHED  # `demands` says so before anything is run
    return found.limits


def _memory(data: float) -> Iterator[Requirement]:
    """Yield what lacks for the arrays: the kernel's own, and NumPy's to verify them."""
    needed = _COPIES * data
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return
    if needed > there:
        yield Requirement(
            "memory",
            False,
            f"these sizes take about {needed / 2**30:.0f} GiB of memory to run and to verify, and "
            f"this machine has {there / 2**30:.1f}",
            "take smaller sizes",
        )


def _opencl(options: Mapping[str, Any], *, needed: bool = True) -> Requirement:
    from daybreak_rise.runtime.listing import choose
    from daybreak_rise.runtime.probe import known_devices

    if importlib.util.find_spec("pyopencl") is None:
        return Requirement("OpenCL", False, "PyOpenCL is not installed", _PACKAGE, needed)
    try:
        devices = list(known_devices())
        chosen = choose(devices, options.get("platform"), options.get("device"))
    except RequirementError as error:
        return Requirement("OpenCL", False, error.message, error.remedy or "", needed)
    others = f", {len(devices) - 1} more" if len(devices) > 1 else ""
    return Requirement(
        "OpenCL", True, f"{chosen.device}, {chosen.platform_version}{others}", "", needed
    )


def _compiler(named: str | None, *, needed: bool = True) -> Requirement:
    from daybreak_rise.runtime.ccompiler import find_compiler

    try:
        return Requirement("C compiler", True, find_compiler(named).version, "", needed)
    except RequirementError as error:
        return Requirement("C compiler", False, error.message, error.remedy or "", needed)


def _cuda(*, needed: bool = True) -> Requirement:
    from daybreak_rise.runtime.cudalibs import find_libraries

    try:
        driver, compilers = find_libraries()
        return Requirement("CUDA", True, ", ".join((driver, *compilers)), "", needed)
    except RequirementError as error:
        return Requirement("CUDA", False, error.message, error.remedy or "", needed)


def _either(opencl: Requirement, cuda: Requirement) -> Requirement:
    if cuda.met:
        return cuda
    return Requirement(
        opencl.name, False, f"{opencl.detail}; nor is there CUDA: {cuda.detail}", opencl.remedy
    )


def _shine(options: Mapping[str, Any]) -> Iterator[Requirement]:
    import shlex

    folder = options["shine_folder"]
    if folder is not None:
        there = Path(folder).is_dir()
        yield Requirement(
            "Shine",
            there,
            folder if there else f"there is no folder {folder}",
            "" if there else "git clone https://github.com/rise-lang/shine, and name its folder",
        )
    program = shlex.split(options["shine"])[0]
    found = shutil.which(program, path=None) or (
        str(Path(folder or ".", program)) if Path(folder or ".", program).exists() else None
    )
    yield Requirement(
        "Shine's command",
        found is not None,
        found or f"there is no program {program}",
        "" if found else "install it (sbt, say), or name another by the option 'shine'",
    )
