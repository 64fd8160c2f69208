"""Lists a benchmark twice."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-lists-twice",
            factory="broken_parts.targets:ListsTwice",
            summary="Lists a benchmark twice.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
