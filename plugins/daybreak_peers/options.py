"""Options of the peers that are asked and told, validated when a suite is loaded."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "BoTorchOptions",
    "OptunaGPOptions",
    "OptunaRandomOptions",
    "OptunaTPEOptions",
    "PeerOptions",
    "SmacOptions",
]


class PeerOptions(BaseModel):
    """What all peers share."""

    model_config = ConfigDict(extra="forbid")

    log_objective: bool = Field(
        default=False,
        description="Give the library the logarithm of the objective, which must be above 0.",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Proposals in a row that repeat or break known constraints before one is drawn "
        "at random; null: the library's own number, see the documentation.",
    )


class _PlainOptions(PeerOptions):
    """Options of libraries without constraints between parameters of their own."""

    constraints: Literal["repair", "embed", "reject"] = Field(
        default="repair",
        description="Known constraints. repair: the feasible configuration nearest to the proposal; "
        "embed: a number per parameter picks among the feasible children of the constraint tree; "
        "reject: the library is told of the violation and asked again.",
    )


class OptunaRandomOptions(_PlainOptions):
    """Options of `optuna-random`."""


class OptunaTPEOptions(_PlainOptions):
    """Options of `optuna-tpe`."""

    startup: int = Field(default=10, ge=1, description="Random trials before the model is used.")


class OptunaGPOptions(_PlainOptions):
    """Options of `optuna-gp`."""

    startup: int = Field(default=10, ge=1, description="Random trials before the model is used.")


class SmacOptions(_PlainOptions):
    """Options of `smac`."""

    facade: Literal["hpo", "blackbox"] = Field(
        default="hpo",
        description="hpo: a random forest; blackbox: a Gaussian process.",
    )
    retrain_after: int = Field(
        default=8,
        ge=1,
        description="Configurations taken from one fit of the model; 8 is SMAC's own default.",
    )


class BoTorchOptions(PeerOptions):
    """Options of `botorch`."""

    startup: int | None = Field(
        default=None, ge=1, description="Random trials before the model; null: parameters + 1."
    )
    candidates: int = Field(
        default=1024, ge=16, description="Feasible candidates drawn for every suggestion."
    )
