"""Running suites: from a plan to recorded trials.

`run_suite` is the one entry; `JsonListener` and `TerminalListener` show what goes on.
"""

from __future__ import annotations

from daybreak.run.engine import RunSummary, run_plan, run_suite
from daybreak.run.events import JsonListener, Listener, SilentListener
from daybreak.run.prepare import missing_requirements

__all__ = [
    "JsonListener",
    "Listener",
    "RunSummary",
    "SilentListener",
    "missing_requirements",
    "run_plan",
    "run_suite",
]
