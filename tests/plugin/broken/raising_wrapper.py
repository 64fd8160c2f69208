"""A wrapper of the trial protocol that raises before the trial."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl(wrapper=True)
def daybreak_trial_protocol(study):
    raise ValueError("cannot set the clocks")
    yield
