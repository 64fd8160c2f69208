"""What a finished trial of Optuna's is here: its states, values and reported values."""

from __future__ import annotations

import math

from daybreak import Event, FailureKind, Outcome, Sample, TrialStatus
from daybreak_importers.optuna_storage.found import FoundTrial
from daybreak_importers.text import scrub

__all__ = ["outcome_of"]


def outcome_of(trial: FoundTrial, objectives: list[str]) -> Outcome:
    """Return a finished trial's outcome."""
    values = trial.values or []
    events = tuple(
        Event(objectives[0], value, seq, step)
        for seq, (step, value) in enumerate(sorted(trial.intermediate.items()))
    )
    facts = {
        name: scrub(attributes)
        for name, attributes in (
            ("user_attrs", trial.user_attrs),
            ("system_attrs", trial.system_attrs),
        )
        if attributes
    }
    whole = len(values) == len(objectives) and all(value is not None for value in values)
    if trial.state == "COMPLETE" and whole:
        numbers = {
            name: float(v) for name, v in zip(objectives, values, strict=True) if v is not None
        }
        return Outcome(
            TrialStatus.OK,
            objectives=numbers,
            samples=tuple(Sample(name, value) for name, value in numbers.items()),
            events=events,
            facts=facts,
        )
    if trial.state == "PRUNED" and len(objectives) == 1:
        seen = [event.value for event in events if not math.isnan(event.value)]
        if whole and values[0] is not None:
            seen.append(float(values[0]))
        if seen:
            return Outcome(
                TrialStatus.STOPPED,
                message="pruned",
                objectives={objectives[0]: seen[-1]},
                samples=(Sample(objectives[0], seen[-1]),),
                events=events,
                facts=facts,
            )
    kind, message = FailureKind.CRASH, "the objective function failed"
    if trial.state == "PRUNED":
        kind, message = FailureKind.INTERNAL, "pruned before it had any value"
    elif trial.state == "COMPLETE":
        kind, message = FailureKind.INTERNAL, "complete, but without its values"
    reason = trial.system_attrs.get("fail_reason")
    return Outcome(
        TrialStatus.FAILED,
        kind,
        message=scrub(reason).splitlines()[0][:200]
        if isinstance(reason, str) and reason
        else message,
        objectives=dict.fromkeys(objectives),
        events=events,
        facts=facts,
    )
