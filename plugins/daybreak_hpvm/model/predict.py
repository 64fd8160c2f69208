"""What a design will cost, without building it: cycles, resources, clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daybreak_hpvm.devices import Device, share
from daybreak_hpvm.ir import Program
from daybreak_hpvm.model.constants import constants_of
from daybreak_hpvm.model.cycles import program_cycles
from daybreak_hpvm.model.features import Features, features_of
from daybreak_hpvm.model.nodes import node_cost

__all__ = ["Estimate", "predict", "program_features"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a design costs on a device.

    Attributes:
        cycles: from start to end.
        mhz: the clock.
        used: how many of each of `daybreak_hpvm.devices.RESOURCES`.
        area: per cent of the device, see `daybreak_hpvm.devices.share`.
    """

    cycles: int
    mhz: float
    used: Mapping[str, float]
    area: float

    @property
    def seconds(self) -> float:
        """Time of one run of the program, in seconds."""
        return self.cycles / (self.mhz * 1e6)


def program_features(program: Program, family: str = "ecp5") -> tuple[int, Features]:
    """Return the cycles of a transformed program, and what it is made of on a family."""
    costs = {node.name: node_cost(program, node) for node in program.nodes}
    cycles = program_cycles(program, {name: cost.line for name, cost in costs.items()})
    return cycles, features_of(program, costs, family)


def predict(program: Program, device: Device, *, mhz: float | None = None) -> Estimate:
    """Return what `program`, transformed but with its loops only marked, costs on `device`.

    Args:
        program: from `daybreak_hpvm.transforms.transform`.
        device: the device.
        mhz: a clock that is taken as given, in place of the model's.

    Raises:
        ValueError: the family has no law of its clock, and none is given.
    """
    cycles, features = program_features(program, device.family)
    constants = constants_of(device.family)
    if mhz is None:
        period = constants.period_ns(features)
        if period is None:
            raise ValueError(f"{device.name} has no law of its clock: give one")
        mhz = 1e3 / period
    used = {
        "lut": round(constants.luts(features)),
        "ff": round(constants.ffs(features)),
        "dsp": features.dsp,
        "bram": features.bram,
    }
    return Estimate(cycles, mhz, used, share(used, device))
