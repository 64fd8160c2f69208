"""Leaves files in the working folder."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-litters",
            factory="broken_parts.targets:Litters",
            summary="Leaves files in the working folder.",
            options="broken_parts.targets:Options",
            isolation=Isolation.WORKER,
        )
    ]
