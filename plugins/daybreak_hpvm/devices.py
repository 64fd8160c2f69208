"""The devices that designs are made for, and what each of them holds.

Counts are the vendors': Lattice, "ECP5 and ECP5-5G Family Data Sheet" (FPGA-DS-02012), table 1.1;
AMD, "7 Series FPGAs Data Sheet: Overview" (DS180), table 4. Block memory is counted in the blocks
that synthesis fills: 18 kbit each on both families (DP16KD; half of a RAMB36, RAMB18).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DEVICES", "RESOURCES", "Device", "overflows", "share"]

#: kinds of resource that designs use, in the order in which they are told
RESOURCES = ("lut", "ff", "dsp", "bram")


@dataclass(frozen=True, slots=True)
class Device:
    """A device.

    Attributes:
        name: what the option `device` calls it.
        family: ``ecp5`` or ``xc7``.
        part: the vendor's name.
        capacity: how many of each of `RESOURCES` it has: look-up tables (of four inputs on ECP5, of
            six on 7-series), flip-flops, multipliers, 18-kbit memories.
    """

    name: str
    family: str
    part: str
    capacity: Mapping[str, int]


def _device(name: str, family: str, part: str, *counts: int) -> Device:
    return Device(name, family, part, MappingProxyType(dict(zip(RESOURCES, counts, strict=True))))


DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        one.name: one
        for one in (
            _device("ecp5-25k", "ecp5", "LFE5U-25F", 24_288, 24_288, 28, 56),
            _device("ecp5-45k", "ecp5", "LFE5U-45F", 43_848, 43_848, 72, 108),
            _device("ecp5-85k", "ecp5", "LFE5U-85F", 83_640, 83_640, 156, 208),
            _device("xc7a35t", "xc7", "XC7A35T", 20_800, 41_600, 90, 100),
            _device("xc7a100t", "xc7", "XC7A100T", 63_400, 126_800, 240, 270),
        )
    }
)


def share(used: Mapping[str, float], device: Device) -> float:
    """Return the area of a design: per cent of the device, the mean over `RESOURCES`.

    A mean, so that whatever is saved counts; and of shares, since a multiplier or a memory is worth
    more where there are few.
    """
    return 100.0 * sum(used[name] / device.capacity[name] for name in RESOURCES) / len(RESOURCES)


def overflows(used: Mapping[str, float], device: Device) -> dict[str, float]:
    """Return what does not fit: how much is used, by resource, of those that are short."""
    return {name: used[name] for name in RESOURCES if used[name] > device.capacity[name]}
