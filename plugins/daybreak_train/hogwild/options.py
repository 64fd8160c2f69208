"""Options of `train/hogwild`."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, field_validator

from daybreak_train.options import Epochs, TaskOptions

__all__ = ["BUILT_IN", "HogwildOptions"]

#: data that need no file
BUILT_IN = ("synthetic", "digits")


class HogwildOptions(TaskOptions):
    """Model, sparse data and where training ends."""

    model: Literal["logistic", "svm"] = Field(
        "logistic", description="logistic: logistic loss; svm: hinge loss"
    )
    data: str = Field(
        "synthetic",
        description="synthetic; digits: scikit-learn's 8x8 digits, pixels one-hot; or a file in "
        "svmlight format with two labels",
    )
    samples: Annotated[int, Field(ge=10, le=100_000_000)] = Field(
        20_000, description="training samples of synthetic data"
    )
    features: Annotated[int, Field(ge=2, le=100_000_000)] = Field(
        10_000, description="features of synthetic data"
    )
    nonzeros: Annotated[int, Field(ge=1, le=100_000)] = Field(
        40, description="features drawn for each synthetic sample; drawn twice, one counts once"
    )
    skew: Annotated[float, Field(ge=0.0, le=3.0)] = Field(
        0.5, description="feature number u is drawn with a frequency that falls as u to -skew"
    )
    noise: Annotated[float, Field(ge=0.0, le=100.0)] = Field(
        0.5, description="noise in synthetic labels against the signal's standard deviation"
    )
    data_seed: Annotated[int, Field(ge=0)] = Field(1, description="draws the synthetic data")
    l2: Annotated[float, Field(gt=0.0, le=10.0)] = Field(
        1e-3, description="strength of the penalty, which weights features by their frequency"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="upper bound of `threads`; all usable processors if not given"
    )
    target: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(
        0.05, description="excess loss at which training is done; null: none"
    )
    epochs: Epochs = Field(30, description="passes over the data after which training ends")

    @field_validator("data")
    @classmethod
    def _data(cls, data: str) -> str:
        # the worker has a home folder of its own
        return data if data in BUILT_IN else os.path.abspath(os.path.expanduser(data))
