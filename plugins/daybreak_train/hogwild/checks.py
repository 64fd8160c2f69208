"""Verification of `train/hogwild`: the compiled loops, run by one thread, against plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from daybreak import Verdict
from daybreak_train.hogwild import kernels, plain
from daybreak_train.hogwild.problems import SparseProblem
from daybreak_train.hogwild.runs import Rows, Settings
from daybreak_train.streams import PlainStream, new_streams

__all__ = ["check_loop"]

#: samples whose steps are calculated again in plain Python
_COUNT = 40


def check_loop(problem: SparseProblem, settings: Settings, rows: Rows) -> Verdict:
    """Compare the loop of the settings' mode and precisions, from a model drawn at random.

    Integers have to be equal bit by bit. Where only the model is integer, scores are sums in single
    precision, and a weight may differ by a unit of its grid; floats by the rounding of theirs.
    """
    rng = np.random.default_rng(7)
    bits = settings.model_bits
    whole = bits < 32
    start = rng.normal(size=rows.features)
    delta = 1.0
    if whole:
        delta = 4.0 / (2 ** (bits - 1) - 1)
        start = np.clip(np.rint(start / delta), 1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
    model: Any = start.astype({8: np.int8, 16: np.int16, 32: np.float32}[bits])
    unit = rows.unit * delta
    gain = 0.5 * rows.unit
    if whole:
        gain *= 2.0 ** kernels.POINTS[bits][0] / delta
    decay, batch = 0.01, min(settings.batch, 3)
    stream, order = new_streams((11,), 2)
    racing = settings.mode != "synchronous"
    theirs = PlainStream(stream)
    expected = plain.steps(
        problem.kind, rows, model.astype(np.float64), bits, unit, gain, decay, settings.rounding,
        batch, theirs if racing else PlainStream(order), theirs, _COUNT,
    )  # fmt: skip
    common = (
        problem.kind, rows.starts, rows.columns, rows.values, rows.labels, model, unit, gain,
        decay, settings.rounding, batch,
    )  # fmt: skip
    gate = np.zeros(2, dtype=np.int64)
    if racing:
        gate[1] = settings.mode == "locked"
        kernels.racing(settings.data_bits, bits)(*common, gate, stream, _COUNT)
    else:
        kernels.synchronous(settings.data_bits, bits)(
            *common, gate, 0, 1, np.zeros(batch), order, stream, 0, rows.features, _COUNT
        )
    apart = np.abs(model.astype(np.float64) - expected).max()
    message = f"{_COUNT} steps of one thread against plain Python"
    if whole:
        most = 0.0 if settings.data_bits < 32 else 1.0
        return Verdict(bool(apart <= most), float(apart), most, message + ", in units of the grid")
    error = float(apart / np.abs(expected).max())
    return Verdict(error <= 1e-5, error, 1e-5, message)
