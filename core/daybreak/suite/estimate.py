"""How long a plan may take at most, from its budgets and timeouts alone; nothing is measured."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.records import StudyPlan

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Benchmark

__all__ = ["TimeBound", "study_bound", "total_bound"]

#: building, verifying and measuring have a timeout each; a training job concludes besides
_PHASES = 3
_TRAINING_PHASES = 4


@dataclass(frozen=True, slots=True)
class TimeBound:
    """An upper bound of wall time.

    Attributes:
        seconds: the bound, or None when nothing bounds the time.
        by_budget: whether it follows from budgets in seconds. If not, it is the worst case: every
            trial of a budget in evaluations runs into the timeout in each of its phases.
        simulated: number of studies on a simulated clock. Theirs is the time that their optimizers
            think, of which nothing is known beforehand; it is no part of `seconds`.
    """

    seconds: float | None
    by_budget: bool
    simulated: int = 0


def study_bound(study: StudyPlan, benchmark: Benchmark, *, simulated: bool = False) -> TimeBound:
    """Return the bound of one study, run alone; `simulated`: on a simulated clock.

    A study that is bounded in seconds ends with the trial that its clock runs out in; the time
    that this trial takes beyond is not counted. The time that the optimizer itself takes is not
    counted where evaluations are the only bound.
    """
    if simulated:
        return TimeBound(None, by_budget=False, simulated=1)
    budget = study.budget
    worst: float | None = None
    if budget.evaluations is not None:
        every = study.protocol.interleave
        rounds = 1 + (budget.evaluations // every if every else 0)
        trials = budget.evaluations + rounds * len(benchmark.references)
        phases = _PHASES if benchmark.curve is None else _TRAINING_PHASES
        worst = phases * study.protocol.timeout_s * trials
    if budget.seconds is not None and (worst is None or budget.seconds <= worst):
        return TimeBound(budget.seconds, by_budget=True)
    return TimeBound(worst, by_budget=False)


def total_bound(
    studies: Iterable[StudyPlan],
    benchmarks: Mapping[str, Benchmark],
    simulated: Container[str] = (),
) -> TimeBound:
    """Return the bound of all studies, run one after another.

    `simulated` holds the names of benchmarks with a simulated clock, whose studies are counted
    apart.
    """
    real: list[TimeBound] = []
    apart = 0
    for study in studies:
        if study.benchmark in simulated:
            apart += 1
        else:
            real.append(study_bound(study, benchmarks[study.benchmark]))
    seconds = [bound.seconds for bound in real if bound.seconds is not None]
    complete = bool(real) and len(seconds) == len(real)
    return TimeBound(
        sum(seconds) if complete else None,
        by_budget=bool(real) and all(bound.by_budget for bound in real),
        simulated=apart,
    )
