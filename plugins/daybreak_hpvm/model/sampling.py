"""Designs to calibrate on, and others to see how wrong the model is: drawn, and built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from daybreak import TrialFailed
from daybreak_hpvm import benchmarks
from daybreak_hpvm.building import build_design, built_design, simulate_design
from daybreak_hpvm.devices import Device, overflows
from daybreak_hpvm.ir import Program
from daybreak_hpvm.model.kernels import KERNELS, define
from daybreak_hpvm.rtl.process import ToolLimits
from daybreak_hpvm.transforms import apply, expanded_size

__all__ = ["HELD_OUT", "TRAINING", "Drawn", "Measured", "Sample", "draw", "measure"]


@dataclass(frozen=True, slots=True)
class Sample:
    """`count` configurations of a kernel drawn with `seed`, and its references if asked for.

    Drawn are those of at most `largest` statements once unrolled: larger ones do not fit or take very
    long to build.
    """

    kernel: str
    seed: int
    count: int
    references: bool = False
    largest: int = 400


#: what constants are fitted to
TRAINING = (
    Sample("audio", 11, 8, references=True),
    Sample("preeuler", 11, 4, references=True, largest=170),
    *(Sample(name, 11, 3, references=True, largest=250) for name in KERNELS),
)
#: what errors are told for: kernels that nothing was fitted to, and other designs of those it was
HELD_OUT: Mapping[str, tuple[Sample, ...]] = {
    "other kernels": (
        Sample("bfs", 31, 5, references=True),
        Sample("edge", 31, 5, references=True, largest=300),
    ),
    "other configurations": (Sample("audio", 31, 5), Sample("preeuler", 31, 3, largest=170)),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A design: its kernel, a label, its configuration and the transformed program."""

    kernel: str
    label: str
    configuration: Mapping[str, Any]
    program: Program


@dataclass(frozen=True, slots=True)
class Measured:
    """What tools and simulation say of a design; `cycles` 0: not simulated, `mhz` None: not placed."""

    kernel: str
    label: str
    device: str
    configuration: Mapping[str, Any]
    cycles: int
    mhz: float | None
    used: Mapping[str, float]


def draw(
    samples: Sequence[Sample],
    most: int | None = None,
    *,
    but: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> Iterator[Drawn]:
    """Yield the designs of `samples`, of each at most `most`; the same for the same arguments.

    `but`: configurations by kernel that are not to be drawn (what was fitted to, say).
    """
    taken = but or {}
    for sample in samples:
        known = sample.kernel in KERNELS
        found = define(sample.kernel) if known else benchmarks.define(sample.kernel)
        chosen: list[tuple[str, Mapping[str, Any]]] = []
        if sample.references:
            chosen += [(one.name, one.configuration) for one in found.references]
        number = 0
        for configuration in found.space.sample(2000, sample.seed):
            if number >= sample.count:
                break
            if configuration in taken.get(sample.kernel, ()):
                continue
            plain = dict(configuration)
            program = apply(found.program, plain).program
            if expanded_size(program) > sample.largest:
                continue
            chosen.append((f"#{number}", plain))
            number += 1
        for label, one in chosen[:most]:
            yield Drawn(sample.kernel, label, dict(one), apply(found.program, one).program)


def measure(
    design: Drawn,
    device: Device,
    *,
    place: bool = True,
    simulate: bool = False,
    limits: ToolLimits = ToolLimits(),  # noqa: B008 - frozen
    said: Callable[[str], None] = lambda _: None,
) -> Measured | None:
    """Build `design` for `device` (kept in the cache); None where that fails.

    Args:
        design: the design.
        device: what it is built for.
        place: place and route it too, if it fits and that is possible for the family; else only
            what it uses is known, be that more than there is.
        simulate: simulate it too.
        limits: of each tool.
        said: told what failed.
    """
    roomy = replace(device, capacity=dict.fromkeys(device.capacity, 1 << 40))
    try:
        used: Mapping[str, float] = built_design(design.program, roomy, limits, place=False)[0].used
        mhz, cycles = None, 0
        routed = place and device.family == "ecp5" and not overflows(used, device)
        if routed or simulate:
            built = build_design(design.program, roomy, limits, mhz=None if routed else 100.0)
            mhz = built.mhz if routed else None
            if simulate:
                simulate_design(built, benchmarks.draw_inputs(design.kernel, {}, 1), limits)
                cycles = built.cycles
    except TrialFailed as error:
        said(f"{design.kernel} {design.label} failed ({error.kind}): {error.message}")
        return None
    return Measured(
        design.kernel, design.label, device.name, design.configuration, cycles, mhz, dict(used)
    )
