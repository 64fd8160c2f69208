"""Our samplers against the recorded draws of BaCO's authors, and what their runs reached.

The table of `replay/asum-gpu` holds the 59 recorded runs in order of evaluation.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from daybreak import Ordinal, Problem, Space
from daybreak.records import Budget, Metric
from daybreak_baco.factory import create
from daybreak_baco.paper.encoder import Encoder
from daybreak_baco.paper.feasibility import FeasibilityForest
from daybreak_baco.paper.options import PaperOptions
from daybreak_baco.paper.scale import standardise
from daybreak_baco.paper.surrogate import expected_improvement, fit_surrogate, predict

LENGTHS, THREADS = tuple(2**i for i in range(27)), tuple(2**i for i in range(11))
#: the order of the recorded trees: what divides comes before what it divides
SPACE = Space(
    [
        Ordinal("sp1", LENGTHS, log=True),
        Ordinal("sp0", LENGTHS, log=True),
        Ordinal("stride", LENGTHS, log=True),
        Ordinal("ls0", THREADS, log=True),
        Ordinal("gs0", THREADS, log=True),
    ],
    ["sp0 % sp1 == 0", "gs0 % ls0 == 0"],
)
MARGINALS = (("sp0",), ("sp1",), ("stride",), ("gs0",), ("ls0",), ("sp1", "sp0"), ("ls0", "gs0"))


@pytest.fixture(scope="module")
def recorded() -> Any:
    with as_file(files("daybreak_replay") / "tables" / "asum-gpu.csv.gz") as path:
        table = pd.read_csv(path)
    table["method"] = table["run"].str.partition("/")[0]
    return table


def _pvalue(names: tuple[str, ...], drawn: Any, ours: Any) -> float:
    """Return the p-value of a chi-square test of homogeneity; rare cells are thrown together."""
    cells = [
        pd.Series([tuple(row) for row in part[list(names)].to_numpy()]) for part in (drawn, ours)
    ]
    table = pd.DataFrame({i: cell.value_counts() for i, cell in enumerate(cells)}).fillna(0)
    rare = table.sum(axis=1) < 20
    kept = table[~rare].to_numpy()
    if rare.any():
        kept = np.vstack([kept, table[rare].sum().to_numpy()])
    return float(stats.chi2_contingency(kept[kept.sum(axis=1) > 0]).pvalue)


@pytest.mark.parametrize(("method", "sampler"), [("rs_cot", "uniform"), ("rs_emb", "path")])
def test_our_samplers_draw_as_theirs_did(recorded: Any, method: str, sampler: str) -> None:
    drawn = recorded[recorded["method"] == method]
    assert len(drawn) == 1500
    ours = pd.DataFrame(SPACE.sample(60_000, 7, method=sampler))
    # seven tests: 0.01 for all of them together
    for names in MARGINALS:
        assert _pvalue(names, drawn, ours) > 0.01 / len(MARGINALS), names
    other = pd.DataFrame(
        SPACE.sample(60_000, 7, method="path" if sampler == "uniform" else "uniform")
    )
    # the two samplers are told apart with certainty
    assert _pvalue(("sp1", "sp0"), drawn, other) < 1e-20


def test_their_design_is_drawn_like_ours(recorded: Any) -> None:
    """The first six trials of the recorded runs of BaCO, and the design of the paper preset."""
    theirs = recorded[recorded["method"].isin(["bogp", "bogplsp"])].groupby("run").head(6)
    assert len(theirs) == 19 * 6
    problem = Problem("x/y", SPACE, (Metric("runtime", "ms"),), 0, Budget(evaluations=60))
    ours = []
    for seed in range(400):
        one = Problem("x/y", SPACE, problem.objectives, seed, problem.budget)
        ours += create(one, {"preset": "paper"}).ask(6)
    for name in ("sp0", "sp1", "stride", "gs0", "ls0"):
        pair = [np.log2(part[name].to_numpy(float)) for part in (theirs, pd.DataFrame(ours))]
        assert stats.ks_2samp(*pair).pvalue > 0.002, name


def test_the_recorded_runs_repeat_configurations_too(recorded: Any) -> None:
    """The published code evaluates configurations again, so the paper preset may."""
    parameters = list(SPACE.names)
    repeated = {
        method: part.groupby("run").apply(lambda run: run.duplicated(parameters).sum()).mean()
        for method, part in recorded.groupby("method")
    }
    assert repeated["rs_cot"] == 0.0
    assert repeated["bogp"] > 10
    assert repeated["bogplsp"] > 3


def _percentile(run: Any, n: int, options: PaperOptions) -> float:
    """Return where the run's next configuration stands among random ones, by our acquisition.

    The model of the paper preset is made from the run's first `n` trials; 1 is above all of 2,000
    feasible configurations, 0.5 is what a random configuration would have on average.
    """
    rng = np.random.default_rng(n)
    encoder = Encoder(SPACE, options.permutation, log=options.log_inputs)
    seen = [
        {name: int(row[name]) for name in SPACE.names} for row in run.head(n + 1).to_dict("records")
    ]
    succeeded = run["valid"].to_numpy(bool)[:n]
    values = run["runtime_ms"].to_numpy(float)[:n][succeeded]
    x = encoder(seen[:n])
    scaled = standardise(values, log=options.log_output, maximise=False)
    assert scaled is not None
    z, _ = scaled
    process = fit_surrogate(x[succeeded], z, options, rng)
    assert process is not None
    forest = None if succeeded.all() else FeasibilityForest(x, succeeded, rng)
    at = encoder([seen[n], *SPACE.sample(2000, rng)])
    acquisition = expected_improvement(*predict(process, at), float(z.min()), options.exploration)
    if forest is not None:
        acquisition = acquisition * forest.probability(at)
    others = acquisition[1:]
    return float(np.mean(others < acquisition[0]) + 0.5 * np.mean(others == acquisition[0]))


@pytest.mark.slow
def test_our_model_would_have_proposed_what_theirs_did(recorded: Any) -> None:
    """Every recorded proposal is put to our model, made from what the run had seen by then."""

    def percentiles(method: str, options: PaperOptions) -> Any:
        runs = recorded[recorded["method"] == method].groupby("run")
        return np.array([_percentile(run, n, options) for _, run in runs for n in (15, 30, 60)])

    published = PaperOptions()
    assert np.mean(percentiles("bogplsp", published) > 0.99) > 0.6
    other = PaperOptions(log_output=False, lengthscale_prior=None)
    # of the same runs a model without logarithm and prior knows next to nothing
    assert np.mean(percentiles("bogplsp", other) > 0.99) < 0.2
    assert np.mean(percentiles("rs_cot", published) > 0.99) < 0.1
