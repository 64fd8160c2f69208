"""Configurations worth scoring: all of a small space, else drawn, varied and climbed to.

A small space is encoded once and scored whole. In a larger one each proposal scores uniform draws,
variations of the best known configurations (one to four parameters changed, mostly to near values,
which also gets across constraints that tie parameters to each other) and the best of the last
proposal, and then climbs from the best of these, one parameter at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from daybreak import Space, SpaceError
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.features import Features

__all__ = ["Candidates"]

Array = NDArray[np.float64]
#: higher is better; takes rows and their features
Score = Callable[[Array, Array], Array]

#: rows kept from one proposal to the next
_ELITE = 30
#: climbs at a time, and how many steps each at most
_CLIMBS, _STEPS = 5, 12
#: chances of changing one, two, three or four parameters
_CHANGES = (0.3, 0.35, 0.2, 0.15)


class Candidates:
    """Finds the configuration of the highest score that is not yet known.

    Args:
        exact: a space of up to this many feasible configurations is scored whole.
        drawn: uniform draws, and as many variations, for each proposal in a larger one.
    """

    def __init__(
        self, space: Space, coding: Coding, features: Features, exact: int, drawn: int
    ) -> None:
        self._space, self._coding, self._features = space, coding, features
        self._drawn = drawn
        try:
            self._count = space.count()
        except SpaceError:
            # feasible configurations too many to count
            self._count = None
        self._whole = self._count is not None and self._count <= exact
        self._all: tuple[Array, Array, dict[bytes, int]] | None = None
        self._elite = np.zeros((0, len(coding.domains)))

    def best(
        self, score: Score, known: set[bytes], good: Array, rng: np.random.Generator
    ) -> NDArray[np.float64] | None:
        """Return the best row by `score` that is not in `known`; None if the space is used up.

        Args:
            score: of rows and features.
            known: keys (`row.tobytes()`) of rows that are not to be proposed.
            good: rows to vary, the best known ones.
            rng: for draws, variations and ties.
        """
        if self._whole:
            return self._best_of_all(score, known, rng)
        seen = set(known)
        rows = [self._coding.sample(self._drawn, rng), self._elite, self._vary(good, rng)]
        pool, _ = _fresh(np.vstack(rows), seen)
        if not len(pool):
            return self._left_over(known)
        values = self._scored(score, pool)
        order = np.argsort(-values, kind="stable")
        top, heights = self._climb(score, pool[order[:_CLIMBS]], values[order[:_CLIMBS]], seen)
        self._elite = np.vstack([pool[order[:_ELITE]], top])
        best: Array = top[int(np.argmax(heights))]
        return best

    def any(self, known: set[bytes], rng: np.random.Generator) -> NDArray[np.float64] | None:
        """Return a row drawn uniformly among those not in `known`; None if there is none."""
        return self.best(lambda rows, _: rng.random(len(rows)), known, self._elite[:0], rng)

    def _scored(self, score: Score, rows: Array) -> Array:
        return score(rows, self._features.encode(rows))

    def _best_of_all(
        self, score: Score, known: set[bytes], rng: np.random.Generator
    ) -> NDArray[np.float64] | None:
        if self._all is None:
            rows = self._coding.codes(list(self._space.grid()))
            at = {row.tobytes(): i for i, row in enumerate(rows)}
            self._all = rows, self._features.encode(rows), at
        rows, x, at = self._all
        taken = [at[key] for key in known if key in at]
        if len(taken) == len(rows):
            return None
        values = score(rows, x)
        values[taken] = -np.inf
        top = np.flatnonzero(values == values.max())
        best: Array = rows[top[rng.integers(len(top))]]
        return best

    def _left_over(self, known: set[bytes]) -> NDArray[np.float64] | None:
        """Look for a row one by one: chance finds none any more."""
        if self._count is None:
            return None
        for configuration in self._space.grid():
            row: Array = self._coding.codes([configuration])[0]
            if row.tobytes() not in known:
                return row
        return None

    def _climb(
        self, score: Score, top: Array, heights: Array, seen: set[bytes]
    ) -> tuple[Array, Array]:
        """Walk up from each row to the best row one parameter away, while any walk gets higher."""
        top, heights = top.copy(), heights.copy()
        for _ in range(_STEPS):
            steps, origin = self._neighbours(top)
            fresh, kept = _fresh(steps, seen)
            if not len(fresh):
                break
            origin = origin[kept]
            found = self._scored(score, fresh)
            higher = False
            for j in range(len(top)):
                mine = np.flatnonzero(origin == j)
                if not len(mine):
                    continue
                i = mine[np.argmax(found[mine])]
                if found[i] > heights[j]:
                    top[j], heights[j] = fresh[i], found[i]
                    higher = True
            if not higher:
                break
        return top, heights

    def _vary(self, good: Array, rng: np.random.Generator) -> Array:
        """Return feasible rows with one to four parameters of a good row varied."""
        free = self._coding.free
        if not len(good) or not free:
            return good[:0]
        n = self._drawn
        rows = good[rng.integers(0, len(good), n)]
        counts = rng.choice(len(_CHANGES), size=n, p=_CHANGES) + 1
        rank = np.argsort(np.argsort(rng.random((n, len(free))), axis=1), axis=1)
        chosen = rank < counts[:, None]
        for j, i in enumerate(free):
            mask = chosen[:, j]
            if mask.any():
                rows[mask, i] = self._coding.domains[i].vary(rows[mask, i], rng)
        rows = self._coding.settled(rows)
        return rows[self._coding.feasible(rows)]

    def _neighbours(self, rows: Array) -> tuple[Array, NDArray[np.intp]]:
        """Return the feasible rows one parameter from each row, and which row each is from."""
        made, origin = [rows[:0]], []
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


def _fresh(rows: Array, seen: set[bytes]) -> tuple[Array, NDArray[np.intp]]:
    """Return the rows that are not in `seen`, each once, and their numbers; adds them to it."""
    kept = []
    for i, row in enumerate(rows):
        key = row.tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(i)
    numbers = np.array(kept, dtype=np.intp)
    return rows[numbers], numbers
