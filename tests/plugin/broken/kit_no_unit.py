"""Has an objective without a unit."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-no-unit",
            factory="broken_parts.targets:NoUnit",
            summary="Has an objective without a unit.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
