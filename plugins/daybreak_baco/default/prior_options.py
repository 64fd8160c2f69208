"""How a suite writes down where a user believes the optimum to lie."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Among", "Around", "PriorOptions"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Around(_Strict):
    """The optimum is believed to be near a value."""

    around: Any = Field(description="a value of the parameter")
    spread: float | None = Field(
        default=None, gt=0, le=10, description="overrides the prior's `spread` here"
    )


class Among(_Strict):
    """The optimum is believed to be one of some values."""

    among: list[Any] = Field(min_length=1, description="values of the parameter")
    weights: list[float] | None = Field(
        default=None, description="one per value, 0 or more; left out: all alike"
    )

    @model_validator(mode="after")
    def _matching(self) -> Self:
        if self.weights is not None:
            if len(self.weights) != len(self.among):
                raise ValueError(f"{len(self.among)} values need as many weights")
            if min(self.weights) < 0 or max(self.weights) == 0:
                raise ValueError("weights are 0 or more, one of them above 0")
        return self


class PriorOptions(_Strict):
    """Where the optimum is believed to lie. `parameters` overrides `near`."""

    near: str | dict[str, Any] | None = Field(
        default=None,
        description="a reference of the benchmark by name (expert, default), or values by "
        "parameter; parameters left out are left open",
    )
    spread: float = Field(
        default=0.2,
        gt=0,
        le=10,
        description="standard deviation of the belief around a value, as part of the range of the "
        "parameter's values in their order; small is sure",
    )
    parameters: dict[str, Around | Among] = Field(
        default_factory=dict,
        description="by parameter: {around: VALUE, spread: S} or {among: [VALUE, ...]}",
    )
    strength: float | None = Field(
        default=None,
        gt=0,
        description="after n evaluations the belief counts strength / n; default: a tenth of the "
        "budget, at least 2",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.near is None and not self.parameters:
            raise ValueError("a prior needs `near` or `parameters`")
        return self
