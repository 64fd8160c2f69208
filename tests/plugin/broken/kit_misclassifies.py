"""Reports a crash as a failed build."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-misclassifies",
            factory="broken_parts.targets:Misclassifies",
            summary="Reports a crash as a failed build.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
