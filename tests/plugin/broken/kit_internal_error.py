"""Raises a KeyError for configurations of its own space."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-internal-error",
            factory="broken_parts.targets:InternalError",
            summary="Raises a KeyError for configurations of its own space.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
