"""The benchmarks of a suite, looked up, defined and checked; none is opened, no data is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from daybreak.errors import DaybreakError, PluginError, SuiteError, UserError
from daybreak.records import MeasurementProtocol, Threshold
from daybreak.suite.faults import Faults, translate
from daybreak.suite.labels import canonical_json, distinct_labels
from daybreak.suite.model import BenchmarkEntry, Suite
from daybreak.suite.stopping import curve_problem, resolve_stops
from daybreak.suite.tree import MapNode, Node, Place, locate
from daybreak.suite.values import convert_unit

if TYPE_CHECKING:
    from daybreak.plugin.component import Component
    from daybreak.plugin.contracts import Benchmark, Target
    from daybreak.plugin.registry import Registry

__all__ = ["PlannedBenchmark", "note_user_error", "resolve_benchmarks"]


@dataclass(frozen=True, slots=True)
class PlannedBenchmark:
    """A benchmark of the suite.

    `full` is its name ``target/name[:instance]``, `index` its position in the suite's benchmarks;
    `protocol` is how its trials are measured, the stop rule worked out.
    """

    full: str
    target: str
    name: str
    options: Mapping[str, Any]
    benchmark: Benchmark
    entry: BenchmarkEntry
    index: int
    thresholds: tuple[Threshold, ...]
    place: Place
    protocol: MeasurementProtocol


def note_user_error(
    faults: Faults, error: UserError, node: Node, place: Place, prefix: str = ""
) -> None:
    """Note what a component refused, at the option that it names, else at `place`."""
    if error.file is not None and error.line is not None:
        faults.put(
            SuiteError(
                f"{prefix}{error.message}",
                file=error.file,
                line=error.line,
                column=error.column,
                field=error.field,
                expected=error.expected,
                nearest=error.nearest,
                remedy=error.remedy,
            )
        )
        return
    if error.field:
        found, _ = locate(node, error.field.split("."))
        if found != node.place:
            place = found
    where = f"'{error.file}': " if error.file is not None else ""
    faults.add(
        place,
        f"{prefix}{where}{error.message}",
        expected=error.expected,
        nearest=error.nearest,
        remedy=error.remedy,
    )


class _Target:
    """A target with its benchmarks as they are by default."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self.target: Target = component.create()
        self.listed = {
            full: benchmark
            for benchmark in guarded(
                component, "benchmarks()", lambda: list(self.target.benchmarks())
            )
            for full in (
                benchmark.name,
                f"{benchmark.name}:{benchmark.instance}" if benchmark.instance else benchmark.name,
            )
        }


def guarded(component: Component, call: str, function: Any) -> Any:
    """Return what `function` returns.

    Raises:
        PluginError: it raised anything but an error of Daybreak's own.
    """
    try:
        return function()
    except DaybreakError:
        raise
    except Exception as error:
        raise PluginError(
            f"{component.spec.kind} '{component.spec.name}': {call} raised "
            f"{type(error).__name__}: {error}",
            plugin=component.plugin,
            distribution=component.distribution or None,
        ) from error


def resolve_benchmarks(suite: Suite, registry: Registry, faults: Faults) -> list[PlannedBenchmark]:
    """Return the benchmarks of `suite`, those without fault, in its order.

    Raises:
        PluginError: a target broke its contract.
    """
    targets: dict[str, _Target | None] = {}
    planned: list[PlannedBenchmark] = []
    for i, entry in enumerate(suite.benchmarks):
        place, node = locate(suite.tree, ("benchmarks", i, "options"))
        name, _, rest = entry.name.partition("/")
        if name not in targets:
            targets[name] = _open_target(name, registry, faults, place)
        target = targets[name]
        if target is None:
            continue
        if rest not in target.listed:
            known = {f"{name}/{one.partition(':')[0]}" for one in target.listed}
            if ":" in rest and rest.partition(":")[0] in target.listed:
                expected = f"'{name}/{rest.partition(':')[0]}' with options that say which instance"
                faults.add(place, f"unknown instance '{entry.name}'", expected=expected)
                continue
            faults.unknown(
                place, "benchmark", entry.name, known, remedy="see `daybreak benchmarks list`"
            )
            continue
        one = _define(i, entry, target, rest, faults, node, place)
        if one is not None:
            planned.append(one)
    planned = _name_apart(planned, faults)
    planned = [_with_thresholds(suite, one, faults) for one in planned]
    rules = resolve_stops(
        suite, [(one.index, one.full, one.benchmark, one.thresholds) for one in planned], faults
    )
    return [
        replace(one, protocol=replace(one.protocol, stop=rule))
        for one, rule in zip(planned, rules, strict=True)
    ]


def _open_target(name: str, registry: Registry, faults: Faults, place: Place) -> _Target | None:
    try:
        return _Target(registry.get("target", name))
    except UserError as error:
        note_user_error(faults, error, MapNode(place), place)
        return None


def _define(
    index: int,
    entry: BenchmarkEntry,
    target: _Target,
    rest: str,
    faults: Faults,
    node: Node,
    place: Place,
) -> PlannedBenchmark | None:
    component = target.component
    name, colon, _ = rest.partition(":")
    listed = target.listed[rest]
    # a full name that was copied from a listing stands for that instance's options
    written = {**(listed.options if colon else {}), **entry.options}
    try:
        options = component.validate(written, benchmark=name)
        benchmark = guarded(
            component, f"define('{name}', ...)", lambda: target.target.define(name, options)
        )
    except ValidationError as error:
        translate(error, node, faults, model=component.options_model(name))
        return None
    except UserError as error:
        note_user_error(faults, error, node, place)
        return None
    if not benchmark.objectives:
        raise PluginError(
            f"target '{component.spec.name}': benchmark '{name}' has no objective",
            plugin=component.plugin,
            distribution=component.distribution or None,
        )
    problem = curve_problem(benchmark)
    if problem is not None:
        raise PluginError(
            f"target '{component.spec.name}': benchmark '{name}' {problem}",
            plugin=component.plugin,
            distribution=component.distribution or None,
        )
    _check_references(benchmark, entry.name, component, faults, place)
    if entry.label is not None:
        benchmark = replace(benchmark, instance=entry.label)
    colon = ":" if benchmark.instance else ""
    return PlannedBenchmark(
        full=f"{component.spec.name}/{name}{colon}{benchmark.instance}",
        target=component.spec.name,
        name=name,
        options=options,
        benchmark=benchmark,
        entry=entry,
        index=index,
        thresholds=(),
        place=place,
        protocol=entry.protocol.record(),
    )


def _check_references(
    benchmark: Benchmark, name: str, component: Component, faults: Faults, place: Place
) -> None:
    for reference in benchmark.references:
        if not reference.in_space:
            continue
        try:
            configuration = benchmark.space.normalise(reference.configuration)
            violations = benchmark.space.violations(configuration)
        except UserError as error:
            violations = [error.message]
        if violations:
            faults.add(
                place,
                f"reference '{reference.name}' of {name} is infeasible: {'; '.join(violations)}",
                expected="references that satisfy the known constraints",
                remedy="change the benchmark's options, or tell the authors of "
                f"plugin '{component.plugin}'",
            )


def _name_apart(planned: Sequence[PlannedBenchmark], faults: Faults) -> list[PlannedBenchmark]:
    """Give benchmarks of the same name and different options different instances."""
    labels = distinct_labels(
        [one.full for one in planned],
        [one.entry.options for one in planned],
        ["," if one.benchmark.instance else ":" for one in planned],
    )
    named: list[PlannedBenchmark] = []
    twins: dict[object, PlannedBenchmark] = {}
    for one, label in zip(planned, labels, strict=True):
        instance = label.partition(":")[2]
        renamed = replace(one, full=label, benchmark=replace(one.benchmark, instance=instance))
        same = (one.target, one.name, canonical_json(one.options), one.entry.label)
        twin = twins.get(label) or twins.get(same)
        if twin is not None:
            faults.add(
                one.place,
                f"benchmark '{twin.full}' is listed twice: here and on line {twin.place.mark.line}",
                expected="each benchmark once, or different options, or a name of its own",
                remedy="remove one, or name it with 'as: NAME'",
            )
        twins.setdefault(label, renamed)
        twins.setdefault(same, renamed)
        named.append(renamed)
    return named


def _with_thresholds(suite: Suite, one: PlannedBenchmark, faults: Faults) -> PlannedBenchmark:
    found: list[Threshold] = []
    names: set[str] = set()
    for name, spec in one.entry.targets.items():
        place, _ = locate(suite.tree, ("benchmarks", one.index, "targets", name))
        metrics = {m.name: m for m in (*one.benchmark.objectives, *one.benchmark.metrics)}
        references = [reference.name for reference in one.benchmark.references]
        if spec.relative_to is not None and spec.relative_to not in references:
            faults.unknown(
                place,
                f"reference of {one.full}",
                spec.relative_to,
                references,
                expected=None if references else "a benchmark that has references",
                remedy=f"for an absolute threshold write '{name}: {{value: NUMBER, unit: UNIT}}'; "
                f"to leave this benchmark out, 'targets: {{{name}: null}}' beside it",
            )
            continue
        if spec.metric is not None and spec.metric not in metrics:
            faults.unknown(place, f"metric of {one.full}", spec.metric, metrics)
            continue
        unit = metrics[spec.metric].unit if spec.metric else one.benchmark.objectives[0].unit
        for record in spec.records(name):
            value = convert_unit(record.value, record.unit or unit, unit)
            if value is None:
                message = f"unit '{record.unit}' does not convert to '{unit}'"
                faults.add(place, message, expected=f"a value in '{unit}'")
                break
            if record.relative_to is None:
                record = replace(record, value=value, unit=unit)
            if record.name in names:
                faults.add(place, f"threshold '{record.name}' appears twice")
            names.add(record.name)
            found.append(record)
    return replace(one, thresholds=tuple(found))
