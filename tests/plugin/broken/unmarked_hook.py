"""A hook without its marker: pluggy would never call it."""

from __future__ import annotations

from daybreak.plugin import TargetSpec

DAYBREAK_API = "1.0"


def daybreak_register_targets():
    return [TargetSpec(name="abacus", factory="abacus.target:Abacus", summary="Counts beads")]
