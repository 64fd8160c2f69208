"""Fails to build although it claims no hidden constraints."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-says-no-hidden-constraints",
            factory="broken_parts.targets:SaysNoHiddenConstraints",
            summary="Fails to build although it claims no hidden constraints.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
