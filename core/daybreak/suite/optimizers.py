"""The optimizers of a suite, looked up and checked against the benchmarks that they shall run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from daybreak.errors import UserError, nearest
from daybreak.plugin.specs import OptimizerSpec
from daybreak.suite.benchmarks import PlannedBenchmark, note_user_error
from daybreak.suite.faults import Faults, translate
from daybreak.suite.labels import canonical_json, distinct_labels
from daybreak.suite.model import OptimizerEntry, Suite
from daybreak.suite.selection import matches_benchmark
from daybreak.suite.tree import Node, Place, locate

if TYPE_CHECKING:
    from daybreak.plugin.component import Component
    from daybreak.plugin.registry import Registry

__all__ = ["PlannedOptimizer", "check_pair", "resolve_optimizers"]


@dataclass(frozen=True, slots=True)
class PlannedOptimizer:
    """An optimizer of the suite: `label` is shown, `component` registered, `source` its plugin's.

    `node` holds its options as they are written, `place` says where.
    """

    label: str
    component: str
    options: Mapping[str, Any]
    spec: OptimizerSpec
    source: Component
    entry: OptimizerEntry
    node: Node
    place: Place

    @property
    def remedy(self) -> str:
        """What a user can do about a benchmark that it cannot work on."""
        return (
            f"leave it to others: 'only: PATTERN' beside '{self.component}', "
            "or remove one of the two"
        )

    def runs_on(self, benchmark: str) -> bool:
        """Return whether the suite lets it run on the benchmark of that full name."""
        only = self.entry.only
        return not only or any(matches_benchmark(pattern, benchmark) for pattern in only)


def resolve_optimizers(
    suite: Suite, registry: Registry, benchmarks: Sequence[PlannedBenchmark], faults: Faults
) -> list[PlannedOptimizer]:
    """Return the optimizers of `suite`, those without fault, in its order.

    Raises:
        PluginError: an optimizer's options model is broken.
    """
    found: list[tuple[int, Mapping[str, Any], OptimizerSpec, Component]] = []
    for i, entry in enumerate(suite.optimizers):
        place, node = locate(suite.tree, ("optimizers", i, "options"))
        try:
            component = registry.get("optimizer", entry.name)
            options = component.validate(entry.options)
        except ValidationError as error:
            translate(error, node, faults, model=component.options_model())
            continue
        except UserError as error:
            note_user_error(faults, error, node, place)
            continue
        spec = component.spec
        assert isinstance(spec, OptimizerSpec)  # noqa: S101 - the loader saw to it
        found.append((i, options, spec, component))
        _check_patterns(suite, i, benchmarks, faults)
    entries = [suite.optimizers[i] for i, *_ in found]
    labels = distinct_labels(
        [entry.label or entry.name for entry in entries],
        [entry.options for entry in entries],
        [":"] * len(entries),
    )
    planned: list[PlannedOptimizer] = []
    for (i, validated, spec, source), entry, label in zip(found, entries, labels, strict=True):
        place, node = locate(suite.tree, ("optimizers", i, "options"))
        one = PlannedOptimizer(label, entry.name, validated, spec, source, entry, node, place)
        twin = next((before for before in planned if _same(before, one)), None)
        if twin is not None:
            faults.add(
                place,
                f"optimizer '{label}' is listed twice: here and on line {twin.place.mark.line}",
                expected="each optimizer once, or different options, or a name of its own",
                remedy="remove one, or name it with 'as: NAME'",
            )
        planned.append(one)
    return planned


def _same(one: PlannedOptimizer, other: PlannedOptimizer) -> bool:
    """Return whether two entries would be one in tables, or ask for the very same thing."""
    if one.label == other.label:
        return True
    return (
        one.entry.label is None
        and other.entry.label is None
        and one.component == other.component
        and one.entry.batch == other.entry.batch
        and one.entry.seeds == other.entry.seeds
        and one.entry.history == other.entry.history
        and canonical_json(one.options) == canonical_json(other.options)
    )


def _check_patterns(
    suite: Suite, index: int, benchmarks: Sequence[PlannedBenchmark], faults: Faults
) -> None:
    if len(benchmarks) < len(suite.benchmarks):
        return  # the pattern may be meant for one that is at fault
    for j, pattern in enumerate(suite.optimizers[index].only):
        if not any(matches_benchmark(pattern, one.full) for one in benchmarks):
            place, _ = locate(suite.tree, ("optimizers", index, "only", j))
            names = [one.full for one in benchmarks]
            faults.add(
                place,
                f"'{pattern}' fits no benchmark of this suite",
                expected="a pattern such as taco/*; there are " + ", ".join(names[:8]),
                nearest=nearest(pattern, names),
            )


def check_pair(optimizer: PlannedOptimizer, one: PlannedBenchmark, faults: Faults) -> bool:
    """Note why `optimizer` cannot work on the benchmark by what its spec says.

    Returns whether it takes the parameters' types and the number of objectives.
    """
    spec, remedy = optimizer.spec, optimizer.remedy
    strange: dict[str, list[str]] = {}
    for parameter in one.benchmark.space.parameters:
        if parameter.type not in spec.parameter_types:
            strange.setdefault(parameter.type, []).append(parameter.name)
    for kind, names in strange.items():
        faults.add(
            optimizer.place,
            f"'{spec.name}' takes no {kind} parameters, but {one.full} has: {', '.join(names)}",
            expected="parameters of type " + ", ".join(sorted(spec.parameter_types)),
            remedy=remedy,
        )
    count = len(one.benchmark.objectives)
    too_many = bool(spec.max_objectives) and count > spec.max_objectives
    if too_many:
        names = [metric.name for metric in one.benchmark.objectives]
        faults.add(
            optimizer.place,
            f"'{spec.name}' takes {spec.max_objectives} objective"
            f"{'s' if spec.max_objectives > 1 else ''}, but {one.full} has {count}: "
            + ", ".join(names),
            expected=f"a benchmark with at most {spec.max_objectives}",
            remedy=remedy,
        )
    budget = one.entry.budget
    if budget.evaluations is None and budget.seconds is None and "spends" not in spec.capabilities:
        faults.add(
            optimizer.place,
            f"'{spec.name}' spends no dollars or tokens, so its study of {one.full} would not end",
            expected="a budget with evaluations or seconds too",
        )
    return not (strange or too_many)
