"""The same steps as the compiled kernels', written out with whole matrices: for verification only.

Every sample A~ is formed as an n x n matrix and the step is literally Y + eta A~ Y. Only the order
in which random words are used is shared with `daybreak_train.matrix.kernels`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak_train.matrix.problem import Problem
from daybreak_train.streams import PlainStream

__all__ = ["plain_int16", "plain_steps", "sample"]

Floats = NDArray[np.float64]


def sample(problem: Problem, sampler: str, stream: PlainStream) -> Floats:
    """Return one sample A~ of the problem's matrix, shape (n, n)."""
    left, right = _probes(problem, sampler, stream)
    if sampler == "subspace":
        return np.outer(left, right)
    return np.asarray(left @ problem.matrix @ right * np.outer(left, right))


def plain_steps(
    problem: Problem,
    sampler: str,
    model: Floats,
    eta: float,
    residual: bool,
    count: int,
    stream: PlainStream,
) -> Floats:
    """Return the model after `count` steps; `model` (n, c) is left as it is."""
    for _ in range(count):
        left, right = _probes(problem, sampler, stream)
        if sampler == "subspace":
            seen = model.T @ right
            out = left - model @ seen if residual else left
            model = model + eta * np.outer(out, seen)
            continue
        target = problem.matrix - model @ model.T if residual else problem.matrix
        model = model + eta * (left @ target @ right * np.outer(left, right)) @ model
    return model


def plain_int16(
    problem: Problem,
    matrix: NDArray[np.int16],
    model: NDArray[np.int16],
    factor: int,
    shift: int,
    stochastic: bool,
    count: int,
    stream: PlainStream,
) -> NDArray[np.int16]:
    """Return the int16 model after `count` steps of `entries_int16`, in Python's own integers."""
    kept = [[int(value) for value in row] for row in model]
    for _ in range(count):
        i, j = _entry(problem, stream)
        word = 0
        for k in range(len(kept[i])):
            exact = int(matrix[i, j]) * factor * kept[j][k]
            if stochastic:
                word = stream.word() if k % 4 == 0 else word // 2**16
                dither = (2 * (word % 2**16) + 1) * 2 ** (shift - 17)
            else:
                dither = 2 ** (shift - 1)
            kept[i][k] = min(32767, max(-32767, kept[i][k] + (exact + dither) // 2**shift))
    return np.array(kept, dtype=np.int16)


def _probes(problem: Problem, sampler: str, stream: PlainStream) -> tuple[Floats, Floats]:
    """Return the vectors l and r that a sample is made with.

    For entries and traces A~ = (l^T A r) l r^T, where the mean of l l^T is the identity: random
    signs, or sqrt(n) times an axis (if all entries are known). For the subspace sampler, l and r
    are the row under its two masks, and A~ = l r^T.
    """
    size = problem.size
    if sampler == "entries":
        i, j = _entry(problem, stream)
        axes = np.sqrt(size) * np.eye(size)
        return axes[i], axes[j]
    if sampler == "trace":
        left = _signs(size, stream)
        return left, _signs(size, stream)
    row = problem.rows[stream.below(len(problem.rows))]
    masks = np.ones((size, 2))
    if problem.observed < 1.0:
        for place in np.ndindex(size, 2):
            masks[place] = (stream.uniform() < problem.observed) / problem.observed
    return row * masks[:, 0], row * masks[:, 1]


def _entry(problem: Problem, stream: PlainStream) -> tuple[int, int]:
    if len(problem.positions):
        position = int(problem.positions[stream.below(len(problem.positions))])
        return divmod(position, problem.size)
    word = stream.word()
    return ((word >> 32) * problem.size) >> 32, ((word & 0xFFFFFFFF) * problem.size) >> 32


def _signs(size: int, stream: PlainStream) -> Floats:
    signs = []
    while len(signs) < size:
        word = stream.word()
        signs.extend(1.0 if word >> bit & 1 else -1.0 for bit in range(64))
    return np.array(signs[:size])
