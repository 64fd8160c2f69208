"""The radial phase: eigenvalues for the directions found, and the matrix that they recover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak_train.matrix.alignment import orthonormal
from daybreak_train.matrix.problem import Problem

__all__ = ["radial_phase", "recovery_error"]

Floats = NDArray[np.float64]

#: samples of the radial phase, in epochs of n
_EPOCHS = 20
_BATCH = 1024


def radial_phase(
    problem: Problem, sampler: str, basis: Floats, count: int, random: np.random.Generator
) -> Floats:
    """Return the mean of Y^T A~ Y over `count` samples, symmetric part, shape (c, c).

    `basis` is Y, orthonormal, shape (n, c). The mean estimates Y^T A Y (paper, algorithm 1, second
    phase).
    """
    columns = basis.shape[1]
    total = np.zeros((columns, columns))
    for first in range(0, count, _BATCH):
        left, right = _factors(problem, sampler, min(_BATCH, count - first), random)
        total += (left @ basis).T @ (right @ basis)
    mean = total / count
    return np.asarray((mean + mean.T) / 2)


def recovery_error(
    problem: Problem, sampler: str, model: NDArray[np.floating], random: np.random.Generator
) -> float:
    """Return how far the recovered matrix is from the best of its rank, relative, Frobenius norm.

    The recovered matrix has the problem's rank: of a model with more columns, the directions of
    the largest eigenvalues that the radial phase found are kept.
    """
    basis = orthonormal(model)
    radial = radial_phase(problem, sampler, basis, _EPOCHS * problem.size, random)
    values, vectors = np.linalg.eigh(radial)
    values, vectors = values[-problem.rank :], basis @ vectors[:, -problem.rank :]
    recovered = (vectors * values) @ vectors.T
    best = problem.best()
    return float(np.linalg.norm(recovered - best) / np.linalg.norm(best))


def _factors(
    problem: Problem, sampler: str, count: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return `count` samples A~ = l r^T as the rows l and r of two matrices, shape (count, n)."""
    size = problem.size
    if sampler == "entries":
        if len(problem.positions):
            i, j = np.divmod(random.choice(problem.positions, count), size)
        else:
            i, j = random.integers(size, size=(2, count))
        left, right = np.zeros((2, count, size))
        lines = np.arange(count)
        left[lines, i] = size * size * problem.matrix[i, j]
        right[lines, j] = 1.0
        return left, right
    if sampler == "trace":
        left, right = random.choice((-1.0, 1.0), size=(2, count, size))
        measured = np.einsum("ki,ki->k", left @ problem.factor, right @ problem.factor)
        return left * measured[:, None], right
    rows = problem.rows[random.integers(len(problem.rows), size=count)]
    if problem.observed == 1.0:
        return rows, rows
    masks = (random.random((2, count, size)) < problem.observed) / problem.observed
    return rows * masks[0], rows * masks[1]
