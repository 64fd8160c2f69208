"""Wants a batch to be told as a whole."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-insists-on-order",
            factory="broken_parts.optimizers:InsistsOnOrder",
            summary="Wants a batch to be told as a whole.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
