"""Takes a wrong result for right."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-credulous",
            factory="broken_parts.targets:Credulous",
            summary="Takes a wrong result for right.",
            options="broken_parts.targets:Options",
            isolation=Isolation.WORKER,
        )
    ]
