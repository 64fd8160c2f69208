"""The integer steps once more, in plain Python integers: what the compiled ones must equal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak_train.fixed_point import plain_mantissa
from daybreak_train.halp.problems import KINDS
from daybreak_train.streams import PlainStream

__all__ = ["float_steps", "integer_steps", "slopes_of"]


def slopes_of(
    kind: int, scores: list[float], target: float, output: NDArray[np.float64]
) -> list[float]:
    """Return the derivatives of one sample's loss by its scores."""
    if kind == KINDS["linear"]:
        return [scores[0] - target]
    if kind == KINDS["logistic"]:
        return [-target / (1.0 + math.exp(target * scores[0]))]
    hidden = [math.tanh(score) for score in scores]
    if kind == KINDS["network"]:
        outputs = [sum(float(w) * h for w, h in zip(row, hidden, strict=True)) for row in output]
    else:
        outputs = scores
    raised = [math.exp(value - max(outputs)) for value in outputs]
    errors = [value / sum(raised) for value in raised]
    errors[int(target)] -= 1.0
    if kind != KINDS["network"]:
        return errors
    return [
        sum(float(output[c, r]) * error for c, error in enumerate(errors)) * (1.0 - h * h)
        for r, h in enumerate(hidden)
    ]


def integer_steps(
    bits: int, kind: int, q: NDArray[Any], y: NDArray[np.float64], output: NDArray[np.float64],
    z: NDArray[Any], scores: NDArray[np.float64], first: NDArray[np.int64],
    slopes: NDArray[np.float64], pull: NDArray[Any], unit: float, gain: float, decay: float,
    table: NDArray[Any], stream: PlainStream, count: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Return the model after `count` steps; arguments as those of `kernels.int8_steps`."""
    point, digits, most = (8, 7, 14) if bits == 8 else (14, 14, 28)
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    z = z.astype(np.int64)
    wide_q, wide_pull = q.astype(np.int64), pull.astype(np.int64)
    mask = (1 << 14) - 1
    features = z.shape[1]
    following = stream.below(len(y))
    for _ in range(count):
        i, following = following, stream.below(len(y))
        now = [
            float(scores[i, r]) + unit * float(int(wide_q[i] @ z[r]) - int(first[i, r]))
            for r in range(len(z))
        ]
        fresh = slopes_of(kind, now, float(y[i]), output)
        for r in range(len(z)):
            word = stream.word()
            value = gain * (fresh[r] - float(slopes[i, r]))
            c, shift = plain_mantissa(value, digits, most, 1 << digits, word)
            less = math.floor((1 << point) * decay + (stream.word() >> 32) / 2.0**32)
            at = word & mask
            moved = z[r] * ((1 << point) - min(less, 1 << point))
            moved = _stop(bits, moved - ((c * wide_q[i] + ((1 << shift) >> 1)) >> shift))
            moved = _stop(bits, _stop(bits, moved - wide_pull[r]) + table[at : at + features])
            z[r] = np.clip(moved >> point, low, high)
    return z


def _stop(bits: int, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `values` stopped at the ends of a lane: 16 bits wide, where the grid has 8."""
    return np.clip(values, -32768, 32767) if bits == 8 else values


def float_steps(
    kind: int, x: NDArray[Any], y: NDArray[np.float64], output: NDArray[np.float64],
    w: NDArray[Any], slopes: NDArray[np.float64], pull: NDArray[Any], step: float, keep: float,
    stream: PlainStream, count: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the model after `count` steps in double precision; as `kernels.float_steps`."""
    w, x = w.astype(np.float64), x.astype(np.float64)
    following = stream.below(len(y))
    for _ in range(count):
        i, following = following, stream.below(len(y))
        fresh = slopes_of(kind, [float(row @ x[i]) for row in w], float(y[i]), output)
        for r, slope in enumerate(fresh):
            change = slope - float(slopes[i, r]) if len(slopes) else slope
            w[r] = keep * w[r] - step * change * x[i] - pull[r]
    return w
