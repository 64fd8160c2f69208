"""Registers two targets under one name."""

from __future__ import annotations

from daybreak.plugin import TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    spec = TargetSpec(name="twin", factory="abacus.target:Abacus", summary="Counts beads")
    return [spec, spec]
