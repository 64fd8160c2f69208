"""Draws from the global random state."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-touches-global-random",
            factory="broken_parts.optimizers:TouchesGlobalRandom",
            summary="Draws from the global random state.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
