from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from daybreak_baco.default.pareto import (
    chebyshev,
    hypervolume,
    log_expected_hypervolume_improvement,
    nondominated,
)

_GRID = st.integers(0, 7).map(float)


def _cells(points: np.ndarray, reference: int) -> int:
    """Count the unit cells of the integer grid below `reference` that some point dominates."""
    axes = [np.arange(reference)] * points.shape[1]
    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, points.shape[1])
    return int((points[None] <= corners[:, None]).all(axis=2).any(axis=1).sum())


@given(arrays(float, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=_GRID))
def test_the_hypervolume_counts_dominated_cells(points: np.ndarray) -> None:
    reference = np.full(points.shape[1], 6.0)
    assert hypervolume(points, reference) == pytest.approx(_cells(points, 6))


@given(arrays(float, st.tuples(st.integers(1, 10), st.integers(1, 3)), elements=_GRID))
def test_no_point_of_the_front_is_dominated_and_every_other_is(points: np.ndarray) -> None:
    keep = nondominated(points)
    front = points[keep]
    assert len(np.unique(front, axis=0)) == len(front)
    for point, kept in zip(points, keep, strict=True):
        dominated = ((points <= point).all(axis=1) & (points < point).any(axis=1)).any()
        if dominated:
            assert not kept
        else:
            assert (front == point).all(axis=1).any()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_expected_improvement_is_the_mean_of_sampled_ones(count: int) -> None:
    rng = np.random.default_rng(count)
    front = rng.uniform(0, 1, (count, 2))
    reference = np.array([1.1, 0.9])
    means = rng.uniform(-0.2, 1.0, (3, 2))
    deviations = rng.uniform(0.05, 0.5, (3, 2))
    found = np.exp(log_expected_hypervolume_improvement(means, deviations, front, reference))
    before = hypervolume(front, reference)
    for i in range(3):
        draws = rng.normal(means[i], deviations[i], (1500, 2))
        gains = [hypervolume(np.vstack([front, d]), reference) - before for d in draws]
        error = np.std(gains) / math.sqrt(len(gains))
        assert found[i] == pytest.approx(np.mean(gains), abs=5 * error + 1e-9)


def test_what_is_far_beyond_the_reference_adds_nothing() -> None:
    found = log_expected_hypervolume_improvement(
        np.array([[50.0, 50.0]]), np.array([[0.1, 0.1]]), np.zeros((0, 2)), np.ones(2)
    )
    assert np.isfinite(found).all()
    assert found[0] < -600


def test_points_inside_a_concave_front_are_best_for_some_weights() -> None:
    angle = np.linspace(0.0, math.pi / 2, 9)
    front = np.column_stack([np.sin(angle), np.cos(angle)])
    won = {int(np.argmin(chebyshev(front, np.array([w, 1 - w])))) for w in np.linspace(0, 1, 401)}
    assert won >= {2, 3, 4, 5, 6}
