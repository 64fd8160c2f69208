"""Random search: the baseline that every optimizer has to beat."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from daybreak import Configuration, Problem, Trial

__all__ = ["Random", "RandomPath"]

#: drawn at a time: a draw of many costs little more than a draw of one
_DRAW = 64
#: draws without a new configuration before the rest is looked for one by one
_PATIENCE = 8
#: up to this many feasible configurations, the ones left over are listed when chance runs dry
_LISTABLE = 1_000_000


class Random:
    """Draws feasible configurations without repetition, also none that it was told of.

    The sequence depends on the seed alone, not on results nor on how many are asked at a time.
    """

    method: ClassVar[Literal["uniform", "path"]] = "uniform"

    def __init__(self, problem: Problem, _options: dict[str, Any]) -> None:
        self._space = problem.space
        self._rng = np.random.default_rng(problem.seed)
        self._count = problem.space.count()
        self._seen: set[str] = set()
        self._drawn: deque[Configuration] = deque()
        self.tell(problem.history)

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose up to `n` configurations; fewer when the space is used up."""
        asked: list[Configuration] = []
        while len(asked) < n:
            configuration = self._next()
            if configuration is None:
                break
            asked.append(configuration)
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remember the configurations, so that they are not proposed again."""
        for trial in trials:
            self._seen.add(_key(trial.configuration))

    def _next(self) -> Configuration | None:
        dry = 0
        while dry < _PATIENCE:
            while self._drawn:
                configuration = self._drawn.popleft()
                key = _key(configuration)
                if key not in self._seen:
                    self._seen.add(key)
                    return configuration
            self._drawn.extend(self._space.sample(_DRAW, self._rng, method=self.method))
            dry += 1
        return self._left_over()

    def _left_over(self) -> Configuration | None:
        """Draw among what is left, when nearly everything has been proposed."""
        if self._count is None or self._count > _LISTABLE:
            # so rare in a space of this size that proposing something twice is the lesser evil
            return self._space.sample(1, self._rng, method=self.method)[0]
        left = [c for c in self._space.grid() if _key(c) not in self._seen]
        if not left:
            return None
        order = self._rng.permutation(len(left))
        self._drawn.extend(left[i] for i in order)
        configuration = self._drawn.popleft()
        self._seen.add(_key(configuration))
        return configuration


class RandomPath(Random):
    """Random search that walks the constraint trees from the root, each child equally likely.

    That is the sampling of the Auto-Tuning Framework: configurations on thinly branched paths come
    up more often than others.
    """

    method = "path"


def _key(configuration: Configuration) -> str:
    return json.dumps(dict(configuration), sort_keys=True, default=str)
