"""Cannot take trials that it did not propose."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-dies-on-foreign",
            factory="broken_parts.optimizers:DiesOnForeign",
            summary="Cannot take trials that it did not propose.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
