"""Options of the preset `default`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from daybreak_baco.default.prior_options import PriorOptions

__all__ = ["DefaultOptions"]


class DefaultOptions(BaseModel):
    """Options of our own Bayesian optimisation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: Literal["default"] = "default"
    prior: PriorOptions | None = Field(
        default=None,
        description="Where the optimum is believed to be, e.g. {near: expert}: looked at first, "
        "and overruled by what is measured.",
    )
    design: int | None = Field(
        default=None,
        ge=1,
        description="Configurations to begin with; null: 5 (4 for up to three parameters), at "
        "most a third of the budget.",
    )
    exact: int = Field(
        default=20_000,
        ge=0,
        description="A space of up to this many feasible configurations is scored whole for each "
        "proposal.",
    )
    candidates: int = Field(
        default=1_000,
        ge=1,
        description="In a larger space: random configurations scored for each proposal, and as "
        "many variations of the best ones.",
    )
