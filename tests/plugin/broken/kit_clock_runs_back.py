"""Begins its training clock anew in the middle of a curve."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-clock-runs-back",
            factory="broken_parts.trainers:ClockRunsBack",
            summary="Begins its training clock anew in the middle of a curve.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
