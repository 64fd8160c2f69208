"""Records of the spool: JSON lines to and from `Trial` objects.

A line is one JSON object with `type` and `schema_version`; keys with nothing in them are left out.
Numbers that JSON has no word for are written as Python does (`NaN`, `Infinity`), so that a line
gives back exactly what was recorded. Tuples come back as lists, but for permutations inside a
configuration, which are tuples by contract.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from daybreak.records import Event, FailureKind, Outcome, Sample, Trial, TrialStatus

__all__ = [
    "SCHEMA_VERSION",
    "decode_json",
    "decode_trial",
    "encode_json",
    "encode_line",
    "encode_trial",
]

#: Version of the record format; readers refuse newer ones.
SCHEMA_VERSION = 1

_FLOAT_TAG = "$float"
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it does; the last resort is text.

    A plugin's odd value must never cost a finished trial.
    """
    for method in ("item", "tolist"):  # numpy scalars and arrays, without importing numpy
        convert = getattr(value, method, None)
        if convert is not None:
            try:
                return convert()
            except (TypeError, ValueError):
                continue
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return str(value)


_encode_line = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_plain, check_circular=False
).encode
_encode_strict = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False
).encode


def _to_bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # lone surrogates, e.g. undecodable output of a compiler: not storable as UTF-8
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def encode_line(record: Mapping[str, Any]) -> bytes:
    """Return `record` as one line of JSON with its newline."""
    try:
        return _to_bytes(_encode_line(record)) + b"\n"
    except TypeError:
        # keys that JSON does not know (tuples, say): kept as text
        return _to_bytes(_encode_line(_with_text_keys(record))) + b"\n"


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str | int | float | bool) or key is None else str(key): (
                _with_text_keys(item)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_with_text_keys(item) for item in value]
    return value


def encode_json(value: Any) -> str:
    """Return `value` as strictly valid JSON; NaN becomes ``{"$float": "nan"}``, inf likewise."""
    try:
        return _encode_strict(value)
    except ValueError:
        return _encode_strict(_tag_floats(value))


def _tag_floats(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT_TAG: repr(float(value))}
    if isinstance(value, Mapping):
        return {key: _tag_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tag_floats(item) for item in value]
    return value


def _untag(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        tag = value.get(_FLOAT_TAG)
        if isinstance(tag, str) and tag in _FLOATS:
            return _FLOATS[tag]
    return value


def decode_json(text: str) -> Any:
    """Return what `encode_json` was given."""
    return json.loads(text, object_hook=_untag if _FLOAT_TAG in text else None)


def encode_trial(study_id: str, trial: Trial) -> dict[str, Any]:
    """Return the record of `trial`: a dict of JSON values, empty parts left out."""
    outcome = trial.outcome
    record: dict[str, Any] = {
        "type": "trial",
        "schema_version": SCHEMA_VERSION,
        "study_id": study_id,
        "number": trial.number,
        "status": outcome.status,
        "configuration": dict(trial.configuration),
        "ask_s": trial.ask_s,
        "tell_s": trial.tell_s,
        "total_s": trial.total_s,
        "elapsed_s": trial.elapsed_s,
    }
    if outcome.failure_kind is not None:
        record["failure_kind"] = outcome.failure_kind
    if outcome.message is not None:
        record["message"] = outcome.message
    if outcome.detail is not None:
        record["detail"] = outcome.detail
    if outcome.objectives:
        record["objectives"] = dict(outcome.objectives)
    if outcome.low is not None:
        record["low"] = outcome.low
    if outcome.high is not None:
        record["high"] = outcome.high
    if outcome.samples:
        record["samples"] = [(s.metric, s.value, s.i) for s in outcome.samples]
    if outcome.events:
        record["events"] = [
            (e.metric, e.value, e.seq, e.step, e.epoch, e.train_s, e.wall_s) for e in outcome.events
        ]
    if outcome.phases:
        record["phases"] = dict(outcome.phases)
    if outcome.facts:
        record["facts"] = dict(outcome.facts)
    if outcome.readings:
        record["readings"] = dict(outcome.readings)
    if outcome.simulated_s is not None:
        record["simulated_s"] = outcome.simulated_s
    if trial.reference is not None:
        record["reference"] = trial.reference
    if trial.key:
        record["key"] = trial.key
    if trial.started_at:
        record["started_at"] = trial.started_at
    if trial.proposal is not None:
        record["proposal"] = dict(trial.proposal)
    return record


def decode_trial(record: Mapping[str, Any]) -> Trial:
    """Return the trial of a record made by `encode_trial`."""
    kind = record.get("failure_kind")
    return Trial(
        number=record["number"],
        configuration={
            name: tuple(value) if isinstance(value, list) else value
            for name, value in record["configuration"].items()
        },
        outcome=Outcome(
            status=TrialStatus(record["status"]),
            failure_kind=None if kind is None else FailureKind(kind),
            message=record.get("message"),
            detail=record.get("detail"),
            objectives=record.get("objectives") or {},
            low=record.get("low"),
            high=record.get("high"),
            samples=tuple(Sample(*sample) for sample in record.get("samples") or ()),
            events=tuple(Event(*event) for event in record.get("events") or ()),
            phases=record.get("phases") or {},
            facts=record.get("facts") or {},
            readings=record.get("readings") or {},
            simulated_s=record.get("simulated_s"),
        ),
        reference=record.get("reference"),
        key=record.get("key") or "",
        started_at=record.get("started_at") or "",
        ask_s=record["ask_s"],
        tell_s=record["tell_s"],
        total_s=record["total_s"],
        elapsed_s=record["elapsed_s"],
        proposal=record.get("proposal"),
    )
