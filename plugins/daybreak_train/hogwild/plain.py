"""One thread's steps in plain Python: what the compiled loops are checked against."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from daybreak_train.fixed_point import plain_mantissa
from daybreak_train.hogwild.kernels import FRESH, LIMIT, NEAREST, POINTS
from daybreak_train.hogwild.problems import HINGE
from daybreak_train.hogwild.runs import Rows
from daybreak_train.streams import PlainStream

__all__ = ["steps"]


def steps(
    kind: int, rows: Rows, model: NDArray[np.float64], bits: int, unit: float, gain: float,
    decay: float, rounding: int, batch: int, order: PlainStream, stream: PlainStream, count: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the model (for 8 and 16 bits its integers) after `count` samples.

    Arguments as those of `kernels.racing`; samples are drawn from `order`, rounding from `stream`,
    which are one and the same where threads race.
    """
    model = model.copy()
    left = count
    coming = [order.below(len(rows.labels)) for _ in range(min(batch, left))]
    while left > 0:
        chosen = coming
        left -= len(chosen)
        # a batch is drawn before the one ahead of it is trained on
        coming = [order.below(len(rows.labels)) for _ in range(min(batch, left))]
        slopes = [_slope(kind, rows, model, unit, i) for i in chosen]
        for i, slope in zip(chosen, slopes, strict=True):
            part = slice(int(rows.starts[i]), int(rows.starts[i + 1]))
            places, values = rows.columns[part].tolist(), rows.values[part].tolist()
            if bits == 32:
                for u, value in zip(places, values, strict=True):
                    model[u] = (1.0 - decay) * model[u] - gain * slope * value
            elif places:
                whole = bool(np.issubdtype(rows.values.dtype, np.integer))
                _move(model, bits, places, values, gain * slope, decay, rounding, stream, whole)
    return model


def _slope(kind: int, rows: Rows, model: NDArray[np.float64], unit: float, i: int) -> float:
    part = slice(int(rows.starts[i]), int(rows.starts[i + 1]))
    label = float(rows.labels[i])
    if part.start == part.stop:
        return 0.0
    score = math.fsum(
        float(value) * float(model[u])
        for u, value in zip(rows.columns[part], rows.values[part], strict=True)
    )
    margin = label * unit * score
    if kind == HINGE:
        return -label if margin < 1.0 else 0.0
    return -label / (1.0 + math.exp(margin))


def _move(
    model: NDArray[np.float64], bits: int, places: list[int], values: list[float], factor: float,
    decay: float, rounding: int, stream: PlainStream, whole: bool,
) -> None:  # fmt: skip
    """Take one sample's step in whole numbers."""
    point, digits, most = POINTS[bits]
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    width = 8 if bits == 8 else 16
    c, shift = plain_mantissa(factor, digits, most, LIMIT, stream.word())
    less = math.floor((1 << point) * decay + (stream.word() >> 32) / 2.0**32)
    word = stream.word() if rounding != NEAREST else 0
    for k, (u, value) in enumerate(zip(places, values, strict=True)):
        added = 1 << (point - 1)
        if rounding != NEAREST:
            place = k % (64 // width)
            added = (word >> (place * width)) & ((1 << point) - 1)
            if rounding == FRESH and place == 64 // width - 1:
                word = stream.word()
        if whole:
            down = (c * int(value) + ((1 << shift) >> 1)) >> shift
        else:
            down = math.floor(factor * value + 0.5)
        w = int(model[u])
        moved = ((w << point) - w * less - down + added) >> point
        model[u] = min(max(moved, low), high)
