"""Earlier trials: other runs, another machine.

They are not this study's measurements: their best configurations are measured again first, and what
these show about the other machine's speed (the median ratio) corrects all earlier values. Then they
are observations like others, only noisier. Failures are taken as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybreak import Space, Trial
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.memory import Memory

__all__ = ["Past"]

Array = NDArray[np.float64]

#: earlier trials that are kept: all that failed or succeeded, up to so many each
_KEPT = 64
#: best earlier configurations that are measured again
_AGAIN = 3


class Past:
    """Earlier trials of the same space; trials of another are left out."""

    def __init__(self, space: Space, coding: Coding, trials: Sequence[Trial], sign: float) -> None:
        memory = Memory(space, coding)
        memory.tell(trials)
        rows, values = memory.succeeded
        order = np.argsort(sign * values, kind="stable")
        if len(order) > _KEPT:
            # the better half, and the rest evenly: how bad the bad ones are matters too
            half = _KEPT // 2
            rest = np.linspace(half, len(order) - 1, _KEPT - half).astype(np.intp)
            order = np.concatenate([order[:half], order[rest]])
        self._rows, self._values = rows[order], values[order]
        self.failed = memory.failed[-_KEPT:]

    def __len__(self) -> int:
        return len(self._rows) + len(self.failed)

    @property
    def best(self) -> Array:
        """The rows to measure again, best first."""
        return self._rows[:_AGAIN]

    def succeeded(self, rows: Array, values: Array) -> tuple[Array, Array]:
        """Return earlier rows and values, corrected by what was measured here.

        Args:
            rows: measured here, shape (n, parameters); these are left out of the answer.
            values: of the objective, shape (n,).
        """
        here = {row.tobytes(): float(value) for row, value in zip(rows, values, strict=True)}
        keys = [row.tobytes() for row in self._rows]
        ratios = [
            here[key] / float(value)
            for key, value in zip(keys, self._values, strict=True)
            if key in here and value > 0 and here[key] > 0
        ]
        left = np.array([key not in here for key in keys], dtype=np.bool_)
        factor = float(np.median(ratios)) if ratios else 1.0
        return self._rows[left], self._values[left] * factor
