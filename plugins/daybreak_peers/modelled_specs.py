"""Specs of the libraries that are asked and told: Optuna, SMAC3, BoTorch."""

from __future__ import annotations

from daybreak import Isolation, OptimizerSpec

__all__ = ["specs"]

_OPTUNA = "optuna>=5"
_CAPABILITIES = frozenset({"batch", "seeded", "exhausts"})
_TYPES = frozenset({"real", "integer", "ordinal", "categorical", "permutation"})


def specs() -> list[OptimizerSpec]:
    """Return the specs."""
    return [
        OptimizerSpec(
            name="optuna-tpe",
            factory="daybreak_peers.optuna_peer:OptunaTPE",
            summary="Optuna's tree-structured Parzen estimator.",
            options="daybreak_peers.options:OptunaTPEOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_TYPES,
            requires=(_OPTUNA,),
            extra="peers-optuna",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="optuna-gp",
            factory="daybreak_peers.optuna_peer:OptunaGP",
            summary="Optuna's Gaussian process with logEI.",
            options="daybreak_peers.options:OptunaGPOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_TYPES,
            requires=(_OPTUNA, "torch>=2", "scipy>=1.13"),
            extra="peers-optuna-gp",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="optuna-random",
            factory="daybreak_peers.optuna_peer:OptunaRandom",
            summary="Optuna's random search, as Optuna sees the space.",
            options="daybreak_peers.options:OptunaRandomOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_TYPES,
            requires=(_OPTUNA,),
            extra="peers-optuna",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="smac",
            factory="daybreak_peers.smac_peer:Smac",
            summary="SMAC3: a random forest (hpo) or a Gaussian process (blackbox).",
            options="daybreak_peers.options:SmacOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_TYPES,
            requires=("smac>=2.3",),
            extra="peers-smac",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="botorch",
            factory="daybreak_peers.botorch_peer:BoTorch",
            summary="BoTorch: SingleTaskGP with logEI, searched over feasible configurations.",
            options="daybreak_peers.options:BoTorchOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_TYPES,
            requires=("botorch>=0.14",),
            extra="peers-botorch",
            isolation=Isolation.WORKER,
        ),
    ]
