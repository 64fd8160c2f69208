"""The optimizer `hill-climb`: local search that starts anew where it gets stuck."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from daybreak import Configuration, Direction, Problem, Trial

__all__ = ["HillClimb"]

#: random draws that may hit upon known configurations before the rest is looked through
_DRAWS = 64
#: up to this many configurations the rest is looked through; beyond, chance suffices
_LISTABLE = 100_000

_Key: TypeAlias = tuple[tuple[str, Any], ...]


class HillClimb:
    """Tries the neighbours of the best point of a climb in random order.

    A better neighbour becomes the next point at once (first improvement). When none is left, or
    `patience` of them were no better, the next climb starts at a random configuration. Nothing is
    proposed twice while something new is left; a finite space ends when everything was proposed.
    """

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self._space = problem.space
        self._count = problem.space.count()
        self._rng = np.random.default_rng(problem.seed)
        maximize = problem.objectives[0].direction is Direction.MAXIMIZE
        self._sign = -1.0 if maximize else 1.0
        self._patience: int | None = options["patience"]
        self._seen: set[_Key] = set()
        self._queue: deque[Configuration] = deque()
        self._value = math.inf
        self._tried = 0
        self.tell(problem.history)
        if options["start"] == "default" and not self._seen:
            default = self._space.default()
            if default in self._space:
                self._queue.append(default)

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose up to `n` new configurations; none when the space is used up."""
        proposed: list[Configuration] = []
        while len(proposed) < n:
            configuration = self._next()
            if configuration is None:
                break
            self._seen.add(_key(configuration))
            proposed.append(configuration)
        return proposed

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results: move to a better point, count the others against patience."""
        for trial in trials:
            if trial.configuration not in self._space:
                continue  # a reference outside the space
            here = self._space.normalise(trial.configuration)
            self._seen.add(_key(here))
            value = trial.objective
            if value is not None and math.isfinite(value) and self._sign * value < self._value:
                self._value = self._sign * value
                self._tried = 0
                self._queue = deque(self._shuffled(here))
            else:
                self._tried += 1

    def _next(self) -> Configuration | None:
        if self._patience is not None and self._tried >= self._patience:
            self._queue.clear()
        while self._queue:
            configuration = self._queue.popleft()
            if _key(configuration) not in self._seen:
                return configuration
        self._value = math.inf
        self._tried = 0
        return self._start()

    def _start(self) -> Configuration | None:
        """Return where the next climb starts: something new, if there is any."""
        drawn: Configuration | None = None
        for drawn in self._space.sample(_DRAWS, self._rng):
            if _key(drawn) not in self._seen:
                return drawn
        if self._count is None or self._count > _LISTABLE:
            return drawn
        left = (one for one in self._space.grid() if _key(one) not in self._seen)
        return next(left, None)

    def _shuffled(self, configuration: Configuration) -> list[Configuration]:
        neighbours = self._space.neighbours(configuration)
        return [neighbours[i] for i in self._rng.permutation(len(neighbours))]


def _key(configuration: Configuration) -> _Key:
    return tuple(sorted(configuration.items()))
