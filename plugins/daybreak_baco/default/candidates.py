"""Configurations worth scoring: all of a small space, else drawn, varied and climbed to.

A space of up to `exact` feasible configurations is encoded once and scored whole. In a larger one
each proposal scores uniform draws, variations of the best known configurations (one to four
parameters changed, mostly to near values), and then climbs from the best of these, one parameter
at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import DaybreakError, Space
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.features import Features

__all__ = ["Candidates"]

Array = NDArray[np.float64]
Score = Callable[[Array], Array]


class Candidates:
    """Finds the unknown configuration of the highest score."""

    def __init__(self, space: Space, coding: Coding, features: Features, settings: Any) -> None:
        self._space, self._coding, self._features, self._s = space, coding, features, settings
        try:
            self.count = space.count()
        except DaybreakError:
            self.count = None
        self._whole = self.count is not None and self.count <= settings.exact
        self._rows: Array | None = None
        self._x: Array | None = None
        self._at: dict[bytes, int] = {}
        self._elite: Array | None = None

    def best(self, score: Score, known: set[bytes], good: Array, rng: np.random.Generator) -> Array | None:
        """Return the row of the highest score that is not `known`; None if there is none."""
        if self._whole:
            return self._best_of_all(score, known, rng)
        rows = [self._coding.sample(self._s.uniform, rng)]
        if self._elite is not None:
            rows.append(self._elite)
        if len(good):
            rows.append(self._vary(good, self._s.mutate, rng))
        pool, seen = _fresh(np.vstack(rows), set(known))
        if not len(pool):
            return self._left_over(known)
        values = score(self._features.encode(pool))
        order = np.argsort(-values, kind="stable")
        top, heights = pool[order[: self._s.climbs]].copy(), values[order[: self._s.climbs]].copy()
        for _ in range(12):
            steps, origin = self._steps(top)
            fresh, kept = _fresh_numbers(steps, seen)
            if not len(fresh):
                break
            origin = origin[kept]
            found = score(self._features.encode(fresh))
            better = False
            for j in range(len(top)):
                mine = np.flatnonzero(origin == j)
                if len(mine):
                    i = mine[np.argmax(found[mine])]
                    if found[i] > heights[j]:
                        top[j], heights[j] = fresh[i], found[i]
                        better = True
            if not better:
                break
        self._elite = np.vstack([pool[order[:30]], top])
        return top[int(np.argmax(heights))]

    def _best_of_all(self, score: Score, known: set[bytes], rng: np.random.Generator) -> Array | None:
        if self._rows is None:
            self._rows = self._coding.codes(list(self._space.grid()))
            self._x = self._features.encode(self._rows)
            self._at = {row.tobytes(): i for i, row in enumerate(self._rows)}
        taken = [self._at[k] for k in known if k in self._at]
        if len(taken) == len(self._rows):
            return None
        values = score(self._x)
        values[taken] = -np.inf
        top = np.flatnonzero(values == values.max())
        return self._rows[top[rng.integers(len(top))]]

    def _left_over(self, known: set[bytes]) -> Array | None:
        if self.count is None:
            return None
        for configuration in self._space.grid():
            row = self._coding.codes([configuration])[0]
            if row.tobytes() not in known:
                return row
        return None

    def _vary(self, good: Array, n: int, rng: np.random.Generator) -> Array:
        """Return up to `n` feasible rows with one to four parameters of a good row varied."""
        free = self._coding.free
        rows = good[rng.integers(0, len(good), n)]
        counts = rng.choice(4, size=n, p=[0.3, 0.35, 0.2, 0.15]) + 1
        rank = np.argsort(np.argsort(rng.random((n, len(free))), axis=1), axis=1)
        chosen = rank < counts[:, None]
        for j, i in enumerate(free):
            mask = chosen[:, j]
            if mask.any():
                rows[mask, i] = self._coding.domains[i].vary(rows[mask, i], rng)
        rows = self._coding.settled(rows)
        return rows[self._coding.feasible(rows)]

    def _steps(self, rows: Array) -> tuple[Array, NDArray[np.intp]]:
        """Return the feasible rows one parameter from each row, and which row each is from."""
        made, origin = [np.zeros((0, rows.shape[1]))], []
        for j, row in enumerate(rows):
            for i in self._coding.free:
                codes = self._coding.domains[i].steps(row[i])
                block = np.repeat(row[None], len(codes), axis=0)
                block[:, i] = codes
                made.append(block)
                origin += [j] * len(codes)
        stacked = self._coding.settled(np.vstack(made))
        holds = self._coding.feasible(stacked)
        return stacked[holds], np.array(origin, dtype=np.intp)[holds]


def _fresh_numbers(rows: Array, seen: set[bytes]) -> tuple[Array, NDArray[np.intp]]:
    """Return the rows that are not in `seen`, each once, and their numbers; adds them to `seen`."""
    kept = []
    for i, row in enumerate(rows):
        key = row.tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(i)
    numbers = np.array(kept, dtype=np.intp)
    return rows[numbers], numbers


def _fresh(rows: Array, seen: set[bytes]) -> tuple[Array, set[bytes]]:
    fresh, _ = _fresh_numbers(rows, seen)
    return fresh, seen
