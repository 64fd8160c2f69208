"""The fidelity `rtl`: a design is generated, synthesised, placed and routed, and simulated.

What was built before is taken from the cache, but it costs a study the seconds that it took when it
was built first: else whoever comes second would search for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from daybreak import (
    Benchmark,
    BuildFailed,
    Event,
    MeasurementProtocol,
    Requirement,
    ResourceExceeded,
    Sample,
    Verdict,
)
from daybreak_hpvm.devices import RESOURCES, Device, share
from daybreak_hpvm.identity import source_digest
from daybreak_hpvm.ir import Program
from daybreak_hpvm.problem import Problem, compare
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.process import Progress, ToolLimits, silent
from daybreak_hpvm.session import ProblemSession, check_fits, samples_of
from daybreak_hpvm.transforms import EXPANSION_LIMIT, expanded_size

if TYPE_CHECKING:
    from daybreak_hpvm.rtl.flow import Design, Simulation

__all__ = [
    "NETLIST_CELLS",
    "NETLIST_WORK",
    "Built",
    "RtlSession",
    "build_design",
    "built_design",
    "netlist_left_out",
    "requirements",
    "simulate_cells",
    "simulate_design",
]

#: cells of the netlists that are simulated unless asked otherwise: compiling a simulator takes seconds
NETLIST_CELLS = 3000
#: cells times cycles, of which a simulator of a netlist does some 10 million a second
NETLIST_WORK = 100_000_000


@dataclass
class Built:
    """An artifact. `facts` and `phases` (seconds) are recorded with the trial.

    Attributes:
        program: what was transformed.
        used: how many of each resource.
        mhz: the clock.
        seconds: what building took when it was done first, by phase.
        outputs: what the hardware puts out, once it was simulated.
        cycles: in how many cycles.
        design: the netlist.
    """

    program: Program
    used: Mapping[str, float]
    mhz: float
    seconds: dict[str, float]
    facts: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    outputs: Mapping[str, tuple[int, ...]] | None = None
    cycles: int = 0
    design: Design | None = field(default=None, repr=False)


def requirements(family: str) -> list[Requirement]:
    """Return what building for `family` needs, and whether it is there: no router for 7-series."""
    from daybreak_hpvm.rtl.tools import requirements as tools

    return [one for one in tools() if family == "ecp5" or one.name != "nextpnr-ecp5"]


def _recorded(cache: Cache, key: str, seconds: float) -> float:
    """Return the seconds that are on record for `key`, else put `seconds` there."""
    known = cache.get("seconds", key)
    if known is None:
        cache.put("seconds", key, {"seconds": float(seconds)})
        return float(seconds)
    return float(known["seconds"])


def built_design(
    program: Program,
    device: Device,
    limits: ToolLimits,
    *,
    place: bool,
    progress: Progress = silent,
) -> tuple[Design, dict[str, float]]:
    """Return the hardware of `program`, and the seconds of each phase when it was done first.

    Raises:
        ResourceExceeded: it does not fit; its attribute `seconds` holds the phases.
        BuildFailed: the generator cannot write it down.
        TrialFailed: a tool takes too long or too much memory, or fails.
    """
    from daybreak_hpvm.rtl.flow import default_cache, generate, synthesise

    cache = default_cache()
    began = time.perf_counter()
    try:
        _, text, _ = generate(program)
    except RecursionError:
        raise BuildFailed(
            "the hardware's expressions are nested too deeply for the generator: too many accesses "
            "share a port"
        ) from None
    generated = time.perf_counter() - began

    def first(phase: str, seconds: float) -> float:
        on = device.name if phase == "place" else device.family
        return _recorded(cache, digest("first", phase, text, on), seconds)

    try:
        made = synthesise(program, device, limits, cache=cache, place=place, progress=progress)
    except ResourceExceeded as error:
        spent = time.perf_counter() - began - generated
        taken = {
            "generate": first("generate", generated),
            "synthesise": first("synthesise", spent),
        }
        error.seconds = taken  # type: ignore[attr-defined]
        raise
    phases = {**made.phases, "generate": generated}
    return made, {name: first(name, seconds) for name, seconds in phases.items()}


def build_design(
    program: Program,
    device: Device,
    limits: ToolLimits,
    *,
    mhz: float | None = None,
    progress: Progress = silent,
) -> Built:
    """Build a transformed program for `device`.

    Args:
        program: from `daybreak_hpvm.transforms.transform`.
        device: the device.
        limits: of each tool.
        mhz: a clock that is taken as given; nothing is placed and routed then.
        progress: told what is going on.

    Raises:
        ResourceExceeded: it does not fit, or is too large to be written out at all.
        TrialFailed: a tool takes too long or too much memory, or fails.
        BuildFailed: there is no router for this family, and no clock is given.
    """
    if mhz is None and device.family != "ecp5":
        raise BuildFailed(f"nothing routes designs for {device.name}: set the option `clock_mhz`")
    size = expanded_size(program)
    if size > EXPANSION_LIMIT:
        raise ResourceExceeded(
            f"unrolled, the program has {size} statements; no device holds that many",
            numbers={"statements": float(size), "statements_available": float(EXPANSION_LIMIT)},
        )
    made, taken = built_design(program, device, limits, place=mhz is None, progress=progress)
    check_fits(made.used, device)
    if mhz is None:
        if made.fmax_hz is None:
            raise BuildFailed("placing and routing gave no clock rate")
        mhz = made.fmax_hz / 1e6
    return Built(
        program,
        dict(made.used),
        mhz,
        _as_phases(taken),
        facts={"code": made.code[:16], "cells": dict(made.cells)},
        phases=dict(made.phases),
        design=made,
    )


def _as_phases(taken: Mapping[str, float]) -> dict[str, float]:
    """Return the phases of a trial: `build`, and what it is made of."""
    parts = {f"build.{name}": seconds for name, seconds in taken.items()}
    return {"build": sum(taken.values()), **parts} if taken else {}


def simulate_design(
    built: Built, inputs: Mapping[str, Any], limits: ToolLimits, progress: Progress = silent
) -> None:
    """Simulate the hardware: fill in its outputs, its cycles and what that took first.

    Raises:
        TrialFailed: it does not end, or a tool fails.
    """
    from daybreak_hpvm.rtl.flow import default_cache, simulate

    cache = default_cache()
    began = time.perf_counter()
    found = simulate(built.program, inputs, limits, cache=cache, progress=progress)
    key = digest("first", "simulate", built.facts["code"], found.engine)
    built.seconds["verify"] = _recorded(cache, key, time.perf_counter() - began)
    built.outputs, built.cycles = found.outputs, found.cycles
    built.facts["engine"] = found.engine


def netlist_left_out(built: Built, device: Device, wanted: str) -> str | None:
    """Return why the netlist is not simulated, None if it is.

    Args:
        built: a design that was simulated.
        device: what it was built for.
        wanted: ``auto``: where that is expected to take seconds; ``always``, ``never``.
    """
    from daybreak_hpvm.rtl.gates import has_models, no_model_of

    if wanted == "never":
        return "not asked for"
    if not has_models(device):
        return f"no models of the cells of {device.family}"
    if wanted == "auto" and built.facts.get("engine") == "python":
        return "it takes a C++ compiler, and a Yosys with CXXRTL's headers beside it"
    missing = None if built.design is None else no_model_of(built.design)
    if missing is not None:
        return missing
    cells = sum(built.facts["cells"].values())
    if wanted == "auto" and cells > NETLIST_CELLS:
        return f"{cells} cells, more than {NETLIST_CELLS}"
    if wanted == "auto" and cells * built.cycles > NETLIST_WORK:
        return f"{cells} cells in {built.cycles} cycles, more than {NETLIST_WORK:.0e} together"
    return None


def simulate_cells(
    built: Built, inputs: Mapping[str, Any], limits: ToolLimits, progress: Progress = silent
) -> Simulation:
    """Simulate what the synthesiser made of a design, cell by cell.

    Raises:
        TrialFailed: it does not end, or a tool fails.
    """
    from daybreak_hpvm.rtl.flow import default_cache
    from daybreak_hpvm.rtl.gates import simulate_netlist

    if built.design is None:
        raise ValueError("the design has no netlist")
    cache = default_cache()
    began = time.perf_counter()
    found = simulate_netlist(
        built.program, built.design, inputs, limits, cache=cache, progress=progress
    )
    key = digest("first", "netlist", built.facts["code"], built.design.netlist)
    spent = _recorded(cache, key, time.perf_counter() - began)
    built.seconds["verify"] = built.seconds.get("verify", 0.0) + spent
    built.seconds["verify.netlist"] = spent
    return found


class RtlSession(ProblemSession):
    """The fidelity `rtl`. Its clock is that of designs built anew: see the module."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark)
        self._limits = ToolLimits(
            seconds=float(benchmark.options["tool_seconds"]),
            memory_bytes=int(benchmark.options["tool_memory_mib"]) << 20,
        )
        self._seconds: dict[str, dict[str, float]] = {}
        #: told what is going on: see `daybreak.Announces`
        self.progress: Progress = silent

    def __enter__(self) -> Self:
        """Find the tools, make them ready and draw the inputs.

        Raises:
            RequirementError: a tool is missing or does not run.
        """
        from daybreak_hpvm.rtl.tools import find_nextpnr, find_yosys, tool_environment

        self._seconds.clear()
        self._problem = Problem.of(self._benchmark)
        identity = {**self._problem.identity, "generator": source_digest()}
        tools = {"yosys": find_yosys()}
        if self._problem.options["clock_mhz"] is None:
            tools["nextpnr"] = find_nextpnr()
        for name, tool in tools.items():
            # the first call of a package's tool takes a minute, which is no trial's
            tool_environment(tool)
            identity[name] = tool.version
        self.identity = identity
        return self

    def build(self, configuration: Mapping[str, Any]) -> Built:
        """Transform the program, and build its hardware.

        Raises:
            ResourceExceeded: the design does not fit the device.
            TrialFailed: a tool fails.
        """
        problem = self.problem
        applied = problem.applied(configuration)
        key = _key(configuration)
        self._seconds[key] = {}
        try:
            built = build_design(
                applied.program,
                problem.device,
                self._limits,
                mhz=problem.options["clock_mhz"],
                progress=self.progress,
            )
        except ResourceExceeded as error:
            self._seconds[key] = _as_phases(getattr(error, "seconds", {}))
            raise
        built.facts["left_out"] = dict(applied.remarks)
        self._seconds[key] = built.seconds
        return built

    def verify(self, artifact: Built) -> Verdict:
        """Simulate the hardware and, if that takes seconds, its netlist; compare what they put out.

        The fact `netlist_verified` says whether the netlist was simulated, `netlist_left_out` why not.
        """
        problem = self.problem
        if artifact.outputs is None:
            simulate_design(artifact, problem.inputs, self._limits, self.progress)
        verdict = compare(artifact.outputs or {}, problem.expected)
        artifact.facts["netlist_verified"] = False
        if not verdict.correct:
            return verdict
        why = netlist_left_out(artifact, problem.device, str(problem.options["netlist"]))
        if why is not None:
            artifact.facts["netlist_left_out"] = why
            return verdict
        found = simulate_cells(artifact, problem.inputs, self._limits, self.progress)
        cells = compare(found.outputs, problem.expected)
        if not cells.correct:
            return replace(cells, message=f"the synthesised netlist is wrong: {cells.message}")
        if found.cycles != artifact.cycles:
            return Verdict(
                False,
                message=f"the synthesised netlist takes {found.cycles} cycles, the hardware that it was "
                f"made of {artifact.cycles}",
            )
        artifact.facts["netlist_verified"] = True
        return verdict

    def measure(
        self,
        artifact: Built,
        protocol: MeasurementProtocol,  # noqa: ARG002 - designs do not vary
    ) -> Iterator[Sample | Event]:
        """Yield every metric once: the same design has the same cycles and the same clock."""
        if artifact.outputs is None:
            simulate_design(artifact, self.problem.inputs, self._limits, self.progress)
        values = {
            "seconds": artifact.cycles / (artifact.mhz * 1e6),
            "area": share(artifact.used, self.problem.device),
            "cycles": float(artifact.cycles),
            "clock": artifact.mhz,
            **{name: float(artifact.used[name]) for name in RESOURCES},
        }
        yield from samples_of(self._benchmark, values)

    def simulated_phases(
        self,
        configuration: Mapping[str, Any],
        repetitions: int,  # noqa: ARG002 - measuring is reading what is known
    ) -> Mapping[str, float]:
        """Return what building and simulating took when this design was built first."""
        return self._seconds.get(_key(configuration), {})


def _key(configuration: Mapping[str, Any]) -> str:
    return repr(sorted(configuration.items()))
