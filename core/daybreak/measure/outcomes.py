"""What the ways of measuring a trial share: its setting, and outcomes that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from daybreak.measure.classify import Failure
from daybreak.measure.curve import CurveSetting
from daybreak.measure.events import EventKeeper
from daybreak.measure.protocol import Stop
from daybreak.records import (
    Direction,
    Event,
    FailureKind,
    MeasurementProtocol,
    Metric,
    Outcome,
    Sample,
    TrialStatus,
)

__all__ = [
    "SESSION_LOST",
    "STRAYS_LEFT",
    "TrialSetting",
    "beats_hardware",
    "ends_session",
    "failed_outcome",
    "late",
    "numbered",
]

#: facts of trials after which no other runs in the same session
SESSION_LOST, STRAYS_LEFT = "session_lost", "strays_left"

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_PHASES = ("build", "verify", "measure", "conclude")


@dataclass(frozen=True, slots=True)
class TrialSetting:
    """What all trials of a bench have in common.

    Attributes:
        protocol: how to measure.
        objectives: what is optimized, the first one ranks.
        floors: values by metric that no honest result can beat.
        facts: put into every outcome.
        metered: the devices whose energy is read, where they have counters.
        curve: the benchmark's progress curve, if it has one.
    """

    protocol: MeasurementProtocol
    objectives: tuple[Metric, ...]
    floors: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    metered: tuple[str, ...] = ()
    curve: CurveSetting | None = None

    def keeper(self) -> EventKeeper:
        """Return a keeper of one trial's events."""
        return EventKeeper() if self.curve is None else self.curve.keeper(self.protocol)

    @property
    def phases(self) -> int:
        """How many phases a trial has, each bounded by the protocol's time limit."""
        return 3 if self.curve is None else 4


def failed_outcome(
    failure: Failure,
    setting: TrialSetting,
    phases: Mapping[str, float],
    facts: Mapping[str, Any],
    *,
    samples: tuple[Sample, ...] = (),
    events: tuple[Event, ...] = (),
    readings: Mapping[str, Any] = _NOTHING,
) -> Outcome:
    """Return the outcome of a trial that failed; every objective is None."""
    return Outcome(
        status=TrialStatus.FAILED,
        failure_kind=failure.kind,
        message=failure.message,
        detail=failure.detail,
        objectives=dict.fromkeys([metric.name for metric in setting.objectives]),
        samples=samples,
        events=events,
        phases=phases,
        facts=facts,
        readings=dict(readings),
    )


def ends_session(outcome: Outcome) -> bool:
    """Whether the next trial needs a new session: see the facts above."""
    return SESSION_LOST in outcome.facts or STRAYS_LEFT in outcome.facts


def numbered(values: Mapping[str, list[float]]) -> tuple[Sample, ...]:
    """Return values by metric as samples, numbered within each metric."""
    return tuple(
        [
            Sample(metric, value, i)
            for metric, series in values.items()
            for i, value in enumerate(series)
        ]
    )


def beats_hardware(value: float, metric: Metric, setting: TrialSetting) -> Failure | None:
    """Return why `value` cannot be true: it is beyond the session's floor for `metric`."""
    floor = setting.floors.get(metric.name)
    if floor is None:
        return None
    if not (value < floor if metric.direction is Direction.MINIMIZE else value > floor):
        return None
    return Failure(
        FailureKind.WRONG_RESULT,
        f"{metric.name} {value:g} {metric.unit} is better than the hardware can be "
        f"({floor:g} {metric.unit})",
    )


def late(phases: Mapping[str, float], limit: float, stop: Stop) -> Failure | None:
    """Return why a trial that nobody killed is over its time: inline, where nobody can."""
    for phase in _PHASES:
        if phases.get(phase, 0.0) > limit and (phase != "measure" or stop is Stop.NATURAL):
            return Failure(
                FailureKind.TIMEOUT, f"{phase} took {phases[phase]:.3g} s, the limit is {limit:g} s"
            )
    return None
