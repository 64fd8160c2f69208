"""The search space of the task `image` and its references; imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from daybreak import Categorical, Integer, Ordinal, Parameter, Real, Reference, Space
from daybreak_train.data.catalogue import DataSet
from daybreak_train.image.names import OPTIMIZERS, SCHEDULES

__all__ = ["image_space", "references"]

_BATCHES = (16, 32, 64, 128, 256, 512, 1024)
_HORIZONS = (3, 5, 10, 20, 40)
_WIDTHS = (4, 8, 16, 32, 64)
_MOST_THREADS = 64


def image_space(data: DataSet, options: Mapping[str, Any]) -> Space:
    """Return the space, clipped to the data and to the processors of this machine."""
    examples = options["examples"] or data.split[0]
    fitting = tuple(batch for batch in _BATCHES if 2 * batch <= examples)
    batches = fitting or (max(1, examples // 2),)
    parameters: list[Parameter] = [
        Categorical("optimizer", OPTIMIZERS, default="sgd"),
        Real("learning_rate", 1e-4, 1.0, log=True, default=0.01),
        Ordinal("batch", batches, log=True, default=_nearest(32, batches)),
        Categorical("schedule", SCHEDULES, default="constant"),
        Ordinal("horizon", _HORIZONS, log=True, default=10, when='schedule != "constant"'),
        Ordinal("width", _WIDTHS, log=True, default=16),
        Integer("shift", 0, 1 if data.shape[1] <= 16 else 2, default=0),
    ]
    if options["device"] == "cpu":
        threads = _threads(options["threads"])
        parameters.append(Ordinal("threads", threads, log=True, default=1))
    precisions = _precisions(options)
    if len(precisions) > 1:
        parameters.append(Categorical("precision", precisions, default="float32"))
    return Space(parameters, name="image")


def references(data: DataSet, options: Mapping[str, Any], space: Space) -> tuple[Reference, ...]:
    """Return `default`, a tutorial's choice, and `expert`, ours for each data set."""
    most = max(_threads(options["threads"]))
    chosen: dict[str, Any] = dict(_EXPERTS[data.name])
    batches = _values(space, "batch")
    chosen["batch"] = _nearest(chosen["batch"], batches)
    expert = {**space.default(), **chosen}
    if "threads" in expert:
        # small images are too little work for two threads
        expert["threads"] = most if data.shape[1] > 16 else 1
    if options["device"] != "cpu":
        expert["precision"] = "bfloat16"
    return (
        Reference(
            "default",
            space.default(),
            note="plain SGD with a constant rate of 0.01 and batches of 32: a tutorial's choice",
        ),
        Reference(
            "expert",
            expert,
            note="ours: tuned by hand for this data set, in the manner of the quickest DAWNBench "
            "entries (Nesterov's momentum, a rate that rises and falls)",
            source="schedule: D. Page, How to train your ResNet, 2018",
        ),
    )


_EXPERTS: Mapping[str, Mapping[str, Any]] = {
    "digits": {
        "optimizer": "momentum", "learning_rate": 0.05, "batch": 32, "schedule": "triangle",
        "horizon": 10, "width": 16, "shift": 0,
    },
    "mnist-5k": {
        "optimizer": "momentum", "learning_rate": 0.05, "batch": 32, "schedule": "triangle",
        "horizon": 5, "width": 16, "shift": 0,
    },
    "fashion-mnist": {
        "optimizer": "momentum", "learning_rate": 0.05, "batch": 64, "schedule": "triangle",
        "horizon": 5, "width": 16, "shift": 0,
    },
}  # fmt: skip


def _nearest(wanted: int, values: Sequence[int]) -> int:
    return min(values, key=lambda value: abs(value - wanted))


def _values(space: Space, name: str) -> list[Any]:
    parameter = next(one for one in space.parameters if one.name == name)
    return list(getattr(parameter, "values", ()))


def _threads(most: int | None) -> tuple[int, ...]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    bound = min(most or usable or 1, _MOST_THREADS)
    return tuple(1 << power for power in range(bound.bit_length()))


def _precisions(options: Mapping[str, Any]) -> tuple[str, ...]:
    if options["backend"] != "torch":
        return ("float32",)
    if options["device"] == "cpu":
        return ("float32", "bfloat16")
    return ("float32", "tf32", "bfloat16", "float16")
