"""The benchmark `train/hogwild`: its space, references and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Categorical,
    Configuration,
    Curve,
    Direction,
    Metric,
    Ordinal,
    Reference,
    RequirementError,
    Space,
    nearest,
)
from daybreak_train.hogwild.options import BUILT_IN
from daybreak_train.tasks.protocol import Task
from daybreak_train.team import thread_choices

if TYPE_CHECKING:
    from daybreak_train.hogwild.workload import HogwildWorkload

__all__ = ["HogwildTask", "hogwild_space"]

_MAXIMIZE, _MINIMIZE = Direction.MAXIMIZE, Direction.MINIMIZE

_TIME = Metric(TIME_TO_TARGET, "s", _MINIMIZE, "training clock at the target")
_EXCESS = Metric(
    "excess_loss",
    "1",
    _MINIMIZE,
    "training loss above the optimum, as a share of what it was above it at the start",
)
_LOSS = Metric("loss", "1", _MINIMIZE, "mean training loss with penalty")
_METRICS = (
    Metric("updates_per_s", "1/s", _MAXIMIZE, "samples per second of the training clock"),
    Metric("gnps", "1e9/s", _MAXIMIZE, "numbers of the data used per second of the training clock"),
    Metric(
        "sequential_excess",
        "1",
        _MINIMIZE,
        "excess loss of one thread in full precision after as many samples with the same steps",
    ),
    Metric("test_accuracy", "1", _MAXIMIZE, "share of held-out samples classified right"),
)


def hogwild_space(threads: int | None) -> Space:
    """Return the search space; `threads` bounds the number of threads (None: the processors)."""
    return Space(
        [
            Categorical("mode", ("hogwild", "locked", "synchronous"), default="hogwild"),
            Ordinal("threads", thread_choices(threads), log=True, default=1),
            Ordinal("data_bits", (8, 16, 32), log=True, default=32),
            Ordinal("model_bits", (8, 16, 32), log=True, default=32),
            Categorical(
                "rounding",
                ("nearest", "fresh", "shared"),
                default="shared",
                when="model_bits < 32",
            ),
            Ordinal(
                "range",
                (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0),
                log=True,
                default=8.0,
                when="model_bits < 32",
            ),
            Ordinal("step", tuple(2.0**-e for e in range(6, -5, -1)), log=True, default=2.0),
            Ordinal("decay", (0.5, 0.7, 0.8, 0.9, 1.0), default=0.9),
            Ordinal("batch", (1, 4, 16, 64, 256), log=True, default=1),
        ]
    )


class HogwildTask(Task):
    """Sparse linear classifiers, trained by threads that race."""

    def define(self, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark.

        Raises:
            RequirementError: the file with the data is missing.
        """
        data = str(options["data"])
        if data == "synthetic":
            label = f"synthetic-{options['samples']}x{options['features']}-{options['nonzeros']}"
        elif data in BUILT_IN:
            label = data
        else:
            label = Path(data).stem
            if not Path(data).is_file():
                raise RequirementError(
                    f"there is no file {data}",
                    field="data",
                    expected="one of " + ", ".join(BUILT_IN) + ", or a file in svmlight format",
                    nearest=nearest(Path(data).name, BUILT_IN),
                )
        target = options["target"]
        space = hogwild_space(options["threads"])
        return Benchmark(
            name="hogwild",
            instance=f"{options['model']}-{label}",
            space=space,
            objectives=(_TIME,) if target is not None else (_EXCESS,),
            metrics=((_EXCESS,) if target is not None else ()) + (_LOSS, *_METRICS),
            references=_references(space),
            summary="sparse classifiers trained by threads without locks, in 8 to 32 bits",
            options=dict(options),
            curve=Curve(_EXCESS.name, target),
            seeded=True,
            notes=_NOTES,
        )

    def open(self, benchmark: Benchmark) -> HogwildWorkload:
        """Load or draw the data and find the optimum."""
        from daybreak_train.hogwild.workload import HogwildWorkload

        return HogwildWorkload(benchmark.options)

    def rehearsal(self) -> Mapping[str, Any]:
        """Return a small problem."""
        return {"samples": 2000, "features": 1000, "nonzeros": 20, "epochs": 10, "target": 0.3}


_NOTES = (
    "threads is clipped to the processors that the process may use, or to the option 'threads'.",
    "With several threads in mode hogwild a seed does not fix the result: the race decides.",
    "batch samples are judged by one state of the model and their steps added, not averaged; for "
    "mode synchronous it is the batch of all threads together.",
    "rounding and range are inactive unless the model has 8 or 16 bits.",
    "The step is multiplied by decay after every pass.",
)


def _references(space: Space) -> tuple[Reference, ...]:
    base: Configuration = space.default()
    threads = max(space["threads"].values)  # type: ignore[attr-defined]
    return (
        Reference(
            "default",
            base,
            note="one thread, single precision: plain stochastic gradient descent",
        ),
        Reference(
            "expert",
            {
                **base,
                "mode": "hogwild",
                "threads": threads,
                "data_bits": 8,
                "model_bits": 16,
                "rounding": "shared",
            },
            note="Buckwild! D8M16 with all threads and shared randomness; step as the default's",
            source="De Sa et al., Understanding and Optimizing Asynchronous Low-Precision SGD, "
            "ISCA 2017",
        ),
    )
