"""The graphs that `train/gibbs` samples from, each with its exact marginals.

Which method is exact for which graph: chains and grids are eliminated variable by variable; the
others treat many variables alike, so that only their numbers count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from daybreak_train.gibbs.counting import (
    complete_marginals,
    hierarchy_marginals,
    voting_marginals,
)
from daybreak_train.gibbs.elimination import Floats, eliminate
from daybreak_train.gibbs.graph import FactorGraph, RuleFactor

__all__ = ["chain", "complete", "graph_and_marginals", "grid", "hierarchy", "voting"]

_NO_PAIRS = np.empty((0, 2), dtype=np.int64)
_NO_WEIGHTS = np.empty(0)


def graph_and_marginals(options: Mapping[str, Any]) -> tuple[FactorGraph, Floats]:
    """Return the graph that the options of `train/gibbs` describe, and each P(s_i = +1), exact."""
    size, weight, field = options["size"], options["weight"], options["field"]
    semantics, members = options["semantics"], options["members"]
    random = np.random.default_rng([options["data_seed"], 1602])
    match options["graph"]:
        case "chain":
            graph = chain(weight, field * random.standard_normal(size))
            return graph, eliminate(graph)
        case "grid":
            graph = grid(size, weight, field * random.standard_normal(size * size))
            return graph, eliminate(graph)
        case "complete":
            return complete(size, weight, field), complete_marginals(size, weight, field)
        case "voting":
            return (
                voting(size, weight, field, semantics),
                voting_marginals(size, weight, field, semantics),
            )
        case _:
            return (
                hierarchy(size, members, weight, field, semantics),
                hierarchy_marginals(size, members, weight, field, semantics),
            )


def chain(weight: float, bias: Floats) -> FactorGraph:
    """Return an Ising chain: neighbours coupled by `weight`, each variable with its bias (n,)."""
    size = len(bias)
    pairs = np.stack([np.arange(size - 1), np.arange(1, size)], axis=1)
    return FactorGraph(bias, pairs, np.full(size - 1, weight))


def grid(side: int, weight: float, bias: Floats) -> FactorGraph:
    """Return an Ising model on a square grid without wrap-around; `bias` row by row (side^2,)."""
    number = np.arange(side * side).reshape(side, side)
    across = np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1)
    down = np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1)
    pairs = np.concatenate([across, down])
    return FactorGraph(bias, pairs, np.full(len(pairs), weight))


def complete(size: int, weight: float, field: float) -> FactorGraph:
    """Return the Curie-Weiss model: every pair coupled by weight / n, every bias `field` / n.

    Its hierarchy width grows with n. Beyond weight 1 it has two modes (half as many +1 as -1, or
    the reverse, and so on), between which a Gibbs sampler needs exponential time.
    """
    pairs = np.array([(i, j) for i in range(size) for j in range(i)], dtype=np.int64)
    return FactorGraph(
        np.full(size, field / size), pairs.reshape(-1, 2), np.full(len(pairs), weight / size)
    )


def voting(voters: int, weight: float, field: float, semantics: str) -> FactorGraph:
    """Return the voting model (hierarchy width paper, section 2): 1 + 2 `voters` variables.

    Variable 0 is the question Q, with bias `field`; then come as many voters for it, and as many
    against it, each without bias. Q is the head of two rules of weights +weight and -weight.
    """
    bias = np.zeros(1 + 2 * voters)
    bias[0] = field
    ayes = tuple(range(1, 1 + voters))
    noes = tuple(range(1 + voters, 1 + 2 * voters))
    rules = (
        RuleFactor(0, ayes, weight, semantics),
        RuleFactor(0, noes, -weight, semantics),
    )
    return FactorGraph(bias, _NO_PAIRS, _NO_WEIGHTS, rules)


def hierarchy(
    groups: int, members: int, weight: float, field: float, semantics: str
) -> FactorGraph:
    """Return a hierarchical template of two levels: 1 + groups (1 + members) variables.

    Variable 0 is the root, with bias `field`, head of a rule over the groups' heads (variables 1 to
    `groups`); each of these is the head of a rule over its own members, which follow in order.
    """
    bias = np.zeros(1 + groups * (1 + members))
    bias[0] = field
    rules = [RuleFactor(0, tuple(range(1, 1 + groups)), weight, semantics)]
    for group in range(groups):
        first = 1 + groups + group * members
        rules.append(RuleFactor(1 + group, tuple(range(first, first + members)), weight, semantics))
    return FactorGraph(bias, _NO_PAIRS, _NO_WEIGHTS, tuple(rules))
