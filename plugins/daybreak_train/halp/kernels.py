"""The compiled loops of `train/halp`: a full gradient, and steps in floats or in integers.

A model in low precision is W = centre + delta * Z with Z of 8 or 16 bits; the data are X = unit * Q
rounded to as many. One step on sample i with score derivatives s_r (variance-reduced where there is
a snapshot) takes every coordinate of every row r to

    Z <- floor(Z * (1 - decay) - step * s_r * X_i / delta - H + U),    U uniform in [0, 1)

which is unbiased rounding to the grid, in fixed-point numbers with 8 (14) bits after the point: all
of it is integer arithmetic in lanes of 16 (32) bits, the dot products are sums in 32 (64) bits.
Beyond the ends of the range, values stop there (the paper's saturating Q). A scalar multiplier is
a whole number of 7 (14) bits times a power of two, itself rounded without bias. The random bits of
a step's coordinates come from a table that is drawn anew for each call, at a random place: cheap,
and unbiased in each coordinate, though not independent of other steps (shared randomness).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from daybreak_train.fixed_point import fraction, mantissa
from daybreak_train.halp.links import link
from daybreak_train.lanes import (
    add16,
    add32,
    dot8,
    dot16,
    mul16,
    mul32,
    prefetch,
    sadd16,
    shr16,
    shr32,
    ssub16,
    sub32,
)
from daybreak_train.streams import below, next_word

__all__ = ["TABLE", "fill_table", "float_steps", "full_pass", "int8_steps", "int16_steps", "scores8",
           "scores16"]  # fmt: skip

#: random numbers in the table, a power of two; as many again as there are features follow
TABLE = 1 << 14
_MASK = np.uint64(TABLE - 1)
_BYTE = np.uint64(0xFF)
_FOURTEEN = np.uint64(0x3FFF)
_SHR8 = np.int16(8)
_SHR14 = np.int32(14)
_LEAST16, _MOST16 = np.int32(-32768), np.int32(32767)


@njit(nogil=True)
def fill_table(table, stream):  # type: ignore[no-untyped-def]
    """Fill `table` with random bytes (uint8) or random numbers of 14 bits (uint16)."""
    wide = table.itemsize == 2
    each = 4 if wide else 8
    bits = np.uint64(16 if wide else 8)
    mask = _FOURTEEN if wide else _BYTE
    word = np.uint64(0)
    for j in range(table.shape[0]):
        if j % each == 0:
            word = next_word(stream)
        table[j] = word & mask
        word >>= bits


@njit(nogil=True, fastmath=True)
def _dot(x, w):  # type: ignore[no-untyped-def]
    # the first term gives the sum its type: a zero would be of 64 bits
    total = x[0] * w[0]
    for j in range(1, w.shape[0]):
        total += x[j] * w[j]
    return total


@njit(nogil=True)
def _dot8(x, z):  # type: ignore[no-untyped-def]
    total = np.int32(0)
    for j in range(z.shape[0]):
        total = dot8(total, x[j], z[j])
    return total


@njit(nogil=True)
def _dot16(x, z):  # type: ignore[no-untyped-def]
    total = np.int64(0)
    for j in range(z.shape[0]):
        total = dot16(total, x[j], z[j])
    return total


@njit(nogil=True)
def scores8(q, z, out):  # type: ignore[no-untyped-def]
    """Put the integer scores q_i . z_r into `out`, shape (samples, rows), int64."""
    for i in range(q.shape[0]):
        for r in range(z.shape[0]):
            out[i, r] = _dot8(q[i], z[r])


@njit(nogil=True)
def scores16(q, z, out):  # type: ignore[no-untyped-def]
    """Put the integer scores q_i . z_r into `out`, shape (samples, rows), int64."""
    for i in range(q.shape[0]):
        for r in range(z.shape[0]):
            out[i, r] = _dot16(q[i], z[r])


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def full_pass(kind, x, y, output, w, scores, slopes, gradient):  # type: ignore[no-untyped-def]
    """One pass over the float32 data, in double precision, at weights `w` (rows, features).

    Fills `scores` and `slopes`, shape (samples, rows), and `gradient`, the mean over the samples
    without the penalty, shape (rows, features).
    """
    samples, rows, features = x.shape[0], w.shape[0], w.shape[1]
    work = np.zeros(max(output.shape[0], rows))
    gradient[:] = 0.0
    for i in range(samples):
        for r in range(rows):
            total = 0.0
            for j in range(features):
                total += x[i, j] * w[r, j]
            scores[i, r] = total
        link(kind, scores[i], y[i], output, slopes[i], work)
        for r in range(rows):
            slope = slopes[i, r]
            for j in range(features):
                gradient[r, j] += slope * x[i, j]
    for r in range(rows):
        for j in range(features):
            gradient[r, j] /= samples


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def float_steps(kind, x, y, output, w, slopes, pull, step, keep, stream, count):  # type: ignore[no-untyped-def]
    """Take `count` steps on rows of `x` drawn evenly, in the precision of `w`.

    `slopes` are those of the snapshot, shape (samples, rows), or of shape (0, rows) for plain SGD;
    `pull` is step times the snapshot's gradient, in w's precision, and `keep` is 1 - step * l2.
    """
    samples, rows, features = x.shape[0], w.shape[0], w.shape[1]
    reduced = slopes.shape[0] > 0
    scores = np.zeros(rows)
    fresh = np.zeros(rows)
    work = np.zeros(max(output.shape[0], rows))
    factor = np.zeros(1, w.dtype)
    following = below(next_word(stream), samples)
    for _ in range(count):
        # the next sample is drawn one step ahead, so that its data come in meanwhile
        i = following
        following = below(next_word(stream), samples)
        prefetch(x[following], 0, features)
        for r in range(rows):
            scores[r] = _dot(x[i], w[r])
        link(kind, scores, y[i], output, fresh, work)
        for r in range(rows):
            change = fresh[r] - slopes[i, r] if reduced else fresh[r]
            # through memory: a product with a float64 would widen the whole update
            factor[0] = step * change
            c = factor[0]
            for j in range(features):
                w[r, j] = keep * w[r, j] - c * x[i, j] - pull[r, j]


@njit(nogil=True)
def _move8(z, q, pull, bits, c, shift, half, keep):  # type: ignore[no-untyped-def]
    for j in range(z.shape[0]):
        moved = mul16(np.int16(z[j]), keep)
        moved = ssub16(moved, shr16(add16(mul16(c, np.int16(q[j])), half), shift))
        moved = sadd16(ssub16(moved, pull[j]), np.int16(bits[j]))
        z[j] = np.int8(shr16(moved, _SHR8))


@njit(nogil=True)
def _move16(z, q, pull, bits, c, shift, half, keep):  # type: ignore[no-untyped-def]
    for j in range(z.shape[0]):
        moved = mul32(np.int32(z[j]), keep)
        moved = sub32(moved, shr32(add32(mul32(c, np.int32(q[j])), half), shift))
        moved = add32(sub32(moved, pull[j]), np.int32(bits[j]))
        moved = shr32(moved, _SHR14)
        z[j] = np.int16(min(max(moved, _LEAST16), _MOST16))


def _integer_steps(
    dot: Callable[..., Any], move: Callable[..., Any], lane: type, points: int, digits: int
) -> Callable[..., None]:
    """Return the compiled steps of one width.

    Args:
        dot: the compiled dot product of a sample and a row.
        move: the compiled change of a row.
        lane: integer type of the arithmetic, twice as wide as the model's.
        points: bits after the point.
        digits: bits of a multiplier; its largest shift is twice as many.
    """
    one, limit, most = 1 << points, float(1 << digits), 2 * digits

    @njit(nogil=True)
    def steps(
        kind, q, y, output, z, scores, first, slopes, pull, unit, gain, decay, table, stream, count
    ):  # type: ignore[no-untyped-def]
        samples, rows, features = q.shape[0], z.shape[0], z.shape[1]
        now = np.zeros(rows)
        fresh = np.zeros(rows)
        work = np.zeros(max(output.shape[0], rows))
        following = below(next_word(stream), samples)
        for _ in range(count):
            # the next sample is drawn one step ahead, so that its data come in meanwhile
            i = following
            following = below(next_word(stream), samples)
            prefetch(q[following], 0, features)
            for r in range(rows):
                now[r] = scores[i, r] + unit * np.float64(dot(q[i], z[r]) - first[i, r])
            link(kind, now, y[i], output, fresh, work)
            for r in range(rows):
                word = next_word(stream)
                c, shift = mantissa(
                    gain * (fresh[r] - slopes[i, r]), digits, most, limit, fraction(word)
                )
                at = np.int64(word & _MASK)
                less = np.int64(math.floor(one * decay + fraction(next_word(stream))))
                move(
                    z[r], q[i], pull[r], table[at : at + features], lane(c), lane(shift),
                    lane((1 << shift) >> 1), lane(one - min(less, one)),
                )  # fmt: skip

    return steps


#: Take `count` steps of 8-bit arithmetic; what each does is said at the head of the module.
#:
#: Arguments:
#:     kind: the model.
#:     q: data, int8 (samples, features), within +-127.
#:     y: targets (samples,).
#:     output: fixed weights of the network (classes, rows).
#:     z: model, int8 (rows, features); changed.
#:     scores: of the snapshot in full precision (samples, rows); zeros for plain LP-SGD.
#:     first: the integer scores of the snapshot, int64 (samples, rows); zeros where it is Z = 0.
#:     slopes: of the snapshot (samples, rows); zeros for plain LP-SGD.
#:     pull: what every step subtracts, int16 (rows, features), in 1/256 of delta.
#:     unit: what one unit of the integer score is worth: delta times the data's unit.
#:     gain: steps in 1/256 of delta for a slope of 1 and one unit of the data.
#:     decay: step * l2.
#:     table: random bytes, at least TABLE + features of them.
#:     stream: a row of `new_streams`; advanced.
#:     count: number of steps.
int8_steps = _integer_steps(_dot8, _move8, np.int16, points=8, digits=7)

#: Take `count` steps of 16-bit arithmetic: `int8_steps` with 14 bits after the point. `q` and `z`
#: are int16, within +-32767, `pull` int32 within +-2^29 in 1/16384 of delta, `gain` counts these,
#: `table` holds numbers of 14 bits.
int16_steps = _integer_steps(_dot16, _move16, np.int32, points=14, digits=14)
