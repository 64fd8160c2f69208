"""Configurations drawn at random, none twice."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from daybreak import Configuration, Space, Trial

__all__ = ["Drawing"]

#: drawn at a time: a draw of many costs little more than a draw of one
_DRAW = 64
#: draws without a new configuration before the rest is looked for one by one
_PATIENCE = 8
#: up to this many feasible configurations, the ones left over are listed when chance runs dry
_LISTABLE = 1_000_000


class Drawing:
    """Uniform over the feasible configurations, none twice and none that `know` was told of."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._rng = np.random.default_rng(seed)
        self._count = space.count()
        self._known: set[str] = set()
        self._drawn: deque[Configuration] = deque()

    def know(self, trials: Sequence[Trial]) -> None:
        """Leave out the configurations of `trials` from now on."""
        self._known.update(_key(trial.configuration) for trial in trials)

    def take(self, n: int) -> list[Configuration]:
        """Return up to `n` configurations; fewer when the space is used up."""
        taken: list[Configuration] = []
        for configuration in self._new():
            taken.append(configuration)
            if len(taken) == n:
                break
        return taken

    def _new(self) -> Iterator[Configuration]:
        dry = 0
        while dry < _PATIENCE:
            while self._drawn:
                configuration = self._drawn.popleft()
                if self._first_time(configuration):
                    dry = 0
                    yield configuration
            self._drawn.extend(self._space.sample(_DRAW, self._rng))
            dry += 1
        if self._count is None or self._count > _LISTABLE:
            # so rare in a space of this size that proposing something twice is the lesser evil
            while True:
                yield self._space.sample(1, self._rng)[0]
        left = [one for one in self._space.grid() if _key(one) not in self._known]
        self._drawn.clear()
        self._drawn.extend(left[i] for i in self._rng.permutation(len(left)))
        while self._drawn:
            configuration = self._drawn.popleft()
            if self._first_time(configuration):
                yield configuration

    def _first_time(self, configuration: Configuration) -> bool:
        key = _key(configuration)
        if key in self._known:
            return False
        self._known.add(key)
        return True


def _key(configuration: Configuration) -> str:
    return json.dumps(dict(configuration), sort_keys=True, default=str)
