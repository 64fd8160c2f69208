"""BoTorch: the kit's contract, constraints on published spaces, failures, batches."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import pytest

from daybreak import (
    Budget,
    Configuration,
    Direction,
    Metric,
    Outcome,
    Problem,
    Real,
    Space,
    TrialStatus,
    load_space,
)
from daybreak.testing import OptimizerConformance
from daybreak.testing.exercises import drive, failed, measured, problems, trial_of

pytest.importorskip("botorch")

from daybreak_peers.botorch_peer import BoTorch

SPACES = Path(__file__).parent.parent / "data" / "spaces"
QUICK: dict[str, Any] = {"candidates": 64}


@pytest.mark.slow
class TestBoTorch(OptimizerConformance):
    component_name = "botorch"
    options: ClassVar[dict[str, Any]] = QUICK
    trials = 8
    process_timeout_s = 600


@pytest.mark.parametrize("name", ["rise_kmeans_gpu", "taco_spmm", "rise_harris_gpu"])
def test_proposals_on_published_spaces_satisfy_their_constraints(name: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    problem = Problem("x/y", space, (Metric("time", "s"),), 1, Budget(evaluations=20))
    peer = BoTorch(problem, {**QUICK, "startup": 4})

    def check(one: Configuration) -> None:
        assert all(constraint.test(one) for constraint in space.constraints)
        explained = peer.explain(one)
        assert (explained["duplicates"], explained["infeasible"]) == (0, 0)

    done = drive(peer, problem, 7, check=check)
    assert len({tuple(t.configuration.values()) for t in done}) == 7


def test_it_explains_itself_in_the_objectives_unit() -> None:
    """A maximised objective of about 100: the mean believed is of that sign and size."""
    space = load_space(SPACES / "rise_kmeans_gpu.yaml")
    metric = Metric("rate", "1/s", Direction.MAXIMIZE)
    problem = Problem("x/y", space, (metric,), 1, Budget(evaluations=20))
    peer = BoTorch(problem, {**QUICK, "startup": 5})
    for number in range(6):
        (one,) = peer.ask()
        explained = peer.explain(one)
        value = 100.0 + math.log2(float(one[space.names[0]]))  # type: ignore[arg-type]
        outcome = Outcome(TrialStatus.OK, objectives={"rate": value})
        peer.tell([trial_of(number, one, outcome)])
    assert explained["source"] == "model"
    assert 95.0 < explained["mean"] < 120.0
    assert 0.0 <= explained["deviation"] < 20.0


@pytest.mark.slow
def test_a_model_follows_the_slope() -> None:
    """On |x - 0.3| + |y - 0.7| fourteen trials come closer than random ones usually do."""
    space = Space([Real("x", 0.0, 1.0), Real("y", 0.0, 1.0)])
    reached = []
    for seed in range(3):
        problem = Problem("x/y", space, (Metric("time", "s"),), seed, Budget(evaluations=14))

        def outcome(_number: int, one: Configuration, _problem: Problem) -> Outcome:
            cost = abs(float(one["x"]) - 0.3) + abs(float(one["y"]) - 0.7)  # type: ignore[arg-type]
            return Outcome(TrialStatus.OK, objectives={"time": cost})

        done = drive(BoTorch(problem, QUICK), problem, 14, outcome=outcome)
        reached.append(min(trial.objective or math.inf for trial in done))
    # half of all random searches are above sqrt(log(2) / (2 * 14)) = 0.157
    assert sorted(reached)[1] < 0.08, reached


def test_failures_train_a_feasibility_model() -> None:
    """Everything with tile_i = 64 fails: a second process learns where."""
    problem = problems()["ordinal"]
    peer = BoTorch(problem, {**QUICK, "startup": 6})
    asked = []
    for number in range(9):
        (one,) = peer.ask()
        asked.append(one)
        bad = one["tile_i"] == 64
        outcome = (
            failed(problem) if bad else measured(one, problem, 1.0 + 1.0 / float(one["tile_i"]))
        )  # type: ignore[arg-type]
        peer.tell([trial_of(number, one, outcome)])
    assert len({tuple(one.values()) for one in asked}) == 9
    peer.tell([trial_of(9, {"tile_i": 64, "tile_j": 1, "unroll": 1}, failed(problem))])
    acquisition, _ = peer._model()
    assert type(acquisition).__name__ == "LogConstrainedExpectedImprovement"


def test_a_batch_holds_different_proposals() -> None:
    problem = problems()["mixed"]
    peer = BoTorch(problem, {**QUICK, "startup": 4})
    drive(peer, problem, 5)
    batch = peer.ask(3)
    assert len({tuple(one.values()) for one in batch}) == 3
    assert [peer.explain(one)["source"] for one in batch] == ["model"] * 3
