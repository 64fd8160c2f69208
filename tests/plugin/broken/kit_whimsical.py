"""Says that its curve is deterministic, and draws from elsewhere."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-whimsical",
            factory="broken_parts.trainers:Whimsical",
            summary="Says that its curve is deterministic, and draws from elsewhere.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
