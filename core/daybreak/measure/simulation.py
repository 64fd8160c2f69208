"""The simulated clock: a session's own seconds in the place of the wall's."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from daybreak.errors import TrialFailed
from daybreak.measure.classify import classify_exception
from daybreak.records import Configuration, Outcome, TrialStatus

__all__ = ["simulate", "simulates"]


def simulates(session: Any) -> bool:
    """Whether `session` is a `daybreak.plugin.contracts.Simulates`.

    Asked without importing the contracts: a worker shall load no more than its target does.
    """
    return callable(getattr(session, "simulated_phases", None))


def simulate(outcome: Outcome, session: Any, configuration: Configuration) -> Outcome:
    """Return `outcome` with the session's seconds as its phases, and the real ones' sum as `real_s`.

    The session is asked with the number of repetitions that were taken, 0 for a trial that failed
    before it was measured. Of a progress curve it need not give `measure`: that is the wall clock at
    the last event that was read, or the training clock where there is none. A session that raises turns a good trial into a failed one of the kind
    that it raises. A trial that failed anyway, or whose seconds are no durations, becomes
    `internal`; but a failed trial of which the session knows nothing (`TrialFailed`) costs nothing.

    Raises:
        KeyboardInterrupt: passed through.
    """
    real = _total(outcome.phases)
    failed = outcome.status is TrialStatus.FAILED
    repetitions = outcome.facts.get("repeats", 0)
    phases: dict[str, float] = {}
    try:
        phases = _checked(session.simulated_phases(configuration, repetitions))
        read_s = _read_seconds(outcome)
        if read_s is not None:
            phases.setdefault("measure", read_s)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if not (failed and isinstance(error, TrialFailed)):
            failure = classify_exception(error, "simulated_phases")
            outcome = replace(
                outcome,
                status=TrialStatus.FAILED,
                failure_kind=failure.kind,
                message=failure.message,
                detail=failure.detail,
                objectives=dict.fromkeys(outcome.objectives),
                low=None,
                high=None,
            )
    return replace(
        outcome,
        phases=phases,
        facts={**outcome.facts, "real_s": real},
        simulated_s=_total(phases),
    )


def _read_seconds(outcome: Outcome) -> float | None:
    """Return the clock at the end of the curve as far as it was read; None: there is no curve."""
    curve = outcome.facts.get("curve")
    if not isinstance(curve, Mapping):
        return None
    seconds = curve.get("wall_s", curve.get("train_s"))
    return None if seconds is None else float(seconds)


def _total(phases: Mapping[str, float]) -> float:
    """Return the sum of whole phases; ``build.NAME`` is a part of ``build``."""
    return sum(seconds for name, seconds in phases.items() if "." not in name)


def _checked(phases: Any) -> dict[str, float]:
    if not isinstance(phases, Mapping):
        raise TypeError(f"returned {type(phases).__name__}, not seconds by phase")
    checked = {}
    for name, seconds in phases.items():
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is no name of a phase")
        if isinstance(seconds, bool) or not isinstance(seconds, numbers.Real):
            raise TypeError(f"{seconds!r} seconds of {name} are no number")
        checked[name] = float(seconds)
        if not 0.0 <= checked[name] < math.inf:
            raise ValueError(f"{checked[name]!r} seconds of {name} are no duration")
    return checked
