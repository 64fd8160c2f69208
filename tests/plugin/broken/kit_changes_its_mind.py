"""Verifies an artifact once this way, once that way."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-changes-its-mind",
            factory="broken_parts.targets:ChangesItsMind",
            summary="Verifies an artifact once this way, once that way.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
