"""A hook's name is misspelt."""

from __future__ import annotations

from daybreak.plugin import TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_target():
    return [TargetSpec(name="abacus", factory="abacus.target:Abacus", summary="Counts beads")]
