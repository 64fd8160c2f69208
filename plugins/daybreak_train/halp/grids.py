"""Fixed-point grids: numbers of 8 or 16 bits with a common unit, as models and data are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from daybreak_train.halp import kernels

__all__ = ["GRIDS", "Grid"]

Integers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid of one width.

    Attributes:
        bits: width of a number.
        most: largest number used; the smallest that data have is -most.
        point: bits after the point in the update.
        number, pull, table: types of models and data, of what each step subtracts, of random bits.
        pull_most: largest size of what each step subtracts.
        steps, scores: the compiled loops.
    """

    bits: int
    most: int
    point: int
    number: DTypeLike
    pull: DTypeLike
    pull_most: int
    table: DTypeLike
    steps: Callable[..., None]
    scores: Callable[..., None]

    def unit(self, largest: float) -> float:
        """Return the unit with which numbers up to `largest` fit."""
        return largest / self.most

    def nearest(self, values: NDArray[Any], unit: float) -> Integers:
        """Return `values` in units, rounded to the nearest and stopped at the ends."""
        scaled = np.rint(np.asarray(values, dtype=np.float64) / unit)
        return np.clip(scaled, -self.most, self.most).astype(self.number)

    def pulls(self, values: NDArray[np.float64], rng: np.random.Generator) -> Integers:
        """Return `values` (in units of the model) in fixed point, rounded without bias."""
        scaled = np.floor(values * 2.0**self.point + rng.random(values.shape))
        scaled = np.nan_to_num(scaled, nan=0.0)
        return np.clip(scaled, -self.pull_most, self.pull_most).astype(self.pull)


#: by number of bits
GRIDS = {
    8: Grid(
        8, 127, 8, np.int8, np.int16, 32767, np.uint8, kernels.int8_steps, kernels.scores8
    ),
    16: Grid(
        16, 32767, 14, np.int16, np.int32, 1 << 29, np.uint16, kernels.int16_steps, kernels.scores16
    ),
}  # fmt: skip
