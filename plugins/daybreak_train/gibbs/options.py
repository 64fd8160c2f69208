"""Options of `train/gibbs`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from daybreak_train.options import Epochs, TaskOptions

__all__ = ["GibbsOptions"]

#: side of the widest grid whose marginals are calculated
_WIDEST = 16
_MOST_VARIABLES = 4096


class GibbsOptions(TaskOptions):
    """Which factor graph, and how well its marginals must be known."""

    graph: Literal["grid", "chain", "complete", "voting", "hierarchy"] = Field(
        "grid",
        description="Ising model on a grid, a chain or the complete graph; voting: one question "
        "with voters for and against; hierarchy: a root over groups of voters",
    )
    size: Annotated[int, Field(ge=2, le=_MOST_VARIABLES)] = Field(
        12,
        description="side of the grid; variables of a chain or complete graph; voters on each side; "
        "groups of a hierarchy",
    )
    members: Annotated[int, Field(ge=1, le=_MOST_VARIABLES)] = Field(
        8, description="voters in each group of a hierarchy"
    )
    semantics: Literal["linear", "logical", "ratio"] = Field(
        "logical",
        description="how votes add up, for voting and hierarchy: g(x) = x, [x > 0], log(1 + x)",
    )
    weight: Annotated[float, Field(ge=-20.0, le=20.0)] = Field(
        0.2, description="coupling of neighbours (complete: n times as much), or weight of a vote"
    )
    field: Annotated[float, Field(ge=-20.0, le=20.0)] = Field(
        0.5,
        description="spread of the random biases of a chain or grid; n times the bias of a complete "
        "graph; bias of the question or root",
    )
    target: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        0.01, description="bias (largest error of a marginal) that counts as done"
    )
    epochs: Epochs = Field(
        50_000, description="sampling ends after so many sweeps (updates per variable)"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="upper bound of `threads`; all usable processors if not given"
    )
    data_seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of the random biases")

    @model_validator(mode="after")
    def _fits(self) -> GibbsOptions:
        if self.graph == "grid" and self.size > _WIDEST:
            raise ValueError(f"the exact marginals of a grid are known up to a side of {_WIDEST}")
        if self.graph == "complete" and self.size > 1024:
            raise ValueError("a complete graph of more than 1024 variables has too many pairs")
        if self.graph == "hierarchy" and self.size * (1 + self.members) >= _MOST_VARIABLES:
            raise ValueError(f"groups times members must stay below {_MOST_VARIABLES}")
        return self
