"""Options of the optimizers, validated when a suite is loaded."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["GridOptions", "ReferencesOptions"]


class GridOptions(BaseModel):
    """Options of `grid`."""

    model_config = ConfigDict(extra="forbid")

    order: Literal["spread", "lexicographic"] = Field(
        default="spread",
        description="spread: the budget's evaluations spread evenly over the whole grid; "
        "lexicographic: from the first on, whatever the budget.",
    )


class ReferencesOptions(BaseModel):
    """Options of `references`."""

    model_config = ConfigDict(extra="forbid")

    rounds: int | None = Field(
        default=1, ge=1, description="How often each reference is measured; null: until the budget."
    )
