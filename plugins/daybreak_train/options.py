"""What the options of all tasks have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Epochs", "Fraction", "TaskOptions"]

#: Where training ends by itself when nobody ended it before.
Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
#: A share, both ends excluded.
Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]


class TaskOptions(BaseModel):
    """Base class of every task's options: unknown names are refused, values stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)
