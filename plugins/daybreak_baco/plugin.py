"""Hook implementations of the plugin `baco`."""

from __future__ import annotations

from daybreak import Isolation, OptimizerSpec, hookimpl

__all__ = ["daybreak_register_optimizers"]

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers() -> list[OptimizerSpec]:
    """Register the optimizer; `preset` chooses between the published BaCO and ours."""
    return [
        OptimizerSpec(
            name="baco",
            factory="daybreak_baco.factory:create",
            summary="Bayesian optimisation over constrained spaces: BaCO as published, or better.",
            options="daybreak_baco.options:BacoOptions",
            capabilities=frozenset({"batch", "seeded"}),
            requires=("scipy>=1.13", "scikit-learn>=1.5"),
            extra="baco",
            isolation=Isolation.WORKER,
            accepts="daybreak_baco.acceptance:accepts",
            max_objectives=0,
        )
    ]
