"""Records as JSON values and back, for the wire; what comes back is checked field by field."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from daybreak.measure.curve import CurveSetting
from daybreak.measure.event_checks import LARGEST_STEP
from daybreak.measure.wire import GarbledError
from daybreak.records import (
    Configuration,
    Curve,
    Cutoff,
    Direction,
    Event,
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    Outcome,
    Repeats,
    Sample,
    StopRule,
    TrialStatus,
)

__all__ = [
    "decode_configuration",
    "decode_curve",
    "decode_cutoffs",
    "decode_events",
    "decode_limits",
    "decode_metrics",
    "decode_outcome",
    "decode_protocol",
    "decode_samples",
    "decode_seconds",
    "encode_events",
    "encode_outcome",
    "encode_record",
    "encode_samples",
]


def encode_record(record: Any) -> dict[str, Any]:
    """Return a dataclass of plain fields as a JSON object."""
    return dataclasses.asdict(record)


def decode_configuration(values: Mapping[str, Any]) -> Configuration:
    """Return a configuration; JSON lists become the tuples of permutations."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }


def decode_protocol(values: Mapping[str, Any]) -> MeasurementProtocol:
    """Return the protocol that `encode_record` made `values` of."""
    stop = values.get("stop")
    return MeasurementProtocol(
        **{
            **values,
            "repeats": Repeats(**values["repeats"]),
            "stop": None if stop is None else StopRule(**stop),
        }
    )


def decode_curve(values: Mapping[str, Any] | None) -> CurveSetting | None:
    """Return the setting of a curve that `encode_record` made `values` of."""
    if values is None:
        return None
    return CurveSetting(
        Curve(**values["curve"]),
        decode_metrics(values["metrics"]),
        {metric: tuple(watched) for metric, watched in values["watched"].items()},
    )


def decode_cutoffs(values: Any) -> tuple[Cutoff, ...]:
    """Return the cutoffs that `encode_record` made `values` of; their numbers are plain ones.

    Raises:
        GarbledError: `values` is something else.
    """
    try:
        found = tuple(
            Cutoff(
                str(value["metric"]),
                _number(value["value"]),
                epoch=_number_or_none(value.get("epoch")),
                step=None if value.get("step") is None else int(_number(value["step"])),
                train_s=_number_or_none(value.get("train_s")),
            )
            for value in values
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise GarbledError(f"the cutoffs are malformed: {error}") from error
    return found


def decode_limits(values: Mapping[str, Any]) -> Limits:
    """Return the limits that `encode_record` made `values` of."""
    return Limits(**values)


def decode_metrics(values: list[Mapping[str, Any]]) -> tuple[Metric, ...]:
    """Return the metrics that `encode_record` made `values` of."""
    return tuple(
        Metric(**{**value, "direction": Direction(value["direction"])}) for value in values
    )


def encode_samples(samples: tuple[Sample, ...]) -> list[list[Any]]:
    """Return samples as ``[metric, value, i]``."""
    return [[sample.metric, sample.value, sample.i] for sample in samples]


def encode_events(events: tuple[Event, ...]) -> list[list[Any]]:
    """Return events as ``[metric, value, seq, step, epoch, train_s, wall_s]``."""
    return [
        [
            event.metric,
            float(event.value),
            int(event.seq),
            None if event.step is None else int(event.step),
            None if event.epoch is None else float(event.epoch),
            None if event.train_s is None else float(event.train_s),
            None if event.wall_s is None else float(event.wall_s),
        ]
        for event in events
    ]


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a JSON object."""
    return {
        "status": outcome.status.value,
        "failure_kind": None if outcome.failure_kind is None else outcome.failure_kind.value,
        "message": outcome.message,
        "detail": outcome.detail,
        "objectives": dict(outcome.objectives),
        "low": outcome.low,
        "high": outcome.high,
        "samples": encode_samples(outcome.samples),
        "events": encode_events(outcome.events),
        "phases": dict(outcome.phases),
        "facts": dict(outcome.facts),
        "readings": dict(outcome.readings),
        "simulated_s": outcome.simulated_s,
    }


def decode_outcome(value: Any) -> Outcome:
    """Return the outcome that `encode_outcome` made `value` of.

    Raises:
        GarbledError: `value` is not what `encode_outcome` makes, e.g. because a candidate wrote it.
    """
    try:
        outcome = Outcome(
            status=TrialStatus(value["status"]),
            failure_kind=(
                None if value["failure_kind"] is None else FailureKind(value["failure_kind"])
            ),
            message=_text(value["message"]),
            detail=_text(value["detail"]),
            objectives={
                str(name): _number_or_none(number)
                for name, number in _object(value["objectives"]).items()
            },
            low=_number_or_none(value["low"]),
            high=_number_or_none(value["high"]),
            samples=decode_samples(value["samples"]),
            events=decode_events(value["events"]),
            phases=decode_seconds(value["phases"]),
            facts=_object(value["facts"]),
            readings=_object(value["readings"]),
            simulated_s=_number_or_none(value["simulated_s"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GarbledError(f"the outcome is malformed: {error}") from error
    failed = outcome.status is TrialStatus.FAILED
    if failed != (outcome.failure_kind is not None):
        raise GarbledError("the outcome's status and failure kind contradict each other")
    if not failed and not all(
        number is not None and math.isfinite(number) for number in outcome.objectives.values()
    ):
        raise GarbledError("the outcome is no failure but lacks an objective")
    if outcome.simulated_s is not None and not 0 <= outcome.simulated_s < math.inf:
        raise GarbledError("the outcome's simulated seconds are no duration")
    return outcome


def decode_samples(value: Any) -> tuple[Sample, ...]:
    """Return the samples that `encode_samples` made `value` of.

    Raises:
        GarbledError: `value` is something else.
    """
    try:
        return tuple(Sample(str(metric), _number(number), int(i)) for metric, number, i in value)
    except (TypeError, ValueError) as error:
        raise GarbledError(f"the samples are malformed: {error}") from error


def decode_events(value: Any) -> tuple[Event, ...]:
    """Return the events that `encode_events` made `value` of.

    Raises:
        GarbledError: `value` is something else.
    """
    try:
        return tuple(
            Event(
                str(metric),
                _number(number),
                _place(seq),
                None if step is None else _place(step),
                _number_or_none(epoch),
                _number_or_none(train_s),
                _number_or_none(wall_s),
            )
            for metric, number, seq, step, epoch, train_s, wall_s in value
        )
    except (TypeError, ValueError) as error:
        raise GarbledError(f"the events are malformed: {error}") from error


def decode_seconds(value: Any) -> dict[str, float]:
    """Return durations by name.

    Raises:
        GarbledError: `value` is no object of finite numbers.
    """
    try:
        found = {str(name): _number(number) for name, number in _object(value).items()}
    except (TypeError, ValueError) as error:
        raise GarbledError(f"the durations are malformed: {error}") from error
    if not all(math.isfinite(seconds) for seconds in found.values()):
        raise GarbledError("a duration is not finite")
    return found


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} where an object was expected")
    return value


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text was expected")
    return value


def _place(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_STEP:
        raise ValueError(f"{value!r:.60} is no place in a stream")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{type(value).__name__} where a number was expected")
    return float(value)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)
