"""A name with a capital and a blank."""

from __future__ import annotations

from daybreak.plugin import TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [TargetSpec(name="My Abacus", factory="abacus.target:Abacus", summary="Counts beads")]
