"""Claims to end a finite space and does not."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-never-ends",
            factory="broken_parts.optimizers:NeverEnds",
            summary="Claims to end a finite space and does not.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"exhausts", "seeded"}),
            parameter_types=frozenset({"ordinal", "categorical"}),
            max_objectives=1,
        )
    ]
