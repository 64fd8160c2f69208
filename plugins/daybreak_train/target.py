"""The target `train`: lists, defines and opens the tasks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from daybreak import Benchmark, Configuration, FailureKind, Requirement, UserError, nearest
from daybreak_train.session import TrainSession
from daybreak_train.tasks import ENTRIES, Entry
from daybreak_train.tasks.protocol import Task

__all__ = ["TrainTarget"]


class TrainTarget:
    """Training jobs on this machine."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List every task with its default options."""
        for entry in ENTRIES:
            options = _load(entry.options)
            yield _task(entry).define(options().model_dump())

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark of task `name`.

        Raises:
            UserError: there is no such task, or an option makes no sense.
        """
        return _task(_entry(name)).define(options)

    def check(self) -> Iterable[Requirement]:
        """Say what single tasks need beyond the required packages."""
        for entry in ENTRIES:
            yield from _task(entry).check()

    def open(self, benchmark: Benchmark) -> TrainSession:
        """Return a session, not yet entered."""
        return TrainSession(_task(_entry(benchmark.name)), benchmark)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return options with which a trial takes about a second."""
        found = {entry.name: _task(entry).rehearsal() for entry in ENTRIES}
        return {name: options for name, options in found.items() if options is not None}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return configurations that must fail."""
        return _task(_entry(benchmark.name)).faults(benchmark)

    def setup(self, progress: Callable[[float | None, str], None], *, force: bool = False) -> str:
        """Fetch the data that no package carries; see `daybreak_train.data.fetching.setup`."""
        from daybreak_train.data.fetching import setup

        return setup(progress, force=force)


def _entry(name: str) -> Entry:
    names = [entry.name for entry in ENTRIES]
    if name not in names:
        raise UserError(
            f"target 'train' has no benchmark '{name}'",
            expected="one of " + ", ".join(names),
            nearest=nearest(name, names),
        )
    return ENTRIES[names.index(name)]


def _task(entry: Entry) -> Task:
    made: Task = _load(entry.task)()
    return made


def _load(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
