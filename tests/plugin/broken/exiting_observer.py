"""An observer that calls sys.exit."""

from __future__ import annotations

import sys

from daybreak.plugin import hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_trial_finished():
    sys.exit(7)
