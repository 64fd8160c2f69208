"""From a description or options to a benchmark: table, space, objectives, references."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from daybreak import (
    Benchmark,
    Direction,
    FailureKind,
    Metric,
    Reference,
    Space,
    SpaceError,
    UserError,
    load_space,
    nearest,
)
from daybreak_replay.assemble import described
from daybreak_replay.catalogue import Description
from daybreak_replay.loading import Reading, load_table
from daybreak_replay.session import Opened
from daybreak_replay.spaces import Coverage, cover, space_of_rows, space_of_table
from daybreak_replay.store import read_table
from daybreak_replay.table import Table

__all__ = ["Defined", "Plan", "define_table", "plan_of"]


@dataclass(frozen=True, slots=True)
class Defined:
    """A benchmark with what its session needs."""

    benchmark: Benchmark
    opened: Opened


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be defined. Equal keys define the same benchmark while no file changes."""

    name: str
    path: Path
    options: Mapping[str, Any]
    description: Description | None
    reading: Reading
    key: tuple[Any, ...]


def plan_of(name: str, options: Mapping[str, Any], description: Description | None) -> Plan:
    """Return what defining `name` with `options` takes; looks at files, but reads none."""
    if description is None:
        path = Path(options["path"]).expanduser()
        reading = Reading.of(options)
    else:
        path = description.path
        reading = Reading.of(description.reading)
    files = [path, *([description.place] if description else [])]
    if options.get("space") not in (None, "rows"):
        files.append(Path(options["space"]).expanduser())
    key = (name, json.dumps(dict(options), sort_keys=True), *map(_changed, files))
    return Plan(name, path, options, description, reading, key)


def _changed(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path.absolute()), found.st_mtime_ns, found.st_size


def define_table(plan: Plan) -> Defined:
    """Read the table and define the benchmark.

    Raises:
        UserError: something is wrong with the file, the space or the options.
    """
    description, options = plan.description, plan.options
    table = (
        read_table(plan.path)
        if description is not None and description.kept
        else load_table(plan.path, plan.reading)
    )
    wanted = options.get("objectives") or (description and list(description.objectives)) or None
    objectives = _objectives(table, wanted)
    chosen = options.get("missing") or (description and description.missing) or "refuse"
    declared = _space(plan, table)
    coverage = cover(table, declared, chosen, file=str(plan.path))
    references, values = _references(plan, table, coverage, objectives[0])
    metrics = tuple(m for m in table.metrics if m.name not in {o.name for o in objectives})
    failures = any(table.failures[row] is not None for row in coverage.rows.tolist())
    benchmark = Benchmark(
        name=plan.name,
        space=coverage.space,
        objectives=objectives,
        instance="" if description else _label(plan.path),
        references=references,
        metrics=metrics,
        summary=description.summary if description else f"recorded in {plan.path.name}",
        options=dict(options),
        hidden_constraints=failures or coverage.missing != 0,
        notes=_notes(plan, table, coverage, objectives),
    )
    opened = Opened(table, declared, coverage, objectives, metrics, options.get("seed"), values)
    return Defined(benchmark, opened)


def _label(path: Path) -> str:
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.") or "file"


def _objectives(table: Table, wanted: Any) -> tuple[Metric, ...]:
    """Return the objectives that the suite wants, else those that the file states."""
    given = described(wanted)
    names = list(given) or list(table.objectives)
    known = {metric.name: metric for metric in table.metrics}
    found = []
    for name in names:
        if name not in known:
            raise UserError(
                f"the table has no metric '{name}'",
                file=table.file,
                field="objectives",
                expected="one of " + ", ".join(known),
                nearest=nearest(name, known),
            )
        metric = known[name]
        one = given.get(name, {})
        if one.get("direction"):
            metric = replace(metric, direction=Direction(one["direction"]))
        if one.get("unit"):
            metric = replace(metric, unit=one["unit"])
        found.append(metric)
    if not wanted:
        found = found[:1]
    lacking = [
        row
        for row, failure in enumerate(table.failures)
        if failure is None and any(not table.series[m.name].of(row) for m in found[1:])
    ]
    if lacking:
        raise UserError(
            f"{table.unit} {table.places[lacking[0]]} has no value of one of the objectives "
            f"{', '.join(names)}; so it is with {len(lacking) - 1} more rows",
            file=table.file,
            field="objectives",
            expected="objectives that every successful row has",
        )
    return tuple(found)


def _space(plan: Plan, table: Table) -> Space:
    description, options = plan.description, plan.options
    name = plan.name if description else _label(plan.path)
    if description is not None:
        if description.space is not None:
            return Space.from_dict(description.space)
        return space_of_table(table, name, description.constraints)
    constraints = _translated(options, table)
    given = options.get("space")
    if given is None:
        return space_of_table(table, name, constraints)
    if given == "rows":
        return space_of_rows(table, name, {})
    path = Path(given).expanduser()
    if path.suffix.lower() == ".json" or path.name.lower().endswith(".json.gz"):
        from daybreak_replay.formats.t1 import read_t1

        space = read_t1(path, options.get("constants") or {})
    else:
        space = load_space(path)
    if not constraints:
        return space
    return Space(space.parameters, [*space.constraints, *constraints], space.name)


def _translated(options: Mapping[str, Any], table: Table) -> list[str]:
    from daybreak_replay.formats.conditions import translate

    found = []
    for i, text in enumerate(options.get("constraints") or ()):
        try:
            found.append(translate(text, table.parameters, options.get("constants") or {}))
        except ValueError as error:
            raise SpaceError(
                f"the constraint `{text}` is not understood: {error}",
                field=f"constraints.{i}",
                expected="arithmetic, comparisons, and, or, not, in, min, max, abs over parameters",
                nearest=nearest(text, table.parameters),
            ) from error
    return found


def _references(
    plan: Plan, table: Table, coverage: Coverage, objective: Metric
) -> tuple[tuple[Reference, ...], dict[str, float]]:
    """Return the references, and the values of those of which only a value is known."""
    found: dict[str, Reference] = {}
    source = plan.description.source if plan.description else ""
    recorded = {**table.references, **(plan.description.references if plan.description else {})}
    for name, configuration in recorded.items():
        if name == "optimum":
            continue
        completed = _completed(configuration, coverage.space)
        inside = completed in coverage.space
        found[name] = Reference(name, completed, in_space=inside, source=source)
    for name, configuration in (plan.options.get("references") or {}).items():
        completed = _completed(configuration, coverage.space)
        problems = coverage.space.violations(completed)
        if problems:
            raise UserError(
                f"the reference '{name}' is not in the search space: {'; '.join(problems)}",
                field=f"references.{name}",
            )
        found[name] = Reference(name, coverage.space.normalise(completed))
    values: dict[str, float] = {}
    if plan.description is not None:
        for name, one in plan.description.values.items():
            if name not in found:
                values[name] = float(one["value"])
                note = str(one.get("note", ""))
                found[name] = Reference(
                    name, {"reference": name}, in_space=False, note=note, source=source
                )
    best = _best(table, coverage, objective)
    if best is not None:
        found["optimum"] = Reference(
            "optimum",
            coverage.space.normalise(table.configuration(best)),
            note="best of the table by the median of its repetitions; known only because the table "
            "is, so it is no fair prior",
        )
    return tuple(found.values()), values


def _best(table: Table, coverage: Coverage, objective: Metric) -> int | None:
    import numpy as np

    medians = table.series[objective.name].medians()[coverage.rows]
    if np.isnan(medians).all():
        return None
    maximize = objective.direction is Direction.MAXIMIZE
    return int(coverage.rows[np.nanargmax(medians) if maximize else np.nanargmin(medians)])


def _completed(configuration: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Add the parameters that have one value only: nobody writes those down."""
    found = {k: tuple(v) if isinstance(v, list) else v for k, v in configuration.items()}
    for parameter in space.parameters:
        if parameter.name not in found and parameter.size == 1:
            found[parameter.name] = parameter.value_at(0)
    return found


def _notes(
    plan: Plan, table: Table, coverage: Coverage, objectives: tuple[Metric, ...]
) -> tuple[str, ...]:
    import numpy as np

    notes = [*(plan.description.notes if plan.description else ()), *table.notes, *coverage.notes]
    failed = sum(table.failures[row] is not None for row in coverage.rows.tolist())
    counts = np.diff(table.series[objectives[0].name].offsets)
    counts = counts[counts > 0]
    least, most = int(counts.min()), int(counts.max())
    repeats = f"{least}" if least == most else f"{least} to {most}"
    notes.append(
        f"{len(coverage.rows):,} recorded configurations, {failed:,} of them failed; {repeats} "
        f"recorded repetition{'s' if most > 1 else ''} each."
    )
    phases = table.recorded_phases()
    clock = [phase for phase in phases if phase != "measure"]
    if "measure" in phases or table.time_metric() is not None:
        clock.append("measure")
    notes.append(
        f"The clock is simulated from recorded times of {', '.join(clock)}."
        if clock
        else "No times are recorded: the simulated clock stands still."
    )
    if plan.description is not None and plan.description.source:
        notes.append(f"Source: {plan.description.source}.")
    kinds = {table.failures[row] for row in coverage.rows.tolist()} - {None}
    if kinds:
        listed = ", ".join(sorted(kind.value for kind in kinds if isinstance(kind, FailureKind)))
        notes.append(f"Recorded kinds of failure: {listed}.")
    return tuple(notes)
