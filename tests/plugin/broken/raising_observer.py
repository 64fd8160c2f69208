"""An observer that raises at every trial."""

from __future__ import annotations

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_trial_finished(trial):
    raise ValueError("no beads left")
