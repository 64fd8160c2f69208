"""Knows more configurations than there are."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-knows-too-much",
            factory="broken_parts.targets:KnowsTooMuch",
            summary="Knows more configurations than there are.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
