"""What is known: told trials and proposals still out, each configuration once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from daybreak import Space, SpaceError, Trial
from daybreak_baco.default.coding import Coding

__all__ = ["Memory"]

Array = NDArray[np.float64]

#: of the normal distribution, for a central 95 %
_QUANTILE = 1.96


class Memory:
    """Rows with their outcomes.

    Args:
        space: of the problem.
        coding: of its configurations as rows.
        objectives: names, for several of them; a trial without all of them has failed.

    A configuration that is told again takes its newest outcome. A stopped trial counts with what
    was seen of it: it was stopped because that was far too slow. A value that is no finite number
    counts as a failure.
    """

    def __init__(self, space: Space, coding: Coding, objectives: Sequence[str] = ()) -> None:
        self._space, self._coding = space, coding
        self._objectives = tuple(objectives)
        self._told: dict[bytes, tuple[Array, Array | None]] = {}
        self._errors: dict[bytes, float] = {}
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
        """Rows that succeeded and their values of the first objective."""
        rows, values = self.measured
        return rows, values[:, 0]

    @property
    def measured(self) -> tuple[Array, Array]:
        """Rows that succeeded and their values, shape (n, objectives)."""
        good = [(row, values) for row, values in self._told.values() if values is not None]
        rows = self._stack(row for row, _ in good)
        columns = max(1, len(self._objectives))
        return rows, np.array([values for _, values in good]).reshape(-1, columns)

    @property
    def error(self) -> float | None:
        """Standard error of the first objective, relative to it: the median over trials.

        It comes from the confidence intervals that repeated measurements gave; None without any.
        """
        return float(np.median(list(self._errors.values()))) if self._errors else None

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
            self._pending.pop(key, None)
            self._told[key] = (row, self._values(trial))
            error = _relative_error(trial)
            if error is not None:
                self._errors[key] = error

    def _values(self, trial: Trial) -> Array | None:
        found = [trial.objective]
        if self._objectives and trial.ok:
            found = [trial.outcome.objectives.get(name) for name in self._objectives]
        if any(value is None or not math.isfinite(value) for value in found):
            return None
        return np.array(found, dtype=np.float64)

    def _stack(self, rows: Iterable[Array]) -> Array:
        listed = list(rows)
        return np.array(listed) if listed else np.zeros((0, len(self._coding.domains)))


def _relative_error(trial: Trial) -> float | None:
    """Return half the 95 % interval in normal deviations, as a part of the value."""
    value, low, high = trial.objective, trial.outcome.low, trial.outcome.high
    if value is None or low is None or high is None or not value > 0:
        return None
    error = (high - low) / (2 * _QUANTILE * value)
    return error if math.isfinite(error) and error >= 0 else None
