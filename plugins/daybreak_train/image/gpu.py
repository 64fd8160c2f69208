"""The target `train-gpu`: the task `image` on a graphics processor.

It is a target of its own because its workers need what others are better kept from: all device
files, and an address space without bound.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from daybreak import Benchmark, Configuration, FailureKind, Requirement, UserError, nearest
from daybreak_train.image.options import Device, ImageOptions
from daybreak_train.image.task import ImageTask
from daybreak_train.session import TrainSession

__all__ = ["GpuImageOptions", "TrainGpuTarget"]

#: device files of NVIDIA's, AMD's and Windows' drivers: a look at them costs nothing
_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


class GpuImageOptions(ImageOptions):
    """Options of `train-gpu/image`: those of `train/image` with PyTorch on a graphics processor."""

    backend: Literal["torch"] = Field("torch", description="what computes: PyTorch")
    device: Device = Field("cuda", description="which graphics processor: cuda or cuda:N; or cpu")


class _GpuImageTask(ImageTask):
    gpu = True


class TrainGpuTarget:
    """Training jobs on a graphics processor of this machine."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List the one task with its default options."""
        yield self.define("image", GpuImageOptions().model_dump())

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark of task `name`.

        Raises:
            UserError: there is no such task, or an option makes no sense.
            RequirementError: data or PyTorch is missing.
        """
        if name != "image":
            raise UserError(
                f"target 'train-gpu' has no benchmark '{name}'",
                expected="image",
                nearest=nearest(name, ["image"]),
            )
        return _GpuImageTask().define(options)

    def check(self) -> Iterable[Requirement]:
        """Say whether the system shows a graphics processor; the session asks PyTorch itself."""
        found = [path for path in _DEVICES if os.path.exists(path)]
        yield Requirement(
            "graphics processor",
            bool(found),
            ", ".join(found) or "no driver shows one: none of " + ", ".join(_DEVICES),
            "" if found else "install its driver (nvidia-smi must list it), or use train/image",
        )

    def open(self, benchmark: Benchmark) -> TrainSession:
        """Return a session, not yet entered."""
        return TrainSession(_GpuImageTask(), benchmark)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return options with which a trial takes about a second."""
        return {"image": _GpuImageTask().rehearsal() or {}}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return configurations that must fail."""
        return _GpuImageTask().faults(benchmark)
