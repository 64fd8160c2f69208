"""A hook asks for an argument that does not exist."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_trial_finished(trail):
    return None
