"""Labels the instance by a counter."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-changing-label",
            factory="broken_parts.targets:ChangingLabel",
            summary="Labels the instance by a counter.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
