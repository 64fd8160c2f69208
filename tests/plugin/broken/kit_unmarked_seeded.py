"""Depends on its seed and does not say so."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-unmarked-seeded",
            factory="broken_parts.optimizers:Walker",
            summary="Depends on its seed and does not say so.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset(),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
