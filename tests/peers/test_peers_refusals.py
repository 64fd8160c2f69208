"""What the libraries cannot take is said before the run."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from daybreak import (
    Benchmark,
    Integer,
    Metric,
    Ordinal,
    Permutation,
    RequirementError,
    Space,
    SpaceError,
    SuiteError,
)
from daybreak_peers import inverted_options as options
from daybreak_peers import refusals


def _benchmark(space: Space) -> Benchmark:
    return Benchmark("b", space, (Metric("time", "s"),))


SMALL = _benchmark(Space([Ordinal("x", (1, 2, 4)), Integer("y", 1, 9)], ["x <= y"]))


def _kernel_tuner(**given: Any) -> dict[str, Any]:
    return options.KernelTunerOptions(**given).model_dump()


def test_kernel_tuner_lists_so_many_and_no_more() -> None:
    refusals.kernel_tuner(SMALL, _kernel_tuner(max_configurations=24))
    # by hand: x = 1: 9 values of y, 2: 8, 4: 6
    with pytest.raises(SpaceError, match="there are 23"):
        refusals.kernel_tuner(SMALL, _kernel_tuner(max_configurations=22))
    large = Space([Integer("a", 1, 10_000), Integer("b", 1, 10_000)])
    with pytest.raises(SpaceError, match="100,000,000") as caught:
        refusals.kernel_tuner(_benchmark(large), _kernel_tuner())
    assert "1,000,000" in str(caught.value)


def test_kernel_tuner_names_a_strategys_options() -> None:
    pytest.importorskip("kernel_tuner")
    refusals.kernel_tuner(SMALL, _kernel_tuner(strategy_options={"popsize": 5}))
    with pytest.raises(SuiteError) as caught:
        refusals.kernel_tuner(SMALL, _kernel_tuner(strategy_options={"popsise": 5}))
    assert caught.value.nearest == "popsize"


def test_pyatf_grows_trees_so_large_and_no_larger() -> None:
    given = options.PyAtfOptions(max_leaves=23).model_dump()
    refusals.pyatf(SMALL, given)
    with pytest.raises(SpaceError, match=r"23 leaves, the largest over x, y"):
        refusals.pyatf(SMALL, {**given, "max_leaves": 22})
    free = Space([Integer("a", 1, 10_000), Integer("b", 1, 10_000), Permutation("p", 9)])
    refusals.pyatf(_benchmark(free), given)


def test_opentuner_knows_its_techniques() -> None:
    pytest.importorskip("opentuner")
    refusals.opentuner(SMALL, options.OpenTunerOptions().model_dump())
    with pytest.raises(SuiteError) as caught:
        refusals.opentuner(SMALL, {"technique": "AUCBanditMetaTechniqueQ"})
    assert caught.value.nearest is not None
    assert caught.value.nearest.startswith("AUCBanditMetaTechnique")


def test_hypermapper_asks_the_interpreter_that_shall_run_it() -> None:
    with pytest.raises(RequirementError, match="no interpreter"):
        refusals.hypermapper(SMALL, {"python": "/nowhere/python"})
    with pytest.raises(RequirementError) as caught:
        refusals.hypermapper(SMALL, {"python": None})
    assert sys.executable in str(caught.value)
    assert "scikit-learn<1.4" in str(caught.value.remedy)
