"""One trial: build, verify, measure, and the outcome. The same code inline, in a worker, in a fork."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from daybreak.errors import TrialFailed, WrongResult
from daybreak.measure.announcing import Announcer, Offer, Report, announcing
from daybreak.measure.classify import classify_exception
from daybreak.measure.codec import encode_events
from daybreak.measure.curve import CurveReader
from daybreak.measure.energy import EnergyMeter
from daybreak.measure.events import EventKeeper
from daybreak.measure.outcomes import (
    SESSION_LOST,
    TrialSetting,
    beats_hardware,
    failed_outcome,
    late,
    numbered,
)
from daybreak.measure.protocol import Measurement, Stop, collect
from daybreak.measure.simulation import simulate, simulates
from daybreak.measure.statistics import median_interval
from daybreak.measure.training import concludes, judge_curve, take_conclusion
from daybreak.records import (
    Configuration,
    Cutoff,
    Event,
    FailureKind,
    MeasurementProtocol,
    Outcome,
    TrialStatus,
)

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Session

__all__ = ["TrialSetting", "failed_outcome", "run_trial"]


def run_trial(
    session: Session,
    configuration: Configuration,
    setting: TrialSetting,
    *,
    best: float | None = None,
    cutoffs: Sequence[Cutoff] = (),
    cancelled: Callable[[], bool] | None = None,
    report: Report | None = None,
    offer: Offer | None = None,
) -> Outcome:
    """Build, verify and measure `configuration`; whatever goes wrong becomes a failed outcome.

    With a progress curve, the measurement is read as `daybreak.measure.curve` says, the session
    concludes if it can, and the outcome is `daybreak.measure.training`'s. What had been yielded
    when a trial failed stays with it: events always, samples where the curve came to its end.

    With a session that `Simulates`, no repetition is dropped as warm-up, no real time ends the
    measurement or fails the trial (a worker that hangs is killed all the same), and the phases are
    the session's own seconds.

    An artifact may carry two mappings: ``facts`` (JSON values, e.g. a hash of the generated code)
    join the outcome's facts, and ``phases`` (seconds by name) its phases, as ``build.NAME``.

    Args:
        session: an entered session.
        configuration: one value per parameter.
        setting: protocol, objectives, floors, curve.
        best: the best value of the first objective so far.
        cutoffs: when to give a progress curve up.
        cancelled: asked between samples and events.
        report: gets a JSON object at the start of each phase and now and then while measuring, so
            that a trial whose process dies is known by what it did.
        offer: gets a JSON object of what the session announces; never waits.

    Raises:
        KeyboardInterrupt: passed through; the user has interrupted an inline trial.
    """
    simulated = simulates(session)
    if simulated:
        protocol, limit, pace = replace(setting.protocol, warmup=0), math.inf, _standing
    else:
        protocol, limit, pace = setting.protocol, setting.protocol.timeout_s, time.perf_counter
    with announcing(session, offer) as announcer:
        outcome = _run(
            session,
            configuration,
            setting,
            protocol,
            limit,
            pace,
            best=best,
            cutoffs=cutoffs,
            cancelled=cancelled or _never,
            report=report if report is None or announcer is None else announcer.alone(report),
            announcer=announcer,
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
    cutoffs: Sequence[Cutoff],
    cancelled: Callable[[], bool],
    report: Report | None,
    announcer: Announcer | None,
) -> Outcome:
    """Return the trial's outcome in real seconds; `pace` is the clock of its repetitions."""
    clock = time.perf_counter
    phases: dict[str, float] = {}
    facts: dict[str, Any] = dict(setting.facts)
    keeper = setting.keeper()
    reader: CurveReader | None = None

    def enter(name: str) -> float:
        if report is not None:
            report({"phase": name, "phases": phases, **_events(keeper)})
        if announcer is not None:
            announcer.enter(name)
        return clock()

    phase = "build"
    began = enter(phase)
    try:
        artifact = session.build(configuration)
        phases["build"] = clock() - began
        _adopt(artifact, phases, facts)
        phase = "verify"
        began = enter(phase)
        verdict = session.verify(artifact)
        phases["verify"] = clock() - began
        # verifying may have found out more
        _adopt(artifact, phases, facts)
        if verdict.error is not None:
            facts["error"] = float(verdict.error)
        if verdict.tolerance is not None:
            facts["tolerance"] = float(verdict.tolerance)
        if not verdict.correct:
            raise WrongResult(_explain(verdict))
        phase = "measure"
        # a simulated measurement spends no energy that would mean anything
        meter = EnergyMeter(() if pace is _standing else setting.metered)
        if setting.curve is not None:
            reader = CurveReader(
                setting.protocol,
                setting.curve,
                setting.objectives,
                keeper,
                best=best,
                cutoffs=cutoffs,
            )
        began = enter(phase)
        meter.begin()
        if reader is not None:
            reader.read(
                session.measure(artifact, setting.protocol),
                cancelled=meter.watching(cancelled),
                report=None if report is None else _event_report(report),
                clock=pace,
            )
            phases["measure"] = clock() - began
            meter.end(reader.samples, facts)
        else:
            measurement = collect(
                session.measure(artifact, setting.protocol),
                protocol,
                setting.objectives,
                best=best,
                cancelled=meter.watching(cancelled),
                report=None if report is None else _partial(report),
                clock=pace,
                keeper=keeper,
            )
            phases["measure"] = clock() - began
            meter.end(measurement.values, facts)
        if reader is not None and reader.stop is not Stop.DIVERGED and concludes(session):
            phase = "conclude"
            began = enter(phase)
            take_conclusion(reader, session.conclude(artifact))  # type: ignore[attr-defined]
            phases["conclude"] = clock() - began
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        phases.setdefault(phase, clock() - began)
        failure = classify_exception(error, phase)
        if isinstance(error, TrialFailed) and error.session_lost:
            facts[SESSION_LOST] = True
        if failure.kind is FailureKind.CANCELLED and not cancelled():
            # only the user cancels; a session that says so, of a recorded trial say, must not
            # end the run
            failure = replace(failure, kind=FailureKind.INTERNAL)
        events, dropped = keeper.finish()
        if dropped:
            facts["events_dropped"] = dropped
        samples = {} if reader is None else reader.samples
        return failed_outcome(
            failure, setting, phases, facts, samples=numbered(samples), events=tuple(events)
        )
    if reader is not None:
        return judge_curve(reader, keeper, setting, phases, facts, limit)
    return _judge(measurement, setting, phases, facts, limit)


def _events(keeper: EventKeeper) -> dict[str, Any]:
    """Return the events that no report has told of yet, for the wire."""
    fresh = keeper.fresh(keeper.most)
    return {"events": encode_events(tuple(fresh))} if fresh else {}


def _judge(
    measurement: Measurement,
    setting: TrialSetting,
    phases: dict[str, float],
    facts: dict[str, Any],
    limit: float,
) -> Outcome:
    """Return the outcome of a measurement that came to its end."""
    values = measurement.values
    samples = numbered(values)
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
        failure = beats_hardware(middle, metric, setting)
        if failure is not None:
            return failed_outcome(failure, setting, phases, facts, samples=samples, events=events)
    failure = late(phases, limit, measurement.stop)
    if failure is not None:
        return failed_outcome(failure, setting, phases, facts, samples=samples, events=events)
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


def _event_report(
    report: Report,
) -> Callable[[list[Event]], None]:
    """Return a function that reports events."""

    def send(events: list[Event]) -> None:
        report({"events": encode_events(tuple(events))})

    return send


def _partial(
    report: Report,
) -> Callable[[Mapping[str, list[float]], list[Event]], None]:
    """Return a function that reports the samples and events not yet reported."""
    seen: dict[str, int] = {}

    def send(values: Mapping[str, list[float]], events: list[Event]) -> None:
        samples = []
        for metric, series in values.items():
            # Warm-up starts the series anew; then what was reported of it is not told again.
            begin = min(seen.get(metric, 0), len(series))
            samples += [[metric, series[i], i] for i in range(begin, len(series))]
            seen[metric] = len(series)
        report({"samples": samples, "events": encode_events(tuple(events))})

    return send
