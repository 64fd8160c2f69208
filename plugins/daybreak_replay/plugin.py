"""Registers the target with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import Isolation, TargetSpec, hookimpl

__all__ = ["DAYBREAK_API", "daybreak_register_targets"]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"

_OPTIONS = "daybreak_replay.options:"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Return the one target of this plugin."""
    return [
        TargetSpec(
            name="replay",
            factory="daybreak_replay.target:ReplayTarget",
            summary="recorded measurements, looked up: no hardware, a simulated clock",
            options=_OPTIONS + "RecordedOptions",
            capabilities=frozenset({"verifies", "simulates", "surveyed"}),
            isolation=Isolation.INLINE,
            exclusive=False,
            benchmark_options=(("table", _OPTIONS + "TableOptions"),),
        )
    ]
