"""Synthesis by Yosys: which cells of the device a design takes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daybreak import BuildFailed
from daybreak_hpvm.devices import Device
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.ports import MemoryPort
from daybreak_hpvm.rtl.process import Progress, ToolError, ToolLimits, run_tool, what_is_left
from daybreak_hpvm.rtl.ring import ring
from daybreak_hpvm.rtl.tools import find_yosys, tool_environment

__all__ = ["Netlist", "resources", "synthesise"]

# What a cell takes. ECP5: a carry cell is two look-up tables, a 16x4 memory six (four hold the bits,
# its write port takes the place of two); 7-series: cells by the families' user guides, block memories in
# units of 18 kbit.
_ECP5: Final[Mapping[str, tuple[str, float]]] = {
    "LUT4": ("lut", 1),
    "CCU2C": ("lut", 2),
    "TRELLIS_DPR16X4": ("lut", 6),
    "TRELLIS_FF": ("ff", 1),
    "MULT18X18D": ("dsp", 1),
    "MULT9X9D": ("dsp", 0.5),
    "DP16KD": ("bram", 1),
    "PDPW16KD": ("bram", 1),
}
_XC7: Final[Mapping[str, tuple[str, float]]] = {
    **{f"LUT{k}": ("lut", 1) for k in range(1, 7)},
    "INV": ("lut", 0),
    "SRL16E": ("lut", 1),
    "SRLC32E": ("lut", 1),
    "RAM32X1S": ("lut", 1),
    "RAM64X1S": ("lut", 1),
    "RAM128X1S": ("lut", 2),
    "RAM256X1S": ("lut", 4),
    "RAM32X1D": ("lut", 2),
    "RAM64X1D": ("lut", 2),
    "RAM128X1D": ("lut", 4),
    "RAM256X1D": ("lut", 8),
    "RAM32M": ("lut", 4),
    "RAM64M": ("lut", 4),
    **{f"FD{kind}": ("ff", 1) for kind in ("RE", "SE", "CE", "PE")},
    "DSP48E1": ("dsp", 1),
    "RAMB18E1": ("bram", 1),
    "RAMB36E1": ("bram", 2),
}
_CELLS: Final = {"ecp5": _ECP5, "xc7": _XC7}
_SCRIPT: Final = {
    # without input and output buffers: a design is a part of a chip here
    "ecp5": "synth_ecp5 -top top",
    "xc7": "synth_xilinx -family xc7 -top top -flatten -noiopad -noclkbuf",
}


@dataclass(frozen=True)
class Netlist:
    """What synthesis made.

    Attributes:
        cells: how many of each cell.
        used: how many of each resource (`daybreak_hpvm.devices.RESOURCES`).
        ring: the netlist inside its ring as JSON for nextpnr (ECP5 only, else empty).
        verilog: the netlist itself.
    """

    cells: Mapping[str, int]
    used: Mapping[str, float]
    ring: str
    verilog: str


def resources(cells: Mapping[str, int], family: str) -> dict[str, float]:
    """Return how many look-up tables, registers, multipliers and memories `cells` take."""
    used = dict.fromkeys(("lut", "ff", "dsp", "bram"), 0.0)
    for cell, count in cells.items():
        name, weight = _CELLS[family].get(cell, ("lut", 0.0))
        used[name] += weight * count
    return used


def synthesise(
    text: str,
    ports: Sequence[MemoryPort],
    device: Device,
    cache: Cache,
    limits: ToolLimits,
    progress: Progress,
) -> Netlist:
    """Return the netlist of the design `text` (RTLIL) for the family of `device`.

    Raises:
        RequirementError: there is no Yosys.
        TrialFailed: Yosys takes too long (`timeout`) or too much memory, or fails (`build`).
    """
    yosys = find_yosys()
    key = digest("synthesis", text, device.family, _SCRIPT[device.family], yosys.version)
    kept = cache.get("netlist", key)
    if kept is None:
        progress(None, f"Yosys: synthesis for {device.family}")
        kept = _run(text, ports, device.family, limits, _passes(progress))
        cache.put("netlist", key, kept)
    return Netlist(
        kept["cells"], resources(kept["cells"], device.family), kept["ring"], kept["verilog"]
    )


def _passes(progress: Progress) -> Callable[[str], None]:
    """Return a follower that tells which pass Yosys is in: lines such as ``2.46.3. Executing X``."""

    def follow(line: str) -> None:
        head, _, rest = line.partition(" Executing ")
        if rest and head.count(".") <= 2 and head[:1].isdigit():
            progress(None, f"Yosys: {rest.strip().rstrip('.')}")

    return follow


def _run(
    text: str,
    ports: Sequence[MemoryPort],
    family: str,
    limits: ToolLimits,
    follow: Callable[[str], None],
) -> dict[str, Any]:
    yosys = find_yosys()
    commands = [
        "read_rtlil design.il",
        _SCRIPT[family],
        "delete t:$scopeinfo",
        "tee -q -o stat.json stat -json",
        "write_verilog -noattr -noexpr netlist.v",
    ]
    with tempfile.TemporaryDirectory(prefix="daybreak-hpvm-") as name:
        folder = Path(name)
        (folder / "design.il").write_text(text, encoding="utf-8")
        if family == "ecp5":
            (folder / "ring.v").write_text(ring(*_signals(ports)), encoding="utf-8")
            commands += [
                "read_verilog ring.v",
                "hierarchy -top ring",
                "flatten",
                "opt_clean",
                "write_json ring.json",
            ]
        (folder / "run.ys").write_text("\n".join(commands) + "\n", encoding="utf-8")
        try:
            run_tool(
                [*yosys.command, "-Q", "-s", "run.ys"],
                folder,
                limits,
                name="Yosys",
                environment=tool_environment(yosys),
                follow=follow,
            )
        except ToolError as error:
            raise BuildFailed(error.message, detail=error.detail) from None
        with what_is_left("Yosys", "netlist"):
            stat = json.loads((folder / "stat.json").read_text(encoding="utf-8"))
            cells = stat["modules"]["\\top"]["num_cells_by_type"]
            placed = (folder / "ring.json").read_text(encoding="utf-8") if family == "ecp5" else ""
            return {
                "cells": {str(cell): int(count) for cell, count in sorted(cells.items())},
                "ring": placed,
                "verilog": (folder / "netlist.v").read_text(encoding="utf-8"),
            }


def _signals(ports: Sequence[MemoryPort]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return the design's inputs and outputs with their widths, clock and reset left out."""
    inputs, outputs = [("start", 1)], [("done", 1)]
    for port in ports:
        (outputs if port.store else inputs).append((port.data, port.bits))
        outputs += [(port.addr, port.address_bits), (port.enable, 1)]
    outputs += [(go, 1) for go in dict.fromkeys(port.go for port in ports) if go is not None]
    return inputs, outputs
