"""Options of the importers, as `daybreak import KIND PATH -o NAME=VALUE` sets them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "DawnbenchOptions",
    "MllogOptions",
    "OptunaOptions",
    "PytestBenchmarkOptions",
]


class DawnbenchOptions(BaseModel):
    """How DAWNBench entries are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    squad_target: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.75,
        description="F1 at which training on SQuAD counts as done: the competition's pages say "
        "0.75, the repository's README 0.73; both stand as thresholds in any case",
    )


class MllogOptions(BaseModel):
    """How MLPerf logs are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: Annotated[float, Field(ge=0.5, lt=100)] | None = Field(
        None,
        description="the round, e.g. 1.0, where neither folder names nor dates tell it; quality "
        "targets differ from round to round",
    )
    dollars_per_hour: Annotated[float, Field(gt=0)] | None = Field(
        None, description="price of the system: the logs have none"
    )


class PytestBenchmarkOptions(BaseModel):
    """How pytest-benchmark's files are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Literal["file", "commit", "branch"] = Field(
        "file", description="what a file's studies are called after, to compare them by"
    )


class OptunaOptions(BaseModel):
    """How Optuna's storages are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str | None = Field(None, description="name of the one study to read; default: all")
    unit: str = Field("1", min_length=1, description="unit of the objectives; Optuna has none")
