"""Kernel Tuner's strategies: the kit's contract, its own search space, and its own simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from daybreak import Budget, Metric, Ordinal, Permutation, Problem, Space
from daybreak.testing import OptimizerConformance
from daybreak.testing.exercises import drive, failed, measured

pytest.importorskip("kernel_tuner")

from kernel_tuner.searchspace import Searchspace

from daybreak_peers.generators import Generators
from daybreak_peers.kernel_tuner_peer import KernelTuner, Values, _Searchspace

STRATEGIES = (
    "genetic_algorithm",
    "simulated_annealing",
    "bayes_opt",
    "greedy_ils",
    "greedy_mls",
    "ordered_greedy_mls",
    "mls",
    "pso",
    "diff_evo",
    "dual_annealing",
    "basinhopping",
    "firefly_algorithm",
    "minimize",
    "random_sample",
    "hybrid_vndx",
    "adaptive_tabu_greywolf",
)


class TestGeneticAlgorithm(OptimizerConformance):
    component_name = "kernel-tuner"


class TestDifferentialEvolution(OptimizerConformance):
    component_name = "kernel-tuner"
    options: ClassVar[dict[str, Any]] = {"strategy": "diff_evo"}
    trials = 12


# as a Kernel Tuner user writes it, in its own language
TUNE_PARAMS = {"tile_i": [1, 2, 4, 8, 16], "tile_j": [1, 2, 4, 8, 16], "unroll": [1, 2, 4]}
RESTRICTIONS = ["tile_i * tile_j <= 64", "tile_j % unroll == 0"]
SPACE = Space(
    [
        Ordinal("tile_i", (1, 2, 4, 8, 16)),
        Ordinal("tile_j", (1, 2, 4, 8, 16)),
        Ordinal("unroll", (1, 2, 4)),
    ],
    RESTRICTIONS,
    "tiles",
)


def _problem(space: Space = SPACE, seed: int = 1, evaluations: int = 25) -> Problem:
    return Problem("x/tiles", space, (Metric("time", "ms"),), seed, Budget(evaluations=evaluations))


def _time(tile_i: int, tile_j: int, unroll: int) -> float:
    return 1.0 + (tile_i - 8) ** 2 / 50 + (tile_j - 4) ** 2 / 30 + unroll / 10


def test_the_search_space_is_the_one_that_kernel_tuner_builds_itself() -> None:
    theirs = Searchspace(dict(TUNE_PARAMS), list(RESTRICTIONS), 1024)
    values = Values(SPACE)
    assert set(values.rows) == set(theirs.list)
    assert len(values.rows) == theirs.size
    assert values.tune_params == TUNE_PARAMS


def test_orders_are_one_parameter_of_the_feasible_orders() -> None:
    space = Space(
        [Permutation("order", 3), Ordinal("x", (1, 2))], ["pos(order, 0) < pos(order, 1)"]
    )
    values = Values(space)
    # by hand: 0 before 1 in (0,1,2), (0,2,1), (2,0,1): numbers 0, 1 and 4 in lexicographic order
    assert values.tune_params == {"order": [0, 1, 4], "x": [1, 2]}
    assert values.decode((4, 2)) == {"order": (2, 0, 1), "x": 2}
    for configuration in space.grid():
        assert values.decode(values.encode(configuration)) == configuration


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_finds_its_way_through_failures(strategy: str) -> None:
    problem = _problem()
    optimizer = KernelTuner(problem, {"strategy": strategy})
    explained: list[Any] = []
    done = drive(
        optimizer,
        problem,
        25,
        outcome=lambda n, c, p: failed(p) if n % 5 == 3 else measured(c, p, _time(**c)),
        check=lambda c: explained.append(optimizer.explain(c)),
    )
    assert len({tuple(trial.configuration.values()) for trial in done}) == 25
    assert sum(e["source"] == "random" for e in explained) <= 2
    optimizer.close()


@pytest.mark.parametrize("strategy", ["simulated_annealing", "genetic_algorithm", "mls"])
def test_the_order_is_that_of_kernel_tuners_own_simulation(strategy: str, tmp_path: Path) -> None:
    """`tune_kernel` on a recorded cache, with the same draws, visits the same configurations."""
    from kernel_tuner import tune_kernel

    optimizer = KernelTuner(_problem(), {"strategy": strategy})
    # Kernel Tuner lists the same configurations in an order of its own, which draws pick from
    rows = Searchspace(dict(TUNE_PARAMS), list(RESTRICTIONS), 1024).list
    optimizer._values.rows = rows
    optimizer._searchspace = _Searchspace(optimizer._values)
    cache: dict[str, Any] = {
        "device_name": "none",
        "kernel_name": "tiles",
        "problem_size": 1,
        "tune_params_keys": list(TUNE_PARAMS),
        "tune_params": TUNE_PARAMS,
        "objective": "time",
        "cache": {
            ",".join(map(str, row)): {
                **dict(zip(TUNE_PARAMS, row, strict=True)),
                "time": _time(*row),
                "compile_time": 1.0,
                "verification_time": 0.0,
                "benchmark_time": 1.0,
            }
            for row in rows
        },
    }
    path = tmp_path / "cache.json"
    path.write_text(json.dumps(cache))
    visited: list[tuple[int, ...]] = []
    generators = Generators(optimizer.seed)
    with generators.in_place():
        results, _ = tune_kernel(
            "tiles",
            "",
            1,
            [],
            dict(TUNE_PARAMS),
            restrictions=list(RESTRICTIONS),
            strategy=strategy,
            strategy_options={"max_fevals": 25},
            simulation_mode=True,
            cache=str(path),
            lang="C",
            quiet=True,
        )
    for result in results:
        key = tuple(result[name] for name in TUNE_PARAMS)
        if key not in visited:
            visited.append(key)
    done = drive(optimizer, _problem(), 25, outcome=lambda _n, c, p: measured(c, p, _time(**c)))
    # its own run may converge before the budget, where ours is started anew
    assert len(visited) >= 4
    assert [tuple(t.configuration.values()) for t in done][: len(visited)] == visited


def test_evaluations_are_counted_as_kernel_tuner_counts_them() -> None:
    """Its budget ends a run after as many different configurations as the study's."""
    problem = _problem(evaluations=10)
    optimizer = KernelTuner(problem, {"strategy": "greedy_mls"})
    drive(optimizer, problem, 10, outcome=lambda _n, c, p: measured(c, p, _time(**c)))
    assert optimizer.runs == 1
    assert optimizer._loop is not None
    optimizer.ask()
    assert optimizer.runs == 2, "the eleventh comes from a new run"


def test_options_reach_the_strategy() -> None:
    problem = _problem()
    done = []
    for size in (4, 12):
        options = {"strategy": "genetic_algorithm", "strategy_options": {"popsize": size}}
        done.append(drive(KernelTuner(problem, options), problem, 20))
    assert [t.configuration for t in done[0]] != [t.configuration for t in done[1]]


def test_an_error_of_the_strategy_surfaces() -> None:
    optimizer = KernelTuner(_problem(), {"strategy": "diff_evo", "strategy_options": {"method": 3}})
    with pytest.raises(ValueError, match="not supported"):
        optimizer.ask()
