"""How far searches with several objectives have come: share of the joint front's hypervolume."""

from __future__ import annotations

from daybreak.analysis.answers.shape import Answer, Estimate, Evidence
from daybreak.analysis.hypervolume import BEYOND, Coverage, read_coverage
from daybreak.analysis.scores import budgets
from daybreak.measure.statistics import sorted_interval

__all__ = ["hypervolume"]


def hypervolume(evidence: Evidence) -> Answer:
    """Share of the joint front's hypervolume at every budget, the median over studies."""
    found = read_coverage(evidence.index, evidence.run.run_id, evidence.curves.benchmarks)
    longest = max(len(study.share) for one in found for study in one.studies)
    at = budgets(longest, evidence.asked.at)
    rows, notes, missing = [], [], 0
    for one in found:
        own = []
        for optimizer in dict.fromkeys(study.optimizer for study in one.studies):
            studies = [study for study in one.studies if study.optimizer == optimizer]
            row: dict[str, object] = {
                "benchmark": one.benchmark,
                "optimizer": optimizer,
                "studies": len(studies),
            }
            for n in at:
                shares = sorted(s for s in (study.at(n) for study in studies) if s is not None)
                missing += len(studies) - len(shares)
                if shares:
                    row[f"at {n}"] = Estimate(*sorted_interval(shares, 1 - evidence.asked.level))
            own.append(row)
        rows += sorted(own, key=lambda row: _standing(row, at))
        notes.append(_told(one))
    if missing:
        notes.append(f"in {missing} cells a study did not get so far, and is left out there")
    return Answer(
        "hypervolume",
        f"Share of the joint front's hypervolume: {evidence.run.suite or evidence.run.run_id}",
        ("benchmark", "optimizer", "studies", *(f"at {n}" for n in at)),
        tuple(rows),
        (
            "1: everything that all studies of the run found together on that benchmark; so it says "
            "who is ahead in this run, and not how near the true front anybody is",
            f"median over studies, [low, high]: its {evidence.percent} interval, of fewer than six "
            "studies the smallest and the largest",
            f"the reference point lies {100 * BEYOND:g} % of the joint front's extent beyond its "
            "worst value in each objective",
            *notes,
        ),
        "SELECT benchmark, optimizer, study_id, number, objectives FROM pareto "  # noqa: S608
        f"WHERE run_id = '{evidence.run.run_id}' ORDER BY ALL",
    )


def _standing(row: dict[str, object], at: list[int]) -> tuple[float, str]:
    """Return what sorts the furthest first, at the last budget that it has."""
    for n in reversed(at):
        value = row.get(f"at {n}")
        if isinstance(value, Estimate) and value.value is not None:
            return -value.value, str(row["optimizer"])
    return 0.0, str(row["optimizer"])


def _told(one: Coverage) -> str:
    ends = ", ".join(
        f"{name} {best:.3g} to {worst:.3g}{' (logarithmic)' if log else ''}"
        for name, best, worst, log in zip(
            one.objectives, one.ideal, one.nadir, one.logarithmic, strict=True
        )
    )
    points = "1 point" if one.front == 1 else f"{one.front} points"
    return f"{one.benchmark}: the joint front has {points}, {ends}"
