"""Cannot measure again after an early stop."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-stops-for-good",
            factory="broken_parts.targets:StopsForGood",
            summary="Cannot measure again after an early stop.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
