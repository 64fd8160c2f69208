"""What is known: told trials and proposals still out, each configuration once."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from daybreak import Space, SpaceError, Trial
from daybreak_baco.default.coding import Coding

__all__ = ["Memory"]

Array = NDArray[np.float64]


class Memory:
    """Rows with their outcomes.

    A configuration that is told again takes its newest outcome. A stopped trial counts with what
    was seen of it: it was stopped because that was far too slow. A value that is no finite number
    counts as a failure.
    """

    def __init__(self, space: Space, coding: Coding) -> None:
        self._space, self._coding = space, coding
        self._told: dict[bytes, tuple[Array, float | None]] = {}
        self._pending: dict[bytes, Array] = {}

    def __len__(self) -> int:
        return len(self._told)

    @property
    def known(self) -> set[bytes]:
        """Keys of all rows told or proposed."""
        return self._told.keys() | self._pending.keys()

    @property
    def pending(self) -> Array:
        """Rows proposed and not told, shape (n, parameters)."""
        return self._stack(self._pending.values())

    @property
    def failed(self) -> Array:
        """Rows that failed."""
        return self._stack(row for row, value in self._told.values() if value is None)

    @property
    def succeeded(self) -> tuple[Array, Array]:
        """Rows that succeeded and their values."""
        good = [(row, value) for row, value in self._told.values() if value is not None]
        rows = self._stack(row for row, _ in good)
        return rows, np.array([value for _, value in good], dtype=np.float64)

    def propose(self, row: Array) -> None:
        """Remember a row as proposed."""
        self._pending[row.tobytes()] = row

    def tell(self, trials: Iterable[Trial]) -> None:
        """Take trials; those of configurations outside the space are left out."""
        for trial in trials:
            try:
                row: Array = self._coding.codes([self._space.normalise(trial.configuration)])[0]
            except SpaceError:
                continue
            key = row.tobytes()
            value = trial.objective
            usable = value is not None and math.isfinite(value)
            self._pending.pop(key, None)
            self._told[key] = (row, float(value) if usable and value is not None else None)

    def _stack(self, rows: Iterable[Array]) -> Array:
        listed = list(rows)
        return np.array(listed) if listed else np.zeros((0, len(self._coding.domains)))
