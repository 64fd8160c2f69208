"""Has a floor for a metric that it has not declared."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-strange-floor",
            factory="broken_parts.targets:StrangeFloor",
            summary="Has a floor for a metric that it has not declared.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
