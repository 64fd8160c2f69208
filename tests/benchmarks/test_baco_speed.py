"""What a proposal of `baco`'s paper preset is made of, and what it takes on published spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from daybreak import Budget, Metric, Outcome, Problem, Space, Trial, TrialStatus
from daybreak_baco.factory import create
from daybreak_baco.gp import Fit, Gamma, GaussianProcess, Likelihood, Priors, draw_starts, fit
from daybreak_baco.options import BacoOptions

LENGTHS = tuple(2**i for i in range(25))
THREADS = tuple(2**i for i in range(11))


def _observed(n: int, d: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.random((n, d))
    y = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + 0.05 * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std(ddof=1)


@pytest.mark.parametrize(("n", "d"), [(20, 10), (60, 10), (60, 30), (200, 10)])
def test_fit_from_one_start(benchmark: Any, n: int, d: int) -> None:
    likelihood = Likelihood(*_observed(n, d))
    how = Fit(Priors(Gamma(1.3, 0.1, softplus=True)))
    starts = iter(draw_starts(np.random.default_rng(1), d, 1000))
    assert benchmark.pedantic(lambda: fit(likelihood, [next(starts)], how), rounds=20)


@pytest.mark.parametrize("n", [60, 200])
def test_predict_ten_thousand(benchmark: Any, n: int) -> None:
    x, z = _observed(n, 10)
    process = GaussianProcess(x, z, draw_starts(np.random.default_rng(0), 10, 1)[0])
    at = np.random.default_rng(1).random((10_000, 10))
    mean, _ = benchmark(lambda: process.predict(at))
    assert len(mean) == 10_000


@pytest.mark.parametrize("observed", [20, 60])
def test_proposal_of_the_paper_preset(benchmark: Any, observed: int) -> None:
    space = Space.from_dict(
        {
            "name": "asum",
            "parameters": [
                {"name": name, "type": "ordinal", "values": values, "log": True}
                for name, values in (
                    ("sp0", LENGTHS),
                    ("gs0", THREADS),
                    ("stride", LENGTHS),
                    ("sp1", LENGTHS[8:]),
                    ("ls0", THREADS),
                )
            ],
            "constraints": ["sp0 % sp1 == 0", "sp0 >= sp1 * stride", "gs0 % ls0 == 0"],
        }
    )
    options = BacoOptions.model_validate({"preset": "paper"}).model_dump(mode="json")
    problem = Problem("x/asum", space, (Metric("time", "ms"),), 0, Budget(evaluations=60))
    optimizer = create(problem, options)
    rng = np.random.default_rng(0)
    trials = []
    for i, configuration in enumerate(space.sample(observed, rng, unique=True)):
        value = float(np.exp(rng.normal()))
        outcome = Outcome(TrialStatus.OK, objectives={"time": value})
        trials.append(Trial(i, configuration, outcome))
    optimizer.tell(trials)
    (proposed,) = benchmark.pedantic(lambda: optimizer.ask(1), rounds=5, warmup_rounds=1)
    assert proposed in space
