"""Says that an hour passed at every step."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-clock-runs-fast",
            factory="broken_parts.trainers:ClockRunsFast",
            summary="Says that an hour passed at every step.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
