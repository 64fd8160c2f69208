"""Samples per second of the low-rank task and updates per second of the Gibbs task, by threads."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from daybreak_train.gibbs.families import graph_and_marginals
from daybreak_train.gibbs.options import GibbsOptions
from daybreak_train.gibbs.sampler import Recipe as GibbsRecipe
from daybreak_train.gibbs.sampler import Sampler
from daybreak_train.matrix.learner import Learner
from daybreak_train.matrix.learner import Recipe as MatrixRecipe
from daybreak_train.matrix.options import MatrixOptions
from daybreak_train.matrix.problem import Problem, load_problem
from daybreak_train.team import Team, thread_choices

THREADS = thread_choices(None)
_problems: dict[tuple[str, int], Problem] = {}


def problem_of(sampler: str, size: int) -> Problem:
    if (sampler, size) not in _problems:
        options = MatrixOptions(sampler=sampler, size=size)
        _problems[sampler, size] = load_problem(options.model_dump())
    return _problems[sampler, size]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(
    ("sampler", "size", "precision", "samples"),
    [
        ("entries", 1000, "float64", 400_000),
        ("entries", 1000, "float32", 400_000),
        ("entries", 1000, "int16", 400_000),
        ("entries", 3000, "float64", 400_000),
        ("entries", 3000, "int16", 400_000),
        ("trace", 1000, "float64", 4_000),
        ("trace", 1000, "float32", 4_000),
        ("subspace", 1000, "float64", 8_000),
        ("subspace", 1000, "float32", 8_000),
    ],
)
def test_matrix_samples(
    benchmark: BenchmarkFixture,
    sampler: str,
    size: int,
    precision: str,
    samples: int,
    threads: int,
) -> None:
    recipe = MatrixRecipe(
        sampler=sampler, columns=4, step=0.01, decay=0.0, residual=False, precision=precision,
        stochastic=True, threads=threads,
    )  # fmt: skip
    learner = Learner(problem_of(sampler, size), recipe)
    with Team(threads) as team:
        learner.start(np.random.default_rng(0), [0])
        benchmark(learner.advance, team, 0, samples)
    mean = benchmark.stats.stats.mean  # type: ignore[union-attr]
    benchmark.extra_info["samples/s"] = samples / mean


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("in_order", [False, True], ids=["random", "order"])
@pytest.mark.parametrize(
    ("options", "late", "bits"),
    [
        ({"graph": "grid", "size": 12}, 1, 53),
        ({"graph": "grid", "size": 12}, 64, 53),
        ({"graph": "grid", "size": 12}, 1, 16),
        ({"graph": "chain", "size": 4000}, 1, 53),
        ({"graph": "voting", "size": 30, "semantics": "logical"}, 1, 53),
        ({"graph": "complete", "size": 200, "weight": 0.5}, 1, 53),
    ],
    ids=["grid", "grid-late", "grid-16-bits", "chain", "voting", "complete"],
)
def test_gibbs_updates(
    benchmark: BenchmarkFixture,
    options: dict[str, object],
    late: int,
    bits: int,
    in_order: bool,
    threads: int,
) -> None:
    graph, _ = graph_and_marginals(GibbsOptions.model_validate(options).model_dump())
    recipe = GibbsRecipe(
        in_order=in_order, averaged=True, threads=threads, shared=True, late=late, burn_in=0,
        bits=bits,
    )  # fmt: skip
    sampler = Sampler(graph, recipe)
    updates = 200_000
    with Team(threads) as team:
        sampler.start(np.ones(graph.size, dtype=np.int8), [0])
        benchmark(sampler.advance, team, 0, updates)
    mean = benchmark.stats.stats.mean  # type: ignore[union-attr]
    benchmark.extra_info["updates/s"] = updates / mean
