"""Options of the preset `paper`; the defaults are those of the published experiments."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["GammaPrior", "PaperOptions"]

#: shape and rate of a gamma distribution
GammaPrior = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class PaperOptions(BaseModel):
    """Options of BaCO as published."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: Literal["paper"] = "paper"
    permutation: Literal["spearman", "kendall", "hamming", "naive"] = Field(
        default="spearman", description="How permutations become columns of the model."
    )
    log_output: bool = Field(
        default=True,
        description="Model the objective's base-10 logarithm (the paper: all but TACO SpMV).",
    )
    log_inputs: bool = Field(
        default=True, description="Take the logarithm of parameters that are on a log scale."
    )
    design: int | None = Field(
        default=None,
        ge=1,
        description="Random configurations before the model; null: number of parameters plus one.",
    )
    default_first: bool = Field(
        default=True,
        description="Begin with the default configuration, where every parameter has a default "
        "and it is feasible.",
    )
    lengthscale_prior: GammaPrior | None = Field(
        default=(1.3, 0.1), description="Gamma prior of the lengthscales, [shape, rate]."
    )
    variance_prior: GammaPrior | None = Field(
        default=None, description="Gamma prior of the signal's variance (SpMV: [2.0, 0.15])."
    )
    noise_prior: GammaPrior | None = Field(
        default=None, description="Gamma prior of the noise's variance (SpMV: [1.1, 0.05])."
    )
    starts: int = Field(
        default=10,
        ge=0,
        description="Random starts of the hyperparameters' optimisation; 0: one start, at 1.",
    )
    optimised: int | None = Field(
        default=None,
        ge=1,
        description="How many of the starts are optimised, the likeliest; null: all. The original "
        "code's own default is 200 starts of which 20 are optimised.",
    )
    exploration: float = Field(
        default=1e-4, ge=0, description="Subtracted from the improvement (xi), in deviations."
    )
    epsilon: float = Field(default=0.0, ge=0, le=1, description="Probability of a random proposal.")
    feasibility: bool = Field(
        default=True, description="Learn which configurations fail, from the first failure on."
    )
    feasibility_threshold: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Largest threshold on the probability of success; each proposal draws its own "
        "among 0, 0.1, ..., 1 times this.",
    )
    candidates: int = Field(
        default=10_000, ge=1, description="Random configurations scored for each proposal."
    )
    climbs: int = Field(
        default=20,
        ge=0,
        description="How many of the best candidates are refined by hill climbing; 0: none.",
    )

    @model_validator(mode="after")
    def _fewer_optimised_than_started(self) -> PaperOptions:
        if self.optimised is not None and self.optimised > max(self.starts, 1):
            raise ValueError(
                f"'optimised' ({self.optimised}) is larger than 'starts' ({self.starts})"
            )
        return self
