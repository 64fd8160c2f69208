"""Configurations worth scoring: all of a small space, else drawn, varied and climbed to.

A space of up to `exact` feasible configurations is encoded once and scored whole. In a larger one
each proposal scores uniform draws, variations of the best known configurations (one to three
parameters changed, mostly to near values), and then climbs from the best of these, one parameter
at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import (
    Categorical,
    Configuration,
    Integer,
    Ordinal,
    Parameter,
    Permutation,
    Real,
    Space,
)
from daybreak_baco.default.features import Features

__all__ = ["Candidates"]

Array = NDArray[np.float64]
Key = tuple[Any, ...]


class Candidates:
    def __init__(self, space: Space, features: Features, settings: Any) -> None:
        self._space = space
        self._features = features
        self._s = settings
        self._names = space.names
        count = _count(space)
        self.whole = count is not None and count <= settings.exact
        self._all: list[dict[str, Any]] | None = None
        self._x: Array | None = None
        self._settles = any(p.when is not None for p in space.parameters)
        self._moves = [p for p in space.parameters if p.size != 1 and p.type != "program"]
        self._elite: list[dict[str, Any]] = []

    def key(self, configuration: Configuration) -> Key:
        return tuple([configuration[name] for name in self._names])

    def everything(self) -> tuple[list[dict[str, Any]], Array, dict[Key, int]]:
        if self._all is None:
            self._all = list(self._space.grid())
            self._x = self._features.encode(self._all)
            self._at = {self.key(c): i for i, c in enumerate(self._all)}
        return self._all, self._x, self._at

    def best(
        self,
        score: Callable[[Array], Array],
        known: set[Key],
        good: Sequence[Configuration],
        rng: np.random.Generator,
    ) -> dict[str, Any] | None:
        """Return the unknown configuration of the highest score; None if there is none."""
        if self.whole:
            configurations, x, at = self.everything()
            if len(known) >= len(configurations) and all(k in known for k in at):
                return None
            values = score(x)
            for k in known:
                i = at.get(k)
                if i is not None:
                    values[i] = -np.inf
            values = np.where(np.isnan(values), -1e300, values)
            values = values + 0.0
            top = np.flatnonzero(values == values.max())
            i = int(top[rng.integers(len(top))])
            return None if values[i] == -np.inf else configurations[i]
        pool: dict[Key, dict[str, Any]] = {}
        draws = self._space.sample(self._s.uniform, rng)
        for c in [*draws, *self._elite, *self._vary(good, self._s.mutate, rng)]:
            k = self.key(c)
            if k not in known:
                pool[k] = c
        if not pool:
            return self._rest(known)
        configurations = list(pool.values())
        values = _clean(score(self._features.encode(configurations)))
        order = np.argsort(-values, kind="stable")
        top = [(float(values[i]), configurations[i]) for i in order[: self._s.climbs]]
        self._elite = [configurations[i] for i in order[:30]]
        seen = set(pool)
        for _ in range(12):
            fresh: dict[Key, tuple[int, dict[str, Any]]] = {}
            for j, (_, c) in enumerate(top):
                for nb in self._steps(c):
                    k = self.key(nb)
                    if k not in seen and k not in known:
                        seen.add(k)
                        fresh[k] = (j, nb)
            if not fresh:
                break
            who = [j for j, _ in fresh.values()]
            cs = [c for _, c in fresh.values()]
            values = _clean(score(self._features.encode(cs)))
            improved = False
            for j in range(len(top)):
                mine = [i for i, w in enumerate(who) if w == j]
                if mine:
                    i = max(mine, key=values.__getitem__)
                    if values[i] > top[j][0]:
                        top[j] = (float(values[i]), cs[i])
                        improved = True
            if not improved:
                break
        self._elite += [c for _, c in top]
        return max(top, key=lambda pair: pair[0])[1]

    def _rest(self, known: set[Key]) -> dict[str, Any] | None:
        if self._space.count() is None:
            return None
        for c in self._space.grid():
            if self.key(c) not in known:
                return c
        return None

    def _vary(
        self, good: Sequence[Configuration], n: int, rng: np.random.Generator
    ) -> list[dict[str, Any]]:
        if not good:
            return []
        found = []
        feasible = self._space.feasible
        choice = rng.integers(0, len(good), n)
        counts = rng.choice([1, 2, 3, 4], size=n, p=[0.3, 0.35, 0.2, 0.15])
        for i in range(n):
            c = dict(good[choice[i]])
            for j in rng.integers(0, len(self._moves), counts[i]):
                p = self._moves[j]
                c[p.name] = _near(p, c[p.name], rng)
            if self._settles:
                c = self._space.settle(c)
            if feasible(c):
                found.append(c)
        return found

    def _steps(self, configuration: dict[str, Any]) -> Iterable[dict[str, Any]]:
        active = self._space.active(configuration) if self._settles else None
        feasible = self._space.feasible
        for p in self._moves:
            if active is not None and not active[p.name]:
                continue
            for value in _values(p, configuration[p.name]):
                c = dict(configuration)
                c[p.name] = value
                if self._settles:
                    c = self._space.settle(c)
                if feasible(c):
                    yield c


def _clean(values: Array) -> Array:
    return np.where(np.isnan(values), -1e300, values)


def _count(space: Space) -> int | None:
    try:
        return space.count()
    except Exception:
        return None


def _near(p: Parameter, value: Any, rng: np.random.Generator) -> Any:
    match p:
        case Ordinal() | Integer():
            n = p.size
            at = p.index_of(value)
            step = max(1, round(abs(rng.normal()) * max(1.0, n / 6)))
            step = step if rng.random() < 0.5 else -step
            new = at + step
            if not 0 <= new < n:
                new = at - step
            return p.value_at(int(min(max(new, 0), n - 1)))
        case Categorical():
            return p.values[int(rng.integers(len(p.values)))]
        case Permutation():
            order = list(value)
            i, j = rng.integers(0, len(order), 2)
            if rng.random() < 0.5:
                order[i], order[j] = order[j], order[i]
            else:
                order.insert(int(j), order.pop(int(i)))
            return tuple(order)
        case Real():
            span = p.high - p.low
            if p.log:
                import math

                span = math.log(p.high / p.low)
                return float(min(p.high, max(p.low, value * math.exp(rng.normal() * span / 10))))
            return float(min(p.high, max(p.low, value + rng.normal() * span / 10)))
    return value


def _values(p: Parameter, value: Any) -> Iterable[Any]:
    match p:
        case Ordinal() | Integer():
            n, at = p.size, p.index_of(value)
            if n <= 16:
                return [p.value_at(i) for i in range(n) if i != at]
            steps = [
                d for d in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256) if d < n
            ]
            return [p.value_at(i) for d in steps for i in (at - d, at + d) if 0 <= i < n]
        case Categorical():
            return [v for v in p.values if v != value]
        case Permutation():
            found = []
            n = len(value)
            for i in range(n):
                for j in range(n):
                    if i != j:
                        order = list(value)
                        order.insert(j, order.pop(i))
                        found.append(tuple(order))
                        if i < j:
                            order = list(value)
                            order[i], order[j] = order[j], order[i]
                            found.append(tuple(order))
            return list(dict.fromkeys(found))
        case Real():
            import math

            if p.log:
                span = math.log(p.high / p.low)
                return [
                    min(p.high, max(p.low, value * math.exp(s * span)))
                    for s in (-0.1, -0.03, -0.01, 0.01, 0.03, 0.1)
                ]
            span = p.high - p.low
            return [
                min(p.high, max(p.low, value + s * span))
                for s in (-0.1, -0.03, -0.01, 0.01, 0.03, 0.1)
            ]
    return []
