"""Options of both components, validated when a suite is loaded."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["HillClimbOptions", "MatmulOptions"]


class MatmulOptions(BaseModel):
    """Options of `cmatmul/square`."""

    model_config = ConfigDict(extra="forbid")

    size: Literal[32, 64, 128, 256, 512, 1024] = Field(
        default=256, description="Rows and columns of the matrices."
    )
    cache_kib: int = Field(
        default=512, ge=1, le=65536, description="The three tiles together must fit into this."
    )
    compiler: str = Field(default="cc", min_length=1, description="The C compiler, on PATH.")


class HillClimbOptions(BaseModel):
    """Options of `hill-climb`."""

    model_config = ConfigDict(extra="forbid")

    start: Literal["default", "random"] = Field(
        default="default", description="Where the first climb starts; later ones start anywhere."
    )
    patience: int | None = Field(
        default=None, ge=1, description="Neighbours tried before it starts anew; null: all of them."
    )
