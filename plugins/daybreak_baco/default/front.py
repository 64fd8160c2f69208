"""What is believed of several objectives: a model for each, and what would widen the front.

With two objectives the acquisition is the expected growth of the dominated hypervolume, on the
models' scale: logarithms in deviations, so that neither unit nor spread of an objective decides.
The reference point is the worst that counts: the median of what was measured, or the front's worst
where that lies beyond. With more objectives every proposal draws weights and improves on an
augmented Chebyshev sum of the objectives (Knowles 2006, "ParEGO"): what an exact hypervolume costs
grows steeply with their number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybreak import Direction, Metric
from daybreak_baco.default.acquisition import log_expected_improvement
from daybreak_baco.default.features import Features
from daybreak_baco.default.memory import Memory
from daybreak_baco.default.outputs import Outputs
from daybreak_baco.default.pareto import (
    chebyshev,
    log_expected_hypervolume_improvement,
    nondominated,
)
from daybreak_baco.default.surrogate import Surrogate
from daybreak_baco.gp import GaussianProcess

__all__ = ["Front"]

Array = NDArray[np.float64]

#: median of the noise variance's prior, deviation of its logarithm, and its smallest value
_NOISE, _FLOOR = (0.001, 1.0), 1e-6
#: how far beyond the worst that counts the reference lies, in deviations
_MARGIN = 0.1
#: objectives of which the hypervolume's growth is calculated
_EXACT = 2


class Front:
    """The models of several objectives, updated before each proposal.

    Attributes:
        good: rows of the observed Pareto front, then the rest.
    """

    def __init__(self, features: Features, objectives: Sequence[Metric], seed: int) -> None:
        self._features, self._objectives, self._seed = features, tuple(objectives), seed
        self._signs = [-1.0 if m.direction is Direction.MAXIMIZE else 1.0 for m in objectives]
        self._surrogates = [Surrogate(features.member, _NOISE, _FLOOR) for _ in objectives]
        self._scalar = Surrogate(features.member, _NOISE, _FLOOR)
        self._processes: list[GaussianProcess] = []
        self._outputs: list[Outputs] = []
        self._summed: tuple[GaussianProcess, float] | None = None
        self._front = np.zeros((0, len(self._objectives)))
        self._reference = np.zeros(len(self._objectives))
        self._x = np.zeros((0, features.width))
        self.good = np.zeros((0, 0))

    @property
    def trained(self) -> bool:
        """Whether the models have seen any value."""
        return bool(self._processes)

    def update(self, memory: Memory) -> None:
        """Fit a model of each objective to the trials that gave all of them."""
        rows, values = memory.measured
        self._processes, self._outputs, self._summed = [], [], None
        self.good = rows
        if not len(rows):
            return
        columns = zip(values.T, self._signs, strict=True)
        self._outputs = [Outputs(column, sign) for column, sign in columns]
        y = np.column_stack(
            [
                output.to_model(column)
                for output, column in zip(self._outputs, values.T, strict=True)
            ]
        )
        x = self._x = self._features.encode(rows)
        pending = self._features.encode(memory.pending)
        keep = nondominated(y)
        self._front = y[keep]
        self._reference = np.maximum(self._front.max(axis=0), np.median(y, axis=0)) + _MARGIN
        self.good = np.vstack([rows[keep], rows[~keep]])
        self._processes = [
            _believing(surrogate, x, column, pending)
            for surrogate, column in zip(self._surrogates, y.T, strict=True)
        ]
        if len(self._objectives) > _EXACT:
            rng = np.random.default_rng([self._seed, 2, len(memory) + len(pending)])
            summed = chebyshev(y, rng.dirichlet(np.ones(y.shape[1])))
            deviation = summed.std()
            summed = (summed - summed.mean()) / (deviation if deviation > 0 else 1.0)
            process = _believing(self._scalar, x, summed, pending)
            self._summed = process, float(process.predict(x)[0].min())

    def log_improvement(self, x: Array) -> Array:
        """Return the log of what candidates with features `x` are expected to add."""
        if not self._processes:
            return np.zeros(len(x))
        if self._summed is not None:
            process, incumbent = self._summed
            return log_expected_improvement(*_predict(process, x), incumbent)
        predicted = [_predict(process, x) for process in self._processes]
        return log_expected_hypervolume_improvement(
            np.column_stack([mean for mean, _ in predicted]),
            np.column_stack([deviation for _, deviation in predicted]),
            self._front,
            self._reference,
        )

    def describe(self, x: Array) -> dict[str, object]:
        """Return what is believed about one candidate, `x` of shape (1, columns), as JSON values."""
        if not self._processes:
            return {}
        believed: dict[str, dict[str, float]] = {}
        for metric, process, output in zip(
            self._objectives, self._processes, self._outputs, strict=True
        ):
            mean, deviation = _predict(process, x)
            centre, width = output.to_objective(float(mean[0]), float(deviation[0]))
            believed[metric.name] = {"mean": centre, "deviation": width}
        first = believed[self._objectives[0].name]
        return {**first, "objectives": believed}

    @property
    def spread(self) -> Array:
        """Variance of each column over its squared lengthscale, the mean over the objectives."""
        member = self._features.member
        scales = [s.hyperparameters.lengthscales[member] for s in self._surrogates]
        found: Array = np.mean([self._x.var(axis=0) / scale**2 for scale in scales], axis=0)
        return found

    @property
    def lengthscales(self) -> Array:
        """Geometric mean over the objectives of each group's lengthscale."""
        logs = [np.log(s.hyperparameters.lengthscales) for s in self._surrogates]
        found: Array = np.exp(np.mean(logs, axis=0))
        return found


def _believing(surrogate: Surrogate, x: Array, y: Array, pending: Array) -> GaussianProcess:
    """Fit, and take the model's mean for proposals whose result is not known yet."""
    process = surrogate.fit(x, y)
    if not len(pending):
        return process
    mean, _ = process.predict(pending)
    return surrogate.condition(np.vstack([x, pending]), np.concatenate([y, mean]))


def _predict(process: GaussianProcess, x: Array) -> tuple[Array, Array]:
    mean, variance = process.predict(x)
    floor = 1e-10 * process.hyperparameters.variance
    return mean, np.sqrt(np.maximum(variance, floor))
