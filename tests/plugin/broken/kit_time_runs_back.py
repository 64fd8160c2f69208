"""Takes less time for more repetitions."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-time-runs-back",
            factory="broken_parts.targets:TimeRunsBack",
            summary="Takes less time for more repetitions.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
