"""Optuna: the kit's contract, constraints on published spaces, what its study is told."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import itertools
from pathlib import Path
from typing import Any, ClassVar

import pytest

from daybreak import (
    Budget,
    Configuration,
    Isolation,
    Metric,
    OptimizerSpec,
    Outcome,
    Problem,
    RequirementError,
    Space,
    TargetSpec,
    TrialStatus,
    load_space,
    query,
    run_suite,
)
from daybreak.plugin import Registry
from daybreak.plugin.component import Component
from daybreak.testing import OptimizerConformance
from daybreak.testing.exercises import drive, failed, measured, problems, trial_of
from daybreak_peers.modelled_specs import specs

pytest.importorskip("optuna")

from optuna.trial import TrialState

from daybreak_peers.optuna_peer import OptunaGP, OptunaRandom, OptunaTPE

SPACES = Path(__file__).parent.parent / "data" / "spaces"
#: tests that prove nothing more about another way of passing constraints take the same few trials
FEW: dict[str, Any] = {"startup": 4, "patience": 20}


class TestOptunaTPE(OptimizerConformance):
    component_name = "optuna-tpe"
    options: ClassVar[dict[str, Any]] = FEW
    trials = 10


class TestOptunaRandom(OptimizerConformance):
    component_name = "optuna-random"
    options: ClassVar[dict[str, Any]] = {"patience": 20}
    trials = 10


@pytest.mark.slow
class TestOptunaTPEEmbedded(OptimizerConformance):
    component_name = "optuna-tpe"
    options: ClassVar[dict[str, Any]] = {**FEW, "constraints": "embed"}
    trials = 10


@pytest.mark.slow
class TestOptunaTPERejecting(OptimizerConformance):
    component_name = "optuna-tpe"
    options: ClassVar[dict[str, Any]] = {**FEW, "constraints": "reject"}
    trials = 10


@pytest.mark.slow
class TestOptunaGP(OptimizerConformance):
    component_name = "optuna-gp"
    options: ClassVar[dict[str, Any]] = {**FEW, "patience": 5}
    trials = 8


def _problem(space: Space, **more: Any) -> Problem:
    return Problem("x/y", space, (Metric("time", "s"),), 1, Budget(evaluations=20), **more)


def _states(peer: Any) -> list[tuple[Any, float | None]]:
    return [(t.state, t.value) for t in peer.study.trials]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *itertools.product(["rise_kmeans_gpu", "taco_spmm", "rise_mm_cpu"], ["repair", "embed"]),
        # in the others one of 20 to 250 points is feasible: refusals take seconds per proposal
        ("rise_kmeans_gpu", "reject"),
    ],
)
def test_proposals_on_published_spaces_satisfy_their_constraints(name: str, mode: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    problem = _problem(space)
    peer = OptunaTPE(problem, {"constraints": mode, "startup": 5})

    def check(one: Configuration) -> None:
        # the scalar evaluator, not the tree that the peer used
        assert all(constraint.test(one) for constraint in space.constraints)

    done = drive(peer, problem, 15, check=check)
    assert len({tuple(t.configuration.values()) for t in done}) == 15


@pytest.mark.parametrize("mode", ["repair", "embed"])
def test_repair_and_embedding_need_no_refusal(mode: str) -> None:
    problem = _problem(load_space(SPACES / "rise_harris_gpu.yaml"))
    peer = OptunaRandom(problem, {"constraints": mode})
    for trial in drive(peer, problem, 10):
        peer.tell([trial])
    asked = peer.ask(3)
    assert [peer.explain(one)["infeasible"] for one in asked] == [0, 0, 0]


def test_rejected_proposals_are_counted_and_told_as_violations() -> None:
    problem = _problem(load_space(SPACES / "rise_kmeans_gpu.yaml"))
    peer = OptunaTPE(problem, {"constraints": "reject", "startup": 30})
    refused = 0
    for number in range(6):
        (one,) = peer.ask()
        refused += peer.explain(one)["infeasible"]
        peer.tell([trial_of(number, one, measured(one, problem))])
    # three of four points of this space are infeasible
    assert refused > 0
    trials = peer.study.trials
    violated = [t for t in trials if t.constraints.get("known", -1) > 0]
    assert len(violated) == refused
    assert {t.state for t in violated} == {TrialState.PRUNED}
    assert len(trials) == refused + 6


def test_failures_are_pruned_for_tpe() -> None:
    problem = problems()["ordinal"]
    peer = OptunaTPE(problem, {"startup": 4, "constraints": "embed"})
    (one,) = peer.ask()
    peer.tell([trial_of(0, one, failed(problem))])
    assert _states(peer) == [(TrialState.PRUNED, None)]


def test_repeated_proposals_are_answered_with_the_remembered_value() -> None:
    problem = problems()["few-points"]
    peer = OptunaTPE(problem, {"startup": 4, "constraints": "embed"})
    done = drive(peer, problem, 5)
    assert len(done) == 5
    values = {tuple(t.configuration.values()): t.objective for t in done}
    for told in peer.study.trials:
        if told.state is TrialState.COMPLETE:
            assert told.value in values.values()
    assert len(peer.study.trials) >= 5


def test_a_repaired_proposal_is_told_in_its_repaired_form() -> None:
    problem = _problem(load_space(SPACES / "rise_kmeans_gpu.yaml"))
    peer = OptunaTPE(problem, {"startup": 4})
    done = drive(peer, problem, 12)
    told = [t for t in peer.study.trials if t.state is TrialState.COMPLETE]
    decoded = [peer._coding.decode(t.params) for t in told]
    kept = [one for one in decoded if one in problem.space]
    assert sorted(map(str, kept)) == sorted(str(dict(t.configuration)) for t in done)
    # three of four points of this space are infeasible
    assert any(t.state is TrialState.FAIL for t in peer.study.trials)
    assert {t.value for t in told} == {t.objective for t in done}


def test_history_becomes_trials_of_the_study() -> None:
    problem = problems()["conditional"]
    drawn = problem.space.sample(6, 2)
    history = tuple(trial_of(n, one, measured(one, problem)) for n, one in enumerate(drawn))
    peer = OptunaTPE(dataclasses.replace(problem, history=history), {"startup": 4})
    told = peer.study.trials
    assert [t.value for t in told] == [t.objective for t in history]
    for trial, one in zip(told, drawn, strict=True):
        # only active parameters are known to Optuna
        assert set(trial.params) == {n for n, on in problem.space.active(one).items() if on}
        assert trial.params["solver"] == ("direct", "iterative").index(one["solver"])


def test_gp_takes_failures_as_a_violated_constraint_with_the_worst_value() -> None:
    pytest.importorskip("torch")
    problem = problems()["ordinal"]
    peer = OptunaGP(problem, {"startup": 4, "constraints": "embed"})
    told: list[float | None] = [5.0, None, 7.0, None]
    for number, value in enumerate(told):
        (one,) = peer.ask()
        outcome = (
            failed(problem)
            if value is None
            else Outcome(TrialStatus.OK, objectives={"time": value})
        )
        peer.tell([trial_of(number, one, outcome)])
    trials = peer.study.trials
    assert [t.value for t in trials] == [5.0, 5.0, 7.0, 7.0]
    assert [t.constraints["hidden"] for t in trials] == [-1.0, 1.0, -1.0, 1.0]


def test_the_model_finds_what_random_search_hardly_would() -> None:
    """One of 3,641: TPE is near it after 60 trials with every seed, random search with few."""
    space = load_space(SPACES / "rise_kmeans_gpu.yaml")
    best = space.at(1234)
    goal = space.encode([best])[0]

    def value(one: Configuration) -> float:
        return float(abs(space.encode([one])[0] - goal).sum())

    every = sorted(value(one) for one in space.grid())
    ranks = []
    for seed in range(3):
        problem = Problem("x/y", space, (Metric("time", "s"),), seed, Budget(evaluations=60))
        peer = OptunaTPE(problem, {"startup": 10})
        done = drive(
            peer,
            problem,
            60,
            outcome=lambda _n, c, _p: Outcome(TrialStatus.OK, objectives={"time": value(c)}),
        )
        reached = min(trial.objective or 0.0 for trial in done)
        ranks.append(sum(other < reached for other in every))
    # random search's expected best rank after 60 of 3,641 is 60
    assert sorted(ranks)[1] < 30, ranks


# -- in a run -----------------------------------------------------------------------------------

SUITE = """\
suite: 1
name: peers
benchmarks: [fake/basin]
optimizers: [optuna-tpe: {startup: 4}, broken, random]
seeds: 1
budget: {evaluations: 8}
protocol: {repeats: {min: 1, max: 1}, warmup: 0, interleave: 0}
"""


def _registry(isolation: Isolation) -> Registry:
    (tpe,) = (spec for spec in specs() if spec.name == "optuna-tpe")
    return Registry.from_specs(
        TargetSpec(
            name="fake",
            factory="peers_broken:Basin",
            summary="A basin.",
            isolation=Isolation.INLINE,
        ),
        tpe,
        OptimizerSpec(
            name="broken",
            factory="peers_broken:BreaksInAsk",
            summary="Breaks.",
            isolation=isolation,
        ),
        OptimizerSpec(name="random", factory="daybreak_random.sampling:Random", summary="x"),
    )


@pytest.mark.parametrize("isolation", [Isolation.INLINE, Isolation.WORKER])
def test_a_crash_inside_ask_ends_that_study_alone(isolation: Isolation, tmp_path: Path) -> None:
    suite = tmp_path / "peers.yaml"
    suite.write_text(SUITE)
    summary = run_suite(suite, results=tmp_path / "results", registry=_registry(isolation))
    assert summary.exit_code == 1
    studies = query(
        "SELECT optimizer, status, message FROM studies WHERE role = 'optimizer'",
        tmp_path / "results",
    ).set_index("optimizer")
    assert studies.loc["random", "status"] == "finished"
    assert studies.loc["optuna-tpe", "status"] == "finished"
    assert studies.loc["broken", "status"] == "failed"
    assert "the library divided by zero" in studies.loc["broken", "message"]
    kept = query(
        "SELECT optimizer, count(*) AS n FROM trials JOIN studies USING (study_id) GROUP BY optimizer",
        tmp_path / "results",
    ).set_index("optimizer")["n"]
    assert kept["random"] == kept["optuna-tpe"] == 8
    assert 1 <= kept["broken"] <= 3, "what it measured before it broke is kept"


def test_a_missing_library_is_said_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = importlib.metadata.version

    def version(name: str) -> str:
        if name == "optuna":
            raise importlib.metadata.PackageNotFoundError(name)
        return true(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (tpe,) = (spec for spec in specs() if spec.name == "optuna-tpe")
    missing = Component(tpe, "peers", "daybreak", "0.1.0").missing()
    assert [(one.name, one.remedy) for one in missing] == [
        ("optuna>=5", "pip install 'daybreak[peers-optuna]'")
    ]
    suite = tmp_path / "peers.yaml"
    suite.write_text(SUITE)
    with pytest.raises(RequirementError, match=r"optimizer 'optuna-tpe' cannot run here"):
        run_suite(suite, results=tmp_path / "results", registry=_registry(Isolation.INLINE))
    assert not list((tmp_path / "results").rglob("*.jsonl"))
