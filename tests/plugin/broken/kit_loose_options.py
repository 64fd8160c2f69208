"""Its options model takes misspelt names."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-loose-options",
            factory="broken_parts.optimizers:Walker",
            summary="Its options model takes misspelt names.",
            options="broken_parts.optimizers:LooseOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
