"""Prints while it is imported, which would spoil the output of --json."""

from __future__ import annotations

from daybreak.plugin import TargetSpec, hookimpl

DAYBREAK_API = "1.0"

print("hello from a plugin")  # noqa: T201


@hookimpl
def daybreak_register_targets():
    return [TargetSpec(name="noisy", factory="abacus.target:Abacus", summary="Counts beads")]
