"""Its plugin module imports the factory's module."""

from __future__ import annotations

from broken_parts.optimizers import Walker

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"

#: so that the class is used
FACTORY = Walker.__name__


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-eager-factory",
            factory="broken_parts.optimizers:Walker",
            summary="Its plugin module imports the factory's module.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]
