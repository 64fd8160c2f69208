"""Has another identity in every process."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-changing-identity",
            factory="broken_parts.targets:ChangingIdentity",
            summary="Has another identity in every process.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
