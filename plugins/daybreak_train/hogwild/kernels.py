"""The compiled loops of `train/hogwild`: sparse steps by threads on one model.

A step on sample i with derivative s of its loss by its score takes each feature u of the sample to

    w_u <- (1 - step * l2) w_u - step * s * x_iu

as a load, a sum and a store of their own: two threads at one feature may lose an update, as in the
papers' programs. A model of 8 or 16 bits is delta times integers; its steps are taken in fixed
point with 8 (14) bits after the point and rounded by what is added before they are dropped: half of
a unit (nearest), or random bits, new ones for every number (fresh) or the same word for all numbers
of a sample (shared randomness, ISCA 2017, section 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from daybreak_train.atomics import acquire, barrier, release
from daybreak_train.fixed_point import fraction, mantissa
from daybreak_train.hogwild.problems import HINGE
from daybreak_train.lanes import prefetch
from daybreak_train.streams import below, next_word

__all__ = ["FRESH", "LIMIT", "NEAREST", "POINTS", "SHARED", "racing", "synchronous"]

NEAREST, FRESH, SHARED = 0, 1, 2
#: largest multiplier of a sample's data
LIMIT = 1 << 40
#: by bits of the model: bits after the point, of a multiplier, and its largest shift
POINTS = {8: (8, 7, 14), 16: (14, 14, 28)}


@njit(nogil=True)
def _slope(kind, score, label):  # type: ignore[no-untyped-def]
    margin = label * score
    if kind == HINGE:
        return -label if margin < 1.0 else 0.0
    return -label / (1.0 + math.exp(margin))


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _score(columns, values, model, begin, end):  # type: ignore[no-untyped-def]
    # the first term gives the sum its type
    total = values[begin] * model[columns[begin]]
    for k in range(begin + 1, end):
        total += values[k] * model[columns[k]]
    return total


@njit(nogil=True)
def _sample_slope(kind, starts, columns, values, labels, model, unit, i):  # type: ignore[no-untyped-def]
    begin, end = starts[i], starts[i + 1]
    if begin == end:
        return 0.0
    return _slope(kind, unit * _score(columns, values, model, begin, end), labels[i])


@cache
def _move(data_bits: int, model_bits: int) -> Callable[..., Any]:
    """Return the compiled step on the features begin..end of one sample."""
    if model_bits == 32:

        @njit(nogil=True)
        def move_float(columns, values, model, begin, end, slope, gain, decay, _rounding, _stream):  # type: ignore[no-untyped-def]
            keep = np.float32(1.0 - decay)
            c = np.float32(gain * slope)
            for k in range(begin, end):
                u = columns[k]
                model[u] = keep * model[u] - c * np.float32(values[k])

        return move_float

    point, digits, most_shift = POINTS[model_bits]
    whole = data_bits < 32
    # a word of the stream holds so many numbers to round with, each in so many bits
    width = np.uint64(8 if model_bits == 8 else 16)
    rest = np.uint64(64) - width
    last = 64 // int(width) - 1
    mask = np.uint64((1 << point) - 1)
    half_unit = 1 << (point - 1)
    low, high = -(1 << (model_bits - 1)), (1 << (model_bits - 1)) - 1
    one = float(1 << point)
    limit = float(LIMIT)

    @njit(nogil=True)
    def move_fixed(columns, values, model, begin, end, slope, gain, decay, rounding, stream):  # type: ignore[no-untyped-def]
        word = next_word(stream)
        factor = gain * slope
        c, shift = mantissa(factor, digits, most_shift, limit, fraction(word))
        half = (1 << shift) >> 1
        keep = (1 << point) - np.int64(math.floor(one * decay + fraction(next_word(stream))))
        added = np.int64(half_unit)
        fresh, random = rounding == FRESH, rounding != NEAREST
        bits = next_word(stream) if random else word
        for k in range(begin, end):
            if random:
                added = np.int64(bits & mask)
                bits = (bits >> width) | (bits << rest)
                if fresh and ((k - begin) & last) == last:
                    bits = next_word(stream)
            if whole:
                down = (c * np.int64(values[k]) + half) >> shift
            else:
                down = np.int64(math.floor(factor * values[k] + 0.5))
            u = columns[k]
            moved = (np.int64(model[u]) * keep - down + added) >> point
            model[u] = min(max(moved, low), high)

    return move_fixed


@cache
def racing(data_bits: int, model_bits: int) -> Callable[..., None]:
    """Return the loop of one thread that shares the model with others, or has it alone.

    The loop's arguments: `kind` of the problem; `starts`, `columns`, `values`, `labels` of the data
    in rows; `model`; `unit`, the worth of a unit of values times model; `gain`, the step of a slope
    of 1 and one unit of values, in the model's units (for integers, of the last bit after the
    point); `decay`, step times l2; `rounding`; `batch`, samples that are judged before any of
    their steps is taken; `lock`, taken around each batch where ``lock[1]`` is not 0; `stream`;
    `count` of samples, drawn evenly.
    """
    move = _move(data_bits, model_bits)

    @njit(nogil=True)
    def loop(
        kind, starts, columns, values, labels, model, unit, gain, decay, rounding, batch, lock,
        stream, count,
    ):  # fmt: skip  # type: ignore[no-untyped-def]
        samples = labels.shape[0]
        chosen = np.zeros(batch, np.int64)
        coming = np.zeros(batch, np.int64)
        slopes = np.zeros(batch)
        locked = lock[1] != 0
        left = count
        for b in range(min(batch, left)):
            coming[b] = below(next_word(stream), samples)
        while left > 0:
            size = min(batch, left)
            left -= size
            # the next batch is drawn one batch ahead, so that its data come in meanwhile
            chosen, coming = coming, chosen
            for b in range(min(batch, left)):
                i = below(next_word(stream), samples)
                coming[b] = i
                prefetch(columns, starts[i], starts[i + 1])
                prefetch(values, starts[i], starts[i + 1])
            if locked:
                acquire(lock)
            for b in range(size):
                slopes[b] = _sample_slope(
                    kind, starts, columns, values, labels, model, unit, chosen[b]
                )
            for b in range(size):
                i = chosen[b]
                if starts[i] < starts[i + 1]:
                    move(
                        columns, values, model, starts[i], starts[i + 1], slopes[b], gain, decay,
                        rounding, stream,
                    )  # fmt: skip
            if locked:
                release(lock)

    made: Callable[..., None] = loop
    return made


@cache
def synchronous(data_bits: int, model_bits: int) -> Callable[..., None]:
    """Return the loop of one of several threads that go through batches in step.

    Each batch is judged in parts, one for each thread; after a barrier each thread takes the whole
    batch's steps on its own range of features; then comes another barrier. The result is that of
    one thread, but for random rounding. Arguments beyond those of `racing`: `gate` of the barrier;
    `me` and `threads`; `slopes`, shared, of `batch` entries; `order`, the stream that samples are
    drawn from, a copy for each thread; `low` and `high`, its features.
    """
    move = _move(data_bits, model_bits)

    @njit(nogil=True)
    def loop(
        kind, starts, columns, values, labels, model, unit, gain, decay, rounding, batch, gate, me,
        threads, slopes, order, stream, low, high, count,
    ):  # fmt: skip  # type: ignore[no-untyped-def]
        samples = labels.shape[0]
        chosen = np.zeros(batch, np.int64)
        left = count
        while left > 0:
            size = min(batch, left)
            left -= size
            for b in range(size):
                chosen[b] = below(next_word(order), samples)
            for b in range(me * size // threads, (me + 1) * size // threads):
                slopes[b] = _sample_slope(
                    kind, starts, columns, values, labels, model, unit, chosen[b]
                )
            barrier(gate, threads)
            for b in range(size):
                i = chosen[b]
                begin = _first(columns, starts[i], starts[i + 1], low)
                end = _first(columns, begin, starts[i + 1], high)
                if begin < end:
                    move(
                        columns, values, model, begin, end, slopes[b], gain, decay, rounding,
                        stream,
                    )  # fmt: skip
            barrier(gate, threads)

    made: Callable[..., None] = loop
    return made


@njit(nogil=True)
def _first(columns, begin, end, least):  # type: ignore[no-untyped-def]
    """Return the first place in begin..end whose column is at least `least`; columns ascend."""
    while begin < end:
        middle = (begin + end) // 2
        if np.int64(columns[middle]) < least:
            begin = middle + 1
        else:
            end = middle
    return begin
