"""Running suites: from a plan to recorded trials.

`run_suite` is the one entry; `JsonListener` and `TerminalListener` show what goes on. The names are
imported when first used: the processes in which optimizers live import this package, and need
little of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# name -> module that defines it
_HOMES = {
    "JsonListener": "events",
    "Listener": "events",
    "RunSummary": "engine",
    "SilentListener": "events",
    "missing_requirements": "prepare",
    "run_plan": "engine",
    "run_suite": "engine",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
