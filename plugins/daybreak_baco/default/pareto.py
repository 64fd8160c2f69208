"""Several objectives: the Pareto front, its hypervolume, and what an evaluation may add to it.

Everything here minimises. The hypervolume of a set is the volume of what it dominates below a
reference point (Zitzler and Thiele 1998).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = [
    "chebyshev",
    "hypervolume",
    "log_expected_hypervolume_improvement",
    "nondominated",
]

Array = NDArray[np.float64]

_SQRT_2PI = math.sqrt(2.0 * math.pi)
#: weight of the plain sum beside the largest term (Knowles 2006, section III-A)
_RHO = 0.05


def nondominated(points: Array) -> NDArray[np.bool_]:
    """Say of each point, shape (points, objectives), whether no other is better or equal in all.

    Of equal points the first one counts.
    """
    keep = np.ones(len(points), dtype=np.bool_)
    for i, point in enumerate(points):
        no_worse = (points <= point).all(axis=1)
        better = no_worse & (points < point).any(axis=1)
        twin = no_worse & ~better
        keep[i] = not better.any() and not twin[:i].any()
    return keep


def hypervolume(points: Array, reference: Array) -> float:
    """Return the volume that `points` (points, objectives) dominate below `reference`.

    Slices along the last objective, which is exact and meant for a few hundred points.
    """
    points = points[(points < reference).all(axis=1)]
    if not len(points):
        return 0.0
    points = points[nondominated(points)]
    if points.shape[1] == 1:
        return float(reference[0] - points[:, 0].min())
    if points.shape[1] == 2:
        front = points[np.argsort(points[:, 0])]
        right = np.append(front[1:, 0], reference[0])
        return float(((right - front[:, 0]) * (reference[1] - front[:, 1])).sum())
    ordered = points[np.argsort(points[:, -1])]
    tops = np.append(ordered[1:, -1], reference[-1])
    return float(
        sum(
            (top - point[-1]) * hypervolume(ordered[: i + 1, :-1], reference[:-1])
            for i, (point, top) in enumerate(zip(ordered, tops, strict=True))
            if top > point[-1]
        )
    )


def log_expected_hypervolume_improvement(
    means: Array, deviations: Array, front: Array, reference: Array
) -> Array:
    """Return the log of the expected growth of the hypervolume, for two independent objectives.

    Below the reference the region that the front leaves over falls into strips in which the height
    above a new point is fixed; in each the expectation is a product of two one-sided ones (Yang,
    Emmerich, Deutz and Baeck 2019, "Efficient computation of expected hypervolume improvement
    using box decomposition algorithms", section 4).

    Args:
        means: (candidates, 2) predicted means.
        deviations: (candidates, 2) predicted deviations, above 0.
        front: (points, 2) the objectives observed so far; dominated points change nothing.
        reference: (2,) the worst values that count.

    Returns:
        (candidates,), at least the log of the smallest positive number.
    """
    inside = front[(front < reference).all(axis=1)]
    if len(inside):
        inside = inside[nondominated(inside)]
        inside = inside[np.argsort(inside[:, 0])]
    edges = np.append(inside[:, 0], reference[0])
    heights = np.insert(inside[:, 1], 0, reference[1])
    reached = np.stack([_shortfall(edge, means[:, 0], deviations[:, 0]) for edge in edges])
    widths = np.diff(reached, axis=0, prepend=0.0)
    rooms = np.stack([_shortfall(height, means[:, 1], deviations[:, 1]) for height in heights])
    found: Array = np.log(np.maximum((np.maximum(widths, 0.0) * rooms).sum(axis=0), 1e-300))
    return found


def _shortfall(bound: float, mean: Array, deviation: Array) -> Array:
    """Return E[max(bound - y, 0)] of y ~ N(mean, deviation^2)."""
    z = (bound - mean) / deviation
    found: Array = deviation * (z * ndtr(z) + np.exp(-0.5 * z * z) / _SQRT_2PI)
    return np.maximum(found, 0.0)


def chebyshev(values: Array, weights: Array) -> Array:
    """Return the augmented Chebyshev sum of objectives (n, m) for weights (m,) that sum to 1.

    Each objective is scaled to [0, 1] over the rows. Unlike a plain weighted sum it has minima
    inside a concave front too (Knowles 2006, "ParEGO", equation 2).
    """
    low = values.min(axis=0)
    span = values.max(axis=0) - low
    scaled = (values - low) / np.where(span > 0, span, 1.0) * weights
    found: Array = scaled.max(axis=1) + _RHO * scaled.sum(axis=1)
    return found
