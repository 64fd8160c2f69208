"""OpenTuner: the kit's contract under both encodings, and that it leaves nothing behind."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar

import pytest

from daybreak import Permutation, Real, Space
from daybreak.testing import OptimizerConformance
from daybreak.testing.exercises import drive, problems

pytest.importorskip("opentuner")

from daybreak_peers.opentuner_encoding import Embedding, OwnTypes
from daybreak_peers.opentuner_peer import OpenTuner, technique_names


class TestEmbedding(OptimizerConformance):
    component_name = "opentuner"
    trials = 12


@pytest.mark.slow
class TestOwnTypes(OptimizerConformance):
    component_name = "opentuner"
    options: ClassVar[dict[str, Any]] = {"encoding": "parameters"}
    trials = 12


def _spaces() -> list[Space]:
    return [
        problem.space
        for name, problem in problems().items()
        if name not in ("program", "one-point")
    ]


@pytest.mark.parametrize("space", _spaces(), ids=lambda space: space.name)
def test_every_feasible_configuration_has_a_point_in_the_embedding(space: Space) -> None:
    embedding = Embedding(space)
    for configuration in space.sample(40, 1):
        point = embedding.encode(configuration)
        assert point is not None
        assert set(point) == set(space.names)
        assert all(0 <= value <= 1 for value in point.values())
        back = dict(embedding.decode(point))
        assert {k: pytest.approx(v) if isinstance(v, float) else v for k, v in back.items()} == {
            **configuration
        }


@pytest.mark.parametrize("space", _spaces(), ids=lambda space: space.name)
def test_opentuners_own_types_and_back(space: Space) -> None:
    own = OwnTypes(space)
    for configuration in space.sample(40, 1):
        back = dict(own.decode(own.encode(configuration)))
        assert {k: pytest.approx(v) if isinstance(v, float) else v for k, v in back.items()} == {
            **configuration
        }


def test_the_embedding_picks_the_child_of_the_papers_formula() -> None:
    space = Space([Permutation("order", 3), Real("x", 1.0, 100.0, log=True)])
    embedding = Embedding(space)
    # floor(0.5 * 6) = 3: the fourth order; the middle of a log scale from 1 to 100 is 10
    found = embedding.decode({"order": 0.5, "x": 0.5})
    assert found["order"] == (1, 2, 0)
    assert found["x"] == pytest.approx(10.0)
    assert embedding.decode({"order": 1.0, "x": 1.0})["order"] == (2, 1, 0)


def test_the_embedding_knows_no_infeasible_point() -> None:
    problem = problems()["ordinal"]
    optimizer = OpenTuner(problem, {"encoding": "embedding"})
    infeasible = []
    drive(optimizer, problem, 20, check=lambda c: infeasible.append(optimizer.explain(c)))
    assert sum(explained["infeasible"] for explained in infeasible) == 0


def test_a_told_result_becomes_opentuners_best() -> None:
    problem = problems()["ordinal"]
    optimizer = OpenTuner(problem, {})
    done = drive(optimizer, problem, 6)
    optimizer.ask()
    best = optimizer._manager.get_best_result()
    assert best.time == min(trial.objective for trial in done[:5] if trial.objective is not None)


def test_nothing_is_left_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drive(OpenTuner(problems()["ordinal"], {}), problems()["ordinal"], 5)
    assert list(tmp_path.iterdir()) == []
    assert logging.Formatter.__module__ == "logging"


def test_techniques_have_the_names_that_opentuner_lists() -> None:
    assert {"AUCBanditMetaTechniqueA", "PureRandom", "PSO_GA_DE"} <= set(technique_names())
