"""From a suite to the studies that it asks for; everything is checked before anything runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.errors import UserError, nearest
from daybreak.records import MeasurementProtocol, StudyPlan
from daybreak.suite.acceptance import check_acceptance
from daybreak.suite.benchmarks import PlannedBenchmark, resolve_benchmarks
from daybreak.suite.faults import Faults
from daybreak.suite.labels import canonical_json
from daybreak.suite.model import Suite
from daybreak.suite.optimizers import PlannedOptimizer, check_pair, resolve_optimizers
from daybreak.suite.requirements import check_required_plugins
from daybreak.suite.selection import matches_study

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Benchmark
    from daybreak.plugin.registry import Registry

__all__ = ["RunPlan", "plan_suite"]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What would run.

    Attributes:
        name: the suite's name.
        suite_key: hash of what the suite measures and how: name, benchmarks with their options,
            measurement protocols. Budget, seeds and optimizers do not change it, so that a run can
            be extended; neither does a selection with `only`.
        studies: interleaved, so that a drift of the machine hits all optimizers alike: by seed,
            then by benchmark, then by optimizer.
        benchmarks: the defined benchmarks by full name.
        source: text of the suite's file.
        path: that file, or None.
        sources: text of each file that took part, by path.
        warnings: what is allowed but probably not meant, one sentence each.
        requires_plugins: the suite's requirements, all met.
        simulated: names of the benchmarks whose target simulates its clock.
    """

    name: str
    suite_key: str
    studies: tuple[StudyPlan, ...]
    benchmarks: Mapping[str, Benchmark]
    source: str = ""
    path: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    requires_plugins: tuple[str, ...] = ()
    description: str = ""
    simulated: frozenset[str] = frozenset()


def plan_suite(suite: Suite, registry: Registry, *, only: str | None = None) -> RunPlan:
    """Return the studies of `suite`, checked.

    Args:
        suite: a loaded suite.
        registry: the components to choose from.
        only: a pattern that picks studies, see `daybreak.suite.selection`.

    Raises:
        SuiteError: a name is unknown, an option is wrong, an optimizer does not fit a benchmark, a
            reference is missing or infeasible, a required plugin is not installed, ...
        UserError: `only` picks nothing.
        PluginError: a component broke its contract.
    """
    faults = Faults()
    check_required_plugins(suite, registry, faults)
    benchmarks = resolve_benchmarks(suite, registry, faults)
    optimizers = resolve_optimizers(suite, registry, benchmarks, faults)
    pairs = [
        (one, optimizer)
        for one in benchmarks
        for optimizer in optimizers
        if optimizer.runs_on(one.full)
        and (only is None or matches_study(only, one.full, optimizer.label, optimizer.component))
    ]
    fitting = [(one, optimizer) for one, optimizer in pairs if check_pair(optimizer, one, faults)]
    check_acceptance(fitting, faults)
    faults.raise_any()
    if not pairs:
        raise _picks_nothing(only or "", benchmarks, optimizers)
    own = (seed for _, optimizer in pairs for seed in optimizer.entry.seeds or ())
    studies = [
        _study(one, optimizer, seed)
        for seed in dict.fromkeys((*suite.seeds, *own))
        for one, optimizer in pairs
        if seed in (optimizer.entry.seeds or suite.seeds)
    ]
    simulated = frozenset(
        one.full
        for one, _ in pairs
        if "simulates" in registry.get("target", one.target).spec.capabilities
    )
    return RunPlan(
        name=suite.name,
        suite_key=_suite_key(suite, benchmarks),
        studies=tuple(studies),
        benchmarks={one.full: one.benchmark for one, _ in pairs},
        source=suite.source,
        path=suite.path,
        sources=suite.sources,
        warnings=(*suite.warnings, *_warnings(pairs, simulated)),
        requires_plugins=suite.requires_plugins,
        description=suite.description,
        simulated=simulated,
    )


def _study(one: PlannedBenchmark, optimizer: PlannedOptimizer, seed: int) -> StudyPlan:
    return StudyPlan(
        benchmark=one.full,
        target=one.target,
        name=one.name,
        options=one.options,
        optimizer=optimizer.label,
        component=optimizer.component,
        optimizer_options=optimizer.options,
        seed=seed,
        budget=one.entry.budget.record(),
        protocol=one.protocol,
        limits=one.entry.limits.record(),
        thresholds=one.thresholds,
        batch=optimizer.entry.batch,
        history=None if optimizer.entry.history is None else optimizer.entry.history.record(),
        dollars_per_hour=None if one.entry.price is None else one.entry.price.dollars_per_hour,
    )


def _suite_key(suite: Suite, benchmarks: Sequence[PlannedBenchmark]) -> str:
    measured = sorted(
        canonical_json(
            {
                "name": f"{one.target}/{one.name}",
                "options": one.options,
                "protocol": _protocol_key(one.protocol),
            }
        )
        for one in benchmarks
    )
    return hashlib.sha256(canonical_json([suite.name, measured]).encode()).hexdigest()


def _protocol_key(protocol: MeasurementProtocol) -> dict[str, Any]:
    """Return the protocol without what a suite of an earlier Daybreak could not say."""
    values = asdict(protocol)
    del values["seed"]
    if protocol.stop is None:
        del values["stop"]
    return values


def _picks_nothing(
    only: str, benchmarks: Sequence[PlannedBenchmark], optimizers: Sequence[PlannedOptimizer]
) -> UserError:
    names = [one.full for one in benchmarks] + [one.label for one in optimizers]
    return UserError(
        f"no study fits '{only}'" if only else "no optimizer runs on any benchmark",
        expected="a pattern over BENCHMARK, OPTIMIZER or BENCHMARK+OPTIMIZER; there are "
        + ", ".join(names),
        nearest=nearest(only, names),
        remedy="daybreak plan SUITE lists the studies",
    )


def _warnings(
    pairs: Sequence[tuple[PlannedBenchmark, PlannedOptimizer]], simulated: frozenset[str]
) -> list[str]:
    found: list[str] = []
    for optimizer in {id(optimizer): optimizer for _, optimizer in pairs}.values():
        history = optimizer.entry.history
        if history and history.benchmarks and "transfers" not in optimizer.spec.capabilities:
            found.append(
                f"'{optimizer.label}' makes nothing of other benchmarks' trials: of its history "
                "only those of the same benchmark count"
            )
    for one in {id(one): one for one, _ in pairs}.values():
        budget = one.entry.budget
        size = one.benchmark.space.size
        if size is not None and budget.evaluations is not None and budget.evaluations > size:
            found.append(
                f"{one.full}: a budget of {budget.evaluations} evaluations exceeds the "
                f"{size} points of its search space"
            )
        timeout = one.entry.protocol.timeout
        if one.full in simulated:
            continue  # no timeout applies
        train_s = None if one.protocol.stop is None else one.protocol.stop.train_s
        if train_s is not None and train_s > timeout:
            found.append(
                f"{one.full}: the timeout ({timeout:g} s) ends training before its stop rule does "
                f"({train_s:g} s of training); raise 'timeout'"
            )
        if budget.seconds is not None and budget.seconds < timeout:
            found.append(
                f"{one.full}: one trial may take longer ({timeout:g} s for each of its phases) "
                f"than the study's {budget.seconds:g} s"
            )
    return found
