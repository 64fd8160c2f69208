"""Exact marginals of graphs that treat many variables alike: only how many are +1 matters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak_train.gibbs.graph import semantics_table

__all__ = [
    "complete_marginals",
    "hierarchy_marginals",
    "log_binomials",
    "voting_joint",
    "voting_marginals",
]

Floats = NDArray[np.float64]


def log_binomials(size: int) -> Floats:
    """Return the logarithms of size choose 0, ..., size."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
    return np.asarray(logs[-1] - logs - logs[::-1])


def complete_marginals(size: int, weight: float, field: float) -> Floats:
    """Return each P(s_i = +1) of `families.complete`, by the number k of variables at +1."""
    k = np.arange(size + 1)
    magnetisation = 2.0 * k - size
    # the sum over pairs of s_i s_j is (M^2 - n) / 2
    logs = (
        log_binomials(size)
        + (field * magnetisation + weight * (magnetisation**2 - size) / 2) / size
    )
    return np.full(size, float(_normal(logs) @ k) / size)


def voting_joint(voters: int, weight: float, field: float, semantics: str) -> Floats:
    """Return P(Q, a, b), a of the voters for and b of those against being +1.

    Shape (2, voters + 1, voters + 1); Q = -1 comes first.
    """
    choose, table = log_binomials(voters), weight * semantics_table(semantics, voters)
    spin = np.array([-1.0, 1.0])[:, None, None]
    logs = (
        field * spin
        + (choose[None, :, None] + spin * table[None, :, None])
        + (choose[None, None, :] - spin * table[None, None, :])
    )
    return _normal(logs)


def voting_marginals(voters: int, weight: float, field: float, semantics: str) -> Floats:
    """Return each P(s_i = +1) of `families.voting`: given Q, the two sides are independent."""
    choose, table = log_binomials(voters), weight * semantics_table(semantics, voters)
    counts = np.arange(voters + 1) / voters
    # of a side whose votes weigh -1 or +1 times the table: total weight and share of +1
    sides = [choose - table, choose + table]
    totals = np.array([np.logaddexp.reduce(side) for side in sides])
    shares = np.array([float(_normal(side) @ counts) for side in sides])
    # the voters for Q weigh with its sign, those against it with the opposite sign
    question = _normal(field * np.array([-1.0, 1.0]) + totals + totals[::-1])
    ayes, noes = float(question @ shares), float(question @ shares[::-1])
    return np.array([question[1], *[ayes] * voters, *[noes] * voters])


def hierarchy_marginals(
    groups: int, members: int, weight: float, field: float, semantics: str
) -> Floats:
    """Return each P(s_i = +1) of `families.hierarchy`."""
    spins = np.array([-1.0, 1.0])
    inner = log_binomials(members) + weight * spins[:, None] * semantics_table(semantics, members)
    # of a group whose head is -1 or +1: total weight, and the mean share of its members at +1
    totals = np.array([np.logaddexp.reduce(row) for row in inner])
    share = np.array([float(_normal(row) @ np.arange(members + 1)) / members for row in inner])
    k = np.arange(groups + 1)
    heads = log_binomials(groups) + k * totals[1] + (groups - k) * totals[0]
    joint = _normal(
        field * spins[:, None]
        + heads
        + weight * spins[:, None] * semantics_table(semantics, groups)
    )
    head = float(joint.sum(axis=0) @ k) / groups
    member = head * share[1] + (1.0 - head) * share[0]
    return np.array([joint[1].sum(), *[head] * groups, *[member] * (groups * members)])


def _normal(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
