"""Claims to take any number of objectives and takes one."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-one-objective",
            factory="broken_parts.optimizers:OneObjective",
            summary="Claims to take any number of objectives and takes one.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=0,
        )
    ]
