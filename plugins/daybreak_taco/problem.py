"""A kernel's data in memory, and what its result must be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from daybreak import UserError, Verdict
from daybreak_taco.tensors import Tensor

__all__ = ["Expected", "Problem", "check_positions", "digest"]

#: TACO's code counts positions in 32 bits
_LARGEST = 2**31 - 1
_FLOOR = 1e-10


@dataclass(frozen=True)
class Expected:
    """The independent reference result.

    Attributes:
        values: the expected elements, float64.
        scale: for each of them the sum of the absolute values of its terms.
        positions: where they stand in the flat output; None: everywhere, and in order. All other
            elements must be zero.
        terms: the largest number of terms of one element.
    """

    values: np.ndarray[Any, Any]
    scale: np.ndarray[Any, Any]
    positions: np.ndarray[Any, Any] | None
    terms: int

    @property
    def tolerance(self) -> float:
        """Allowed deviation relative to `scale`.

        Summing n terms in any order errs by at most about n u times the sum of their absolute
        values (u = 1.1e-16, Higham, Accuracy and Stability of Numerical Algorithms, section 4.2);
        twice that, for the products and the reference's own error, and not below 1e-10.
        """
        return max(_FLOOR, 2.0 * self.terms * float(np.finfo(np.float64).eps))

    def compare(self, output: np.ndarray[Any, Any]) -> Verdict:
        """Compare a flat output with the reference; elements off the positions are cleared."""
        found = output if self.positions is None else output[self.positions]
        # The smallest normal number keeps 0/0 apart from a real deviation where nothing adds up.
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            deviation = np.abs(found - self.values)
            relative = deviation / np.maximum(self.scale, np.finfo(np.float64).tiny)
        error = float(relative.max()) if relative.size else 0.0
        correct = bool((relative <= self.tolerance).all())
        message = ""
        if not correct:
            bad = np.flatnonzero(~(relative <= self.tolerance))
            where = int(bad[0]) if self.positions is None else int(self.positions[bad[0]])
            message = (
                f"{bad.size} of {relative.size} elements are wrong; element {where} is "
                f"{found[bad[0]]:.6g} instead of {self.values[bad[0]]:.6g}"
            )
        if correct and self.positions is not None:
            output[self.positions] = 0.0
            stray = np.flatnonzero(output)
            if stray.size:
                correct = False
                error = float("inf")
                message = f"{stray.size} elements that must be zero are not, first {int(stray[0])}"
        if np.isnan(error):
            error = float("inf")
        return Verdict(correct, error, self.tolerance, message)


@dataclass(frozen=True)
class Problem:
    """One kernel's operands.

    Attributes:
        inputs: input tensors in the order in which the expression names them.
        shape: dimensions of the dense output.
        sizes: size of every index variable of the expression.
        expected: the reference.
        flops: floating-point operations that the mathematics asks for.
        least_bytes: bytes that any correct kernel must move at least once: the stored values and
            innermost coordinates of the sparse operand, and the output.
    """

    inputs: tuple[Tensor, ...]
    shape: tuple[int, ...]
    sizes: dict[str, int]
    expected: Expected
    flops: float
    least_bytes: float


def check_positions(shape: tuple[int, ...], what: str) -> None:
    """Refuse a dense array whose positions do not fit the 32-bit integers of TACO's code.

    Raises:
        UserError: it has too many elements.
    """
    count = 1
    for size in shape:
        count *= size
    if count > _LARGEST:
        raise UserError(
            f"{what} would have {' x '.join(map(str, shape))} = {count:.3g} elements",
            expected=f"at most {_LARGEST}: TACO's code counts positions in 32 bits",
            remedy="use smaller data or fewer columns",
        )


def digest(*arrays: np.ndarray[Any, Any]) -> str:
    """Return a hash (32 hex digits) of arrays with their shapes and types."""
    made = hashlib.sha256()
    for array in arrays:
        made.update(f"{array.dtype.str}{array.shape}".encode())
        made.update(np.ascontiguousarray(array).data)
    return made.hexdigest()[:32]
