"""Exact answers of `train/gibbs`: marginals, chains, mixing times and widths, each found twice."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak_train.gibbs import counting, families
from daybreak_train.gibbs.elimination import (
    all_states,
    eliminate,
    enumerate_marginals,
    probabilities,
)
from daybreak_train.gibbs.graph import FactorGraph, RuleFactor, semantics_table
from daybreak_train.gibbs.mixing import (
    complete_chain,
    delayed_chain,
    distance,
    gibbs_chain,
    mixing_time,
    stationary,
    voting_chain,
)
from daybreak_train.gibbs.width import hierarchy_width, influence, mixing_bound

SEMANTICS = ("linear", "logical", "ratio")


def pair(weight: float, biases: list[float]) -> FactorGraph:
    return FactorGraph(np.array(biases), np.array([[0, 1]]), np.array([weight]))


def random_pairs(seed: int, size: int) -> FactorGraph:
    random = np.random.default_rng(seed)
    pairs = np.array(
        [edge for edge in itertools.combinations(range(size), 2) if random.random() < 0.4]
    ).reshape(-1, 2)
    return FactorGraph(random.standard_normal(size), pairs, random.standard_normal(len(pairs)))


#: (0, 0), the state in which both are -1, has weight e^(-4 a) of the others': 1/3 each. The
#: asynchronous Gibbs paper's example (section 3) is the limit of large a.
def example(a: float) -> FactorGraph:
    return pair(-a, [a, a])


# ---- weights


def test_semantics_count_votes_each_their_own_way():
    assert semantics_table("linear", 3).tolist() == [0, 1, 2, 3]
    assert semantics_table("logical", 3).tolist() == [0, 1, 1, 1]
    assert semantics_table("ratio", 3) == pytest.approx([0, math.log(2), math.log(3), math.log(4)])
    with pytest.raises(ValueError, match="no semantics"):
        semantics_table("majority", 3)


def test_a_log_weight_is_the_sum_by_hand():
    graph = FactorGraph(
        bias=np.array([0.5, -1.0, 0.0, 0.25]),
        pairs=np.array([[0, 1]]),
        weights=np.array([2.0]),
        rules=(RuleFactor(0, (1, 2, 3), 3.0, "ratio"), RuleFactor(3, (2,), -1.5, "linear")),
    )
    # biases 0.5 + 1 + 0 + 0.25; pair -2; rule 3 log(1 + 2) with head +1; rule -1.5 * 1 * 1
    state = np.array([1, -1, 1, 1])
    assert graph.log_weight(state) == pytest.approx(1.75 - 2 + 3 * math.log(3) - 1.5)
    # the head turned: biases 0.75 now, pair +2, first rule negative
    state = np.array([-1, -1, 1, 1])
    assert graph.log_weight(state) == pytest.approx(0.75 + 2 - 3 * math.log(3) - 1.5)


def test_the_papers_example_has_three_equal_states():
    assert probabilities(example(4.0)) == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=1e-6)


# ---- marginals


def test_two_coupled_variables_follow_the_hyperbolic_tangent():
    # of two spins, one of them biased by h: <s1> = tanh h, <s2> = tanh J tanh h
    graph = pair(0.7, [0.4, 0.0])
    mean = 2 * eliminate(graph) - 1
    assert mean == pytest.approx([math.tanh(0.4), math.tanh(0.7) * math.tanh(0.4)])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_elimination_is_enumeration(seed, size):
    graph = random_pairs(seed, size)
    assert eliminate(graph) == pytest.approx(enumerate_marginals(graph), abs=1e-12)


def test_grids_and_chains_are_eliminated_too():
    random = np.random.default_rng(1)
    for graph in (
        families.grid(4, 0.3, random.standard_normal(16)),
        families.chain(-0.8, random.standard_normal(12)),
    ):
        assert eliminate(graph) == pytest.approx(enumerate_marginals(graph), abs=1e-12)


def test_a_grid_has_as_many_pairs_as_drawn_by_hand():
    graph = families.grid(3, 0.3, np.zeros(9))
    found = {frozenset(edge) for edge in graph.pairs.tolist()}
    expected = {(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8)}
    expected |= {(0, 3), (1, 4), (2, 5), (3, 6), (4, 7), (5, 8)}
    assert found == {frozenset(edge) for edge in expected}


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("voters", [1, 3, 5])
def test_voting_is_counted_as_enumerated(voters, semantics):
    graph = families.voting(voters, 0.6, 0.3, semantics)
    assert graph.size == 1 + 2 * voters
    assert counting.voting_marginals(voters, 0.6, 0.3, semantics) == pytest.approx(
        enumerate_marginals(graph)
    )


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_hierarchies_are_counted_as_enumerated(semantics):
    graph = families.hierarchy(3, 3, 0.8, -0.4, semantics)
    assert graph.size == 13
    assert counting.hierarchy_marginals(3, 3, 0.8, -0.4, semantics) == pytest.approx(
        enumerate_marginals(graph)
    )


def test_complete_graphs_are_counted_as_enumerated():
    graph = families.complete(9, 1.4, 0.6)
    assert counting.complete_marginals(9, 1.4, 0.6) == pytest.approx(enumerate_marginals(graph))


def test_large_graphs_do_not_overflow():
    found = counting.voting_marginals(4096, 3.0, 0.3, "linear")
    # given Q, each voter is drawn alone: log odds +-3; Q has its own bias, for the sides cancel
    up, down = 1 / (1 + math.exp(-3.0)), 1 / (1 + math.exp(3.0))
    question = 1 / (1 + math.exp(-0.6))
    assert found[0] == pytest.approx(question)
    assert found[1] == pytest.approx(question * up + (1 - question) * down)
    assert found[-1] == pytest.approx(question * down + (1 - question) * up)
    found = counting.hierarchy_marginals(200, 15, 5.0, 0.3, "linear")
    assert np.isfinite(found).all()


def test_binomials_are_those_of_the_standard_library():
    expected = [math.log(math.comb(12, k)) for k in range(13)]
    assert counting.log_binomials(12) == pytest.approx(expected)


def test_too_large_problems_are_refused_in_words():
    with pytest.raises(ValueError, match="too many to enumerate"):
        all_states(30)
    with pytest.raises(ValueError, match="wider than"):
        eliminate(families.complete(24, 0.5, 0.1))
    with pytest.raises(ValueError, match="only graphs of pairs"):
        eliminate(families.voting(2, 1.0, 0.0, "linear"))


# ---- chains


@pytest.mark.parametrize(
    "graph",
    [
        random_pairs(3, 5),
        families.voting(2, 0.9, 0.2, "ratio"),
        families.hierarchy(2, 1, 0.9, 0.2, "logical"),
    ],
    ids=["pairs", "voting", "hierarchy"],
)
def test_the_chain_is_in_detailed_balance_with_the_graph(graph):
    chain, target = gibbs_chain(graph), probabilities(graph)
    assert chain.sum(axis=1) == pytest.approx(1.0)
    flow = target[:, None] * chain
    assert flow == pytest.approx(flow.T)
    assert stationary(chain) == pytest.approx(target)


def test_a_transition_is_the_conditional_by_hand():
    chain = gibbs_chain(pair(0.5, [0.0, 0.2]))
    # from (-1, -1), the first variable is drawn with chance 1/2; up against log odds 2 (0 - 0.5)
    assert chain[0b00, 0b10] == pytest.approx(0.5 / (1 + math.exp(1.0)))
    # the second: log odds 2 (0.2 - 0.5)
    assert chain[0b00, 0b01] == pytest.approx(0.5 / (1 + math.exp(0.6)))
    assert chain[0b00, 0b11] == 0.0


def test_late_updates_reach_the_state_that_is_impossible():
    """Paper, section 3: p(0,1) = p(1,0) = p(1,1) = 1/3, yet races lead to (0,0)."""
    graph = example(12.0)
    chain = delayed_chain(graph, 2)
    assert chain.sum(axis=1) == pytest.approx(1.0)
    # both are drawn, in either order, with chance 1/2; then each becomes 0 with chance 1/2
    assert chain[0b11, 0b00] == pytest.approx(1 / 8, abs=1e-6)
    # by hand: from 11 to 11, 01, 10, 00 with 3/8, 1/4, 1/4, 1/8; from 01 to itself with 5/8 and to
    # 11 with 3/8, and 10 likewise; from 00 to 01, 10, 11 with 1/4, 1/4, 1/2
    expected = np.array([1, 6, 6, 8]) / 21
    assert stationary(chain) == pytest.approx(expected, abs=1e-6)


def test_one_late_update_is_none():
    graph = random_pairs(4, 4)
    assert delayed_chain(graph, 1) == pytest.approx(gibbs_chain(graph))


def test_lateness_leaves_independent_variables_alone():
    graph = FactorGraph(np.array([0.3, -0.8, 1.0]), np.empty((0, 2), dtype=int), np.empty(0))
    assert stationary(delayed_chain(graph, 3)) == pytest.approx(probabilities(graph))


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_the_chain_of_counts_is_the_whole_chain_with_voters_alike(semantics):
    whole = gibbs_chain(families.voting(2, 0.7, 0.3, semantics))
    states = all_states(5) > 0
    counts = np.stack([states[:, 0], states[:, 1:3].sum(1), states[:, 3:5].sum(1)], axis=1)
    index = np.ravel_multi_index(counts.T, (2, 3, 3))
    lumped = voting_chain(2, 0.7, semantics, 0.3)
    for start in range(len(states)):
        sums = np.bincount(index, weights=whole[start], minlength=18)
        assert sums == pytest.approx(lumped[index[start]])
    joint = counting.voting_joint(2, 0.7, 0.3, semantics).ravel()
    assert stationary(lumped) == pytest.approx(joint)
    assert np.bincount(
        index, weights=probabilities(families.voting(2, 0.7, 0.3, semantics)), minlength=18
    ) == pytest.approx(joint)


def test_the_complete_graphs_chain_of_counts_is_the_whole_chain():
    whole = gibbs_chain(families.complete(5, 1.3, 0.4))
    index = (all_states(5) > 0).sum(axis=1)
    lumped = complete_chain(5, 1.3, 0.4)
    for start in range(32):
        sums = np.bincount(index, weights=whole[start], minlength=6)
        assert sums == pytest.approx(lumped[index[start]])


# ---- mixing times


@pytest.mark.parametrize("p", [0.3, 0.01, 1e-5])
def test_two_states_mix_when_the_closed_form_says(p):
    chain = np.array([[1 - p, p], [p, 1 - p]])
    # the distance from either state after t steps is (1 - 2p)^t / 2
    expected = math.ceil(math.log(0.5) / math.log(1 - 2 * p))
    assert mixing_time(chain, np.array([0.5, 0.5])) == expected


def test_mixing_is_found_step_by_step_too():
    graph = random_pairs(8, 4)
    chain, target = gibbs_chain(graph), probabilities(graph)
    rows, steps = np.eye(16), 0
    while distance(rows, target).max() > 0.25:
        rows, steps = rows @ chain, steps + 1
    assert mixing_time(chain, target) == steps
    rows, steps = np.eye(16)[[5]], 0
    while distance(rows, target).max() > 0.1:
        rows, steps = rows @ chain, steps + 1
    assert mixing_time(chain, target, epsilon=0.1, starts=np.array([5])) == steps


def test_a_chain_that_never_mixes_is_none():
    assert mixing_time(np.eye(2), np.array([0.5, 0.5])) is None


def voting_time(voters: int, semantics: str) -> int:
    target = counting.voting_joint(voters, 1.5, 0.0, semantics).ravel()
    found = mixing_time(voting_chain(voters, 1.5, semantics), target)
    assert found is not None
    return found


def test_linear_voting_mixes_exponentially_slowly_and_the_others_do_not():
    """Hierarchy width paper, section 2.1: exp(Omega(n)) against O(n log n)."""
    sizes = (3, 6, 9, 12)
    linear = [voting_time(size, "linear") for size in sizes]
    # at least the same factor for each three voters more
    growth = np.diff(np.log(linear))
    assert growth.min() > 1.5
    assert growth == pytest.approx(growth.mean(), rel=0.2)
    for semantics in ("logical", "ratio"):
        times = [voting_time(size, semantics) for size in sizes]
        scaled = [
            time / ((1 + 2 * size) * math.log(1 + 2 * size))
            for time, size in zip(times, sizes, strict=True)
        ]
        assert scaled == sorted(scaled, reverse=True)
        assert times[-1] < linear[-1] / 100


def test_complete_graphs_mix_slowly_beyond_weight_one_only():
    def time(size, weight):
        chain = complete_chain(size, weight, 0.0)
        found = mixing_time(chain, stationary(chain))
        assert found is not None
        return found

    below = [time(size, 0.5) / (size * math.log(size)) for size in (20, 40, 80)]
    above = [time(size, 1.8) for size in (20, 40, 80)]
    assert max(below) < 2 * min(below)
    assert above[1] / above[0] > 5
    assert above[2] / above[1] > 5 * above[1] / above[0]


# ---- hierarchy width


def edges(*factors: tuple[int, ...]):
    return [frozenset(factor) for factor in factors]


@pytest.mark.parametrize("count", range(1, 10))
def test_a_path_is_halved(count):
    path = edges(*((i, i + 1) for i in range(count)))
    assert hierarchy_width(path) == int(math.log2(count)) + 1


def test_a_star_is_taken_apart_edge_by_edge():
    assert hierarchy_width(edges(*((0, i) for i in range(1, 8)))) == 7


def test_separate_parts_count_once_and_nothing_is_zero():
    assert hierarchy_width([]) == 0
    assert hierarchy_width(edges((0, 1), (2, 3), (4, 5))) == 1
    assert hierarchy_width(edges((0,), (0,), (1,))) == 2


@pytest.mark.parametrize("voters", [2, 4, 6])
def test_voting_is_as_wide_as_the_paper_says(voters):
    """Logical and ratio: 3, whatever the number of voters; linear grows with it."""
    for semantics in ("logical", "ratio"):
        graph = families.voting(voters, 0.5, 0.3, semantics)
        assert hierarchy_width(graph.hyperedges()) == 3
    linear = families.voting(voters, 0.5, 0.3, "linear")
    assert hierarchy_width(linear.hyperedges()) == 2 * voters + 1


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_hierarchical_templates_have_a_bounded_width(groups):
    graph = families.hierarchy(groups, 3, 0.5, 0.0, "logical")
    # the root's rule, then each group's own
    assert hierarchy_width(graph.hyperedges()) == 2


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("weight", [0.05, 0.4])
def test_mixing_times_keep_the_papers_bound(semantics, weight):
    graph = families.voting(3, weight, 0.1, semantics)
    width = hierarchy_width(graph.hyperedges())
    found = mixing_time(gibbs_chain(graph), probabilities(graph))
    assert found is not None
    assert found <= mixing_bound(graph, width)


def test_influence_is_counted_at_the_most_influenced_variable():
    assert influence(families.grid(3, 0.2, np.zeros(9))) == pytest.approx(4 * math.tanh(0.2))
    assert influence(families.chain(-0.2, np.zeros(5))) == pytest.approx(2 * math.tanh(0.2))
    with pytest.raises(ValueError, match="graphs of pairs"):
        influence(families.voting(2, 1.0, 0.0, "logical"))
