"""Judges a training run: its events, whether it reached the target, and what the log says to that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from daybreak import Event, FailureKind, Outcome, Sample, TrialStatus
from daybreak_importers.findings import Findings
from daybreak_importers.mllog.evaluations import Evaluation
from daybreak_importers.mllog.quality import Part, Quality
from daybreak_importers.mllog.runs import Run
from daybreak_importers.text import is_future

__all__ = ["Judged", "judge"]

#: A score above this is a percentage where the target is a fraction.
_FRACTION = 1.5
#: Scored from 0 to 100 by the rules, from 0 to 1 by some logs.
_BLEU = "bleu"
#: What names of metrics contain, in lower case, where evaluations name several.
_WORDS = {"box_ap": ("box",), "mask_ap": ("mask", "seg")}


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a run: its outcome, when it began (UTC), and the target that it went for where
    that is not the round's.
    """

    outcome: Outcome
    started_at: str
    target: float | None = None


@dataclass(frozen=True, slots=True)
class _Point:
    """An evaluation as metrics: by name, with the progress metric among them if it can be told."""

    of: Evaluation
    values: dict[str, float]


def judge(run: Run, quality: Quality, file: str, findings: Findings) -> Judged:
    """Return the run's outcome; what is odd goes to `findings`."""
    for line, what in run.remarks:
        findings.remark(file, what, line=line)
    for line in run.evaluated.lost:
        findings.leave_out(file, "evaluation without a number", line=line)
    repeated = run.repeated + run.evaluated.repeated
    if repeated:
        findings.remark(file, f"repeated lines: {repeated}, each counted once")
    points = _points(run, quality, file, findings)
    findings.keep(len(points))
    curve = quality.curve
    target = _target(run, quality, file, findings)
    reached = [
        point
        for point in points
        if curve.metric in point.values and curve.reached(point.values[curve.metric], target)
    ]
    events = _events(points)
    samples: list[Sample] = []
    first = next((point.of for point in reached if point.of.wall_s is not None), None)
    if first is not None and first.train_s is not None:
        samples.append(Sample("time_to_target", first.train_s))
    success, message = _success(run, curve, target, points, reached, file, findings)
    seconds = run.seconds
    if success and seconds is None and first is not None and first.wall_s is not None:
        seconds = first.wall_s
        if run.ended or run.success is None:
            findings.remark(
                file, "no length: the first evaluation at the target is taken as the end"
            )
    if success and seconds is None:
        success, message = False, message or "the log has no times that tell how long it took"
    if success and seconds is not None:
        samples.insert(0, Sample("time_to_train", seconds))
    outcome = Outcome(
        TrialStatus.OK if success else TrialStatus.FAILED,
        None if success else FailureKind.NOT_REACHED,
        message=message,
        objectives={"time_to_train": seconds if success else None},
        samples=tuple(samples),
        events=events,
        phases=_phases(run, events),
        facts={
            name: value
            for name, value in (("success_logged", run.success), ("run_stop", run.ended))
            if value is not None
        },
    )
    started = _started(run)
    if is_future(started):
        findings.remark(file, f"date in the future: the run began {started[:10]}", line=run.line)
    own = target if target is not None and target != curve.target else None
    return Judged(outcome, started, own)


def _started(run: Run) -> str:
    if run.began is None:
        return ""
    try:
        return datetime.fromtimestamp(run.began, UTC).isoformat(timespec="microseconds")
    except (OverflowError, OSError, ValueError):
        return ""


def _target(run: Run, quality: Quality, file: str, findings: Findings) -> float | None:
    """Return the target of the progress metric: the round's, or what the log says it went for."""
    curve = quality.curve
    if len(quality.parts) > 1:
        return curve.target
    if run.target is None:
        batch = run.facts.get("global_batch_size")
        if curve.large and isinstance(batch, int | float) and batch >= curve.large[0]:
            return curve.large[1]
        return curve.target
    logged = run.target
    if curve.metric == _BLEU:
        logged *= 100 if 0 < logged <= 1 else 1
    elif curve.unit == "1" and curve.more and _FRACTION < logged <= 100:
        logged /= 100
    if curve.target is not None and abs(logged - curve.target) > 1e-9 * abs(curve.target):
        findings.remark(
            file, f"another target: {logged:g} is logged, the round's is {curve.target:g}"
        )
    return logged


def _points(run: Run, quality: Quality, file: str, findings: Findings) -> list[_Point]:
    """Return the evaluations with their numbers under the metrics' names."""
    points: list[_Point] = []
    if len(quality.parts) == 1:
        part = quality.parts[0]
        numbers = [next(iter(each.values.values())) for each in run.evaluated.found]
        factor = 1.0
        if _in_percent(part, numbers):
            factor = 0.01
            findings.remark(file, f"percentages: {part.metric} is divided by 100")
        elif part.metric == _BLEU and numbers and 0 < max(numbers) <= 1:
            factor = 100.0  # v0.7
            findings.remark(file, f"fractions: {part.metric} is multiplied by 100")
        for each in run.evaluated.found:
            if len(each.values) > 1:
                others = ", ".join(list(each.values)[1:5])
                findings.remark(file, f"several numbers: {others} are not read", line=each.line)
            value = next(iter(each.values.values()))
            points.append(_Point(each, {part.metric: _scaled(value, factor)}))
        return points
    gathered: dict[tuple[object, ...], dict[str, float]] = {}
    for each in run.evaluated.found:
        key = (each.epoch, each.step)
        mine = _named(each, quality)
        if not mine:
            what = f"unknown metric: {', '.join(each.values) or 'unnamed'}"
            findings.remark(file, what, line=each.line)
        together = gathered.setdefault(key, {})
        together.update(mine)
        values = dict(mine)
        if len(together) == len(quality.parts):
            values["attained"] = min(
                _attained(part, together[part.metric]) for part in quality.parts
            )
            gathered.pop(key)
        points.append(_Point(each, values))
    return points


def _scaled(value: float, factor: float) -> float:
    """Return a number in the metric's unit; division, where it can be, loses no digit."""
    return value / 100 if factor == 0.01 else value * factor


def _in_percent(part: Part, numbers: list[float]) -> bool:
    fraction = part.unit == "1" and part.more and part.target is not None and part.target < 1
    return fraction and any(_FRACTION < value <= 100 for value in numbers)


def _named(evaluation: Evaluation, quality: Quality) -> dict[str, float]:
    """Return an evaluation's numbers by metric, whichever way the log names them."""
    found: dict[str, float] = {}
    for name, value in evaluation.values.items():
        for place, part in enumerate(quality.parts):
            words = _WORDS.get(part.metric, (part.metric,))
            if name == f"#{place}" or any(word in name for word in words):
                found[part.metric] = value
    return found


def _attained(part: Part, value: float) -> float:
    """Return the share of its target that a part reaches; 1 and more: reached."""
    target = part.target or 1.0
    if part.more:
        return value / target
    return target / value if value > 0 else 0.0


def _events(points: list[_Point]) -> tuple[Event, ...]:
    events: list[Event] = []
    for point in points:
        of = point.of
        events += [
            Event(metric, value, len(events) + i, of.step, of.epoch, of.train_s, of.wall_s)
            for i, (metric, value) in enumerate(point.values.items())
        ]
    return tuple(events)


def _phases(run: Run, events: tuple[Event, ...]) -> dict[str, float]:
    seconds = run.seconds
    if seconds is None:
        seconds = max((event.wall_s for event in events if event.wall_s is not None), default=None)
    phases = {} if seconds is None else {"measure": seconds}
    if run.init_s is not None:
        phases["build"] = run.init_s
    if run.evaluated.paused_s > 0 and seconds is not None:
        phases["measure.evaluate"] = run.evaluated.paused_s
    return phases


def _success(
    run: Run,
    curve: Part,
    target: float | None,
    points: list[_Point],
    reached: list[_Point],
    file: str,
    findings: Findings,
) -> tuple[bool, str | None]:
    """Return whether the run counts as trained, and why not; an inference is remarked upon."""
    values = [point.values[curve.metric] for point in points if curve.metric in point.values]
    if not values:
        best = "no evaluation"
    elif target is None:
        best = f"{curve.metric} {values[-1]:g} at the end, no target known"
    else:
        value = max(values) if curve.more else min(values)
        best = f"{curve.metric} {value:g} at best, target {target:g}"
    if run.success is None:
        ending = "run_stop without a success flag" if run.ended else "no run_stop"
        inferred = "a success" if reached else "no success"
        findings.remark(file, f"{ending}: inferred from the evaluations, {inferred} ({best})")
        return bool(reached), None if reached else f"{ending}; {best}"
    if run.success and not reached:
        findings.remark(file, f"contradiction: logged as a success, but {best}; the log counts")
    if not run.success and reached:
        findings.remark(file, f"contradiction: logged as aborted, but {best}; the log counts")
    if run.success:
        return True, None
    return False, f"logged as not successful; {best}"
