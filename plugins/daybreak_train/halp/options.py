"""Options of `train/halp`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from daybreak_train.options import Epochs, TaskOptions

__all__ = ["DATA_MODELS", "HalpOptions"]

#: which models each data set is for
DATA_MODELS = {
    "synthetic": ("linear", "logistic", "softmax", "network"),
    "diabetes": ("linear",),
    "breast-cancer": ("logistic",),
    "digits": ("softmax", "network"),
}


class HalpOptions(TaskOptions):
    """Model, data and where training ends."""

    model: Literal["linear", "logistic", "softmax", "network"] = Field(
        "linear",
        description="linear: squared loss; logistic: two classes; softmax: several classes; "
        "network: one trained hidden layer (tanh) under fixed output weights, not convex",
    )
    data: Literal["synthetic", "diabetes", "breast-cancer", "digits"] = Field(
        "synthetic", description="drawn from the model, or a real data set inside scikit-learn"
    )
    samples: Annotated[int, Field(ge=10, le=10_000_000)] = Field(
        10_000, description="training samples of synthetic data"
    )
    features: Annotated[int, Field(ge=1, le=65_536)] = Field(
        256, description="features of synthetic data"
    )
    classes: Annotated[int, Field(ge=2, le=100)] = Field(
        10, description="classes of synthetic data for softmax and network"
    )
    hidden: Annotated[int, Field(ge=1, le=1024)] = Field(
        16, description="hidden units of the network"
    )
    noise: Annotated[float, Field(ge=0.0, le=100.0)] = Field(
        0.5,
        description="standard deviation of the noise in synthetic targets, against the signal's; "
        "without it plain SGD has no noise floor",
    )
    data_seed: Annotated[int, Field(ge=0)] = Field(1, description="draws the synthetic data")
    l2: Annotated[float, Field(gt=0.0, le=10.0)] = Field(
        1e-3, description="strength of the quadratic penalty, half of it times the squared norm"
    )
    target: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(
        1e-4, description="relative gradient norm at which training is done; null: none"
    )
    epochs: Epochs = Field(100, description="passes over the data after which training ends")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fitting = DATA_MODELS[self.data]
        if self.model not in fitting:
            raise ValueError(
                f"data '{self.data}' is for model {' or '.join(fitting)}, not '{self.model}'"
            )
        return self
