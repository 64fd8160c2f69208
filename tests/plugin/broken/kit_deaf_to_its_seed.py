"""Says that it is seeded, and trains the same with every seed."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-deaf-to-its-seed",
            factory="broken_parts.trainers:DeafToItsSeed",
            summary="Says that it is seeded, and trains the same with every seed.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
