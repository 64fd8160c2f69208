"""A training run of `train/hogwild`, one pass over the data at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak_train.hogwild import kernels
from daybreak_train.hogwild.problems import SparseProblem
from daybreak_train.streams import new_streams
from daybreak_train.team import Team, shares

__all__ = ["MODES", "Rows", "Settings", "SparseRun", "rows_of"]

MODES = ("hogwild", "locked", "synchronous")
_ROUNDING = {"nearest": kernels.NEAREST, "fresh": kernels.FRESH, "shared": kernels.SHARED}
_TYPES = {8: np.int8, 16: np.int16, 32: np.float32}
_MOST = {8: 127, 16: 32767}


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration with its words resolved; `reach` is the largest weight on a grid."""

    mode: str
    threads: int
    data_bits: int
    model_bits: int
    rounding: int
    reach: float
    step: float
    decay: float
    batch: int

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration."""
        return cls(
            mode=str(configuration["mode"]),
            threads=int(configuration["threads"]),
            data_bits=int(configuration["data_bits"]),
            model_bits=int(configuration["model_bits"]),
            rounding=_ROUNDING[configuration["rounding"]],
            reach=float(configuration["range"]),
            step=float(configuration["step"]),
            decay=float(configuration["decay"]),
            batch=int(configuration["batch"]),
        )

    def sequential(self) -> Settings:
        """Return the same steps by one thread in single precision."""
        return Settings(
            "hogwild", 1, 32, 32, kernels.NEAREST, self.reach, self.step, self.decay, self.batch
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """The data in one precision: CSR arrays as the loops take them, and the unit of the values."""

    starts: NDArray[np.int64]
    columns: NDArray[Any]
    values: NDArray[Any]
    labels: NDArray[np.float64]
    unit: float
    features: int

    @property
    def nbytes(self) -> int:
        """Bytes that a pass reads."""
        return int(self.columns.nbytes + self.values.nbytes + self.starts.nbytes)


def rows_of(problem: SparseProblem, bits: int) -> Rows:
    """Return the data with `bits` per value, rounded to the nearest; columns in 16 bits if they fit."""
    features = int(problem.x.shape[1])
    narrow = features <= 1 << 16
    values, unit = problem.x.data, 1.0
    if bits < 32:
        unit = float(np.abs(values).max()) / _MOST[bits]
        values = np.rint(values.astype(np.float64) / unit)
    return Rows(
        starts=problem.x.indptr.astype(np.int64),
        columns=problem.x.indices.astype(np.uint16 if narrow else np.int32),
        values=np.ascontiguousarray(values, dtype=_TYPES[bits]),
        labels=problem.y,
        unit=unit,
        features=features,
    )


class SparseRun:
    """A model in training, from zero weights.

    Args:
        problem: what is trained.
        settings: how.
        rows: the data in the precision of the settings.
        team: the threads; as many as the settings say.
        seed: of the order of samples and of rounding.
    """

    def __init__(
        self, problem: SparseProblem, settings: Settings, rows: Rows, team: Team, seed: int
    ) -> None:
        self._problem = problem
        self._settings = settings
        self._rows = rows
        self._team = team
        self._streams = new_streams((seed, 0x3C0D), settings.threads)
        self._order = new_streams((seed, 0x0D0E), 1)[0]
        self._model = np.zeros(rows.features, dtype=_TYPES[settings.model_bits])
        self._delta = 1.0
        if settings.model_bits < 32:
            self._delta = settings.reach / _MOST[settings.model_bits]
        # one lock, or a barrier's two words, each in a cache line that holds nothing else
        self._lock = np.zeros(32, dtype=np.int64)[8:24]
        self._lock[1] = settings.mode == "locked"
        self._slopes = np.zeros(settings.batch)
        self._step = settings.step

    @property
    def weights(self) -> NDArray[np.float64]:
        """The model, shape (features,)."""
        return self._delta * self._model.astype(np.float64)

    def advance(self, samples: int) -> None:
        """Train on `samples` samples, divided among the threads, with the present step."""
        settings = self._settings
        common = self._common()
        if settings.mode == "synchronous":
            self._advance_in_step(common, samples)
            return
        loop = kernels.racing(settings.data_bits, settings.model_bits)
        self._team.run(
            loop,
            [
                (*common, self._lock, stream, share)
                for stream, share in zip(
                    self._streams, shares(samples, settings.threads), strict=True
                )
            ],
        )

    def end_pass(self) -> None:
        """Shrink the step, as the paper does after every pass."""
        self._step *= self._settings.decay

    def _common(self) -> tuple[Any, ...]:
        rows, settings = self._rows, self._settings
        gain = self._step * rows.unit
        if settings.model_bits < 32:
            gain *= 2.0 ** kernels.POINTS[settings.model_bits][0] / self._delta
        return (
            self._problem.kind, rows.starts, rows.columns, rows.values, rows.labels, self._model,
            rows.unit * self._delta, gain, self._step * self._problem.l2, settings.rounding,
            settings.batch,
        )  # fmt: skip

    def _advance_in_step(self, common: tuple[Any, ...], samples: int) -> None:
        settings, threads = self._settings, self._settings.threads
        loop: Callable[..., None] = kernels.synchronous(settings.data_bits, settings.model_bits)
        bounds = self._bounds(threads)
        self._lock[:2] = 0
        orders = [self._order.copy() for _ in range(threads)]
        self._team.run(
            loop,
            [
                (
                    *common, self._lock, me, threads, self._slopes, orders[me], self._streams[me],
                    bounds[me], bounds[me + 1], samples,
                )
                for me in range(threads)
            ],
        )  # fmt: skip
        self._order = orders[0]

    def _bounds(self, threads: int) -> list[int]:
        """Return where each thread's features begin, so that all have as many numbers to update."""
        share = np.cumsum(self._problem.frequency)
        wanted = share[-1] * np.arange(1, threads) / threads
        return [0, *(int(place) + 1 for place in np.searchsorted(share, wanted)), len(share)]
