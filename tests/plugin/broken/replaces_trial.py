"""Implements the trial protocol without wrapping it, which would replace the measurement."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_trial_protocol(study):
    return None
