"""Says how far it is in per cent."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-counts-in-percent",
            factory="broken_parts.targets:CountsInPercent",
            summary="Says how far it is in per cent.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
