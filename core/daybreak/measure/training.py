"""A trial that is a training job: its curve is read, what it made is judged, the objectives follow.

Objectives come from the curve: `time_to_target` is the training clock at the first event at or
beyond the target, a metric that has events is its last value. Other objectives are the median of
their samples, whether they came with the curve or from `conclude`.

==============================  =================================================================
how the curve ended             the outcome
==============================  =================================================================
target reached                  `ok`
budget, time limit, by itself   `ok` if the objectives are known; without its target, where
                                `time_to_target` is one of them, failed as `not_reached`
hopeless                        `stopped`: `time_to_target` is the clock seen
cutoff                          `stopped` with the last values; without its target, where
                                `time_to_target` is an objective, failed as `not_reached`
diverged                        failed as `not_reached`, unless the time to the target is all that
                                is asked for and it was reached before
==============================  =================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from daybreak.errors import TrialFailed
from daybreak.measure.classify import Failure
from daybreak.measure.curve import CurveReader
from daybreak.measure.events import EventKeeper
from daybreak.measure.outcomes import TrialSetting, beats_hardware, failed_outcome, late, numbered
from daybreak.measure.protocol import Stop
from daybreak.measure.statistics import median_interval
from daybreak.records import (
    TIME_TO_TARGET,
    FailureKind,
    Metric,
    Outcome,
    Sample,
    TrialStatus,
)

__all__ = ["concludes", "judge_curve", "take_conclusion"]

_WHY = {
    Stop.BUDGET: "the budget was used up",
    Stop.TIME: "the time limit was near",
    Stop.NATURAL: "training ended by itself",
    Stop.CUTOFF: "the optimizer gave it up",
    Stop.HOPELESS: "hopeless against the best so far",
}


def concludes(session: Any) -> bool:
    """Whether `session` is a `daybreak.plugin.contracts.Concludes`.

    Asked without importing the contracts: a worker shall load no more than its target does.
    """
    return callable(getattr(session, "conclude", None))


def take_conclusion(reader: CurveReader, conclusion: Iterable[Sample] | None) -> None:
    """Take what `conclude` returned.

    Raises:
        WrongResult: an objective's sample is not finite.
        TrialFailed: there is something else among it than samples.
    """
    for item in conclusion or ():
        if not isinstance(item, Sample):
            raise TrialFailed(f"the session's conclusion holds {type(item).__name__}, no Sample")
        reader.take_sample(item)


def judge_curve(
    reader: CurveReader,
    keeper: EventKeeper,
    setting: TrialSetting,
    phases: dict[str, float],
    facts: dict[str, Any],
    limit: float,
) -> Outcome:
    """Return the outcome of a curve that came to its end; `limit` is in seconds for each phase."""
    stop = reader.stop
    assert stop is not None  # noqa: S101 - `read` raises otherwise
    kept, dropped = keeper.finish()
    events = tuple(kept)
    facts["stop"] = stop.value
    facts["curve"] = _summary(reader)
    if dropped:
        facts["events_dropped"] = dropped
    if reader.cutoff is not None:
        cutoff = asdict(reader.cutoff)
        facts["cutoff"] = {name: value for name, value in cutoff.items() if value is not None}
    samples = dict(reader.samples)
    objectives: dict[str, float | None] = {}
    low = high = None
    failure: Failure | None = None
    for metric in setting.objectives:
        try:
            value, bottom, top = _objective(metric, reader, stop)
        except TrialFailed as error:
            failure = failure or Failure(error.kind, error.message)
            continue
        # what was read off the curve joins the samples, where every objective is looked for
        samples.setdefault(metric.name, [value])
        objectives[metric.name] = value
        if low is None:
            low, high = bottom, top
        failure = failure or beats_hardware(value, metric, setting)
    facts["repeats"] = len(samples.get(setting.objectives[0].name, ()))
    failure = failure or late(phases, limit, stop)
    if failure is not None:
        return failed_outcome(
            failure, setting, phases, facts, samples=numbered(samples), events=events
        )
    early = stop is Stop.HOPELESS or (
        stop is Stop.CUTOFF and any(name != TIME_TO_TARGET for name in objectives)
    )
    return Outcome(
        status=TrialStatus.STOPPED if early else TrialStatus.OK,
        message=f"stopped early: {_WHY[stop]}" if early else None,
        objectives=objectives,
        low=low,
        high=high,
        samples=numbered(samples),
        events=events,
        phases=phases,
        facts=facts,
    )


def _objective(metric: Metric, reader: CurveReader, stop: Stop) -> tuple[float, float, float]:
    """Return an objective's value and the bounds of its interval.

    Raises:
        TrialFailed: it has none; `not_reached` where that is the curve's result.
    """
    name = metric.name
    if name == TIME_TO_TARGET:
        event = reader.reached
        if event is None and stop is Stop.HOPELESS:
            event = reader.last
        if event is None or event.train_s is None:
            raise TrialFailed(_not_reached(reader, stop), kind=FailureKind.NOT_REACHED)
        return event.train_s, event.train_s, event.train_s
    if name in reader.samples:
        return median_interval(reader.samples[name])
    if stop is Stop.DIVERGED:
        raise TrialFailed(_not_reached(reader, stop), kind=FailureKind.NOT_REACHED)
    if name in reader.newest:
        value = reader.newest[name]
        return value, value, value
    raise TrialFailed(f"the session yielded neither event nor sample of the objective '{name}'")


def _not_reached(reader: CurveReader, stop: Stop) -> str:
    """Say how far the curve came."""
    last = reader.last
    assert last is not None  # noqa: S101 - `read` raises otherwise
    name = last.metric
    where = f"after {last.train_s:.4g} s of training" if last.train_s is not None else ""
    if stop is Stop.DIVERGED:
        at = where or f"at event {last.seq}"
        return f"diverged: {name} is {last.value} {at}"
    best = "never a number" if reader.best is None else f"at best {reader.best:.6g}"
    if reader.target is None:
        return f"there is no target of {name} to reach: {best} {where}".rstrip()
    parts = [f"{name} did not reach {reader.target:g}", f"{best} {where}".rstrip(), _WHY[stop]]
    return ", ".join(parts)


def _summary(reader: CurveReader) -> dict[str, Any]:
    """Return how the curve ended as JSON values."""
    last = reader.last
    assert last is not None  # noqa: S101 - `read` raises otherwise
    places = {"step": last.step, "epoch": last.epoch, "train_s": last.train_s}
    return {
        "metric": last.metric,
        "target": reader.target,
        "reached": reader.reached is not None,
        "best": reader.best,
        "last": last.value if math.isfinite(last.value) else None,
        **{name: value for name, value in places.items() if value is not None},
        **({} if last.wall_s is None else {"wall_s": last.wall_s}),
    }
