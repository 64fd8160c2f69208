"""Its API version is no text."""

from __future__ import annotations

from daybreak.plugin import TargetSpec, hookimpl

DAYBREAK_API = 1


@hookimpl
def daybreak_register_targets():
    return [TargetSpec(name="abacus", factory="abacus.target:Abacus", summary="Counts beads")]
