"""What a task must do: define a benchmark, open its data, build jobs that train.

A `Task` lives in the planning process too, so it imports nothing heavy; `Workload` and `Job` live
in the worker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from daybreak import (
    Benchmark,
    Configuration,
    Event,
    FailureKind,
    Requirement,
    Sample,
    Verdict,
)
from daybreak_train.clock import TrainingClock

__all__ = ["Job", "Task", "Workload"]


class Job(Protocol):
    """One configuration, compiled; trains any number of times.

    `facts` (JSON values) and `phases` (seconds by name, parts of building) are recorded.
    """

    facts: Mapping[str, Any]
    phases: Mapping[str, float]

    def verify(self) -> Verdict:
        """Compare what the kernels do with an independent calculation, before anything is timed."""
        ...

    def train(self, seed: int, clock: TrainingClock) -> Iterator[Event]:
        """Train a new model and yield its progress; everything drawn comes from `seed`."""
        ...

    def conclude(self) -> Iterable[Sample]:
        """Judge the model of the last `train`, as far as that came, by an independent measure.

        Raises:
            WrongResult: the measure contradicts the curve.
        """
        ...


class Workload(Protocol):
    """A task's data in memory. `identity`: what makes trials comparable, hash of the data first."""

    identity: Mapping[str, str]

    def build(self, configuration: Configuration) -> Job:
        """Compile whatever `configuration` needs.

        Raises:
            BuildFailed: it cannot be built: a hidden constraint.
            ResourceExceeded: it does not fit.
        """
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...


class Task(ABC):
    """A training problem: makes the benchmark for given options and opens it."""

    @abstractmethod
    def define(self, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark for `options` (validated, defaults filled in); cheap.

        Raises:
            UserError: an option's value makes no sense.
        """

    @abstractmethod
    def open(self, benchmark: Benchmark) -> Workload:
        """Load the data of `benchmark`; called in the worker.

        Raises:
            RequirementError: the data, a package or a device is missing.
        """

    def rehearsal(self) -> Mapping[str, Any] | None:
        """Return options with which a trial takes about a second; None: cannot be rehearsed."""
        return {}

    def check(self) -> Iterable[Requirement]:
        """Say what this task needs beyond the packages that the target requires."""
        return ()

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return configurations that must fail, with the kind of their failure."""
        del benchmark
        return ()
