"""What a suite needs on this machine: the plugins that it names, what its components lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as PackageRequirement
from packaging.utils import canonicalize_name

from daybreak.plugin.contracts import Demands
from daybreak.plugin.requirements import check_package
from daybreak.suite.faults import Faults
from daybreak.suite.model import Suite
from daybreak.suite.tree import locate

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Requirement
    from daybreak.plugin.registry import Registry
    from daybreak.suite.plan import RunPlan

__all__ = ["Missing", "check_required_plugins", "missing_requirements"]


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement that is not met, and the component (`kind` and `name`) that has it."""

    kind: str
    name: str
    requirement: Requirement


def check_required_plugins(suite: Suite, registry: Registry, faults: Faults) -> None:
    """Note each of the suite's `requires_plugins` that is not installed or did not load."""
    for i, text in enumerate(suite.requires_plugins):
        place, _ = locate(suite.tree, ("requires_plugins", i))
        found = check_package(text)
        if not found.met:
            faults.add(
                place, f"required plugin '{text}': {found.detail}", remedy=found.remedy or None
            )
            continue
        wanted = canonicalize_name(PackageRequirement(text).name)
        for record in registry.plugins:
            if canonicalize_name(record.distribution or "") == wanted and record.status != "ok":
                faults.add(
                    place,
                    f"required plugin '{record.name}' is {record.status}: {record.reason}",
                    remedy=record.remedy or None,
                )


def missing_requirements(plan: RunPlan, registry: Registry) -> list[Missing]:
    """Return what the targets and optimizers of `plan` need and this machine lacks.

    Raises:
        PluginError: a target cannot be asked.
    """
    from daybreak.suite.benchmarks import guarded

    found: list[Missing] = []
    for name in dict.fromkeys(study.target for study in plan.studies):
        component = registry.get("target", name)
        unmet = list(component.missing())
        target = component.create()
        checked = guarded(component, "check()", lambda target=target: list(target.check()))
        unmet += [one for one in checked if one.needed and not one.met]
        if isinstance(target, Demands) and not unmet:
            for full in dict.fromkeys(one.benchmark for one in plan.studies if one.target == name):
                benchmark = plan.benchmarks[full]
                asked = guarded(
                    component,
                    "demands()",
                    lambda target=target, benchmark=benchmark: list(target.demands(benchmark)),
                )
                unmet += [one for one in asked if not one.met]
        found += [Missing("target", name, requirement) for requirement in unmet]
    for name in dict.fromkeys(study.component for study in plan.studies):
        component = registry.get("optimizer", name)
        found += [Missing("optimizer", name, requirement) for requirement in component.missing()]
    seen: set[tuple[str, str, str]] = set()
    unique: list[Missing] = []
    for missing in found:
        key = (missing.kind, missing.name, missing.requirement.name)
        if key not in seen:
            seen.add(key)
            unique.append(missing)
    return unique
