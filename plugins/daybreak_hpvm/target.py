"""The target `hpvm`: lists and defines the benchmarks, says what the fidelities need."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak import (
    Benchmark,
    Configuration,
    Direction,
    FailureKind,
    Isolation,
    Metric,
    Reference,
    Requirement,
    RequirementError,
    Session,
    UserError,
    nearest,
)
from daybreak_hpvm import benchmarks
from daybreak_hpvm.devices import DEVICES
from daybreak_hpvm.problem import sizes_of

if TYPE_CHECKING:
    from daybreak import Space

__all__ = ["HpvmTarget"]

_SECONDS = Metric(
    "seconds", "s", Direction.MINIMIZE, "one run of the design: cycles over its clock"
)
_AREA = Metric(
    "area", "%", Direction.MINIMIZE, "of the device: mean share of its LUTs, FFs, DSPs and memories"
)
_OBJECTIVES = {"seconds": (_SECONDS,), "area": (_AREA,), "both": (_SECONDS, _AREA)}
_METRICS = (
    Metric("cycles", "cycles", Direction.MINIMIZE, "from start to end"),
    Metric("clock", "MHz", Direction.MAXIMIZE, "the design's clock"),
    Metric("lut", "count", Direction.MINIMIZE, "look-up tables"),
    Metric("ff", "count", Direction.MINIMIZE, "flip-flops"),
    Metric("dsp", "count", Direction.MINIMIZE, "multiplier blocks"),
    Metric("bram", "count", Direction.MINIMIZE, "18-kbit memories"),
)


class HpvmTarget:
    """Dataflow programs as FPGA designs, at two fidelities."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List every benchmark with its default options."""
        from daybreak_hpvm import options

        for name, model in (
            ("bfs", options.BfsOptions),
            ("audio", options.AudioOptions),
            ("preeuler", options.PreEulerOptions),
            ("edge", options.EdgeOptions),
        ):
            yield self.define(name, model().model_dump())

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return benchmark `name`; builds its program, which is cheap.

        Raises:
            UserError: there is no such benchmark, a size makes no sense, or the file of candidates
                is not what it should be.
        """
        known = benchmarks.names()
        if name not in known:
            raise UserError(
                f"target 'hpvm' has no benchmark '{name}'",
                expected="one of " + ", ".join(known),
                nearest=nearest(name, known),
            )
        found = benchmarks.define(name, sizes_of(name, options))
        model = options["fidelity"] == "model"
        objectives = _OBJECTIVES[options["objectives"]]
        return Benchmark(
            name=name,
            space=found.space,
            objectives=objectives,
            instance=_instance(found.instance, options),
            references=(*found.references, *_candidates(options.get("candidates"), found.space)),
            metrics=(*(one for one in (_SECONDS, _AREA) if one not in objectives), *_METRICS),
            summary=found.summary,
            options=dict(options),
            hidden_constraints=True,
            notes=(*found.notes, *_notes(options)),
            isolation=Isolation.INLINE if model else Isolation.WORKER,
        )

    def check(self) -> Iterable[Requirement]:
        """Say what there is of the tools that the fidelity `rtl` needs; `model` needs none."""
        for requirement in _tools(DEVICES["ecp5-85k"].family):
            yield replace(requirement, needed=False)

    def setup(self, progress: Callable[[float | None, str], None], *, force: bool = False) -> str:
        """Let the tools of the fidelity `rtl` make themselves ready; return which they are.

        Packages' tools compile themselves at their first call. There is nothing to do again with
        `force`: where that was done, this takes a second.

        Raises:
            RequirementError: a tool is missing or does not run; with the command that brings it.
        """
        del force
        from daybreak_hpvm.building import requirements

        missing = [one for one in requirements(DEVICES["ecp5-85k"].family) if not one.met]
        if missing:
            raise RequirementError(
                "; ".join(one.detail or f"{one.name} is missing" for one in missing),
                expected=", ".join(one.name for one in missing),
                remedy=" && ".join(dict.fromkeys(one.remedy for one in missing if one.remedy)),
            )
        from daybreak_hpvm.rtl.tools import compiler, prepare

        return f"{prepare(progress)}, {compiler().version}"

    def demands(self, benchmark: Benchmark) -> Iterable[Requirement]:
        """Say what `benchmark` needs: at fidelity `rtl`, a simulator, Yosys and nextpnr."""
        if benchmark.options["fidelity"] == "model":
            return ()
        return _tools(DEVICES[benchmark.options["device"]].family)

    def open(self, benchmark: Benchmark) -> Session:
        """Return a session, not yet entered."""
        if benchmark.options["fidelity"] == "model":
            from daybreak_hpvm.session import ModelSession

            return ModelSession(benchmark)
        from daybreak_hpvm.building import RtlSession

        return RtlSession(benchmark)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return small sizes at fidelity `model`, with which a trial takes milliseconds."""
        return {
            "bfs": {"vertices": 8, "levels": 3, "survey": 256},
            "audio": {
                "sources": 2,
                "channels": 4,
                "samples": 4,
                "delay_line": 4,
                "objectives": "both",
            },
            "preeuler": {"cells": 4, "objectives": "area"},
            "edge": {"height": 8, "width": 8},
        }

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return a design with everything unrolled, which fits no device of ours."""
        from daybreak_hpvm.transforms import directives

        program = benchmarks.define(
            benchmark.name, sizes_of(benchmark.name, benchmark.options)
        ).program
        default = benchmark.references[0].configuration
        huge = {
            name: _OVERFLOWING for name, one in directives(program).items() if one.kind == "unroll"
        }
        if benchmark.name in _LARGE:
            yield FailureKind.RESOURCE, {**default, **huge}


#: an unroll factor beyond any of the spaces'
_OVERFLOWING = 64
#: benchmarks that do not fit when everything is unrolled so far
_LARGE = ("preeuler", "edge")


def _instance(sizes: str, options: Mapping[str, Any]) -> str:
    """Return a label of all that results depend on: none is ever mixed with another's."""
    parts = [sizes, str(options["device"])]
    clock = options.get("clock_mhz")
    if clock is not None:
        parts.append(f"{clock:g}MHz")
    if options.get("data_seed", 1) != 1:
        parts.append(f"data{options['data_seed']}")
    if options["objectives"] != "seconds":
        parts.append(str(options["objectives"]))
    return "-".join([*parts, str(options["fidelity"])])


def _notes(options: Mapping[str, Any]) -> Iterable[str]:
    if options["fidelity"] == "model":
        yield "times and areas are a model's; docs/targets/hpvm-model.md says how far to trust them"
    clock = options.get("clock_mhz")
    if clock is not None:
        yield f"the clock is not found out but taken as {clock:g} MHz"


def _tools(family: str) -> Iterable[Requirement]:
    from daybreak_hpvm.building import requirements

    return requirements(family)


def _candidates(path: str | None, space: Space) -> Iterable[Reference]:
    """Read references from a file that `daybreak_hpvm.candidates` wrote."""
    if path is None:
        return
    try:
        told = json.loads(Path(path).read_text("utf-8"))
        listed = [(str(one["name"]), dict(one["configuration"])) for one in told["candidates"]]
    except OSError as error:
        raise UserError(
            f"the file of candidates cannot be read: {error.strerror or error}",
            file=path,
            field="candidates",
            remedy="write it: python -m daybreak_hpvm.candidates --help",
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            "this is no file of candidates",
            file=path,
            field="candidates",
            expected='{"candidates": [{"name": ..., "configuration": {...}}, ...]}',
        ) from error
    taken = {"default", "expert"}
    for name, configuration in listed:
        if not name.strip() or name in taken:
            raise UserError(
                f"a candidate has the name '{name}', which is blank or another reference's",
                file=path,
                field="candidates",
                expected="names, each of them once",
            )
        taken.add(name)
        problems = space.violations(configuration)
        if problems:
            raise UserError(
                f"candidate '{name}' is not in this benchmark's search space: {problems[0]}",
                file=path,
                field="candidates",
            )
        yield Reference(name, configuration, note="chosen at another fidelity", source=path)
