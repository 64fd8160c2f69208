"""The model that training changes: its precision, its steps, its renormalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration
from daybreak_train.matrix import kernels
from daybreak_train.matrix.alignment import orthonormal
from daybreak_train.matrix.problem import Problem
from daybreak_train.streams import new_streams
from daybreak_train.team import Team, shares

__all__ = ["Learner", "Recipe", "integer_matrix", "integer_model", "integer_step"]

#: e-folds by which a model may grow between two renormalisations: floats have the room, int16 not
_GROWTH = {"float64": 8.0, "float32": 8.0, "int16": 1.5}
#: relative change of the step size within one stretch, over which it is held constant
_STEP_CHANGE = 0.5
#: largest entry of an int16 model after renormalisation; three bits are left for its growth
_INT16_TOP = 4096
_INT16_MOST = 32767


@dataclass(frozen=True, slots=True)
class Recipe:
    """A configuration in the words of this package.

    Attributes:
        sampler: `entries`, `trace` or `subspace`.
        columns: width c of the model.
        step: first step in units of 1/n.
        decay: the step after t epochs is step / (1 + decay step t).
        residual: whether a sample is lessened by what the model explains already.
        precision: `float64`, `float32` or `int16`.
        stochastic: int16: rounded at random, not to the nearest.
        threads: members of the team that shares the model.
    """

    sampler: str
    columns: int
    step: float
    decay: float
    residual: bool
    precision: str
    stochastic: bool
    threads: int

    @classmethod
    def of(cls, configuration: Configuration, options: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a configuration of `train/matrix-sgd`."""
        return cls(
            sampler=options["sampler"],
            columns=options["rank"] + int(_number(configuration["extra"])),
            step=_number(configuration["step"]),
            decay=_number(configuration["decay"]),
            residual=configuration["rule"] == "residual",
            precision=str(configuration["precision"]),
            stochastic=configuration.get("rounding", "stochastic") == "stochastic",
            threads=int(_number(configuration["threads"])),
        )

    def step_at(self, epoch: float) -> float:
        """Return the step after `epoch` epochs, in units of 1/n."""
        return self.step / (1.0 + self.decay * self.step * epoch)

    def stretch(self, epoch: float) -> float:
        """Return for how many epochs the step may be held, and the model left to grow."""
        step = self.step_at(epoch)
        longest = _GROWTH[self.precision] / step
        return min(longest, _STEP_CHANGE / (self.decay * step)) if self.decay else longest


class Learner:
    """A model with its matrix at the recipe's precision; made once, started for every training."""

    def __init__(self, problem: Problem, recipe: Recipe) -> None:
        self._problem = problem
        self._recipe = recipe
        self._size = problem.size
        if recipe.precision == "int16":
            self._data, self._unit = integer_matrix(problem.matrix)
        else:
            source = {
                "entries": problem.matrix,
                "trace": problem.factor,
                "subspace": problem.rows,
            }[recipe.sampler]
            self._data, self._unit = source.astype(recipe.precision), 1.0
        self._model: NDArray[Any] = np.zeros((0, 0))
        self._streams = new_streams([0], recipe.threads)
        self.sample_bytes = self._data.nbytes
        # compile: no step is taken
        self._store(np.eye(self._size, recipe.columns))
        self._kernel(np.zeros(8, dtype=np.uint64), 0.0, 0)

    def start(self, random: np.random.Generator, entropy: Sequence[int]) -> None:
        """Draw a random model (paper: a normal matrix) and take new streams."""
        normal = random.standard_normal((self._size, self._recipe.columns))
        self._store(normal / math.sqrt(self._size))
        self._streams = new_streams(entropy, self._recipe.threads)

    def model(self) -> NDArray[np.floating]:
        """Return a copy of the model as floats, shape (n, c); an int16 model's scale is left out."""
        if self._recipe.precision == "int16":
            return self._model.astype(np.float64)
        return np.array(self._model)

    def advance(self, team: Team, samples: int, until: int) -> None:
        """Train from `samples` to `until` samples seen, renormalising on the way."""
        while samples < until:
            epoch = samples / self._size
            count = max(1, int(self._recipe.stretch(epoch) * self._size))
            count = min(count, until - samples)
            eta = self._recipe.step_at(epoch) / self._size
            team.run(
                self._kernel,
                [
                    (stream, eta, share)
                    for stream, share in zip(
                        self._streams, shares(count, team.threads), strict=True
                    )
                ],
            )
            samples += count
            if not self._recipe.residual:
                # only the span counts (paper, section 2): any basis of it goes on as well
                self._store(orthonormal(self._model))

    def _kernel(self, stream: NDArray[np.uint64], eta: float, count: int) -> None:
        """Take `count` steps with the rule's step `eta`."""
        problem, recipe = self._problem, self._recipe
        if recipe.precision == "int16":
            factor, shift = integer_step(eta * self._size**2 * self._unit)
            kernels.entries_int16(
                self._model,
                self._data,
                problem.positions,
                factor,
                shift,
                recipe.stochastic,
                count,
                stream,
            )
        elif recipe.sampler == "entries":
            kernels.entries(
                self._model, self._data, problem.positions, eta, recipe.residual, count, stream
            )
        elif recipe.sampler == "trace":
            kernels.trace(self._model, self._data, eta, recipe.residual, count, stream)
        else:
            kernels.subspace(
                self._model, self._data, problem.observed, eta, recipe.residual, count, stream
            )

    def _store(self, model: NDArray[np.floating]) -> None:
        if self._recipe.precision == "int16":
            self._model = integer_model(model)
        else:
            self._model = np.ascontiguousarray(model, dtype=self._recipe.precision)


def integer_matrix(matrix: NDArray[np.float64]) -> tuple[NDArray[np.int16], float]:
    """Return `matrix` as int16 to the nearest, and the value of one unit."""
    unit = float(np.abs(matrix).max()) / _INT16_MOST
    return np.rint(matrix / unit).astype(np.int16), unit


def integer_model(model: NDArray[np.floating]) -> NDArray[np.int16]:
    """Return `model` as int16, its largest entry at 2^12; the scale itself means nothing."""
    top = float(np.abs(model).max())
    return np.rint(np.asarray(model, dtype=np.float64) * (_INT16_TOP / top)).astype(np.int16)


def integer_step(step: float) -> tuple[int, int]:
    """Return (factor, shift) with factor / 2^shift nearest to `step`, and a shift of 17 to 47.

    The factor has 15 bits, or more for steps above 1/4; with two int16 the product fits into 64
    bits for steps below 2^14.
    """
    if step <= 0.0:
        return 0, 17
    shift = min(47, max(17, 14 - math.floor(math.log2(step))))
    return round(math.ldexp(step, shift)), shift


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)
