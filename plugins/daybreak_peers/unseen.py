"""Draws feasible configurations that were not seen before: where a library cannot go on."""

from __future__ import annotations

from typing import Any

import numpy as np

from daybreak import Configuration, Space, SpaceError

__all__ = ["Unseen"]

#: Drawn at a time.
_DRAW = 64
#: Draws without a new configuration before what is left is listed.
_ROUNDS = 8
#: Spaces up to this size are listed when chance runs dry.
_LISTABLE = 1_000_000


class Unseen:
    """The feasible configurations that were neither proposed nor told yet.

    Args:
        space: the search space.
        rng: what it draws with.

    Attributes:
        count: number of feasible configurations; None if they cannot be counted.
    """

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self._space = space
        self._rng = rng
        self._seen: set[tuple[Any, ...]] = set()
        try:
            self.count: int | None = space.count()
        except SpaceError:
            space.sample(1, 0)  # an empty space raises here too; one too large to count does not
            self.count = None

    def add(self, key: tuple[Any, ...]) -> None:
        """Note a feasible configuration as seen, by its values in order of declaration."""
        self._seen.add(key)

    @property
    def exhausted(self) -> bool:
        """Whether every configuration has been seen."""
        return self.count is not None and len(self._seen) >= self.count

    def has(self, configuration: Configuration) -> bool:
        """Whether a feasible configuration has been seen."""
        return tuple(configuration.values()) in self._seen

    def draw_many(self, n: int) -> list[Configuration]:
        """Return up to `n` different ones that were not seen; all that are left in a small space."""
        if self.count is not None and self.count <= 2 * n:
            drawn: list[Configuration] = list(self._space.grid())
        else:
            drawn = list(self._space.sample(n, self._rng, unique=True))
        return [c for c in drawn if tuple(c.values()) not in self._seen][:n]

    def draw(self) -> Configuration | None:
        """Return one that was not seen, all equally likely; None if there is none left.

        A space of more than a million configurations of which 512 draws gave none that is new
        counts as used up.
        """
        for _ in range(_ROUNDS):
            for configuration in self._space.sample(_DRAW, self._rng):
                if tuple(configuration.values()) not in self._seen:
                    return configuration
        if self.count is None or self.count > _LISTABLE:
            return None
        left = [c for c in self._space.grid() if tuple(c.values()) not in self._seen]
        return left[int(self._rng.integers(len(left)))] if left else None
