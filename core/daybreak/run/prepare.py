"""Before a run: what the targets need on this machine, set up where that can be done for the user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from daybreak.errors import RequirementError
from daybreak.plugin import Component, Registry
from daybreak.plugin.contracts import Demands, Installable, Requirement
from daybreak.records import StudyPlan

__all__ = ["SetupProgress", "missing_requirements", "prepare"]

#: Called with the target's name, the fraction done (None: unknown) and what is going on.
SetupProgress = Callable[[str, float | None, str], None]


def missing_requirements(
    component: Component, studies: Iterable[StudyPlan] = ()
) -> list[Requirement]:
    """Return what `component` lacks on this machine: packages, programs, its own checks.

    Of a target, also what the benchmarks of those `studies` that are on it need besides.
    """
    missing = list(component.missing())
    if missing or component.spec.kind != "target":
        return missing  # its own checks may need the very packages that are missing
    target = component.create()
    found = [one for one in target.check() if one.needed]
    if isinstance(target, Demands):
        benchmarks = {study.benchmark: study for study in studies if study.target == component.name}
        for study in benchmarks.values():
            found += target.demands(component.create().define(study.name, study.options))
    unmet = {one.name: one for one in found if not one.met}
    return list(unmet.values())


def _refuse(component: Component, missing: Sequence[Requirement]) -> None:
    wants = "; ".join(r.detail or f"{r.name} is missing" for r in missing)
    raise RequirementError(
        f"{component.kind} '{component.name}' cannot run here: {wants}",
        expected=", ".join(requirement.name for requirement in missing),
        remedy=" && ".join(dict.fromkeys(r.remedy for r in missing if r.remedy)) or None,
    )


def prepare(
    studies: Iterable[StudyPlan], registry: Registry, progress: SetupProgress | None = None
) -> None:
    """Make sure that everything a plan needs is here; a target that can set itself up does so.

    Raises:
        RequirementError: something is missing; names it and the command that gets it.
    """
    components: dict[tuple[str, str], Component] = {}
    studies = list(studies)
    for study in studies:
        for kind, name in (("target", study.target), ("optimizer", study.component)):
            components.setdefault((kind, name), registry.get(kind, name))
    for (kind, name), component in components.items():
        missing = missing_requirements(component, studies)
        if not missing:
            continue
        target = component.create() if kind == "target" and not component.missing() else None
        if isinstance(target, Installable):
            target.setup(partial(progress, name) if progress else _quiet)
            missing = missing_requirements(component, studies)
        if missing:
            _refuse(component, missing)


def _quiet(_done: float | None, _text: str) -> None:
    """Show nothing."""
