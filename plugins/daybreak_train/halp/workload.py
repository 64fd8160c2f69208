"""`train/halp` in the worker: the data, the optimum, and jobs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration, Event, Sample, Verdict, WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.halp import checks
from daybreak_train.halp.grids import GRIDS
from daybreak_train.halp.objective import Objective
from daybreak_train.halp.problems import KINDS, Problem, load_problem
from daybreak_train.halp.runs import FloatRun, GridRun, Run, Settings, quantised

__all__ = ["HalpJob", "HalpWorkload"]


class HalpWorkload:
    """The problem in memory, with its data in every precision that was asked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.problem = load_problem(options)
        self.objective = Objective(self.problem)
        self.epochs = int(options["epochs"])
        self.identity = {"data": self.problem.digest()}
        if self.problem.convex:
            self.objective.optimum()
        self.start_norm = float(
            np.linalg.norm(self.objective.loss_and_gradient(self.problem.start)[1])
        )
        self._data: dict[int, tuple[NDArray[Any], float]] = {}

    def data(self, bits: int) -> tuple[NDArray[Any], float]:
        """Return the training data with `bits` per number, and their unit (1 for floats)."""
        if bits not in self._data:
            if bits in GRIDS:
                self._data[bits] = quantised(self.problem, GRIDS[bits])
            else:
                number = np.float32 if bits == 32 else np.float64
                self._data[bits] = self.problem.x.astype(number, copy=False), 1.0
        return self._data[bits]

    def build(self, configuration: Configuration) -> HalpJob:
        """Compile the loops that this precision needs."""
        return HalpJob(self, configuration)

    def close(self) -> None:
        """Drop the data."""
        self._data.clear()


class HalpJob:
    """One configuration, compiled."""

    def __init__(self, workload: HalpWorkload, configuration: Configuration) -> None:
        began = time.perf_counter()
        self._workload = workload
        self._settings = Settings.of(configuration)
        self._x, self._unit = workload.data(self._settings.bits)
        prepared = time.perf_counter()
        # verifying calls every loop once: compiling has to be part of building
        self._verdicts = self._check()
        self._weights = workload.problem.start
        self._last: Event | None = None
        self._taken = 0
        self.phases: Mapping[str, float] = {
            "quantise": prepared - began,
            "compile": time.perf_counter() - prepared,
        }
        self.facts: Mapping[str, Any] = {
            "data_bytes": int(self._x.nbytes),
            "rows": workload.problem.rows,
            "features": int(self._x.shape[1]),
            "samples": len(self._x),
        }

    def _check(self) -> list[Verdict]:
        problem = self._workload.problem
        found = []
        if self._settings.bits in GRIDS:
            found.append(checks.check_integers(problem, self._settings.bits, self._x))
        else:
            found.append(checks.check_floats(problem, self._x))
        if self._settings.reduced:
            found.append(checks.check_gradient(problem, self._workload.objective))
        return found

    def verify(self) -> Verdict:
        """Return the first comparison with plain NumPy that failed, or the last."""
        return next((one for one in self._verdicts if not one.correct), self._verdicts[-1])

    def start(self, seed: int) -> Run:
        """Return a new run from the start."""
        settings, problem = self._settings, self._workload.problem
        if settings.bits in GRIDS:
            return GridRun(problem, settings, self._x, self._unit, seed)
        return FloatRun(problem, settings, self._x, seed)

    def train(self, seed: int, clock: TrainingClock) -> Iterator[Event]:
        """Train from the start; a look before, and one after each iteration."""
        settings, problem = self._settings, self._workload.problem
        run = self.start(seed)
        passes = run.steps / len(problem.y) + (1.0 if settings.reduced else 0.0)
        step, epoch = 0, 0.0
        self._taken = 0
        yield from self._look(run, clock, step, epoch)
        while epoch < self._workload.epochs:
            with clock:
                run.iterate()
            step += run.steps
            epoch += passes
            self._taken = step
            yield from self._look(run, clock, step, epoch)

    def _look(self, run: Run, clock: TrainingClock, step: int, epoch: float) -> Iterator[Event]:
        workload = self._workload
        weights = run.weights
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradient = workload.objective.loss_and_gradient(weights)
            norm = float(np.linalg.norm(gradient)) / workload.start_norm
        self._weights = weights
        self._last = clock.event("gradient_norm", norm, step=step, epoch=epoch)
        if math.isfinite(loss):
            yield clock.event("loss", loss, step=step, epoch=epoch)
            if workload.problem.convex:
                # rounding may leave it a little below zero at the optimum
                gap = max(loss - workload.objective.optimum()[1], 0.0)
                yield clock.event("loss_gap", gap, step=step, epoch=epoch)
        yield self._last

    def conclude(self) -> Iterable[Sample]:
        """Judge the model by SciPy's optimum or by finite differences, and by held-out data.

        Raises:
            WrongResult: the gradient norm of the last event cannot be right.
        """
        workload, weights = self._workload, self._weights
        problem, objective = workload.problem, workload.objective
        last = self._last
        if last is None or not np.isfinite(weights).all():
            return
        if problem.convex:
            optimum, _ = objective.optimum()
            away = float(np.linalg.norm(weights - optimum))
            _check_bound(last.value * workload.start_norm, away, problem)
            yield Sample("distance", away / float(np.linalg.norm(optimum)))
        else:
            _check_slope(last.value * workload.start_norm, weights, objective)
        if last.train_s:
            yield Sample("steps_per_s", self._taken / last.train_s)
        measure = objective.test_measure(weights)
        linear = problem.kind == KINDS["linear"]
        yield Sample("test_error" if linear else "test_accuracy", measure)


def _check_bound(norm: float, away: float, problem: Problem) -> None:
    """Check that |gradient| >= l2 * |w - optimum|, as l2-strong convexity demands."""
    # the optimum itself is known to about this much
    if problem.l2 * away > norm * (1.0 + 1e-6) + 1e-9:
        raise WrongResult(
            f"the gradient's norm is {norm:.3g}, yet the optimum that SciPy found is {away:.3g} "
            f"away: at least {problem.l2 * away:.3g} was due"
        )


def _check_slope(norm: float, weights: NDArray[np.float64], objective: Objective) -> None:
    """Check the gradient's norm by the loss's slope along the gradient, by finite differences."""
    gradient = objective.loss_and_gradient(weights)[1]
    size = float(np.linalg.norm(gradient))
    if size < 1e-5:
        return  # differences of losses no longer tell it from rounding
    along = gradient / size
    width = 1e-4
    slope = (objective.loss(weights + width * along) - objective.loss(weights - width * along)) / (
        2.0 * width
    )
    if abs(slope - norm) > 0.01 * norm + 1e-6:
        raise WrongResult(
            f"the gradient's norm is {norm:.3g}, but the loss falls by {slope:.3g} along it"
        )
