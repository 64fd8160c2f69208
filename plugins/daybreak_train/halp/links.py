"""The models' loss derivatives for one sample, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from daybreak_train.halp.problems import KINDS

__all__ = ["link"]

_LINEAR, _LOGISTIC, _NETWORK = KINDS["linear"], KINDS["logistic"], KINDS["network"]


@njit(nogil=True)
def link(kind, scores, target, output, slopes, work):  # type: ignore[no-untyped-def]
    """Put the derivative of a sample's loss by each of its scores into `slopes`.

    `scores` are x . w for each row w of the weights, shape (rows,); `output` the network's fixed
    weights, shape (classes, rows); `work` has room for every class.
    """
    rows = scores.shape[0]
    if kind == _LINEAR:
        slopes[0] = scores[0] - target
        return
    if kind == _LOGISTIC:
        slopes[0] = -target / (1.0 + math.exp(target * scores[0]))
        return
    if kind == _NETWORK:
        classes = output.shape[0]
        for c in range(classes):
            work[c] = 0.0
        for r in range(rows):
            slopes[r] = math.tanh(scores[r])
            for c in range(classes):
                work[c] += output[c, r] * slopes[r]
    else:
        classes = rows
        for c in range(classes):
            work[c] = scores[c]
    _softmax(work[:classes])
    work[np.int64(target)] -= 1.0
    if kind == _NETWORK:
        for r in range(rows):
            back = 0.0
            for c in range(classes):
                back += output[c, r] * work[c]
            slopes[r] = back * (1.0 - slopes[r] * slopes[r])
    else:
        for c in range(classes):
            slopes[c] = work[c]


@njit(nogil=True)
def _softmax(scores):  # type: ignore[no-untyped-def]
    top = scores[0]
    for c in range(1, scores.shape[0]):
        top = max(top, scores[c])
    total = 0.0
    for c in range(scores.shape[0]):
        scores[c] = math.exp(scores[c] - top)
        total += scores[c]
    for c in range(scores.shape[0]):
        scores[c] /= total
