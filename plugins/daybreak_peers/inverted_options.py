"""Options of Kernel Tuner, pyATF, OpenTuner and HyperMapper, validated when a suite is loaded."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from daybreak_peers.options import PeerOptions

__all__ = ["HyperMapperOptions", "KernelTunerOptions", "OpenTunerOptions", "PyAtfOptions"]


class KernelTunerOptions(PeerOptions):
    """Options of `kernel-tuner`."""

    strategy: Literal[
        "genetic_algorithm",
        "simulated_annealing",
        "bayes_opt",
        "greedy_ils",
        "greedy_mls",
        "ordered_greedy_mls",
        "mls",
        "pso",
        "diff_evo",
        "dual_annealing",
        "basinhopping",
        "firefly_algorithm",
        "minimize",
        "random_sample",
        "skopt",
        "hybrid_vndx",
        "adaptive_tabu_greywolf",
    ] = Field(
        default="genetic_algorithm",
        description="Kernel Tuner's name of the strategy; skopt needs the package scikit-optimize.",
    )
    strategy_options: dict[str, Any] = Field(
        default={},
        description="Kernel Tuner's options of that strategy; those left out have its tuned "
        "defaults. max_fevals is the study's budget.",
    )
    max_configurations: int = Field(
        default=1_000_000,
        ge=1,
        description="Feasible configurations that may be listed for Kernel Tuner, some 0.5 kB and "
        "10 microseconds each; a larger space is refused before the run.",
    )


class PyAtfOptions(PeerOptions):
    """Options of `pyatf`."""

    technique: Literal[
        "auc_bandit",
        "simulated_annealing",
        "pattern_search",
        "differential_evolution",
        "torczon",
        "round_robin",
        "random",
        "exhaustive",
    ] = Field(default="auc_bandit", description="pyATF's search technique.")
    max_leaves: int = Field(
        default=2_000_000,
        ge=1,
        description="Leaves that pyATF's trees of linked parameters may have together, some 0.5 kB "
        "each; a larger space is refused before the run.",
    )


class OpenTunerOptions(PeerOptions):
    """Options of `opentuner`."""

    technique: str = Field(
        default="AUCBanditMetaTechniqueA",
        description="OpenTuner's name of the technique, as `--list-techniques` gives it.",
    )
    encoding: Literal["embedding", "parameters"] = Field(
        default="embedding",
        description="embedding: a float per parameter picks among the feasible children at its "
        "level of the constraint trees (ATF, and the baseline of BaCO's paper); parameters: "
        "OpenTuner's own types of parameter, proposals that break constraints fail.",
    )


class HyperMapperOptions(PeerOptions):
    """Options of `hypermapper`."""

    model: Literal["random_forest", "gaussian_process"] = Field(
        default="random_forest", description="HyperMapper's surrogate model."
    )
    startup: int | None = Field(
        default=None,
        ge=1,
        description="Random configurations before the model is used; null: HyperMapper's 10, or "
        "fewer if the budget is under 20.",
    )
    feasibility: bool | None = Field(
        default=None,
        description="Model the probability that a configuration fails or breaks a constraint; "
        "null: if the space has known constraints.",
    )
    python: str | None = Field(
        default=None,
        description="Interpreter of an environment that has HyperMapper, which needs older "
        "libraries than Daybreak may have; null: the interpreter that runs Daybreak.",
    )
