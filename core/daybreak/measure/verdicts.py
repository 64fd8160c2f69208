"""From what was seen of a trial in another process to its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from daybreak.measure.classify import Failure, classify_death
from daybreak.measure.outcomes import TrialSetting, failed_outcome
from daybreak.measure.watch import End, OutputTail, Watched
from daybreak.records import FailureKind, Outcome, TrialStatus

__all__ = ["Death", "conclude"]


@dataclass(frozen=True, slots=True)
class Death:
    """How the trial's process ended, if it ended by itself (`code` None: it was killed by us)."""

    code: int | None = None
    oom_killed: bool = False
    near_limit: bool = False


def conclude(
    seen: Watched,
    outcome: Outcome | None,
    output: OutputTail,
    setting: TrialSetting,
    death: Death,
    facts: Mapping[str, Any],
    readings: Mapping[str, Any],
    output_bytes: int,
) -> Outcome:
    """Return the trial's outcome: its own, or why there is none.

    `outcome` is what its final frame held; `facts` and `readings` are the watcher's and join it.
    What the trial printed is added to the detail of a failure.
    """
    facts = dict(facts)
    if output.total:
        facts["output_bytes"] = output.total
    if seen.end is End.DONE and outcome is not None:
        detail = outcome.detail
        if outcome.status is TrialStatus.FAILED:
            detail = _join(detail, output.text)
        return replace(
            outcome,
            detail=detail,
            facts={**outcome.facts, **facts},
            readings={**outcome.readings, **readings},
        )
    failure = _explain(seen, output, setting, death, output_bytes)
    return failed_outcome(
        Failure(failure.kind, failure.message, _join(failure.detail, output.text)),
        setting,
        seen.phases,
        facts,
        samples=tuple(seen.samples),
        events=tuple(seen.keeper.finish()[0]),
        readings=readings,
    )


def _explain(
    seen: Watched, output: OutputTail, setting: TrialSetting, death: Death, output_bytes: int
) -> Failure:
    phase = seen.phase
    if seen.end is End.TIMEOUT:
        return Failure(
            FailureKind.TIMEOUT,
            f"{phase} took longer than {setting.protocol.timeout_s:g} s and was killed",
        )
    if seen.end is End.FLOOD:
        return Failure(
            FailureKind.RESOURCE,
            f"printed more than {output_bytes} bytes in {phase} and was killed",
        )
    if seen.end is End.GARBLED:
        return Failure(
            FailureKind.CRASH,
            f"corrupted the channel to its worker in {phase}",
            seen.explanation or None,
        )
    return classify_death(
        death.code,
        phase,
        output.tail,
        oom_killed=death.oom_killed,
        near_limit=death.near_limit,
    )


def _join(detail: str | None, printed: str | None) -> str | None:
    if printed is None:
        return detail
    return printed if detail is None else f"{detail.rstrip()}\n--- printed ---\n{printed}"
