"""Cannot be closed twice."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-closes-once",
            factory="broken_parts.targets:ClosesOnce",
            summary="Cannot be closed twice.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
