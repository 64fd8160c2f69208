"""Its options change when they are validated again."""

from __future__ import annotations

from daybreak.plugin import Isolation, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="kit-growing-options",
            factory="broken_parts.targets:Adder",
            summary="Its options change when they are validated again.",
            options="broken_parts.targets:GrowingOptions",
            isolation=Isolation.INLINE,
        )
    ]
