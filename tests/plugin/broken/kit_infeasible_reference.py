"""Has a reference that is not in the space and does not say so."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-infeasible-reference",
            factory="broken_parts.targets:InfeasibleReference",
            summary="Has a reference that is not in the space and does not say so.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
