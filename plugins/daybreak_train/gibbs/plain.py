"""The same updates in plain Python, conditionals by whole log weights: for verification only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from daybreak_train.gibbs.graph import FactorGraph
from daybreak_train.streams import PlainStream

__all__ = ["conditional", "plain_update"]


def conditional(graph: FactorGraph, state: NDArray[np.int8], variable: int) -> float:
    """Return P(s_variable = +1 | the rest) from the log weights of the two states."""
    both = np.array([state, state])
    both[:, variable] = (-1, 1)
    low, high = graph.log_weight(both)
    # beyond 700 the exponential is no float, and the probability 0 to within one
    return float(1.0 / (1.0 + math.exp(min(700.0, low - high))))


def plain_update(
    graph: FactorGraph,
    state: NDArray[np.int8],
    first: int,
    last: int,
    position: int,
    bits: int,
    averaged: bool,
    late: int,
    count: int,
    stream: PlainStream,
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64]]:
    """Return state, sums and visits after `count` recorded updates; see `kernels.update`."""
    state = state.copy()
    sums, visits = np.zeros(graph.size), np.zeros(graph.size, dtype=np.int64)
    pending: list[tuple[int, int]] = []
    words: list[int] = []

    def take(wanted: int) -> int:
        nonlocal words
        if len(words) < wanted:
            word = stream.word()
            words = [word >> place & 1 for place in range(64)]
        taken, words = words[:wanted], words[wanted:]
        return sum(bit << place for place, bit in enumerate(taken))

    for _ in range(count):
        if position >= 0:
            variable = position
            position = first if position + 1 == last else position + 1
        else:
            variable = first + take(32) * (last - first) // 2**32
        chance = conditional(graph, state, variable)
        value = 1 if take(bits) < math.floor(chance * 2**bits + 0.5) else -1
        pending.append((variable, value))
        if len(pending) == late:
            for where, what in pending:
                state[where] = what
            pending = []
        visits[variable] += 1
        sums[variable] += chance if averaged else value > 0
    for where, what in pending:
        state[where] = what
    return state, sums, visits
