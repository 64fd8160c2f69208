"""The optimizers without a model: uniformity, no repetition, coverage, and the kit's contract."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, ClassVar

import pytest
from scipy import stats

from daybreak import Budget, Metric, Ordinal, Permutation, Problem, Real, Reference, Space
from daybreak.testing import OptimizerConformance
from daybreak_random.grid import Grid
from daybreak_random.references import References
from daybreak_random.sampling import Random, RandomPath

SPACE = Space(
    [Ordinal("a", [1, 2, 4, 8]), Ordinal("b", [1, 2, 4, 8]), Permutation("p", 3)],
    ["a * b <= 16", "pos(p, 0) < pos(p, 1)"],
)


def _problem(space: Space = SPACE, seed: int = 0, **more: Any) -> Problem:
    return Problem(
        benchmark="x/y",
        space=space,
        objectives=(Metric("time", "ms"),),
        seed=seed,
        budget=more.pop("budget", Budget(evaluations=10)),
        **more,
    )


def _keys(configurations: list[Any]) -> list[str]:
    return [json.dumps(dict(c), sort_keys=True) for c in configurations]


@pytest.mark.parametrize("make", [Random, RandomPath])
def test_every_configuration_once_and_then_nothing(make: type[Random]) -> None:
    optimizer = make(_problem(), {})
    count = SPACE.count()
    assert count is not None
    asked = _keys(optimizer.ask(count + 5))
    assert len(asked) == count == len(set(asked))
    assert set(asked) == set(_keys(list(SPACE.grid())))
    assert optimizer.ask(1) == []


@pytest.mark.parametrize("make", [Random, RandomPath])
def test_the_sequence_does_not_depend_on_the_batch(make: type[Random]) -> None:
    one_by_one = make(_problem(seed=3), {})
    at_once = make(_problem(seed=3), {})
    assert [one_by_one.ask(1)[0] for _ in range(20)] == at_once.ask(20)


def test_the_first_proposal_is_uniform_over_feasible_configurations() -> None:
    drawn = Counter(_keys([Random(_problem(seed=s), {}).ask(1)[0] for s in range(3000)]))
    assert len(drawn) == SPACE.count()
    assert stats.chisquare(list(drawn.values())).pvalue > 1e-4


def test_path_biased_prefers_thinly_branched_paths() -> None:
    space = Space([Ordinal("a", [1, 2]), Ordinal("b", [1, 2, 3, 4, 5])], ["a == 1 or b == 5"])
    # a = 2 has one child, a = 1 has five; each value of `a` is equally likely on a path
    drawn = Counter(RandomPath(_problem(space, s), {}).ask(1)[0]["a"] for s in range(2000))
    assert stats.binomtest(drawn[2], 2000, 0.5).pvalue > 1e-4
    uniform = Counter(Random(_problem(space, s), {}).ask(1)[0]["a"] for s in range(2000))
    assert stats.binomtest(uniform[2], 2000, 1 / 6).pvalue > 1e-4


def test_a_continuous_space_never_ends() -> None:
    optimizer = Random(_problem(Space([Real("x", 0.0, 1.0)])), {})
    assert len(set(_keys(optimizer.ask(200)))) == 200


def test_grid_covers_the_space_within_the_budget() -> None:
    grid = Grid(_problem(budget=Budget(evaluations=9)), {"order": "spread"})
    proposed = grid.ask(9)
    assert len(set(_keys(proposed))) == 9
    assert {c["a"] for c in proposed} == {1, 2, 4, 8}
    lexicographic = Grid(_problem(), {"order": "lexicographic"})
    assert lexicographic.ask(5) == list(SPACE.grid())[:5]


def test_grid_ends() -> None:
    grid = Grid(_problem(budget=Budget(seconds=1)), {})
    count = SPACE.count()
    assert len(grid.ask(10_000)) == count
    assert grid.ask(1) == []


def test_references_in_turn() -> None:
    names = (Reference("default", {"plain": 1}, in_space=False), Reference("expert", {"a": 1}))
    twice = References(_problem(references=names), {"rounds": 2})
    assert twice.ask(9) == [{"plain": 1}, {"a": 1}, {"plain": 1}, {"a": 1}]
    assert References(_problem(references=names), {"rounds": None}).ask(99)[-1] == {"plain": 1}
    assert References(_problem(), {"rounds": None}).ask(3) == []


class TestRandomKeepsTheContract(OptimizerConformance):
    component_name = "random"


class TestRandomPathKeepsTheContract(OptimizerConformance):
    component_name = "random-path"


class TestGridKeepsTheContract(OptimizerConformance):
    component_name = "grid"
    uses_seed: ClassVar = False
