"""A wrapper of the trial protocol that forgets to return the outcome."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl(wrapper=True)
def daybreak_trial_protocol(study):
    yield
