"""A running sampler: states, streams and counts of every thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration
from daybreak_train.gibbs.graph import FactorGraph, layout_of
from daybreak_train.gibbs.kernels import update
from daybreak_train.streams import new_streams
from daybreak_train.team import Team, shares

__all__ = ["Recipe", "Sampler"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A configuration in the words of this package.

    Attributes:
        in_order: sweeps instead of drawing each variable.
        averaged: the estimate averages conditional probabilities, not states.
        threads: members of the team.
        shared: the team shares one state, without locks; else each has its own.
        late: an update's value is written after so many updates, together.
        burn_in: sweeps of each state that are not recorded.
        bits: random bits of an update.
    """

    in_order: bool
    averaged: bool
    threads: int
    shared: bool
    late: int
    burn_in: int
    bits: int

    @classmethod
    def of(cls, configuration: Configuration) -> Recipe:
        """Return the recipe of a configuration of `train/gibbs`."""
        whole = {
            name: int(str(configuration[name])) for name in ("threads", "late", "burn_in", "bits")
        }
        return cls(
            in_order=configuration["scan"] == "order",
            averaged=configuration["estimate"] == "conditionals",
            shared=configuration.get("together", "one-state") == "one-state",
            **whole,
        )


class Sampler:
    """Samples `graph` by `recipe`; compiled when made."""

    def __init__(self, graph: FactorGraph, recipe: Recipe) -> None:
        self._recipe = recipe
        self._layout = layout_of(graph)
        self._size = graph.size
        self._states = np.ones((1 if recipe.shared else recipe.threads, graph.size), dtype=np.int8)
        self.start(self._states[0], [0])
        with Team(1) as one:
            self._run(one, 0, recorded=True)

    def start(self, state: NDArray[np.int8], entropy: Sequence[int]) -> None:
        """Begin anew from `state` (n,) with streams of their own."""
        threads = self._recipe.threads
        self._states = np.repeat(state[None, :], len(self._states), axis=0)
        self._streams = new_streams(entropy, threads)
        self._sums = np.zeros((threads, self._size))
        self._visits = np.zeros((threads, self._size), dtype=np.int64)
        # a team that sweeps one state starts spread over it, but everyone sweeps all of it: were
        # each given a block, a thread that has to wait would leave its block frozen meanwhile
        spread = self._size if self._recipe.shared else 0
        self._positions = [
            thread * spread // threads if self._recipe.in_order else -1 for thread in range(threads)
        ]

    @property
    def burn_in(self) -> int:
        """Return how many updates, of all threads together, are not recorded."""
        return self._recipe.burn_in * self._size * len(self._states)

    def advance(self, team: Team, updates: int, until: int) -> None:
        """Go on from `updates` to `until` updates, of all threads together."""
        middle = min(max(self.burn_in, updates), until)
        if middle > updates:
            self._run(team, middle - updates, recorded=False)
        if until > middle:
            self._run(team, until - middle, recorded=True)

    def estimate(self) -> NDArray[np.float64]:
        """Return each marginal's estimate; where nothing was recorded, whether it is +1 now."""
        visits = self._visits.sum(axis=0)
        now = (self._states > 0).mean(axis=0)
        return np.where(visits > 0, self._sums.sum(axis=0) / np.maximum(visits, 1), now)

    def _run(self, team: Team, count: int, *, recorded: bool) -> None:
        recipe = self._recipe
        threads = range(team.threads)
        arguments = [
            (
                self._states[thread if len(self._states) > 1 else 0],
                self._layout,
                0,
                self._size,
                self._positions[thread],
                recipe.bits,
                recipe.averaged,
                recorded,
                recipe.late,
                share,
                self._sums[thread],
                self._visits[thread],
                self._streams[thread],
            )
            for thread, share in zip(threads, shares(count, team.threads), strict=True)
        ]
        for thread, position in zip(threads, team.run(update, arguments), strict=True):
            self._positions[thread] = position
