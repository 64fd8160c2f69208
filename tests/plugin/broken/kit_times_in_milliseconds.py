"""Has its time to target in milliseconds."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-times-in-milliseconds",
            factory="broken_parts.trainers:Milliseconds",
            summary="Has its time to target in milliseconds.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
