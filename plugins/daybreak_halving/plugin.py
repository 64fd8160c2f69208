"""Hook implementations of the plugin `halving`."""

from __future__ import annotations

from daybreak import OptimizerSpec, hookimpl

__all__ = ["daybreak_register_optimizers"]

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers() -> list[OptimizerSpec]:
    """Register the optimizer."""
    return [
        OptimizerSpec(
            name="halving",
            factory="daybreak_halving.halving:Halving",
            summary="Random search that gives up all but the best 1/eta of the curves at each rung.",
            options="daybreak_halving.options:HalvingOptions",
            capabilities=frozenset({"batch", "seeded", "exhausts", "curtails"}),
            accepts="daybreak_halving.acceptance:accepts",
            max_objectives=0,
        )
    ]
