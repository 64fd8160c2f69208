"""Says what is missing and not how to get it."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-no-remedy",
            factory="broken_parts.targets:NoRemedy",
            summary="Says what is missing and not how to get it.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
