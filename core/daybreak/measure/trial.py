"""One trial: build, verify, measure, and the outcome. The same code inline, in a worker, in a fork."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from daybreak.errors import WrongResult
from daybreak.measure.classify import Failure, classify_exception
from daybreak.measure.codec import encode_events
from daybreak.measure.energy import EnergyMeter
from daybreak.measure.protocol import Measurement, Stop, collect
from daybreak.measure.simulation import simulate, simulates
from daybreak.measure.statistics import median_interval
from daybreak.records import (
    Configuration,
    Direction,
    Event,
    FailureKind,
    MeasurementProtocol,
    Metric,
    Outcome,
    Sample,
    TrialStatus,
)

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Session

__all__ = ["TrialSetting", "failed_outcome", "run_trial"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TrialSetting:
    """What all trials of a bench have in common. `facts` are put into every outcome.

    `metered` are the devices whose energy is read, where they have counters.
    """

    protocol: MeasurementProtocol
    objectives: tuple[Metric, ...]
    floors: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    metered: tuple[str, ...] = ()


def run_trial(
    session: Session,
    configuration: Configuration,
    setting: TrialSetting,
    *,
    best: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    report: Callable[[Mapping[str, Any]], None] | None = None,
) -> Outcome:
    """Build, verify and measure `configuration`; whatever goes wrong becomes a failed outcome.

    With a session that `Simulates`, no repetition is dropped as warm-up, no real time ends the
    measurement or fails the trial (a worker that hangs is killed all the same), and the phases are
    the session's own seconds.

    An artifact may carry two mappings: ``facts`` (JSON values, e.g. a hash of the generated code)
    join the outcome's facts, and ``phases`` (seconds by name) its phases, as ``build.NAME``.

    Args:
        session: an entered session.
        configuration: one value per parameter.
        setting: protocol, objectives, floors.
        best: the best value of the first objective so far.
        cancelled: asked between samples.
        report: gets a JSON object at the start of each phase and now and then while measuring, so
            that a trial whose process dies is known by what it did.

    Raises:
        KeyboardInterrupt: passed through; the user has interrupted an inline trial.
    """
    simulated = simulates(session)
    if simulated:
        protocol, limit, pace = replace(setting.protocol, warmup=0), math.inf, _standing
    else:
        protocol, limit, pace = setting.protocol, setting.protocol.timeout_s, time.perf_counter
    outcome = _run(
        session,
        configuration,
        setting,
        protocol,
        limit,
        pace,
        best=best,
        cancelled=cancelled or _never,
        report=report,
    )
    if simulated and outcome.failure_kind is not FailureKind.CANCELLED:
        return simulate(outcome, session, configuration)
    return outcome


def _standing() -> float:
    """A clock that stands: with it, no measurement is ever out of time."""
    return 0.0


def _never() -> bool:
    return False


def _run(
    session: Session,
    configuration: Configuration,
    setting: TrialSetting,
    protocol: MeasurementProtocol,
    limit: float,
    pace: Callable[[], float],
    *,
    best: float | None,
    cancelled: Callable[[], bool],
    report: Callable[[Mapping[str, Any]], None] | None,
) -> Outcome:
    """Return the trial's outcome in real seconds; `pace` is the clock of its repetitions."""
    clock = time.perf_counter
    phases: dict[str, float] = {}
    facts: dict[str, Any] = dict(setting.facts)
    seen: dict[str, Any] = {}
    phase = "build"
    if report is not None:
        report({"phase": phase, "phases": phases})
    began = clock()
    try:
        artifact = session.build(configuration)
        now = clock()
        phases["build"] = now - began
        _adopt(artifact, phases, facts)
        phase = "verify"
        if report is not None:
            report({"phase": phase, "phases": phases})
        began = clock()
        verdict = session.verify(artifact)
        now = clock()
        phases["verify"] = now - began
        if verdict.error is not None:
            facts["error"] = float(verdict.error)
        if verdict.tolerance is not None:
            facts["tolerance"] = float(verdict.tolerance)
        if not verdict.correct:
            raise WrongResult(_explain(verdict))
        phase = "measure"
        if report is not None:
            report({"phase": phase, "phases": phases})
        meter = EnergyMeter(() if pace is _standing else setting.metered)
        meter.begin()
        began = clock()
        measurement = collect(
            session.measure(artifact, setting.protocol),
            protocol,
            setting.objectives,
            best=best,
            cancelled=meter.watching(cancelled),
            report=None if report is None else _partial(report, seen),
            clock=pace,
        )
        phases["measure"] = clock() - began
        meter.end(measurement.values, facts)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        phases.setdefault(phase, clock() - began)
        failure = classify_exception(error, phase)
        if failure.kind is FailureKind.CANCELLED and not cancelled():
            # only the user cancels; a session that says so, of a recorded trial say, must not
            # end the run
            failure = replace(failure, kind=FailureKind.INTERNAL)
        return failed_outcome(failure, setting, phases, facts)
    return _judge(measurement, setting, phases, facts, limit)


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


def _judge(
    measurement: Measurement,
    setting: TrialSetting,
    phases: dict[str, float],
    facts: dict[str, Any],
    limit: float,
) -> Outcome:
    """Return the outcome of a measurement that came to its end."""
    values = measurement.values
    samples = tuple(
        [
            Sample(metric, value, i)
            for metric, series in values.items()
            for i, value in enumerate(series)
        ]
    )
    events = tuple(measurement.events)
    facts["warmup"] = measurement.warmup
    facts["repeats"] = len(values[setting.objectives[0].name])
    facts["stop"] = measurement.stop.value
    if measurement.events_dropped:
        facts["events_dropped"] = measurement.events_dropped
    objectives: dict[str, float | None] = {}
    low = high = None
    for metric in setting.objectives:
        series = values[metric.name]
        if len(series) == 1:
            middle = bottom = top = series[0]
        else:
            middle, bottom, top = median_interval(series)
        objectives[metric.name] = middle
        if low is None:
            low, high = bottom, top
        floor = setting.floors.get(metric.name)
        if floor is not None and _beyond(middle, floor, metric.direction):
            failure = Failure(
                FailureKind.WRONG_RESULT,
                f"{metric.name} {middle:g} {metric.unit} is better than the hardware can be "
                f"({floor:g} {metric.unit})",
            )
            return failed_outcome(failure, setting, phases, facts, samples=samples, events=events)
    late = _late(phases, limit, measurement.stop)
    if late is not None:
        return failed_outcome(late, setting, phases, facts, samples=samples, events=events)
    stopped = measurement.stop is Stop.HOPELESS
    return Outcome(
        status=TrialStatus.STOPPED if stopped else TrialStatus.OK,
        message="stopped early: hopeless against the best so far" if stopped else None,
        objectives=objectives,
        low=low,
        high=high,
        samples=samples,
        events=events,
        phases=phases,
        facts=facts,
    )


def _late(phases: Mapping[str, float], limit: float, stop: Stop) -> Failure | None:
    """Return why a trial that nobody killed is over its time: inline, where nobody can."""
    for phase in ("build", "verify", "measure"):
        if phases[phase] > limit and (phase != "measure" or stop is Stop.NATURAL):
            return Failure(
                FailureKind.TIMEOUT, f"{phase} took {phases[phase]:.3g} s, the limit is {limit:g} s"
            )
    return None


def _beyond(value: float, floor: float, direction: Direction) -> bool:
    return value < floor if direction is Direction.MINIMIZE else value > floor


def _explain(verdict: Any) -> str:
    if verdict.error is None:
        return verdict.message or "the result differs from the reference"
    bound = "" if verdict.tolerance is None else f", the tolerance is {verdict.tolerance:g}"
    text = f"the result is off by {verdict.error:g}{bound}"
    return f"{verdict.message}: {text}" if verdict.message else text


def _adopt(artifact: Any, phases: dict[str, float], facts: dict[str, Any]) -> None:
    found = getattr(artifact, "facts", None)
    if isinstance(found, Mapping):
        facts.update(found)
    found = getattr(artifact, "phases", None)
    if isinstance(found, Mapping):
        phases.update({f"build.{name}": float(seconds) for name, seconds in found.items()})


def _partial(
    report: Callable[[Mapping[str, Any]], None], seen: dict[str, int]
) -> Callable[[Mapping[str, list[float]], list[Event]], None]:
    """Return a function that reports the samples and events not yet reported."""

    def send(values: Mapping[str, list[float]], events: list[Event]) -> None:
        samples = []
        for metric, series in values.items():
            # Warm-up starts the series anew; then what was reported of it is not told again.
            begin = min(seen.get(metric, 0), len(series))
            samples += [[metric, series[i], i] for i in range(begin, len(series))]
            seen[metric] = len(series)
        report({"samples": samples, "events": encode_events(tuple(events))})

    return send
