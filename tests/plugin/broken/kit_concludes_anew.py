"""Concludes something else each time it is asked."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-concludes-anew",
            factory="broken_parts.trainers:ConcludesAnew",
            summary="Concludes something else each time it is asked.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
