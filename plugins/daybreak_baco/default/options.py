"""Options of the preset `default`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["DefaultOptions"]


class DefaultOptions(BaseModel):
    """Options of our own Bayesian optimisation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: Literal["default"] = "default"
