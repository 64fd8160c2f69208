"""The compiled updates against plain Python: the same random words must give the same states."""

from __future__ import annotations

import numpy as np

from daybreak import Verdict
from daybreak_train.gibbs.graph import FactorGraph, layout_of
from daybreak_train.gibbs.kernels import update
from daybreak_train.gibbs.plain import plain_update
from daybreak_train.gibbs.sampler import Recipe
from daybreak_train.streams import PlainStream, new_streams

__all__ = ["verify"]

_UPDATES = 300
_TOLERANCE = 1e-9


def verify(graph: FactorGraph, recipe: Recipe) -> Verdict:
    """Run `recipe`, as one thread, both ways on `graph` itself and compare states and sums."""
    random = np.random.default_rng(2)
    start = random.choice(np.array([-1, 1], dtype=np.int8), size=graph.size)
    stream = new_streams([2], 1)[0]
    position = 0 if recipe.in_order else -1
    state, sums, visits = plain_update(
        graph, start, 0, graph.size, position, recipe.bits, recipe.averaged, recipe.late,
        _UPDATES, PlainStream(stream),
    )  # fmt: skip
    found = start.copy()
    found_sums, found_visits = np.zeros(graph.size), np.zeros(graph.size, dtype=np.int64)
    update(
        found, layout_of(graph), 0, graph.size, position, recipe.bits, recipe.averaged, True,
        recipe.late, _UPDATES, found_sums, found_visits, stream,
    )  # fmt: skip
    if not (np.array_equal(found, state) and np.array_equal(found_visits, visits)):
        return Verdict(False, message="the compiled updates lead to another state")
    error = float(np.abs(found_sums - sums).max() / max(1.0, float(visits.max())))
    correct = error <= _TOLERANCE
    return Verdict(
        correct, error, _TOLERANCE, "" if correct else "the compiled conditionals are wrong"
    )
