"""Options of `train/matrix-sgd`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from daybreak_train.options import Epochs, TaskOptions

__all__ = ["DIGITS_SIZE", "MatrixOptions"]

#: pixels of one of scikit-learn's digits
DIGITS_SIZE = 64


class MatrixOptions(TaskOptions):
    """Which matrix, which subspace of it, and what is seen of it at a time."""

    sampler: Literal["entries", "trace", "subspace"] = Field(
        "entries",
        description="what a sample shows: one entry (completion), a random trace (sensing), or one "
        "row of the data (subspace tracking)",
    )
    data: Literal["synthetic", "digits"] = Field(
        "synthetic",
        description="random eigenvectors, or the covariance of scikit-learn's 8 x 8 digits",
    )
    size: Annotated[int, Field(ge=4, le=8192)] = Field(
        1000, description="rows of a synthetic matrix; digits have 64"
    )
    rank: Annotated[int, Field(ge=1, le=32)] = Field(
        4, description="dimension of the leading subspace that is sought"
    )
    tail: Annotated[float, Field(ge=0.0, le=0.5)] = Field(
        0.1, description="eigenvalues after the leading ones (which are 1 to 0.6), synthetic data"
    )
    observed: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        1.0, description="share of the entries, or of a row's coordinates, that is ever seen"
    )
    target: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        0.01, description="misalignment (squared sine of the largest angle) that counts as done"
    )
    epochs: Epochs = Field(20_000, description="training ends after so many epochs of n samples")
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="upper bound of `threads`; all usable processors if not given"
    )
    data_seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of the synthetic matrix")

    @model_validator(mode="after")
    def _fits(self) -> MatrixOptions:
        size = DIGITS_SIZE if self.data == "digits" else self.size
        if 2 * self.rank > size:
            raise ValueError(f"rank {self.rank} needs a matrix of at least {2 * self.rank} rows")
        if self.sampler == "trace" and self.observed < 1.0:
            raise ValueError("a trace shows all of the matrix: 'observed' must be 1")
        return self
