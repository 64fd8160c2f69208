"""A registration hook raises."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [1 // 0]
