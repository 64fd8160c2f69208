"""A wrapper of the trial protocol that raises after the trial."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl(wrapper=True)
def daybreak_trial_protocol(study):
    yield
    raise ValueError("cannot read the meter")
