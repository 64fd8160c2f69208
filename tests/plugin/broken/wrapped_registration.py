"""Wraps a hook that may not be wrapped."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl(wrapper=True)
def daybreak_register_targets():
    yield
