"""Hierarchy width of a small factor graph, and the bound on the mixing time that goes with it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from daybreak_train.gibbs.graph import FactorGraph, semantics_table

__all__ = ["hierarchy_width", "influence", "mixing_bound"]

Edges = frozenset[tuple[int, frozenset[int]]]

#: connected parts with more factors than this take too long
_MOST_FACTORS = 20


def hierarchy_width(factors: Iterable[frozenset[int]]) -> int:
    """Return the hierarchy width of a hypergraph whose edges are `factors`.

    Source: hierarchy width paper, definition 2. Without edges it is 0; of a connected hypergraph
    it is 1 plus the least width after taking away one edge; otherwise the largest of its connected
    parts'. Equal factors count one by one. Exponential in the number of factors.

    Raises:
        ValueError: a connected part has more than 20 factors.
    """
    known: dict[Edges, int] = {}

    def width(edges: Edges) -> int:
        if not edges:
            return 0
        found = known.get(edges)
        if found is None:
            parts = _parts(edges)
            if len(parts) > 1:
                found = max(width(part) for part in parts)
            elif len(edges) > _MOST_FACTORS:
                raise ValueError(f"more than {_MOST_FACTORS} connected factors are too many")
            else:
                # of factors over the same variables it does not matter which one is taken
                once = {variables: (number, variables) for number, variables in edges}
                found = 1 + min(width(edges - {edge}) for edge in once.values())
            known[edges] = found
        return found

    return width(frozenset(enumerate(factors)))


def mixing_bound(graph: FactorGraph, width: int, distance: float = 0.25) -> float:
    """Return the bound on the mixing time of random-scan Gibbs, in updates.

    Source: hierarchy width paper, theorem 1: (log(1 / (4 distance)) + n log s + e M) n exp(3 h M),
    for n variables of s = 2 values, e factors and a largest factor weight M, which is the span
    of a factor's log weight.
    """
    spans = [2.0 * abs(float(value)) for value in graph.bias if value]
    spans += [2.0 * abs(float(value)) for value in graph.weights]
    for rule in graph.rules:
        terms = len(rule.body) if rule.semantics == "linear" else 1
        most = 1 if rule.semantics == "linear" else len(rule.body)
        top = float(semantics_table(rule.semantics, most).max())
        spans += [2.0 * abs(rule.weight) * top] * terms
    largest = max(spans, default=0.0)
    size = graph.size
    begun = math.log(1.0 / (4.0 * distance)) + size * math.log(2.0) + len(spans) * largest
    return begun * size * math.exp(3.0 * width * largest)


def influence(graph: FactorGraph) -> float:
    """Return the total influence of a graph of pairs: below 1, Dobrushin's condition holds.

    Source: asynchronous Gibbs paper, definition 2: the largest sum over j of how far s_j can move
    the conditional distribution of s_i, in total variation. For a pair of weight J that is at most
    tanh |J|, which is what is summed here.

    Raises:
        ValueError: the graph has rules.
    """
    if graph.rules:
        raise ValueError("total influence is only known here of graphs of pairs")
    total = np.zeros(graph.size)
    moved = np.tanh(np.abs(graph.weights))
    for side in range(2):
        np.add.at(total, graph.pairs[:, side], moved)
    return float(total.max(initial=0.0))


def _parts(edges: Edges) -> list[Edges]:
    """Return the connected parts."""
    rest = set(edges)
    parts: list[Edges] = []
    while rest:
        part = {rest.pop()}
        reached = set().union(*(variables for _, variables in part))
        while found := {edge for edge in rest if edge[1] & reached}:
            part |= found
            rest -= found
            reached = reached.union(*(variables for _, variables in found))
        parts.append(frozenset(part))
    return parts
