"""A task opened in the worker: Daybreak's session around its workload and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from daybreak import Benchmark, Configuration, Event, MeasurementProtocol, Sample, Verdict
from daybreak_train.clock import TrainingClock
from daybreak_train.tasks.protocol import Job, Task, Workload

__all__ = ["TrainSession"]


class TrainSession:
    """A session of the target `train`; see `daybreak.plugin.contracts.Session`."""

    def __init__(self, task: Task, benchmark: Benchmark) -> None:
        self._task = task
        self._benchmark = benchmark
        self._workload: Workload | None = None
        self.identity: dict[str, str] = {}
        self.floors: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Load the data."""
        self._workload = self._task.open(self._benchmark)
        self.identity = dict(self._workload.identity)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the data; safe to call twice."""
        if self._workload is not None:
            self._workload.close()
        self._workload = None

    def build(self, configuration: Configuration) -> Job:
        """Compile the kernels of `configuration`."""
        if self._workload is None:
            raise RuntimeError("the session is not open")
        return self._workload.build(configuration)

    def verify(self, artifact: Job) -> Verdict:
        """Compare the job's kernels with an independent calculation."""
        return artifact.verify()

    def measure(self, artifact: Job, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:
        """Train once, from the protocol's seed, and yield the progress; both clocks start at 0."""
        yield from artifact.train(protocol.seed, TrainingClock())

    def conclude(self, artifact: Job) -> Iterable[Sample]:
        """Return what an independent measure says of the model just trained."""
        return artifact.conclude()
