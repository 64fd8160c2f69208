"""Factor graphs of variables that are -1 or +1.

The log weight of a state s is::

    sum_i bias_i s_i  +  sum_(i,j) weight_ij s_i s_j  +  sum_f weight_f s_head(f) g_f(T_f)

where T_f counts the +1 among the body of factor f, and g_f is its semantics (hierarchy width paper,
section 2): linear g(x) = x, logical g(x) = 1 if x > 0 else 0, ratio g(x) = log(1 + x).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FactorGraph", "Layout", "RuleFactor", "layout_of", "semantics_table"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RuleFactor:
    """A factor of a rule template: `head` is supported by the variables of `body` that hold."""

    head: int
    body: tuple[int, ...]
    weight: float
    semantics: str


@dataclass(frozen=True, eq=False)
class FactorGraph:
    """A distribution over n variables of two values.

    Attributes:
        bias: shape (n,).
        pairs: variables of each pair factor, shape (m, 2).
        weights: of the pair factors, shape (m,).
        rules: factors with a head and a body.
    """

    bias: Floats
    pairs: NDArray[np.int64]
    weights: Floats
    rules: tuple[RuleFactor, ...] = ()

    @property
    def size(self) -> int:
        """Return the number of variables."""
        return len(self.bias)

    def log_weight(self, states: NDArray[np.integer[Any]]) -> Floats:
        """Return the log weight (not normalised) of each of `states`, shape (..., n), of -1, +1."""
        spins = np.asarray(states, dtype=np.float64)
        total = spins @ self.bias
        if len(self.pairs):
            total = total + (spins[..., self.pairs[:, 0]] * spins[..., self.pairs[:, 1]]) @ (
                self.weights
            )
        for rule in self.rules:
            held = (spins[..., list(rule.body)] > 0).sum(axis=-1)
            table = semantics_table(rule.semantics, len(rule.body))
            total = total + rule.weight * spins[..., rule.head] * table[held]
        return np.asarray(total)

    def hyperedges(self) -> Iterable[frozenset[int]]:
        """Yield the variables of each factor; a linear rule is one factor for each of its body.

        That is how the hierarchy width paper counts them: with g(x) = x the rule is a sum over its
        body.
        """
        for variable in np.flatnonzero(self.bias):
            yield frozenset({int(variable)})
        for one, other in self.pairs:
            yield frozenset({int(one), int(other)})
        for rule in self.rules:
            if rule.semantics == "linear":
                yield from (frozenset({rule.head, variable}) for variable in rule.body)
            else:
                yield frozenset({rule.head, *rule.body})

    def digest(self) -> str:
        """Return a hash of the graph."""
        hashed = hashlib.sha256()
        for array in (self.bias, self.pairs, self.weights):
            hashed.update(np.ascontiguousarray(array).tobytes())
        hashed.update(repr(self.rules).encode())
        return hashed.hexdigest()[:16]


def semantics_table(semantics: str, most: int) -> Floats:
    """Return g(0), ..., g(most).

    Raises:
        ValueError: there are no such semantics.
    """
    counts = np.arange(most + 1, dtype=np.float64)
    if semantics == "linear":
        return counts
    if semantics == "logical":
        return (counts > 0).astype(np.float64)
    if semantics == "ratio":
        return np.log1p(counts)
    raise ValueError(f"no semantics '{semantics}'")


class Layout(NamedTuple):
    """A factor graph as flat arrays, for compiled kernels; lists by variable in rows (CSR)."""

    bias: Floats
    pair_start: NDArray[np.int32]
    pair_other: NDArray[np.int32]
    pair_weight: Floats
    head_start: NDArray[np.int32]
    head_rule: NDArray[np.int32]
    body_start: NDArray[np.int32]
    body_rule: NDArray[np.int32]
    rule_head: NDArray[np.int32]
    rule_weight: Floats
    rule_start: NDArray[np.int32]
    rule_body: NDArray[np.int32]
    table_start: NDArray[np.int32]
    table: Floats


def layout_of(graph: FactorGraph) -> Layout:
    """Return the flat arrays of `graph`.

    Raises:
        ValueError: a variable stands twice in a rule.
    """
    size = graph.size
    neighbours: list[list[tuple[int, float]]] = [[] for _ in range(size)]
    for (one, other), weight in zip(graph.pairs.tolist(), graph.weights.tolist(), strict=True):
        neighbours[one].append((other, weight))
        neighbours[other].append((one, weight))
    heads: list[list[int]] = [[] for _ in range(size)]
    bodies: list[list[int]] = [[] for _ in range(size)]
    for number, rule in enumerate(graph.rules):
        if len({rule.head, *rule.body}) != 1 + len(rule.body):
            raise ValueError(f"a variable stands twice in rule {number}")
        heads[rule.head].append(number)
        for variable in rule.body:
            bodies[variable].append(number)
    tables = [semantics_table(rule.semantics, len(rule.body)) for rule in graph.rules]
    return Layout(
        bias=np.array(graph.bias, dtype=np.float64),
        pair_start=_starts(neighbours),
        pair_other=_flat([other for row in neighbours for other, _ in row]),
        pair_weight=np.array([weight for row in neighbours for _, weight in row], dtype=float),
        head_start=_starts(heads),
        head_rule=_flat([number for row in heads for number in row]),
        body_start=_starts(bodies),
        body_rule=_flat([number for row in bodies for number in row]),
        rule_head=_flat([rule.head for rule in graph.rules]),
        rule_weight=np.array([rule.weight for rule in graph.rules], dtype=float),
        rule_start=_starts([rule.body for rule in graph.rules]),
        rule_body=_flat([variable for rule in graph.rules for variable in rule.body]),
        table_start=_starts(tables),
        table=np.array([value for table in tables for value in table], dtype=float),
    )


def _starts(rows: Sequence[Sequence[Any] | Floats]) -> NDArray[np.int32]:
    return np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)


def _flat(values: Sequence[int]) -> NDArray[np.int32]:
    return np.array(values, dtype=np.int32)
