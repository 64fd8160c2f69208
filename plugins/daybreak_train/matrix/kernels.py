"""Compiled steps Y <- Y + eta A~ Y for the three samplers, free of locks and of the interpreter.

Each function takes `count` steps on the shared model `model`, shape (n, c), with its own stream of
random words, and holds no lock: several threads may run it on one model at once (Hogwild!). A~ is
an unbiased sample of the matrix A (paper, section 1.1). `residual` subtracts from each sample what
the model explains already: the ordinary stochastic gradient of ||A - Y Y^T||^2, sampled alike.

In which order random words are used is part of the contract with `daybreak_train.matrix.plain`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from daybreak_train.streams import below, next_word, uniform

__all__ = ["entries", "entries_int16", "subspace", "trace"]

_U16 = np.uint64(16)
_U32 = np.uint64(32)
_U63 = np.uint64(63)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(0xFFFF)


@njit(nogil=True)
def entries(model, matrix, positions, eta, residual, count, stream):  # type: ignore[no-untyped-def]
    """Sample single entries: A~ = n^2 A_ij e_i e_j^T, (i, j) uniform over the known entries.

    `matrix` (n, n) has the model's dtype. Of the word that chooses an entry, the upper half gives
    the row and the lower the column; with `positions` the upper half gives the position.
    """
    size, columns = model.shape
    known = len(positions)
    scale = eta * size * size
    for _ in range(count):
        word = next_word(stream)
        if known > 0:
            position = positions[below(word, known)]
            i = position // size
            j = position - i * size
        else:
            i = below(word, size)
            j = below(word << _U32, size)
        value = np.float64(matrix[i, j])
        if residual:
            for k in range(columns):
                value -= model[i, k] * model[j, k]
        step = model.dtype.type(scale * value)
        for k in range(columns):
            model[i, k] += step * model[j, k]


@njit(nogil=True)
def entries_int16(  # type: ignore[no-untyped-def]
    model, matrix, positions, factor, shift, stochastic, count, stream
):
    """Do as `entries` in integers: `model` and `matrix` are int16 with scales of their own.

    A product of two int16 is multiplied by `factor` and shifted right by `shift` bits, at least 17
    (so the step is factor / 2^shift in units of the model's scale), rounded to the nearest or
    (`stochastic`) at random in proportion: with 16 random bits for each column, four columns to a
    word, the lowest bits first. Sums saturate.
    """
    size, columns = model.shape
    known = len(positions)
    factor = np.int64(factor)
    shift = np.int64(shift)
    half = np.int64(1) << (shift - np.int64(1))
    # sixteen random bits stand at the top of those that are shifted out, in the middle of their step
    raised = shift - np.int64(16)
    middle = np.int64(1) << (raised - np.int64(1))
    bits = np.uint64(0)
    for _ in range(count):
        word = next_word(stream)
        if known > 0:
            position = positions[below(word, known)]
            i = position // size
            j = position - i * size
        else:
            i = below(word, size)
            j = below(word << _U32, size)
        step = np.int64(matrix[i, j]) * factor
        for k in range(columns):
            dither = half
            if stochastic:
                bits = next_word(stream) if k % 4 == 0 else bits >> _U16
                dither = (np.int64(bits & _SIXTEEN) << raised) + middle
            changed = np.int64(model[i, k]) + ((step * np.int64(model[j, k]) + dither) >> shift)
            model[i, k] = np.int16(min(np.int64(32767), max(np.int64(-32767), changed)))


@njit(inline="always")
def _signs(into, stream):  # type: ignore[no-untyped-def]
    """Fill `into` with random signs, 64 of a word, the lowest bit first."""
    word = np.uint64(0)
    for i in range(len(into)):
        if i % 64 == 0:
            word = next_word(stream)
        into[i] = 1.0 if (word >> (np.uint64(i) & _U63)) & _ONE else -1.0


@njit(nogil=True)
def trace(model, factor, eta, residual, count, stream):  # type: ignore[no-untyped-def]
    """Sense traces: A~ = v (v^T A w) w^T, where v and w are independent vectors of random signs.

    v^T A w is the trace of A w v^T: what a measurement of the matrix gives. A = F F^T is given as
    `factor` (n, r). v's words are drawn before w's.
    """
    size, columns = model.shape
    inner = factor.shape[1]
    v = np.empty(size, dtype=model.dtype)
    w = np.empty(size, dtype=model.dtype)
    left = np.empty(inner)
    right = np.empty(inner)
    seen = np.empty(columns)
    own = np.empty(columns)
    for _ in range(count):
        _signs(v, stream)
        _signs(w, stream)
        left[:] = 0.0
        right[:] = 0.0
        seen[:] = 0.0
        own[:] = 0.0
        for i in range(size):
            for k in range(inner):
                left[k] += v[i] * factor[i, k]
                right[k] += w[i] * factor[i, k]
            for k in range(columns):
                seen[k] += w[i] * model[i, k]
                own[k] += v[i] * model[i, k]
        value = 0.0
        for k in range(inner):
            value += left[k] * right[k]
        if residual:
            for k in range(columns):
                value -= own[k] * seen[k]
        for i in range(size):
            for k in range(columns):
                model[i, k] += model.dtype.type(eta * value * v[i] * seen[k])


@njit(nogil=True)
def subspace(model, rows, observed, eta, residual, count, stream):  # type: ignore[no-untyped-def]
    """Track a subspace: A~ = (P r)(Q r)^T for a random row r of `rows` (N, n).

    P and Q keep each coordinate with chance `observed`, independently of each other, and divide by
    it, so that A~ is unbiased. With `residual` the step is Oja's, eta (P r - Y z) z^T with
    z = Y^T Q r, which keeps the columns of the model near orthonormal. A row takes one word, and
    with `observed` below 1 two for each coordinate: P's and Q's.
    """
    size, columns = model.shape
    many = len(rows)
    out = np.empty(size, dtype=model.dtype)
    seen = np.empty(columns)
    scale = 1.0 / observed
    partly = observed < 1.0
    for _ in range(count):
        row = rows[below(next_word(stream), many)]
        seen[:] = 0.0
        for i in range(size):
            value = np.float64(row[i])
            out[i] = value
            if partly:
                if uniform(next_word(stream)) < observed:
                    out[i] = value * scale
                else:
                    out[i] = 0.0
                if uniform(next_word(stream)) < observed:
                    value *= scale
                else:
                    value = 0.0
            for k in range(columns):
                seen[k] += value * model[i, k]
        for i in range(size):
            value = np.float64(out[i])
            if residual:
                # Oja: what the model reproduces of this row is taken off before the step
                for k in range(columns):
                    value -= model[i, k] * seen[k]
            for k in range(columns):
                model[i, k] += model.dtype.type(eta * value * seen[k])
