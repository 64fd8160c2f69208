"""HyperMapper: what is sent to it, what it answers, and how its process ends.

HyperMapper itself wants older libraries than this environment has; the tests of the real one run
where the variable DAYBREAK_HYPERMAPPER_PYTHON names an interpreter that has it. The others use a
stand-in for its module, which keeps to the library's calling convention.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from daybreak import Budget, Metric, Problem, Real, Space
from daybreak.testing.exercises import drive, failed, measured, problems, trial_of
from daybreak_peers.coding import Coding
from daybreak_peers.hypermapper_child import Evaluator
from daybreak_peers.hypermapper_peer import HyperMapper, HyperMapperError, scenario_of

PYTHON = os.environ.get("DAYBREAK_HYPERMAPPER_PYTHON")

#: draws inputs at random, first three at once; ends, fails or dies when its seed says so
_STAND_IN = """
import json, os, random, sys

def optimize(path, evaluate):
    print("chatter that nobody asked for")
    inputs = json.load(open(path))["input_parameters"]
    def draw(given):
        values = given["values"]
        if given["parameter_type"] == "real":
            return random.uniform(*values)
        return random.randint(*values) if given["parameter_type"] == "integer" else random.choice(values)
    def point():
        return {name: draw(given) for name, given in inputs.items()}
    first = [point() for _ in range(3)]
    evaluate({name: [one[name] for one in first] for name in inputs})
    mode = os.environ.get("STAND_IN", "")
    if mode == "fail":
        raise KeyError("inside")
    if mode == "exit":
        print("Warning: something"); raise SystemExit
    if mode == "die":
        os._exit(7)
    if mode == "end":
        return
    while True:
        evaluate(point())
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter that finds the stand-in: a script that adds its folder to the path."""
    package = tmp_path / "hypermapper"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "optimizer.py").write_text(_STAND_IN)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return python


def _ordinal() -> Problem:
    return problems(seed=5)["ordinal"]


def test_proposals_are_decoded_and_costs_come_back(stand_in: Path) -> None:
    problem = _ordinal()
    explained: list[Any] = []
    optimizer = HyperMapper(problem, {"python": str(stand_in)})
    done = drive(optimizer, problem, 20, check=lambda c: explained.append(optimizer.explain(c)))
    assert len({tuple(trial.configuration.values()) for trial in done}) == 20
    assert all(trial.configuration in problem.space for trial in done)
    assert sum(one["infeasible"] for one in explained) > 0, "nothing was refused"
    again = drive(HyperMapper(problem, {"python": str(stand_in)}), problem, 20)
    assert [t.configuration for t in again] == [t.configuration for t in done]


@pytest.mark.parametrize(
    ("mode", "message"),
    [("fail", "KeyError: 'inside'"), ("exit", "SystemExit"), ("die", "status 7")],
)
def test_its_errors_surface_from_ask(
    mode: str, message: str, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", mode)
    problem = _ordinal()
    with pytest.raises(HyperMapperError, match=message):
        drive(HyperMapper(problem, {"python": str(stand_in)}), problem, 20)


def test_when_it_ends_chance_goes_on(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN", "end")
    problem = _ordinal()
    optimizer = HyperMapper(problem, {"python": str(stand_in)})
    done = drive(optimizer, problem, 10)
    assert len(done) == 10
    (last,) = optimizer.ask()
    assert "ended" in optimizer.explain(last)["note"]


def test_neither_process_nor_files_are_left(stand_in: Path) -> None:
    problem = _ordinal()
    optimizer = HyperMapper(problem, {"python": str(stand_in)})
    optimizer.ask()
    child = optimizer._started
    assert child is not None
    assert child.poll() is None
    before = list(stand_in.parent.glob("daybreak-hypermapper-*"))
    assert len(before) == 1
    del optimizer
    gc.collect()
    assert child.poll() is not None
    assert not before[0].exists()


def test_the_scenario_in_hypermappers_words() -> None:
    space = problems()["mixed"].space
    columns = {f"x{i}": column for i, column in enumerate(Coding(space).columns)}
    scenario = scenario_of(columns, "/tmp/x", model="random_forest", design=7, feasibility=True)
    json.dumps(scenario)
    inputs = scenario["input_parameters"]
    assert inputs["x0"]["parameter_type"] == "real"
    assert inputs["x0"]["values"] == pytest.approx([-11.512925465, -2.302585093])  # ln 1e-5, ln 0.1
    assert inputs["x1"] == {"parameter_type": "real", "values": [0.0, 1.0]}
    assert inputs["x2"] == {"parameter_type": "ordinal", "values": list(range(1, 13))}
    assert inputs["x3"] == {"parameter_type": "categorical", "values": ["0", "1", "2"]}
    assert scenario["design_of_experiment"]["number_of_samples"] == 7
    assert scenario["feasible_output"]["enable_feasible_predictor"] is True


def test_the_design_leaves_room_for_the_model() -> None:
    space = Space([Real("x", 0.0, 1.0)])
    for evaluations, design in ((60, 10), (20, 10), (10, 5), (1, 1), (None, 10)):
        budget = Budget(evaluations=evaluations, seconds=9.0)
        problem = Problem("x/y", space, (Metric("time", "s"),), 0, budget)
        assert HyperMapper(problem, {})._design() == design


def test_failures_are_given_the_worst_cost_so_far() -> None:
    written: list[Any] = []
    answers = iter(["null\n", "3.5\n", "null\n", "9.0\n", "null\n"])
    evaluate = Evaluator(written.append, lambda: next(answers), feasibility=True)
    first = evaluate({"x0": [1, 2, 3], "x1": ["0", "1", "0"]})
    assert first == {"cost": [3.5, 3.5, 3.5], "valid": [False, True, False]}
    assert evaluate({"x0": 4, "x1": "1"}) == {"cost": 9.0, "valid": True}
    assert evaluate({"x0": 5, "x1": "1"}) == {"cost": 9.0, "valid": False}
    assert written[1] == {"x0": 2, "x1": "1"}
    assert len(written) == 5


def test_a_batch_gets_one(stand_in: Path) -> None:
    problem = _ordinal()
    optimizer = HyperMapper(problem, {"python": str(stand_in)})
    batch = optimizer.ask(4)
    assert len(batch) == 1
    optimizer.tell([trial_of(0, batch[0], measured(batch[0], problem))])
    assert len(optimizer.ask(4)) == 1


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="DAYBREAK_HYPERMAPPER_PYTHON names no interpreter")
@pytest.mark.parametrize("model", ["random_forest", "gaussian_process"])
@pytest.mark.parametrize("name", ["ordinal", "mixed", "permutation"])
def test_the_real_one(model: str, name: str) -> None:
    problem = problems(seed=2, evaluations=12)[name]

    def outcome(number: int, configuration: Any, problem: Problem) -> Any:
        return failed(problem) if number == 4 else measured(configuration, problem)

    runs = []
    for _ in range(2):
        optimizer = HyperMapper(problem, {"python": PYTHON, "model": model})
        runs.append(drive(optimizer, problem, 9, outcome=outcome))
        assert all(trial.configuration in problem.space for trial in runs[-1])
    assert [t.configuration for t in runs[0]] == [t.configuration for t in runs[1]]
