"""Options of the task `image`."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, field_validator

from daybreak_train.options import Epochs, Fraction, TaskOptions

__all__ = ["Device", "ImageOptions"]

Device = Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")]
Threads = Annotated[int, Field(ge=1, le=4096)]


class ImageOptions(TaskOptions):
    """Options of `train/image`."""

    data: Literal["digits", "mnist-5k", "fashion-mnist"] = Field(
        "digits", description="the images; `python -m daybreak_train.data list` says more"
    )
    folder: str | None = Field(
        None, description="a folder with the data set's files, in place of the usual places"
    )
    examples: Annotated[int, Field(ge=20)] | None = Field(
        None, description="take only so many of the training images"
    )
    backend: Literal["numpy", "torch"] = Field(
        "numpy", description="what computes: NumPy with BLAS, or PyTorch (extra `train-torch`)"
    )
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] = Field(
        "cpu",
        description="where: cpu, cuda or cuda:N; graphics processors need the target train-gpu",
    )
    target: Fraction | None = Field(
        None, description="validation accuracy that ends training; by default the data set's own"
    )
    epochs: Epochs = Field(40, description="training ends after so many")
    looks: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="evaluations on the validation images in each epoch"
    )
    threads: Threads | None = Field(
        None, description="upper bound on threads; all usable processors if not given"
    )

    @field_validator("folder")
    @classmethod
    def _folder(cls, folder: str | None) -> str | None:
        # the worker has a home folder and a current folder of its own
        return folder and os.path.abspath(os.path.expanduser(folder))
