"""Lists categories in the order of a set."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-changing-space",
            factory="broken_parts.targets:ChangingSpace",
            summary="Lists categories in the order of a set.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
