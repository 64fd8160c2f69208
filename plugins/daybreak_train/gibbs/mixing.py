"""Exact Markov chains of Gibbs sampling on small graphs: transitions, bias, mixing times.

An update chooses a variable at random (random scan) and draws it from its conditional. Where many
variables are alike, the chain of their numbers is exact and much smaller.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from daybreak_train.gibbs.elimination import all_states
from daybreak_train.gibbs.graph import FactorGraph, semantics_table

__all__ = [
    "complete_chain",
    "delayed_chain",
    "distance",
    "gibbs_chain",
    "mixing_time",
    "stationary",
    "voting_chain",
]

Floats = NDArray[np.float64]

#: no mixing time beyond 2^40 updates is looked for
_MOST_DOUBLINGS = 40


def gibbs_chain(graph: FactorGraph) -> Floats:
    """Return the transition matrix over all states, shape (2^n, 2^n), in the order of `all_states`.

    Row x holds the probabilities of going from x.
    """
    chances = _conditionals(graph)
    count, size = chances.shape
    matrix = np.zeros((count, count))
    here = np.arange(count)
    for variable in range(size):
        bit = 1 << (size - 1 - variable)
        np.add.at(matrix, (here, here | bit), chances[:, variable] / size)
        np.add.at(matrix, (here, here & ~bit), (1.0 - chances[:, variable]) / size)
    return matrix


def delayed_chain(graph: FactorGraph, late: int) -> Floats:
    """Return the transition matrix of `late` updates that all read the state before the first.

    A simple model of asynchrony: what is written comes late by up to late - 1 updates. With 1 it is
    `gibbs_chain`. Enumerates n^late choices of variables.
    """
    chances = _conditionals(graph)
    count, size = chances.shape
    matrix = np.zeros((count, count))
    here = np.arange(count)
    for chosen in itertools.product(range(size), repeat=late):
        # drawn twice from the same distribution, the last value stays: the same as once
        distinct = sorted(set(chosen))
        for values in itertools.product((0, 1), repeat=len(distinct)):
            there, chance = here.copy(), np.full(count, float(size) ** -late)
            for variable, value in zip(distinct, values, strict=True):
                bit = 1 << (size - 1 - variable)
                there = there | bit if value else there & ~bit
                likely = chances[:, variable]
                chance = chance * (likely if value else 1.0 - likely)
            np.add.at(matrix, (here, there), chance)
    return matrix


def voting_chain(voters: int, weight: float, semantics: str, field: float = 0.0) -> Floats:
    """Return the chain of (Q, a, b) of `families.voting`, shape (2 (voters + 1)^2,) squared.

    a and b are how many voters for and against are +1; the index runs as in
    `counting.voting_joint`. Exact: the voters of a side are exchangeable.
    """
    table = weight * semantics_table(semantics, voters)
    size = 1 + 2 * voters
    shape = (2, voters + 1, voters + 1)
    matrix = np.zeros((2 * (voters + 1) ** 2,) * 2)
    for state in np.ndindex(shape):
        q, *counts = state
        here = np.ravel_multi_index(state, shape)
        up = _logistic(2.0 * (field + table[counts[0]] - table[counts[1]]))
        for value, chance in ((0, 1.0 - up), (1, up)):
            matrix[here, np.ravel_multi_index((value, *counts), shape)] += chance / size
        for side, sign in ((0, 1.0), (1, -1.0)):
            held = counts[side]
            for now, likely in ((1, held / size), (0, (voters - held) / size)):
                if likely == 0.0:
                    continue
                others = held - now
                up = _logistic(sign * (2 * q - 1) * (table[others + 1] - table[others]))
                for value, chance in ((0, 1.0 - up), (1, up)):
                    then = [*counts]
                    then[side] = others + value
                    matrix[here, np.ravel_multi_index((q, *then), shape)] += likely * chance
    return matrix


def complete_chain(size: int, weight: float, field: float) -> Floats:
    """Return the chain of the number of +1 of `families.complete`, shape (size + 1, size + 1)."""
    matrix = np.zeros((size + 1, size + 1))
    for held in range(size + 1):
        for now, likely in ((1, held / size), (0, (size - held) / size)):
            if likely == 0.0:
                continue
            others = held - now
            magnetisation = 2 * others - (size - 1)
            up = _logistic(2.0 * (field + weight * magnetisation) / size)
            matrix[held, others + 1] += likely * up
            matrix[held, others] += likely * (1.0 - up)
    return matrix


def stationary(chain: Floats) -> Floats:
    """Return the distribution that one step of the (irreducible) chain leaves as it is."""
    size = len(chain)
    equations = np.vstack([chain.T - np.eye(size), np.ones(size)])
    found, *_ = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)
    return np.asarray(found)


def distance(one: Floats, other: Floats) -> Floats:
    """Return the total variation distance of distributions along the last axis."""
    return np.asarray(0.5 * np.abs(one - other).sum(axis=-1))


def mixing_time(
    chain: Floats,
    target: Floats,
    *,
    epsilon: float = 0.25,
    starts: NDArray[np.int64] | None = None,
) -> int | None:
    """Return after how many steps every start is within `epsilon` of `target`; None: beyond 2^40.

    Total variation distance. `starts` are indices of the starting states, all if not given. Exact:
    powers of the chain are searched by halving, which the distance allows as it never grows.
    """
    rows = np.eye(len(chain)) if starts is None else np.eye(len(chain))[starts]

    def far(distributions: Floats) -> bool:
        return float(distance(distributions, target).max()) > epsilon

    if not far(rows):
        return 0
    powers = [chain]
    while far(rows @ powers[-1]):
        if len(powers) > _MOST_DOUBLINGS:
            return None
        powers.append(powers[-1] @ powers[-1])
    steps = 0
    for exponent in reversed(range(len(powers) - 1)):
        further = rows @ powers[exponent]
        if far(further):
            rows, steps = further, steps + (1 << exponent)
    return steps + 1


def _conditionals(graph: FactorGraph) -> Floats:
    """Return P(s_i = +1 | the rest) for every state and variable, shape (2^n, n)."""
    size = graph.size
    logs = graph.log_weight(all_states(size))
    here = np.arange(len(logs))
    bits = [1 << (size - 1 - variable) for variable in range(size)]
    return np.stack([_logistic(logs[here | bit] - logs[here & ~bit]) for bit in bits], axis=1)


def _logistic(logs: Floats | float) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(logs, dtype=np.float64))))
