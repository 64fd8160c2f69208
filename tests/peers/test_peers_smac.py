"""SMAC3: the kit's contract, constraints on published spaces, what its run history is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import pytest

from daybreak import Budget, Configuration, Metric, Problem, Space, load_space
from daybreak.testing import OptimizerConformance
from daybreak.testing.exercises import drive, failed, measured, problems, trial_of

pytest.importorskip("smac")

from smac.runhistory import StatusType

from daybreak_peers.smac_peer import Smac

SPACES = Path(__file__).parent.parent / "data" / "spaces"


@pytest.mark.slow
class TestSmacForest(OptimizerConformance):
    component_name = "smac"
    options: ClassVar[dict[str, Any]] = {"patience": 20}
    trials = 8
    process_timeout_s = 600


@pytest.mark.slow
class TestSmacProcess(OptimizerConformance):
    component_name = "smac"
    options: ClassVar[dict[str, Any]] = {"facade": "blackbox", "patience": 20}
    trials = 8
    process_timeout_s = 600


def _problem(space: Space, evaluations: int = 20) -> Problem:
    return Problem("x/y", space, (Metric("time", "s"),), 1, Budget(evaluations=evaluations))


def _told(peer: Smac) -> list[tuple[StatusType, float]]:
    history = peer._facade.runhistory
    return [
        (value.status, value.cost)
        for value in history.values()
        if value.status is not StatusType.RUNNING
    ]


@pytest.mark.parametrize("mode", ["repair", "embed"])
@pytest.mark.parametrize("name", ["rise_kmeans_gpu", "taco_spmm"])
def test_proposals_on_published_spaces_satisfy_their_constraints(name: str, mode: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    problem = _problem(space, 16)
    peer = Smac(problem, {"constraints": mode, "facade": "blackbox"})

    def check(one: Configuration) -> None:
        assert all(constraint.test(one) for constraint in space.constraints)
        assert peer.explain(one)["infeasible"] == 0

    done = drive(peer, problem, 7, check=check)
    assert len({tuple(t.configuration.values()) for t in done}) == 7


def test_the_initial_design_is_a_quarter_of_the_budget() -> None:
    problem = _problem(problems()["mixed"].space, 20)
    peer = Smac(problem, {"facade": "blackbox", "retrain_after": 1})
    sources = []
    for number in range(6):
        (one,) = peer.ask()
        sources.append(peer.explain(one)["source"])
        peer.tell([trial_of(number, one, measured(one, problem))])
    assert sources == ["design"] * 5 + ["model"]


def test_failures_are_crashed_with_the_worst_cost_so_far() -> None:
    problem = _problem(problems()["mixed"].space, 40)
    peer = Smac(problem, {})
    for number, value in enumerate((2.0, None, 5.0, None)):
        (one,) = peer.ask()
        outcome = failed(problem) if value is None else measured(one, problem, value)
        peer.tell([trial_of(number, one, outcome)])
    ok, crashed = StatusType.SUCCESS, StatusType.CRASHED
    assert _told(peer) == [(ok, 2.0), (crashed, 2.0), (ok, 5.0), (crashed, 5.0)]


def test_a_repaired_proposal_is_told_in_its_repaired_form() -> None:
    problem = _problem(load_space(SPACES / "rise_kmeans_gpu.yaml"), 60)
    peer = Smac(problem, {"constraints": "repair"})
    notes = []
    for number in range(8):
        (one,) = peer.ask()
        notes.append(peer.explain(one).get("note"))
        peer.tell([trial_of(number, one, measured(one, problem))])
    # three of four points of this space are infeasible
    assert notes.count("repaired") >= 2
    told = [
        (
            tuple(
                peer._coding.decode(dict(peer._facade.runhistory.get_config(key.config_id))).items()
            ),
            value.cost,
        )
        for key, value in peer._facade.runhistory.items()
        if value.status is StatusType.SUCCESS
    ]
    feasible = [one for one in told if dict(one[0]) in problem.space]
    assert {key.seed for key in peer._facade.runhistory} == {
        next(iter(peer._facade.runhistory)).seed
    }
    assert len(set(feasible)) == len(feasible) == 8, "each is told once, whoever asked for it"
    # what came out a second time was told at the place that SMAC asked for, with the same cost
    assert {cost for _, cost in told} == {cost for _, cost in feasible}


def test_history_and_conditions_are_passed_on() -> None:
    problem = problems()["conditional"]
    drawn = problem.space.sample(6, 2)
    history = tuple(trial_of(n, one, measured(one, problem)) for n, one in enumerate(drawn))
    peer = Smac(dataclasses.replace(problem, history=history), {})
    assert sorted(cost for _, cost in _told(peer)) == sorted(
        trial.objective or 0.0 for trial in history
    )
    assert len(peer._configspace.conditions) == 2
    for one in peer.ask(5):
        assert one in problem.space
