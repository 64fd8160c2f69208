"""The tasks of the target `train`, and how to add one.

1. Write a module with a class that extends `daybreak_train.tasks.protocol.Task`, and an options
   model that extends `daybreak_train.options.TaskOptions`. Neither module imports anything heavier
   than `daybreak` and pydantic: both are loaded to list benchmarks.
2. `Task.define(options)` returns the `Benchmark`: name, instance, space, metrics with unit and
   direction, `curve=Curve(metric, target)`, `seeded=True`, the references `default` and `expert`.
   The first objective is `time_to_target` in `s` (import `TIME_TO_TARGET` from `daybreak`).
3. `Task.open(benchmark)` runs in the worker: import numba and friends there, load the data, return
   a `Workload` with `identity` (hash of the data, and whatever else changes the results).
4. `Workload.build(configuration)` compiles every kernel that this configuration needs, by calling
   it on tiny arrays, so that compiling is build time; it returns a `Job`.
5. `Job.verify()` compares a step of the kernel with plain NumPy, from a seed of its own.
6. `Job.train(seed, clock)` starts from scratch each time and yields events made by
   `clock.event(...)`: one look at step 0, then one after every stretch inside ``with clock:``. It
   returns when the option `epochs` is used up; the harness may close it at any event.
7. `Job.conclude()` yields samples of an independent measure of what was trained (held-out data,
   the exact answer) and raises `WrongResult` when that contradicts the curve.
8. Add an `Entry` below; tests go to ``tests/train/``, a section to ``docs/targets/train.md``.

Jobs draw from `seed` alone. Arrays that threads share are NumPy arrays; kernels are compiled with
``nogil=True``. Models that diverge yield NaN or inf, no exception: the harness records it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ENTRIES", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A task: its benchmark's name, dotted paths of the `Task` class and of the options model."""

    name: str
    task: str
    options: str


#: every task, in the order in which they are listed
ENTRIES: tuple[Entry, ...] = (
    Entry("halp", "daybreak_train.halp.task:HalpTask", "daybreak_train.halp.options:HalpOptions"),
    Entry(
        "hogwild",
        "daybreak_train.hogwild.task:HogwildTask",
        "daybreak_train.hogwild.options:HogwildOptions",
    ),
    Entry(
        "image", "daybreak_train.image.task:ImageTask", "daybreak_train.image.options:ImageOptions"
    ),
    Entry(
        "matrix-sgd",
        "daybreak_train.matrix.task:MatrixTask",
        "daybreak_train.matrix.options:MatrixOptions",
    ),
    Entry(
        "gibbs",
        "daybreak_train.gibbs.task:GibbsTask",
        "daybreak_train.gibbs.options:GibbsOptions",
    ),
)
