"""A matrix in memory, and the jobs that find its leading subspace."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration, Event, Sample, Verdict, WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.matrix.alignment import misalignment, orthonormal
from daybreak_train.matrix.learner import Learner, Recipe
from daybreak_train.matrix.problem import Problem, load_problem
from daybreak_train.matrix.recovery import recovery_error
from daybreak_train.matrix.verification import verify
from daybreak_train.team import Team

__all__ = ["MatrixJob", "MatrixWorkload"]

#: a look at the model comes when the samples have grown by this factor, so that the time to a
#: target is known within it
_LOOK = 1.1
#: words in the entropy of what is drawn, besides the seed: start, samples, radial phase
_START, _SAMPLES, _RADIAL = 1, 2, 3


class MatrixWorkload:
    """One problem; see `daybreak_train.tasks.protocol.Workload`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._problem: Problem | None = load_problem(options)
        self.identity = {"data": self._problem.digest()}

    def build(self, configuration: Configuration) -> MatrixJob:
        """Convert the matrix to the configuration's precision and compile its kernel."""
        if self._problem is None:
            raise RuntimeError("the workload is closed")
        return MatrixJob(self._problem, self._options, Recipe.of(configuration, self._options))

    def close(self) -> None:
        """Forget the matrix."""
        self._problem = None


@dataclass
class _Model:
    """What the last training made: the model at the last look, and what was said of it."""

    seed: int
    array: NDArray[np.floating]
    said: float
    samples: int
    train_s: float


class MatrixJob:
    """One configuration; see `daybreak_train.tasks.protocol.Job`."""

    def __init__(self, problem: Problem, options: Mapping[str, Any], recipe: Recipe) -> None:
        self._problem = problem
        self._options = options
        self._recipe = recipe
        began = time.perf_counter()
        self._learner = Learner(problem, recipe)
        self.phases: Mapping[str, float] = {"compile": time.perf_counter() - began}
        self.facts: Mapping[str, Any] = {
            "columns": recipe.columns,
            "gap": problem.gap,
            "sample_bytes": self._learner.sample_bytes,
        }
        self._made: _Model | None = None

    def verify(self) -> Verdict:
        """Compare steps of the kernel with whole matrices in NumPy."""
        return verify(self._options, self._recipe)

    def train(self, seed: int, clock: TrainingClock) -> Iterator[Event]:
        """Train from a random start until the option `epochs` is used up."""
        problem, learner = self._problem, self._learner
        size = problem.size
        most = self._options["epochs"] * size
        start = np.random.default_rng([seed, _START])
        samples = 0
        with Team(self._recipe.threads) as team:
            with clock:
                learner.start(start, [seed, _SAMPLES])
            yield self._look(seed, samples, clock)
            while samples < most:
                until = min(most, max(samples + size, math.ceil(samples * _LOOK)))
                with clock:
                    learner.advance(team, samples, until)
                samples = until
                yield self._look(seed, samples, clock)

    def _look(self, seed: int, samples: int, clock: TrainingClock) -> Event:
        array = self._learner.model()
        said = misalignment(self._problem.basis, array)
        self._made = _Model(seed, array, said, samples, clock.train_s)
        return clock.event("misalignment", said, step=samples, epoch=samples / self._problem.size)

    def conclude(self) -> Iterable[Sample]:
        """Recover the matrix by the radial phase; compare with the exact answer.

        Raises:
            WrongResult: SciPy's angles to the exact subspace are not those of the curve.
        """
        import scipy.linalg

        made = self._made
        if made is None or not np.isfinite(made.said):
            return ()
        angles = scipy.linalg.subspace_angles(self._problem.basis, orthonormal(made.array))
        exact = float(np.sin(angles.max()) ** 2)
        if abs(exact - made.said) > 1e-6 + 1e-3 * exact:
            raise WrongResult(
                f"the squared sine of the largest angle is {exact:.6g} by "
                f"scipy.linalg.subspace_angles, but {made.said:.6g} on the curve"
            )
        random = np.random.default_rng([made.seed, _RADIAL])
        error = recovery_error(self._problem, self._options["sampler"], made.array, random)
        samples = [Sample("recovery_error", error)]
        if made.train_s > 0.0 and made.samples:
            samples.append(Sample("throughput", made.samples / made.train_s))
        return samples
