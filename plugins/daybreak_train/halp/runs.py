"""The algorithms of `train/halp`, one outer iteration at a time.

An iteration is what the paper's outer loop does once: full gradient, then the inner steps. Plain
SGD has no outer loop; its iteration is one pass over the data. Algorithm numbers are the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daybreak_train.halp.grids import GRIDS, Grid
from daybreak_train.halp.kernels import TABLE, fill_table, float_steps, full_pass
from daybreak_train.halp.problems import Problem
from daybreak_train.streams import new_streams

__all__ = ["FloatRun", "GridRun", "Run", "Settings", "quantised"]


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration with the words resolved.

    `reduced`: whether there are full gradients (SVRG, LP-SVRG, HALP); `centred`: HALP's bit
    centring. `mu` and `reach` (the largest weight) may be anything where they are not used.
    """

    reduced: bool
    centred: bool
    bits: int
    step: float
    inner: float
    mu: float
    reach: float

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration."""
        algorithm = configuration["algorithm"]
        return cls(
            reduced=algorithm in {"svrg", "lp-svrg", "halp"},
            centred=algorithm == "halp",
            bits=int(configuration["bits"]),
            step=float(configuration["step"]),
            inner=float(configuration["inner"]),
            mu=float(configuration["mu"]),
            reach=float(configuration["range"]),
        )


class Run(Protocol):
    """A training run in progress."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """The model, shape (rows, features)."""
        ...

    @property
    def steps(self) -> int:
        """Inner steps of one iteration."""
        ...

    def iterate(self) -> None:
        """Do one iteration."""
        ...

    def snapshot(self) -> None:
        """Take the full gradient at the present model, which is the outer part of an iteration."""
        ...


def quantised(problem: Problem, grid: Grid) -> tuple[NDArray[Any], float]:
    """Return the data on the grid, and their unit: the largest entry is the grid's largest."""
    unit = grid.unit(float(np.abs(problem.x).max()))
    return np.ascontiguousarray(grid.nearest(problem.x, unit)), unit


class _Common:
    """What both kinds of runs keep: the snapshot's scores and slopes, and the random stream."""

    def __init__(self, problem: Problem, settings: Settings, seed: int) -> None:
        samples, rows = len(problem.y), problem.rows
        self._problem = problem
        self._settings = settings
        self._stream = new_streams((seed, 0x4A1F), 1)[0]
        kept = samples if settings.reduced else 0
        self._scores = np.zeros((kept, rows))
        self._slopes = np.zeros((kept, rows))
        self._gradient = np.zeros_like(problem.start)

    @property
    def steps(self) -> int:
        """Inner steps of one iteration."""
        passes = self._settings.inner if self._settings.reduced else 1.0
        return max(1, round(passes * len(self._problem.y)))

    @property
    def weights(self) -> NDArray[np.float64]:
        """The model, shape (rows, features)."""
        raise NotImplementedError

    def snapshot(self) -> None:
        """Take scores, slopes and the mean gradient at the present model; algorithms with one."""
        weights, problem = self.weights, self._problem
        full_pass(
            problem.kind, problem.x, problem.y, problem.output, weights,
            self._scores, self._slopes, self._gradient,
        )  # fmt: skip


class FloatRun(_Common):
    """SGD (Algorithm 0 of any textbook) and SVRG (Algorithm 1) in single or double precision.

    Args:
        problem: what is trained.
        settings: bits 32 or 64.
        x: the data in that precision.
        seed: of the order of samples.
    """

    def __init__(self, problem: Problem, settings: Settings, x: NDArray[Any], seed: int) -> None:
        super().__init__(problem, settings, seed)
        self._x = x
        self._w = problem.start.astype(x.dtype)
        self._pull = np.zeros_like(self._w)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The model, shape (rows, features)."""
        return self._w.astype(np.float64)

    def iterate(self) -> None:
        """SGD: a pass. SVRG: a full gradient at the present model, and the inner steps from it."""
        problem, settings = self._problem, self._settings
        number = self._w.dtype.type
        if settings.reduced:
            # the penalty's gradient is taken exactly at every step, so it has no part in the pull
            self.snapshot()
            self._pull[:] = settings.step * self._gradient
        float_steps(
            problem.kind, self._x, problem.y, problem.output, self._w, self._slopes, self._pull,
            number(settings.step), number(1.0 - settings.step * problem.l2), self._stream, self.steps,
        )  # fmt: skip


class GridRun(_Common):
    """LP-SGD (Algorithm 2), LP-SVRG (Algorithm 3) and HALP (Algorithm 4).

    LP-SGD and LP-SVRG keep the model itself on a grid that reaches to +-`settings.reach`. HALP
    keeps its offset from a centre in double precision on a grid that is laid anew in each
    iteration: to +-|full gradient| / mu, which is where a function that is mu-strongly convex has
    its optimum.

    Args:
        problem: what is trained.
        settings: bits 8 or 16.
        q: the data on the grid.
        unit: the data's unit.
        seed: of the order of samples and of all rounding.
    """

    def __init__(
        self, problem: Problem, settings: Settings, q: NDArray[Any], unit: float, seed: int
    ) -> None:
        super().__init__(problem, settings, seed)
        self._grid = GRIDS[settings.bits]
        self._q = q
        self._unit = unit
        self._rng = np.random.default_rng([seed, 0x9B17])
        samples, rows = len(problem.y), problem.rows
        self._delta = self._grid.unit(settings.reach)
        self._centre = np.zeros_like(problem.start)
        self._z = self._grid.nearest(problem.start, self._delta)
        if settings.centred:
            self._centre[:] = problem.start
            self._z[:] = 0
        if not settings.reduced:
            self._scores = np.zeros((samples, rows))
            self._slopes = np.zeros((samples, rows))
        self._first = np.zeros((samples, rows), dtype=np.int64)
        self._pull = np.zeros(self._z.shape, dtype=self._grid.pull)
        self._table = np.zeros(TABLE + problem.start.shape[1], dtype=self._grid.table)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The model, shape (rows, features)."""
        return self._centre + self._delta * self._z

    def iterate(self) -> None:
        """LP-SGD: a pass. Others: a full gradient, bit centring for HALP, and the inner steps."""
        problem, settings, grid = self._problem, self._settings, self._grid
        if settings.reduced:
            centre = self.weights
            self.snapshot()
            gradient = self._gradient + problem.l2 * centre
            if settings.centred:
                self._centre[:] = centre
                self._z[:] = 0
                self._delta = grid.unit(float(np.linalg.norm(gradient)) / settings.mu)
                if not self._delta > 0.0:
                    return  # the gradient is zero: the optimum
                before = 0.0
            else:
                grid.scores(self._q, self._z, self._first)
                before = self._delta * self._z
            # each step shrinks Z by the penalty: only what that leaves out is pulled
            pull = gradient - problem.l2 * before
            self._pull = grid.pulls(settings.step / self._delta * pull, self._rng)
        fill_table(self._table, self._stream)
        gain = settings.step * self._unit / self._delta * 2.0**grid.point
        grid.steps(
            problem.kind, self._q, problem.y, problem.output, self._z, self._scores, self._first,
            self._slopes, self._pull, self._delta * self._unit, gain, settings.step * problem.l2,
            self._table, self._stream, self.steps,
        )  # fmt: skip
