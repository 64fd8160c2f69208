"""A driver and compilers that misbehave when they are told to, and runs that meet them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daybreak import RunSummary, query, run_suite
from daybreak.plugin import load_plugins
from daybreak_rise.runtime import probe

__all__ = ["Script", "build_driver", "program", "run", "trials"]

SUITE = """\
suite: 1
name: faults
benchmarks:
  - rise/{benchmark}
optimizers: [random]
seeds: 1
budget: {{evaluations: {evaluations}}}
protocol: {{repeats: 1, warmup: 0, interleave: 0, hopeless: null, timeout: {timeout}s}}
"""


def build_driver(folder: Path) -> Path:
    """Return a folder with the .icd file of PoCL made unreliable; skips where there is no PoCL."""
    try:
        ctypes.CDLL("libpocl.so.2")
    except OSError:
        pytest.skip("no PoCL on this machine: libpocl.so.2")
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    library = folder / "libfaulty.so"
    source = Path(__file__).with_name("faulty_driver.c")
    command = ["gcc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(
        [*command, '-DPOCL="libpocl.so.2"', "-o", str(library), str(source), "-ldl"], check=True
    )
    vendors = folder / "vendors"
    vendors.mkdir()
    (vendors / "faulty.icd").write_text(f"{library}\n")
    return vendors


def program(folder: Path, name: str, text: str) -> str:
    """Return the path of a new shell script."""
    folder.mkdir(exist_ok=True)
    made = folder / name
    made.write_text(f"#!/bin/sh\n{text}\n")
    made.chmod(0o755)
    return str(made)


@dataclass
class Script:
    """Listens to a run and sets the driver's faults for the next trial, after the references."""

    file: Path
    #: for each of the optimizer's trials: lines of the file
    faults: Iterable[str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = iter(self.faults)
        self._references = 2

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Take an event of the run."""
        if kind != "trial_finished":
            return
        if values["role"] == "reference":
            assert values["status"] == "ok", values
            self._references -= 1
        else:
            self.events.append(values)
        if self._references <= 0:
            self.file.write_text(next(self._left, ""))

    def close(self) -> None:
        """Nothing to close."""


def run(
    folder: Path,
    benchmark: str,
    *,
    evaluations: int = 1,
    timeout: float = 60.0,
    listener: Script | None = None,
) -> RunSummary:
    """Run random search on a benchmark (as a suite names it) in `folder`; resumes."""
    suite = folder / "faults.yaml"
    suite.write_text(SUITE.format(benchmark=benchmark, evaluations=evaluations, timeout=timeout))
    probe._found.cache_clear()
    try:
        return run_suite(
            suite, results=folder / "results", registry=load_plugins(), listener=listener
        )
    finally:
        probe._found.cache_clear()


def trials(folder: Path) -> list[Mapping[str, Any]]:
    """Return what the results folder holds of the optimizer's trials, in order."""
    found = query(
        "SELECT number, failure_kind, t.message, detail, facts::JSON::VARCHAR AS facts "
        "FROM trials t JOIN studies s USING (study_id) WHERE s.role = 'optimizer' "
        "ORDER BY number",
        folder / "results",
    )
    return [
        # pandas has NaN for what is not there
        {name: None if value != value else value for name, value in row.items()}
        for row in found.to_dict("records")
    ]
