"""Tools that misbehave when they are told to, and runs that use them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak import RunSummary, query, run_suite
from daybreak.plugin import load_plugins

__all__ = ["MODES", "Script", "make_tools", "processes_with", "run", "suite_file", "trials"]

#: the file that says what is wrong: one word for Yosys, one for nextpnr; in the tools' own folder
MODES = "modes"

_YOSYS = """\
#!/bin/sh
[ "$1" = --version ] && {{ echo "Yosys 0.61 (made up)"; exit 0; }}
echo called >> calls
read mode rest < "{folder}/modes"
case "$mode" in
segv) kill -SEGV $$ ;;
kill) kill -KILL $$ ;;
error) echo "ERROR: Assert failed in a pass"; exit 1 ;;
wasm) echo "memory allocation of 983268 bytes failed"; kill -ABRT $$ ;;
hog) exec "{python}" -c "x = b'x' * (1 << 30)" ;;
full) echo "ERROR: write: No space left on device"; exit 1 ;;
hang) sleep 600 & wait ;;
silent) exit 0 ;;
junk) echo "{{" > stat.json; exit 0 ;;
shape) echo "[1]" > stat.json; exit 0 ;;
esac
printf '%s\n' '{{"modules": {{"\\\\top": {{"num_cells_by_type": {{"LUT4": 12, "TRELLIS_FF": 5}}}}}}}}' > stat.json
grep -c . design.il > ring.json
echo "module top; endmodule" > netlist.v
"""
_NEXTPNR = """\
#!/bin/sh
[ "$1" = --version ] && {{ echo '"it" -- Next Generation Place and Route (Version nextpnr-0.8)'; exit 0; }}
read first mode < "{folder}/modes"
case "$mode" in
route) echo "ERROR: Failed to route arc 65 of net 'top.x', from A to B."; exit 1 ;;
place) echo "ERROR: Unable to find legal placement for all cells, design is probably at utilisation limit."
  exit 1 ;;
assert) echo "ERROR: Assertion failure: port != nullptr (timing.cc:12)"; exit 1 ;;
silent) exit 0 ;;
junk) echo '{{"fmax": 3}}' > report.json; exit 0 ;;
zero) echo '{{"fmax": {{"clk": {{"achieved": 0}}}}}}' > report.json; exit 0 ;;
esac
echo '{{"fmax": {{"clk": {{"achieved": 120.0}}}}}}' > report.json
"""
_SUITE = """\
suite: 1
name: faults
benchmarks:
  - hpvm/bfs:
      {{fidelity: rtl, vertices: 8, levels: 2, device: ecp5-25k, tool_seconds: {seconds}, tool_memory_mib: 512}}
optimizers: [random]
seeds: 1
budget: {{evaluations: {evaluations}}}
protocol: {{repeats: 1, warmup: 0, interleave: 0, hopeless: null, timeout: 120s}}
"""


def make_tools(folder: Path) -> dict[str, str]:
    """Return the environment in which Yosys and nextpnr are ours; `folder` need not be there."""
    folder.mkdir(exist_ok=True)
    (folder / MODES).write_text("well well\n")
    made = {}
    for name, variable, text in (
        ("yosys", "DAYBREAK_YOSYS", _YOSYS),
        ("nextpnr-ecp5", "DAYBREAK_NEXTPNR_ECP5", _NEXTPNR),
    ):
        program = folder / name
        program.write_text(text.format(folder=folder, python=sys.executable))
        program.chmod(0o755)
        made[variable] = str(program)
    return made


@dataclass
class Script:
    """Listens to a run and sets the tools' faults for the next trial, after the references."""

    folder: Path
    #: for each of the optimizer's trials: what is wrong with Yosys and with nextpnr
    faults: Iterable[str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = iter(self.faults)
        self._references = 2

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Take an event of the run."""
        if kind == "study_finished":
            self.events.append(values)
        if kind == "trial_finished":
            if values["role"] == "reference":
                assert values["status"] == "ok", values
                self._references -= 1
            if self._references <= 0:
                (self.folder / MODES).write_text(next(self._left, "well well") + "\n")

    def close(self) -> None:
        """Nothing to close."""


def suite_file(folder: Path, evaluations: int, seconds: float = 60) -> Path:
    """Write a suite of random search on a small design."""
    path = folder / "faults.yaml"
    path.write_text(_SUITE.format(evaluations=evaluations, seconds=seconds))
    return path


def run(folder: Path, *, evaluations: int = 1, seconds: float = 60, **more: Any) -> RunSummary:
    """Run that suite in `folder`; resumes."""
    suite = suite_file(folder, evaluations, seconds)
    return run_suite(suite, results=folder / "results", registry=load_plugins(), **more)


def trials(folder: Path) -> list[Mapping[str, Any]]:
    """Return what the results folder holds of the optimizer's trials, in order."""
    found = query(
        "SELECT number, failure_kind, t.message, detail, t.objective AS seconds FROM trials t "
        "JOIN studies s USING (study_id) WHERE s.role = 'optimizer' ORDER BY number",
        folder / "results",
    )
    return [
        # pandas has NaN for what is not there
        {name: None if value != value else value for name, value in row.items()}
        for row in found.to_dict("records")
    ]


def processes_with(name: str, value: str) -> dict[int, str]:
    """Return the command lines of the processes whose environment holds ``name=value``."""
    needle = f"{name}={value}".encode()
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                if needle in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    line = Path(f"/proc/{entry}/cmdline").read_bytes()
                    found[int(entry)] = line.replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
    return found
