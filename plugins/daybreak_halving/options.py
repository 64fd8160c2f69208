"""Options of the optimizer, validated when a suite is loaded."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["HalvingOptions"]


class HalvingOptions(BaseModel):
    """Options of `halving`."""

    model_config = ConfigDict(extra="forbid")

    eta: int = Field(
        default=3,
        ge=2,
        le=64,
        description="At each rung one in so many trials goes on; rungs lie so many times apart.",
    )
    clock: Literal["epoch", "step", "train_s"] = Field(
        default="epoch",
        description="What rungs are counted in. With train_s, what is given up depends on how fast "
        "the machine was.",
    )
    first: float = Field(
        default=1.0,
        gt=0.0,
        allow_inf_nan=False,
        description="The first rung; the others are at eta, eta^2, ... times that.",
    )
    last: float | None = Field(
        default=None,
        gt=0.0,
        allow_inf_nan=False,
        description="No rung lies beyond; null: as far as curves go.",
    )
    rungs: list[float] | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The rungs themselves, ascending, in place of first and last.",
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.rungs is None:
            if self.last is not None and self.last < self.first:
                raise ValueError(f"last ({self.last:g}) must not lie before first ({self.first:g})")
            return self
        # options that were filled in with their defaults are validated again, and are no choice
        if self.last is not None or self.first != 1.0:
            raise ValueError("give either rungs, or first and last")
        if not all(0.0 < rung < float("inf") for rung in self.rungs):
            raise ValueError("every rung must be a positive number")
        if any(after <= before for before, after in pairwise(self.rungs)):
            raise ValueError("rungs must be ascending")
        return self
