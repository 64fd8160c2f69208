"""Yields a sample that is not a number."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-non-finite",
            factory="broken_parts.targets:NonFinite",
            summary="Yields a sample that is not a number.",
            options="broken_parts.targets:Options",
            isolation=Isolation.INLINE,
        )
    ]
