"""Sampling by `train/gibbs`: compiled updates, threads, and whole runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from daybreak import WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.gibbs import families
from daybreak_train.gibbs.elimination import all_states, probabilities
from daybreak_train.gibbs.graph import FactorGraph, RuleFactor, layout_of
from daybreak_train.gibbs.kernels import log_odds, update
from daybreak_train.gibbs.mixing import delayed_chain, gibbs_chain, stationary
from daybreak_train.gibbs.options import GibbsOptions
from daybreak_train.gibbs.plain import conditional, plain_update
from daybreak_train.gibbs.sampler import Recipe, Sampler
from daybreak_train.gibbs.task import GibbsTask
from daybreak_train.streams import PlainStream, new_streams
from daybreak_train.team import Team

PLAIN = Recipe(in_order=False, averaged=False, threads=1, shared=True, late=1, burn_in=0, bits=53)


def changed(**values) -> Recipe:
    return Recipe(**{**{name: getattr(PLAIN, name) for name in PLAIN.__slots__}, **values})


def mixed_graph(seed: int) -> FactorGraph:
    """Return pairs and rules of all three semantics over eight variables."""
    random = np.random.default_rng(seed)
    rules = []
    for semantics in ("linear", "logical", "ratio", "logical"):
        chosen = random.choice(8, size=4, replace=False).tolist()
        rules.append(RuleFactor(chosen[0], tuple(chosen[1:]), float(random.normal()), semantics))
    pairs = np.array([[0, 1], [2, 5], [7, 1]])
    return FactorGraph(random.standard_normal(8), pairs, random.standard_normal(3), tuple(rules))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 7))
def test_log_odds_are_the_difference_of_log_weights(seed, number, variable):
    graph = mixed_graph(seed)
    state = all_states(8)[number]
    found = log_odds(state, layout_of(graph), variable)
    chance = conditional(graph, state, variable)
    assert 1 / (1 + math.exp(-found)) == pytest.approx(chance, abs=1e-12)


def test_a_variable_twice_in_a_rule_is_refused():
    graph = FactorGraph(
        np.zeros(3),
        np.empty((0, 2), dtype=int),
        np.empty(0),
        (RuleFactor(0, (1, 1), 1.0, "ratio"),),
    )
    with pytest.raises(ValueError, match="twice in rule 0"):
        layout_of(graph)


@pytest.mark.parametrize("bits", [8, 16, 32, 53])
@pytest.mark.parametrize("late", [1, 4])
@pytest.mark.parametrize("position", [-1, 2])
@pytest.mark.parametrize("averaged", [False, True])
def test_compiled_updates_are_those_in_plain_python(bits, late, position, averaged):
    graph = mixed_graph(5)
    start = np.ones(8, dtype=np.int8)
    stream = new_streams([9], 1)[0]
    state, sums, visits = plain_update(
        graph, start, 1, 7, position, bits, averaged, late, 400, PlainStream(stream)
    )
    found = start.copy()
    found_sums, found_visits = np.zeros(8), np.zeros(8, dtype=np.int64)
    update(
        found, layout_of(graph), 1, 7, position, bits, averaged, True, late, 400,
        found_sums, found_visits, stream,
    )  # fmt: skip
    assert np.array_equal(found, state)
    assert np.array_equal(found_visits, visits)
    assert found_sums == pytest.approx(sums)
    # what is outside the block was left alone
    assert found[0] == found[7] == 1
    assert visits[0] == visits[7] == 0


def test_single_updates_go_where_the_exact_chain_goes():
    graph = mixed_graph(2)
    layout = layout_of(graph)
    states = all_states(8)
    start = 77
    row = gibbs_chain(graph)[start]
    streams = new_streams([3], 1)[0]
    sums, visits = np.zeros(8), np.zeros(8, dtype=np.int64)
    weights = 1 << np.arange(7, -1, -1)
    counts = np.zeros(256)
    draws = 20_000
    for _ in range(draws):
        state = states[start].copy()
        update(state, layout, 0, 8, -1, 53, False, False, 1, 1, sums, visits, streams)
        counts[int((state > 0) @ weights)] += 1
    error = np.sqrt(draws * row * (1 - row))
    assert (np.abs(counts - draws * row) <= 5 * error + 1e-9).all()
    assert visits.sum() == 0


def long_run(graph: FactorGraph, recipe: Recipe, updates: int = 400_000) -> np.ndarray:
    sampler = Sampler(graph, recipe)
    sampler.start(np.ones(graph.size, dtype=np.int8), [4])
    with Team(recipe.threads) as team:
        sampler.advance(team, 0, updates)
    return sampler.estimate()


@pytest.mark.parametrize(
    "recipe",
    [
        PLAIN,
        changed(averaged=True),
        changed(in_order=True),
        changed(bits=16),
        changed(bits=32, burn_in=100),
        changed(threads=2, shared=False),
        changed(threads=2, shared=False, in_order=True, averaged=True),
    ],
)
def test_long_runs_find_the_marginals(recipe):
    graph = mixed_graph(6)
    expected = probabilities(graph) @ (all_states(8) > 0)
    assert np.abs(long_run(graph, recipe) - expected).max() < 0.015


def test_racing_threads_find_the_marginals_of_a_weakly_coupled_graph():
    graph = families.grid(10, 0.1, np.random.default_rng(1).standard_normal(100))
    from daybreak_train.gibbs.elimination import eliminate

    found = long_run(graph, changed(threads=2, averaged=True), 2_000_000)
    assert np.abs(found - eliminate(graph)).max() < 0.015


@pytest.mark.parametrize("late", [2, 3])
def test_late_writes_have_the_bias_that_the_exact_chain_has(late):
    """The estimate from states read late is biased, and by how much is known."""
    triangle = np.array([[0, 1], [1, 2], [0, 2]])
    graph = FactorGraph(np.array([-0.3, -0.3, 0.0]), triangle, np.ones(3))
    settled = stationary(delayed_chain(graph, late))
    # updates read the state before their bundle: the mean conditional over settled states
    chances = np.array(
        [[conditional(graph, state, i) for i in range(3)] for state in all_states(3)]
    )
    expected = settled @ chances
    exact = probabilities(graph) @ (all_states(3) > 0)
    # late by one update it is 0.02, by two 0.05
    assert np.abs(expected - exact).max() > 0.01 * late
    found = long_run(graph, changed(late=late, averaged=True), 2_400_000)
    assert found == pytest.approx(expected, abs=0.006)


def test_few_bits_round_rare_values_away():
    """P(+1) = 0.1 % is below half of 1/256: with 8 bits it never comes."""
    graph = FactorGraph(np.array([0.5 * math.log(0.001 / 0.999)]), np.empty((0, 2), dtype=int),
                        np.empty(0))  # fmt: skip
    assert long_run(graph, changed(bits=8))[0] == 0.0
    assert long_run(graph, changed(bits=53))[0] == pytest.approx(0.001, abs=0.0005)


def test_burn_in_is_for_every_state_and_not_recorded():
    graph = families.chain(0.2, np.zeros(10))
    for shared, states in ((True, 1), (False, 3)):
        sampler = Sampler(graph, changed(threads=3, shared=shared, burn_in=7))
        assert sampler.burn_in == 7 * 10 * states
        sampler.start(np.ones(10, dtype=np.int8), [1])
        with Team(3) as team:
            sampler.advance(team, 0, 50)
            assert sampler.estimate().tolist() != []
            assert sampler._visits.sum() == 0
            sampler.advance(team, 50, 1000)
        assert sampler._visits.sum() == 1000 - sampler.burn_in


# ---- the task


SMALL = {"size": 4, "target": 0.02, "epochs": 20_000, "threads": 2}


def job_of(choices=None, **options):
    task = GibbsTask()
    benchmark = task.define(GibbsOptions(**{**SMALL, **options}).model_dump())
    workload = task.open(benchmark)
    settled = benchmark.space.settle({**benchmark.space.default(), **(choices or {})})
    assert benchmark.space.feasible(settled)
    return workload.build(settled), benchmark


def train(job, benchmark, seed=0):
    values = []
    for event in job.train(seed, TrainingClock()):
        values.append(event.value)
        if event.value <= benchmark.curve.target:
            break
    return values, event


@pytest.mark.parametrize(
    ("options", "choices"),
    [
        ({}, {}),
        ({}, {"scan": "order", "estimate": "conditionals", "threads": 2, "bits": 32}),
        ({}, {"threads": 2, "together": "own-states", "burn_in": 100}),
        ({}, {"late": 4, "estimate": "conditionals", "bits": 16}),
        ({"graph": "chain", "size": 50}, {"scan": "order"}),
        ({"graph": "complete", "size": 20, "weight": 0.5}, {}),
        ({"graph": "voting", "size": 10, "semantics": "logical"}, {}),
        ({"graph": "voting", "size": 10, "semantics": "ratio"}, {"threads": 2}),
        ({"graph": "hierarchy", "size": 4, "members": 5}, {"estimate": "conditionals"}),
    ],
)
def test_runs_reach_the_target_from_random_states(options, choices):
    job, benchmark = job_of(choices, **options)
    assert job.verify().correct
    for seed in range(2):
        values, event = train(job, benchmark, seed)
        assert values[0] > 0.3
        assert values[-1] <= 0.02
        assert 0 < event.train_s <= event.wall_s
        named = {sample.metric: sample.value for sample in job.conclude()}
        assert named["throughput"] > 0
        assert named["replica_bias"] < 0.15


def test_a_seed_repeats_a_run_and_another_is_another():
    job, benchmark = job_of()
    one, again, other = (train(job, benchmark, seed)[0] for seed in (1, 1, 2))
    assert one == again != other


def test_linear_voting_stays_in_one_mode_where_logical_does_not():
    options = {"graph": "voting", "size": 30, "weight": 1.5, "field": 0.2, "epochs": 3000}
    job, _ = job_of(**options, semantics="linear")
    stuck = [event.value for event in job.train(0, TrainingClock())]
    # P(Q = +1) is 0.6, and Q does not move
    assert stuck[-1] > 0.3
    job, _ = job_of(**options, semantics="logical")
    assert [event.value for event in job.train(0, TrainingClock())][-1] < 0.06


def test_a_curve_that_lies_is_a_wrong_result():
    job, benchmark = job_of()
    train(job, benchmark)
    job._made.said = 0.5
    with pytest.raises(WrongResult, match="sum over all states"):
        job.conclude()


def test_conclusions_are_the_same_when_asked_twice_and_new_after_training():
    job, benchmark = job_of()
    assert list(job.conclude()) == []
    train(job, benchmark, 1)
    first = list(job.conclude())
    assert first == list(job.conclude())
    train(job, benchmark, 2)
    assert list(job.conclude()) != first


def test_huge_weights_are_verified_without_overflow():
    job, _ = job_of(graph="voting", size=60, weight=20.0, semantics="linear")
    assert job.verify().correct


@pytest.mark.parametrize(
    "options",
    [
        {"graph": "grid", "size": 17},
        {"graph": "torus"},
        {"graph": "hierarchy", "size": 200, "members": 200},
        {"graph": "complete", "size": 2000},
        {"weight": float("nan")},
        {"semantics": "majority"},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValidationError):
        GibbsOptions(**options)


def test_references_lie_in_the_space_of_every_graph():
    for graph in ("grid", "chain", "complete", "voting", "hierarchy"):
        benchmark = GibbsTask().define(GibbsOptions(graph=graph).model_dump())
        assert benchmark.instance.startswith(graph)
        for reference in benchmark.references:
            assert benchmark.space.feasible(reference.configuration)
