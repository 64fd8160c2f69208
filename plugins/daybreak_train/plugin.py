"""Registers the target with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import Isolation, TargetSpec, hookimpl
from daybreak_train.tasks import ENTRIES

__all__ = ["DAYBREAK_API", "daybreak_register_targets"]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Return the targets of this plugin."""
    return [
        TargetSpec(
            name="train",
            factory="daybreak_train.target:TrainTarget",
            summary="training jobs with compiled kernels, judged by their time to an accuracy",
            capabilities=frozenset({"trains", "verifies", "threads"}),
            requires=("numba>=0.60", "scipy>=1.13", "scikit-learn>=1.5"),
            extra="train",
            devices=("cpu",),
            # threads and compiled kernels live as long as the session: it must not be forked
            isolation=Isolation.WORKER,
            exclusive=True,
            benchmark_options=tuple((entry.name, entry.options) for entry in ENTRIES),
        ),
        TargetSpec(
            name="train-gpu",
            factory="daybreak_train.image.gpu:TrainGpuTarget",
            summary="a training job on a graphics processor, judged by its time to an accuracy",
            capabilities=frozenset({"trains", "verifies"}),
            requires=("torch>=2.3", "scikit-learn>=1.5"),
            extra="train-torch",
            devices=("cpu", "gpu"),
            isolation=Isolation.WORKER,
            exclusive=True,
            benchmark_options=(("image", "daybreak_train.image.gpu:GpuImageOptions"),),
        ),
    ]
