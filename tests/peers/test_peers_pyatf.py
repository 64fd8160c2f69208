"""pyATF: the kit's contract, the space it generates, and its techniques on published spaces."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from typing import Any, ClassVar

import pytest

from daybreak import Budget, Metric, Ordinal, Permutation, Problem, Space
from daybreak.testing import OptimizerConformance
from daybreak.testing.exercises import drive, problems

pytest.importorskip("pyatf")

from pyatf.search_space import SearchSpace
from pyatf.tuning_data import CostFunctionError

from daybreak_peers.pyatf_peer import PyAtf, tuning_parameters

TECHNIQUES = (
    "auc_bandit",
    "simulated_annealing",
    "pattern_search",
    "differential_evolution",
    "torczon",
    "round_robin",
    "random",
    "exhaustive",
)


class TestPyAtf(OptimizerConformance):
    component_name = "pyatf"


class TestDifferentialEvolution(OptimizerConformance):
    component_name = "pyatf"
    options: ClassVar[dict[str, Any]] = {"technique": "differential_evolution"}


@pytest.mark.parametrize("name", ["ordinal", "permutation", "categorical", "few-points"])
def test_pyatf_generates_exactly_the_feasible_configurations(name: str) -> None:
    space = problems()[name].space
    generated = SearchSpace(*tuning_parameters(space), enable_1d_access=True, verbosity=0)
    assert generated.constrained_size == space.count()
    found = [
        tuple(generated.get_configuration(i)[n] for n in space.names)
        for i in range(generated.constrained_size)
    ]
    assert len(set(found)) == len(found)
    assert set(found) == {tuple(c.values()) for c in space.grid()}


def test_a_constraint_that_is_undefined_or_names_a_later_parameter() -> None:
    space = Space(
        [Ordinal("a", (0, 1, 2)), Ordinal("b", (1, 2, 3)), Permutation("p", 3)],
        ["b % a == 0", "pos(p, 0) < a"],
    )
    generated = SearchSpace(*tuning_parameters(space), enable_1d_access=True, verbosity=0)
    # by hand: a = 0 is undefined; a = 1: any b, 0 stands first (2 orders); a = 2: b = 2, 0 not last (4)
    assert generated.constrained_size == 3 * 2 + 1 * 4 == space.count()


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_each_technique_finds_its_way(technique: str) -> None:
    problem = problems()["ordinal"]
    done = drive(PyAtf(problem, {"technique": technique}), problem, 30)
    assert len(Counter(tuple(trial.configuration.values()) for trial in done)) == 30


def test_what_pyatf_itself_would_evaluate_is_what_is_asked() -> None:
    """The library's own `Tuner` with the same draws measures the same configurations in order."""
    from pyatf import Tuner
    from pyatf.abort_conditions import Evaluations
    from pyatf.search_techniques import SimulatedAnnealing

    problem = problems()["ordinal"]
    optimizer = PyAtf(problem, {"technique": "simulated_annealing"})
    costs = {tuple(c.values()): 1.0 + 0.01 * i for i, c in enumerate(problem.space.grid())}
    theirs: list[tuple[Any, ...]] = []

    def cost(configuration: dict[str, Any]) -> float:
        key = tuple(configuration[name] for name in problem.space.names)
        if key not in theirs:
            theirs.append(key)
        if len(theirs) % 7 == 0:
            raise CostFunctionError("odd")
        return costs[key]

    state = random.getstate()
    try:
        random.seed(optimizer.seed)
        tuner = Tuner().tuning_parameters(*tuning_parameters(problem.space)).verbosity(0)
        tuner.search_technique(SimulatedAnnealing()).tune(cost, Evaluations(60))
    finally:
        random.setstate(state)
    ours: list[tuple[Any, ...]] = []
    assert len(theirs) > 20
    _ask_like(optimizer, costs, ours, len(theirs))
    assert ours == theirs


def _ask_like(optimizer: PyAtf, costs: Any, ours: list[Any], count: int) -> None:
    """Answer as the cost function above does, failures by the number of configurations seen."""
    from daybreak.testing.exercises import failed, measured, trial_of

    for number in range(count):
        (configuration,) = optimizer.ask()
        key = tuple(configuration.values())
        ours.append(key)
        fails = len(ours) % 7 == 0
        outcome = (
            failed(optimizer.problem)
            if fails
            else measured(configuration, optimizer.problem, costs[key])
        )
        optimizer.tell([trial_of(number, configuration, outcome)])


def test_two_optimizers_share_nothing() -> None:
    problem = problems()["ordinal"]
    alone = drive(PyAtf(problem, {}), problem, 20)
    first, second = PyAtf(problem, {}), PyAtf(problem, {})
    interleaved = []
    for _ in range(20):
        interleaved += drive(first, problem, 1)
        drive(second, problem, 1)
    assert [t.configuration for t in interleaved] == [t.configuration for t in alone]


def test_importing_the_peer_leaves_ctrl_c_alone() -> None:
    code = (
        "import signal; before = signal.getsignal(signal.SIGINT); import daybreak_peers.pyatf_peer;"
        "assert signal.getsignal(signal.SIGINT) is before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_published_spaces_with_constraints_and_an_order() -> None:
    sizes = tuple(2**i for i in range(11))
    spmm_like = Space(
        [Ordinal("chunk", sizes, log=True), Ordinal("unroll", sizes[:6]), Permutation("order", 5)],
        ["chunk >= unroll", "pos(order, 0) < pos(order, 2)", "pos(order, 1) < pos(order, 2)"],
        "spmm",
    )
    problem = Problem("x/spmm", spmm_like, (Metric("time", "s"),), 1, Budget(evaluations=40))
    done = drive(PyAtf(problem, {}), problem, 40)
    assert len(done) == 40
    assert all(trial.configuration in spmm_like for trial in done)
