"""Gives curves up without saying at which clock."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-cuts-nowhere",
            factory="broken_parts.optimizers:CutsNowhere",
            summary="Gives curves up without saying at which clock.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
