"""Where to begin: the default configuration, then typical ones of the parts of the space.

The feasible configurations are drawn and clustered in the model's features; each cluster gives its
member nearest to the centre. Unlike a maximin design, which fills the corners, this one stands in
the middle of what there is: corners of compiler spaces (one thread, tiles of the whole matrix) are
slow or fail, and tell little about the rest.

Clustering: Lloyd's iterations after k-means++ (Arthur and Vassilvitskii 2007).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak import Space
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.features import Features

__all__ = ["design", "medoids"]

Array = NDArray[np.float64]

#: configurations that are clustered
_DRAWN = 300
_ITERATIONS = 10


def design(
    space: Space, coding: Coding, features: Features, n: int, rng: np.random.Generator
) -> Array:
    """Return up to `n` rows to begin with, the default first if every parameter has one."""
    drawn = coding.codes(space.sample(_DRAWN, rng, unique=True))
    default = space.default()
    first = np.zeros((0, drawn.shape[1]))
    if all(p.default is not None for p in space.parameters) and space.feasible(default):
        first = coding.codes([default])
    centres = medoids(features.encode(drawn), n - len(first), rng)
    return np.vstack([first, drawn[centres]])


def medoids(x: Array, k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the numbers of `k` points, each the nearest to the centre of one cluster.

    Fewer where there are fewer points, or clusters run empty.
    """
    if len(x) <= k or k <= 0:
        return np.arange(len(x) if k > 0 else 0, dtype=np.intp)
    centres = _spread(x, k, rng)
    for _ in range(_ITERATIONS):
        nearest = np.argmin(_squares(x, centres), axis=1)
        for j in range(len(centres)):
            members = x[nearest == j]
            if len(members):
                centres[j] = members.mean(axis=0)
    squares = _squares(x, centres)
    nearest = np.argmin(squares, axis=1)
    found = []
    for j in range(len(centres)):
        members = np.flatnonzero(nearest == j)
        if len(members):
            found.append(int(members[np.argmin(squares[members, j])]))
    return np.array(found, dtype=np.intp)


def _spread(x: Array, k: int, rng: np.random.Generator) -> Array:
    """Draw `k` points, each with a probability that grows with its distance to those before."""
    chosen = [int(rng.integers(len(x)))]
    while len(chosen) < k:
        squares = _squares(x, x[chosen]).min(axis=1)
        total = squares.sum()
        if total <= 0:
            break
        chosen.append(int(rng.choice(len(x), p=squares / total)))
    return x[chosen].copy()


def _squares(a: Array, b: Array) -> Array:
    found: Array = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return found
