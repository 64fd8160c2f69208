"""Where training jobs end: the suite's stop rules, checked against each benchmark's curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybreak.errors import nearest
from daybreak.records import TIME_TO_TARGET, Direction, StopRule, Threshold
from daybreak.suite.faults import Faults
from daybreak.suite.model import Suite
from daybreak.suite.tree import Place, locate
from daybreak.suite.values import format_seconds

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Benchmark

__all__ = ["curve_problem", "describe_stop", "resolve_stops"]

_AN_ABSOLUTE_TARGET = "'targets: {NAME: {metric: METRIC, value: NUMBER}}'"


def curve_problem(benchmark: Benchmark) -> str | None:
    """Return what is wrong with what a target says of a benchmark's curve, or None."""
    timed = [metric for metric in benchmark.objectives if metric.name == TIME_TO_TARGET]
    curve = benchmark.curve
    if curve is None:
        return None
    metrics = [metric.name for metric in (*benchmark.objectives, *benchmark.metrics)]
    if curve.metric not in metrics:
        near = nearest(curve.metric, metrics)
        hint = f"; did it mean '{near}'?" if near else ""
        return f"has a curve of '{curve.metric}', which is none of its metrics{hint}"
    if curve.metric == TIME_TO_TARGET:
        return f"has a curve of '{TIME_TO_TARGET}', which is read off a curve itself"
    if curve.target is not None and not math.isfinite(curve.target):
        return f"has a curve with the target {curve.target}, no finite number"
    for metric in timed:
        if metric.unit != "s" or metric.direction is not Direction.MINIMIZE:
            return f"has '{TIME_TO_TARGET}' in '{metric.unit}', {metric.direction}: s, minimize"
    return None


def describe_stop(benchmark: Benchmark, rule: StopRule | None) -> str:
    """Return in words where the benchmark's curve ends; nothing if it has none."""
    curve = benchmark.curve
    if curve is None:
        return ""
    metrics = {metric.name: metric for metric in (*benchmark.objectives, *benchmark.metrics)}
    unit = metrics[curve.metric].unit
    target = curve.target if rule is None else rule.target
    train_s = None if rule is None else rule.train_s
    epochs = None if rule is None else rule.epochs
    parts = []
    if target is not None:
        parts.append(f"until {curve.metric} {target:g}{'' if unit == '1' else f' {unit}'}")
    if train_s is not None:
        parts.append(f"{format_seconds(train_s)} of training")
    if epochs is not None:
        parts.append(f"{epochs:g} epochs")
    return " or ".join(parts) or "until it ends by itself"


def resolve_stops(
    suite: Suite,
    planned: Sequence[tuple[int, str, Benchmark, tuple[Threshold, ...]]],
    faults: Faults,
) -> list[StopRule | None]:
    """Return the stop rule of each planned benchmark, None where it stops at its own target.

    Args:
        suite: the suite.
        planned: of each benchmark its index in the suite, full name, definition and thresholds.
        faults: takes what is wrong. A rule for the whole suite is passed over by benchmarks without
            a curve, as long as one has a curve.
    """
    curves = any(benchmark.curve is not None for _, _, benchmark, _ in planned)
    rules: list[StopRule | None] = []
    for index, full, benchmark, thresholds in planned:
        spec = suite.benchmarks[index].protocol.stop
        place, _ = locate(suite.tree, ("benchmarks", index, "protocol", "stop"))
        if spec is None or (benchmark.curve is None and curves and _inherited(place)):
            rules.append(None)
            continue
        if benchmark.curve is None:
            faults.add(
                place,
                f"{full} has no progress curve that could be stopped",
                expected="a training job: a benchmark whose trials stream events",
                remedy="remove 'stop'; repetition is bounded by 'repeats', time by 'timeout'",
            )
            rules.append(None)
            continue
        target = benchmark.curve.target
        if "at" in spec.model_fields_set:
            at, _ = locate(suite.tree, ("benchmarks", index, "protocol", "stop", "at"))
            target = _value(spec.at, full, benchmark, thresholds, faults, at)
        elif target is None and spec.train is None and spec.epochs is None:
            faults.add(
                place, "the stop rule says nothing", expected="at, train or epochs", remedy=None
            )
        rules.append(spec.record(target))
    _check_goals(suite, planned, rules, faults)
    return rules


def _inherited(place: Place) -> bool:
    return not place.field.startswith("benchmarks")


def _value(
    at: str | None,
    full: str,
    benchmark: Benchmark,
    thresholds: tuple[Threshold, ...],
    faults: Faults,
    place: Place,
) -> float | None:
    """Return the value of the threshold `at`; None: train on."""
    if at is None:
        return None
    curve = benchmark.curve
    assert curve is not None  # noqa: S101 - asked before
    first = benchmark.objectives[0].name
    fitting = [
        one.name
        for one in thresholds
        if (one.metric or first) == curve.metric and one.relative_to is None
    ]
    remedy = f"add {_AN_ABSOLUTE_TARGET.replace('METRIC', curve.metric)} to the suite"
    for one in thresholds:
        if one.name != at:
            continue
        if one.relative_to is not None:
            faults.add(
                place,
                f"target '{at}' is relative to the reference '{one.relative_to}': what it is worth "
                "is known only after measuring",
                expected="an absolute target",
                remedy=remedy,
            )
        elif (one.metric or first) != curve.metric:
            faults.add(
                place,
                f"target '{at}' is one of '{one.metric or first}', the progress curve of {full} is of "
                f"'{curve.metric}'",
                expected=f"a target of '{curve.metric}'",
                nearest=nearest(at, fitting),
                remedy=remedy,
            )
        return one.value
    faults.unknown(place, f"target of {full}", at, fitting, remedy=None if fitting else remedy)
    return None


def _check_goals(
    suite: Suite,
    planned: Sequence[tuple[int, str, Benchmark, tuple[Threshold, ...]]],
    rules: Sequence[StopRule | None],
    faults: Faults,
) -> None:
    """Note benchmarks whose time to target is asked for although nothing says what to reach."""
    for (index, full, benchmark, _), rule in zip(planned, rules, strict=True):
        curve = benchmark.curve
        if curve is None or curve.target is not None:
            continue
        if rule is not None and rule.target is not None:
            continue
        if any(metric.name == TIME_TO_TARGET for metric in benchmark.objectives):
            place, _ = locate(suite.tree, ("benchmarks", index, "options"))
            faults.add(
                place,
                f"{full} has no target of its own, so that its {TIME_TO_TARGET} is undefined",
                expected=f"a target of '{curve.metric}' to stop at",
                remedy=f"add {_AN_ABSOLUTE_TARGET.replace('METRIC', curve.metric)} and "
                "'protocol: {stop: {at: NAME}}'",
            )
