"""Exact marginals: by elimination in the given order, and by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from daybreak_train.gibbs.graph import FactorGraph

__all__ = ["all_states", "eliminate", "enumerate_marginals", "probabilities"]

Floats = NDArray[np.float64]

#: enumeration stops here: 2^20 states
_MOST_ENUMERATED = 20
#: widest frontier that is eliminated
_MOST_WIDE = 20

_SPINS = np.array([-1.0, 1.0])


def all_states(size: int) -> NDArray[np.int8]:
    """Return all 2^size states, shape (2^size, size); the last variable changes fastest.

    Raises:
        ValueError: there are too many.
    """
    if size > _MOST_ENUMERATED:
        raise ValueError(f"{size} variables are too many to enumerate")
    return np.array(list(itertools.product((-1, 1), repeat=size)), dtype=np.int8)


def probabilities(graph: FactorGraph) -> Floats:
    """Return the probability of every state, in the order of `all_states`."""
    logs = graph.log_weight(all_states(graph.size))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def enumerate_marginals(graph: FactorGraph) -> Floats:
    """Return each P(s_i = +1) by summing over all states."""
    return np.asarray(probabilities(graph) @ (all_states(graph.size) > 0))


def eliminate(graph: FactorGraph) -> Floats:
    """Return each P(s_i = +1) of a graph of pairs by elimination in the order of the variables.

    Variables join a frontier one by one and leave it after their last neighbour has joined; tables
    over the frontier are passed forwards and backwards. Costs n 2^w for a frontier of w variables:
    for a grid numbered row by row, w is its side plus one.

    Raises:
        ValueError: the graph has rules, or its frontier is too wide.
    """
    if graph.rules:
        raise ValueError("only graphs of pairs are eliminated")
    size = graph.size
    earlier: list[dict[int, float]] = [{} for _ in range(size)]
    last = list(range(size))
    for (one, other), weight in zip(graph.pairs.tolist(), graph.weights.tolist(), strict=True):
        low, high = min(one, other), max(one, other)
        earlier[high][low] = earlier[high].get(low, 0.0) + weight
        last[low] = max(last[low], high)

    # forwards: the table over each step's frontier with its new variable as the last axis
    cliques: list[tuple[list[int], Floats]] = []
    frontier: list[int] = []
    table = np.ones(())
    for new in range(size):
        joined = [*frontier, new]
        if len(joined) > _MOST_WIDE:
            raise ValueError(f"the frontier is wider than {_MOST_WIDE} variables")
        table = table[..., None] * _local(graph, earlier, joined)
        table = table / table.max()
        cliques.append((joined, table))
        gone = tuple(axis for axis, variable in enumerate(joined) if last[variable] <= new)
        frontier = [variable for variable in joined if last[variable] > new]
        table = table.sum(axis=gone)

    # backwards: what the later variables say of the frontier
    marginals = np.empty(size)
    message = np.ones(())
    for new in reversed(range(size)):
        joined, table = cliques[new]
        shape = tuple(1 if last[variable] <= new else 2 for variable in joined)
        message = message.reshape(shape)
        belief = (table * message).sum(axis=tuple(range(len(joined) - 1)))
        marginals[new] = belief[1] / belief.sum()
        message = (message * _local(graph, earlier, joined)).sum(axis=-1)
        message = message / message.max()
    return marginals


def _local(graph: FactorGraph, earlier: list[dict[int, float]], joined: list[int]) -> Floats:
    """Return the factors of the last of `joined` (own bias, pairs with the others), a table."""
    new = joined[-1]
    exponent = graph.bias[new] * _SPINS.reshape((1,) * (len(joined) - 1) + (2,))
    for axis, variable in enumerate(joined[:-1]):
        weight = earlier[new].get(variable)
        if weight is not None:
            shape = [1] * len(joined)
            shape[axis] = 2
            exponent = exponent + weight * _SPINS.reshape(shape) * _SPINS
    return np.asarray(np.exp(exponent))
