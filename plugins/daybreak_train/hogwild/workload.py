"""`train/hogwild` in the worker: the data, the optimum, and jobs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from daybreak import Configuration, Event, Sample, Verdict, WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.hogwild.checks import check_loop
from daybreak_train.hogwild.objective import SparseObjective
from daybreak_train.hogwild.problems import load_problem
from daybreak_train.hogwild.runs import Rows, Settings, SparseRun, rows_of
from daybreak_train.team import Team

__all__ = ["HogwildJob", "HogwildWorkload"]


class HogwildWorkload:
    """The problem in memory, with its data in every precision that was asked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.problem = load_problem(options)
        self.objective = SparseObjective(self.problem)
        self.epochs = int(options["epochs"])
        self.identity = {"data": self.problem.digest()}
        self.sparsity = self.problem.sparsity()
        self._rows: dict[int, Rows] = {}

    def rows(self, bits: int) -> Rows:
        """Return the training data with `bits` per value."""
        if bits not in self._rows:
            self._rows[bits] = rows_of(self.problem, bits)
        return self._rows[bits]

    def build(self, configuration: Configuration) -> HogwildJob:
        """Compile the loop of this mode and these precisions."""
        return HogwildJob(self, configuration)

    def close(self) -> None:
        """Drop the data."""
        self._rows.clear()


class HogwildJob:
    """One configuration, compiled."""

    def __init__(self, workload: HogwildWorkload, configuration: Configuration) -> None:
        began = time.perf_counter()
        self._workload = workload
        self._settings = Settings.of(configuration)
        self._rows = workload.rows(self._settings.data_bits)
        prepared = time.perf_counter()
        # verifying calls the loop once: compiling has to be part of building
        self._verdict = check_loop(workload.problem, self._settings, self._rows)
        self._weights = np.zeros(self._rows.features)
        self._last: Event | None = None
        self._seed = 0
        self.phases: Mapping[str, float] = {
            "quantise": prepared - began,
            "compile": time.perf_counter() - prepared,
        }
        self.facts: Mapping[str, Any] = {
            "signature": f"D{self._settings.data_bits}M{self._settings.model_bits}",
            "data_bytes": self._rows.nbytes,
            **workload.sparsity,
        }

    def verify(self) -> Verdict:
        """Return the comparison of the loop with plain Python."""
        return self._verdict

    def train(self, seed: int, clock: TrainingClock) -> Iterator[Event]:
        """Train from zero weights; a look before, and one after each pass."""
        samples = len(self._rows.labels)
        self._seed = seed
        with Team(self._settings.threads) as team:
            run = SparseRun(self._workload.problem, self._settings, self._rows, team, seed)
            # the threads are started by their first work: not part of training either
            run.advance(0)
            yield from self._look(run, clock, 0)
            for epoch in range(1, self._workload.epochs + 1):
                with clock:
                    run.advance(samples)
                run.end_pass()
                yield from self._look(run, clock, epoch)

    def _look(self, run: SparseRun, clock: TrainingClock, epoch: int) -> Iterator[Event]:
        objective = self._workload.objective
        weights = run.weights
        loss = objective.loss(weights)
        excess = objective.excess(weights)
        step = epoch * len(self._rows.labels)
        self._weights = weights
        self._last = clock.event("excess_loss", excess, step=step, epoch=epoch)
        if math.isfinite(loss):
            yield clock.event("loss", loss, step=step, epoch=epoch)
        yield self._last

    def conclude(self) -> Iterable[Sample]:
        """Judge the model by scikit-learn's loss, by one thread in full precision, by held-out data.

        Raises:
            WrongResult: scikit-learn finds another loss.
        """
        last, objective = self._last, self._workload.objective
        if last is None or not np.isfinite(self._weights).all():
            return
        expected = objective.independent_loss(self._weights)
        found = objective.loss(self._weights)
        if abs(found - expected) > 1e-6 * max(1.0, abs(expected)):
            raise WrongResult(f"the loss is {found:.9g}, scikit-learn finds {expected:.9g}")
        yield Sample("test_accuracy", objective.accuracy(self._weights))
        if last.step and last.train_s:
            yield Sample("updates_per_s", last.step / last.train_s)
            used = self._workload.sparsity["nonzeros"] * (last.epoch or 0.0)
            yield Sample("gnps", used / last.train_s / 1e9)
        sequential = self._sequential(round(last.epoch or 0.0))
        if math.isfinite(sequential):
            yield Sample("sequential_excess", sequential)

    def _sequential(self, epochs: int) -> float:
        """Return the excess loss of one thread in single precision after as many passes."""
        rows, problem = self._workload.rows(32), self._workload.problem
        settings = self._settings.sequential()
        with Team(1) as team:
            run = SparseRun(problem, settings, rows, team, self._seed)
            for _ in range(epochs):
                run.advance(len(rows.labels))
                run.end_pass()
            return self._workload.objective.excess(run.weights)
