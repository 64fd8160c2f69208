"""HyperMapper 2.2, run in a process of its own, by the interpreter that has it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daybreak import Configuration, Space
from daybreak_peers.adapter import Proposal
from daybreak_peers.coding import Coding, Column
from daybreak_peers.hypermapper_child import OBJECTIVE, VALID
from daybreak_peers.single import OneAtATime

__all__ = ["HyperMapper", "HyperMapperError", "scenario_of"]

_CHILD = Path(__file__).with_name("hypermapper_child.py")
#: HyperMapper's usual design, which is cut to half of a budget that is smaller than twice as much
_DESIGN = 10
#: more iterations than any study has: the study's budget ends it
_ENDLESS = 10_000_000
#: whole numbers up to so many values are given as a list, whose neighbours are the next ones
_LISTED = 1000


class HyperMapperError(RuntimeError):
    """HyperMapper ended with an error; the message begins with its type."""


class HyperMapper(OneAtATime):
    """HyperMapper's Bayesian optimisation with a random forest or a Gaussian process.

    Each proposal fits its models anew, also those that break a known constraint and cost nothing of
    the budget, so few of them are borne in a row.
    """

    patience = 20

    def prepare(self) -> None:
        """Write the scenario; HyperMapper starts with the first `ask`."""
        self._coding = Coding(self.space)
        self._names = {column.name: f"x{i}" for i, column in enumerate(self._coding.columns)}
        self._started: subprocess.Popen[str] | None = None

    def turn(self) -> Proposal | None:
        """Read HyperMapper's next configuration."""
        if self._started is None:
            self._started = self._start()
        child = self._started
        line = child.stdout.readline() if child.stdout is not None else ""
        if not line:
            raise HyperMapperError(f"ended unexpectedly with status {child.wait()}")
        point = json.loads(line)
        if point is None:
            return None
        if "error" in point:
            raise HyperMapperError(f"{point['error']}: {point['message']}")
        return Proposal(self._configuration(point), child)

    def settle(self, proposal: Proposal, cost: float | None) -> None:
        """Answer with the cost; null for a failure."""
        stdin = proposal.handle.stdin
        # a child that has died says so at the next turn
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(cost) + "\n")
            stdin.flush()

    def _configuration(self, point: Mapping[str, Any]) -> Configuration:
        values: dict[str, Any] = {}
        for column in self._coding.columns:
            value = point[self._names[column.name]]
            if column.kind == "float" and column.log:
                value = math.exp(float(value))
            values[column.name] = float(value) if column.kind == "float" else round(float(value))
        return self._coding.decode(values)

    def _start(self) -> subprocess.Popen[str]:
        folder = tempfile.mkdtemp(prefix="daybreak-hypermapper-")
        scenario = Path(folder) / "scenario.json"
        columns = {self._names[column.name]: column for column in self._coding.columns}
        scenario.write_text(
            json.dumps(
                scenario_of(
                    columns,
                    folder,
                    model=self.options.get("model", "random_forest"),
                    design=self._design(),
                    feasibility=self._feasibility(),
                )
            )
        )
        python = self.options.get("python") or sys.executable
        child = subprocess.Popen(
            [os.path.expanduser(python), str(_CHILD), str(scenario), str(self.seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=_environment(),
        )
        weakref.finalize(self, _end, child, folder)
        return child

    def _design(self) -> int:
        given, evaluations = self.options.get("startup"), self.problem.budget.evaluations
        if given is not None:
            return int(given)
        return _DESIGN if evaluations is None else max(1, min(_DESIGN, evaluations // 2))

    def _feasibility(self) -> bool:
        """Whether to learn feasibility; by default where known constraints can be broken.

        With it HyperMapper draws at random until it has seen both sorts of configuration, which
        without constraints may never be.
        """
        given = self.options.get("feasibility")
        return bool(_constrained(self.space)) if given is None else bool(given)


def scenario_of(
    columns: Mapping[str, Column], folder: str, *, model: str, design: int, feasibility: bool
) -> dict[str, Any]:
    """Return HyperMapper's scenario; floats on a log scale are given as their logarithms."""
    scenario: dict[str, Any] = {
        "application_name": "daybreak",
        "optimization_objectives": [OBJECTIVE],
        "optimization_iterations": _ENDLESS,
        "design_of_experiment": {"doe_type": "random sampling", "number_of_samples": design},
        "models": {"model": model},
        "input_parameters": {name: _input(column) for name, column in columns.items()},
        "run_directory": folder,
        "log_file": str(Path(folder) / "hypermapper.log"),
        "output_data_file": str(Path(folder) / "samples.csv"),
        "print_best": False,
    }
    if feasibility:
        scenario["feasible_output"] = {
            "enable_feasible_predictor": True,
            "name": VALID,
            "true_value": "1",
            "false_value": "0",
        }
    return scenario


def _input(column: Column) -> dict[str, Any]:
    if column.kind == "float":
        ends = (column.low, column.high)
        values = [math.log(end) for end in ends] if column.log else list(ends)
        return {"parameter_type": "real", "values": values}
    low, high = int(column.low), int(column.high)
    numbers = range(low, high + 1)
    if column.kind == "choice":
        return {"parameter_type": "categorical", "values": [str(i) for i in numbers]}
    if len(numbers) <= _LISTED:
        return {"parameter_type": "ordinal", "values": list(numbers)}
    return {"parameter_type": "integer", "values": [low, high]}


def _constrained(space: Space) -> int:
    return len(space.constraints) + len(space.conditions)


def _environment() -> dict[str, str]:
    # the order of sets of text must not differ between two runs
    kept = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    # these change where HyperMapper looks for itself, or what another environment imports
    for name in ("HYPERMAPPER_HOME", "PYTHONPATH", "PYTHONHOME"):
        kept.pop(name, None)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        kept[name] = "1"
    return kept


def _end(child: subprocess.Popen[str], folder: str) -> None:
    child.kill()
    child.communicate()
    shutil.rmtree(folder, ignore_errors=True)
