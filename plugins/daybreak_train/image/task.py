"""The task `image`: defines the benchmark; imports nothing heavy."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Configuration,
    Curve,
    Direction,
    FailureKind,
    Metric,
    RequirementError,
    UserError,
)
from daybreak_train.data.catalogue import DataSet, data_set
from daybreak_train.data.places import find
from daybreak_train.image.space import image_space, references
from daybreak_train.tasks.protocol import Task, Workload

__all__ = ["ImageTask"]

_TIME = Metric(
    TIME_TO_TARGET, "s", Direction.MINIMIZE, "training clock at the target validation accuracy"
)
_METRICS = (
    Metric("accuracy", "1", Direction.MAXIMIZE, "share of the validation images that are right"),
    Metric("loss", "nat", Direction.MINIMIZE, "mean cross-entropy on the validation images"),
    Metric("train_loss", "nat", Direction.MINIMIZE, "mean loss of the steps since the last look"),
    Metric("throughput", "examples/s", Direction.MAXIMIZE, "training images, on the training clock"),
    Metric("test_accuracy", "1", Direction.MAXIMIZE, "at the end, on the held-out test images"),
    Metric("train_accuracy", "1", Direction.MAXIMIZE, "at the end, on the training images"),
    Metric(
        "generalisation_gap", "1", Direction.MINIMIZE,
        "validation accuracy at the end of the curve less test accuracy",
    ),
)  # fmt: skip


class ImageTask(Task):
    """A small convolutional network on real images, to a fixed accuracy."""

    #: whether sessions may reach graphics processors
    gpu = False

    def define(self, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark; looks whether data, PyTorch and device are there, opens nothing.

        Raises:
            RequirementError: data, PyTorch or device is missing.
            UserError: options that contradict each other.
        """
        data = data_set(options["data"])
        find(data, options["folder"])
        self._check_backend(options)
        if options["examples"] is not None and options["examples"] > data.split[0]:
            raise UserError(
                f"{data.name} has {data.split[0]} training images", field="examples",
                expected=f"{data.split[0]} at most",
            )  # fmt: skip
        space = image_space(data, options)
        target = options["target"] or data.target
        return Benchmark(
            name="image",
            space=space,
            objectives=(_TIME,),
            instance=_instance(data, options),
            references=references(data, options, space),
            metrics=_METRICS,
            summary=f"a small convolutional network on {data.name}, to accuracy {target:g}",
            options=dict(options),
            hidden_constraints=True,
            notes=(
                f"{data.name}: {data.source}; licence: {data.licence}",
                "momentum is Nesterov's with 0.9, Adam has its published constants; there is "
                "neither weight decay nor dropout.",
            ),
            curve=Curve("accuracy", target, deterministic=options["backend"] == "numpy"),
            seeded=True,
        )

    def _check_backend(self, options: Mapping[str, Any]) -> None:
        device = options["device"]
        # where only PyTorch computes, the target itself requires it
        wanted = options["backend"] == "torch" and not self.gpu
        if wanted and importlib.util.find_spec("torch") is None:
            raise RequirementError(
                "the back end torch needs PyTorch, which is not installed",
                field="backend",
                remedy="pip install 'daybreak[train-torch]'",
            )
        if device == "cpu":
            return
        if options["backend"] != "torch":
            raise UserError(
                f"the back end {options['backend']} computes on the processor only",
                field="device",
                remedy="set backend: torch",
            )
        if not self.gpu:
            raise UserError(
                "the target train keeps workers away from graphics processors",
                field="device",
                remedy="use the benchmark train-gpu/image",
            )

    def open(self, benchmark: Benchmark) -> Workload:
        """Load the data, and PyTorch if it is to compute."""
        from daybreak_train.image.workload import ImageWorkload

        return ImageWorkload(benchmark)

    def rehearsal(self) -> Mapping[str, Any] | None:
        """Return options with which a trial takes about a second."""
        return {"examples": 500, "epochs": 6, "target": 0.5}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return a learning rate at which any network diverges."""
        yield FailureKind.NOT_REACHED, {**benchmark.space.default(), "learning_rate": 1e6}


def _instance(data: DataSet, options: Mapping[str, Any]) -> str:
    """Return the data set's name, and of the options that make it another problem their values."""
    parts = [data.name]
    if options["examples"] is not None:
        parts.append(f"n{options['examples']}")
    if options["target"] is not None:
        parts.append(f"at{options['target']:g}")
    if options["looks"] != 1:
        parts.append(f"looks{options['looks']}")
    if options["backend"] != "numpy":
        parts.append(options["backend"])
    if options["device"] != "cpu":
        parts.append(options["device"].replace(":", ""))
    return "-".join(parts)
