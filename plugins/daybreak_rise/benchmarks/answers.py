"""What a kernel's result must be, and how far off it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from daybreak import Verdict

__all__ = ["Expected", "rounding"]

Array = np.ndarray[Any, Any]

#: unit roundoff of single precision
_U32 = float(np.finfo(np.float32).eps) / 2


def rounding(terms: int) -> float:
    """Return how far a float32 sum of `terms` products may be off, relative to |terms| summed.

    Summing n terms in any order errs by at most about n u (Higham, Accuracy and Stability of
    Numerical Algorithms, section 4.2); 8 more for the products, constants and other operations.
    """
    return (terms + 8) * _U32


@dataclass(frozen=True)
class Expected:
    """The independent answer.

    Attributes:
        values: float64 (or integers), in the output's shape.
        scale: for each of them the magnitude that `tolerance` is relative to.
        tolerance: the allowed deviation.
        close: for results that pick one of several (the nearest of some clusters): a mask of the
            elements where two choices are as good within rounding, which may be either.
        either: the second choice for those.
    """

    values: Array
    scale: Array | float
    tolerance: float
    close: Array | None = None
    either: Array | None = None

    def compare(self, output: Array) -> Verdict:
        """Compare an output with the answer."""
        if output.shape != self.values.shape:
            return Verdict(
                False, float("inf"), self.tolerance,
                f"the result is {output.shape}, not {self.values.shape}",
            )  # fmt: skip
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            deviation = np.abs(output.astype(np.float64) - self.values)
            relative = deviation / np.maximum(self.scale, np.finfo(np.float32).tiny)
        if self.close is not None and self.either is not None:
            relative[self.close & (output == self.either)] = 0.0
        fine = relative <= self.tolerance
        error = float(relative.max()) if relative.size else 0.0
        if bool(fine.all()):
            return Verdict(True, error, self.tolerance)
        bad = np.argwhere(~fine)
        where = tuple(int(place) for place in bad[0])
        message = (
            f"{len(bad)} of {relative.size} elements are wrong; element {list(where)} is "
            f"{output[where]:.6g} instead of {self.values[where]:.6g}"
        )
        return Verdict(False, float("inf") if np.isnan(error) else error, self.tolerance, message)
