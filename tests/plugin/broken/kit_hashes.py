"""Depends on the hash of a text, which differs between processes."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-hashes",
            factory="broken_parts.optimizers:Hashes",
            summary="Depends on the hash of a text, which differs between processes.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
