"""Verification of `train/halp` before anything is timed: compiled steps against plain Python."""

from __future__ import annotations

import numpy as np

from daybreak import Verdict
from daybreak_train.halp import kernels, plain
from daybreak_train.halp.grids import GRIDS
from daybreak_train.halp.objective import Objective
from daybreak_train.halp.problems import Problem
from daybreak_train.streams import PlainStream, new_streams

__all__ = ["check_floats", "check_gradient", "check_integers"]

#: steps and samples that are calculated again in plain Python
_STEPS, _SAMPLES = 24, 64


def check_integers(problem: Problem, bits: int, q: np.ndarray) -> Verdict:  # type: ignore[type-arg]
    """Compare integer steps with Python's integers, bit by bit, from a model drawn over the grid."""
    grid, rng = GRIDS[bits], np.random.default_rng(7)
    part = slice(0, min(_SAMPLES, len(problem.y)))
    q, y = q[part], problem.y[part]
    shape = problem.start.shape
    z = rng.integers(-grid.most, grid.most + 1, shape).astype(grid.number)
    # slopes of the start that stand for a snapshot; steps of a few units of the grid
    scores = rng.normal(size=(len(y), shape[0]))
    slopes = rng.normal(size=scores.shape) * 0.1
    first = np.zeros(scores.shape, dtype=np.int64)
    grid.scores(q, grid.nearest(z // 2, 1.0), first)
    pull = grid.pulls(rng.normal(size=shape), rng)
    table = np.zeros(kernels.TABLE + shape[1], dtype=grid.table)
    kernels.fill_table(table, new_streams((3,), 1)[0])
    score_unit = 1.0 / max(1.0, float(np.abs(first).max()))
    gain = 4.0 * 2.0**grid.point / grid.most
    stream = new_streams((11,), 1)[0]
    expected = plain.integer_steps(
        bits, problem.kind, q, y, problem.output, z, scores, first, slopes, pull, score_unit, gain,
        0.01, table, PlainStream(stream), _STEPS,
    )  # fmt: skip
    grid.steps(
        problem.kind, q, y, problem.output, z, scores, first, slopes, pull, score_unit, gain,
        0.01, table, stream, _STEPS,
    )  # fmt: skip
    error = float(np.abs(z.astype(np.int64) - expected).max())
    return Verdict(error == 0.0, error, 0.0, f"{_STEPS} integer steps against Python's integers")


def check_floats(problem: Problem, x: np.ndarray) -> Verdict:  # type: ignore[type-arg]
    """Compare steps in floats with NumPy in double precision, relative to the model's size."""
    rng = np.random.default_rng(7)
    part = slice(0, min(_SAMPLES, len(problem.y)))
    x, y = x[part], problem.y[part]
    shape, number = problem.start.shape, x.dtype.type
    w = rng.normal(size=shape).astype(x.dtype)
    slopes = rng.normal(size=(len(y), shape[0])) * 0.1
    pull = (rng.normal(size=shape) * 1e-3).astype(x.dtype)
    stream = new_streams((11,), 1)[0]
    step, keep = number(0.125), number(0.999)
    expected = plain.float_steps(
        problem.kind, x, y, problem.output, w, slopes, pull, float(step), float(keep),
        PlainStream(stream), _STEPS,
    )  # fmt: skip
    kernels.float_steps(
        problem.kind, x, y, problem.output, w, slopes, pull, step, keep, stream, _STEPS
    )
    error = float(np.abs(w - expected).max() / np.abs(expected).max())
    tolerance = 1e-4 if x.dtype == np.float32 else 1e-10
    return Verdict(error <= tolerance, error, tolerance, f"{_STEPS} steps against NumPy")


def check_gradient(problem: Problem, objective: Objective) -> Verdict:
    """Compare the compiled full gradient with NumPy's, relative to its norm."""
    rng = np.random.default_rng(7)
    weights = problem.start + rng.normal(size=problem.start.shape)
    scores = np.zeros((len(problem.y), problem.rows))
    gradient = np.zeros_like(weights)
    kernels.full_pass(
        problem.kind, problem.x, problem.y, problem.output, weights, scores, np.zeros_like(scores),
        gradient,
    )  # fmt: skip
    expected = objective.loss_and_gradient(weights)[1] - problem.l2 * weights
    error = float(np.linalg.norm(gradient - expected) / np.linalg.norm(expected))
    return Verdict(error <= 1e-9, error, 1e-9, "the full gradient against NumPy")
