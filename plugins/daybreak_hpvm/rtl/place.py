"""Placing and routing by nextpnr-ecp5: how fast the clock may be."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from daybreak import BuildFailed, ResourceExceeded
from daybreak_hpvm.devices import Device
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.process import Progress, ToolError, ToolLimits, run_tool, what_is_left
from daybreak_hpvm.rtl.tools import find_nextpnr, tool_environment

__all__ = ["SEED", "place_and_route"]

#: of nextpnr's random numbers: equal designs are placed equally
SEED: Final = 1
#: MHz that placing aims at: beyond what such designs reach
_AIM: Final = 200
_DEVICE: Final = {"LFE5U-25F": "--25k", "LFE5U-45F": "--45k", "LFE5U-85F": "--85k"}
_OPTIONS: Final = (
    *("--lpf-allow-unconstrained", "--timing-allow-fail", "--threads", "1"),
    *("--seed", str(SEED), "--freq", str(_AIM), "--package", "CABGA381", "--speed", "6"),
)
_STEPS: Final = (
    ("Info: Packing", 0.05, "packing"),
    ("Info: Annotating ports", 0.1, "analysing"),
    ("Info: Creating initial analytic placement", 0.15, "placing"),
    ("Info: Running simulated annealing", 0.5, "refining the placement"),
    ("Info: Routing globals", 0.6, "routing clocks"),
    ("Info: Routing..", 0.7, "routing"),
)
_SHORT: Final = re.compile(
    r"no (?:more )?bels|unable to (?:find (?:a |legal )?placement|place)|too many|failed to place"
    r"|utilisation limit|failed to (?:find a )?route|unable to route",
    re.IGNORECASE,
)


def place_and_route(
    netlist: str, device: Device, cache: Cache, limits: ToolLimits, progress: Progress
) -> float:
    """Return the highest clock rate in Hz of a netlist (JSON, one clock named ``clk``).

    Raises:
        RequirementError: there is no nextpnr-ecp5.
        ResourceExceeded: it cannot be placed or routed.
        TrialFailed: nextpnr takes too long (`timeout`) or too much memory, or fails (`build`).
    """
    tool = find_nextpnr()
    options = (_DEVICE[device.part], *_OPTIONS)
    key = digest("place", netlist, options, tool.version)
    kept = cache.get("placed", key)
    if kept is None:
        kept = _run(netlist, options, device, limits, _steps(progress))
        cache.put("placed", key, kept)
    return float(kept["fmax_hz"])


def _steps(progress: Progress) -> Callable[[str], None]:
    def follow(line: str) -> None:
        for start, fraction, word in _STEPS:
            if line.startswith(start):
                progress(fraction, f"nextpnr: {word}")

    return follow


def _run(
    netlist: str,
    options: tuple[str, ...],
    device: Device,
    limits: ToolLimits,
    follow: Callable[[str], None],
) -> dict[str, Any]:
    tool = find_nextpnr()
    with tempfile.TemporaryDirectory(prefix="daybreak-hpvm-") as name:
        folder = Path(name)
        (folder / "ring.json").write_text(netlist, encoding="utf-8")
        try:
            run_tool(
                [*tool.command, "--json", "ring.json", "--report", "report.json", *options],
                folder,
                limits,
                name="nextpnr-ecp5",
                environment=tool_environment(tool),
                follow=follow,
            )
        except ToolError as error:
            if _SHORT.search(error.output):
                said = error.message.partition(": ")[2]
                raise ResourceExceeded(
                    f"nextpnr cannot place and route the design on {device.part}: {said}",
                    detail=error.detail,
                ) from None
            raise BuildFailed(error.message, detail=error.detail) from None
        with what_is_left("nextpnr", "report"):
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            clocks = [float(one["achieved"]) for one in report["fmax"].values()]
    if not clocks or not all(0 < clock < math.inf for clock in clocks):
        raise BuildFailed("nextpnr reports no clock rate: the design has no path to time")
    return {"fmax_hz": 1e6 * min(clocks)}
