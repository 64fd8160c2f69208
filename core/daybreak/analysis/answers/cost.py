"""What the search costs: time to targets, thinking time, wasted proposals, failures."""

from __future__ import annotations

from typing import Any

from daybreak.analysis.answers.shape import Answer, Estimate, Evidence
from daybreak.analysis.hits import running_times
from daybreak.errors import UserError, nearest

__all__ = ["duplicates", "failures", "suggestion_time", "time_to_target"]


def time_to_target(evidence: Evidence) -> Answer:
    """Expected evaluations and seconds until a target is reached, failures included."""
    hits = evidence.hits
    wanted = evidence.asked.targets or tuple(
        name for name in ("gap-0.9", "expert") if name in hits.targets
    )
    for name in wanted:
        if name not in hits.targets:
            raise UserError(
                f"there is no target '{name}'",
                expected=f"one of {', '.join(hits.targets)}",
                nearest=nearest(name, hits.targets),
            )
    rows = [
        {
            "benchmark": one.benchmark,
            "target": one.target,
            "optimizer": one.optimizer,
            "reached": f"{one.reached}/{one.studies}",
            "evaluations": Estimate.of(one.expected, one.interval),
            "seconds": one.seconds,
        }
        for one in running_times(hits, targets=wanted, level=evidence.asked.level)
    ]
    return Answer(
        "time-to-target",
        f"Expected time to target: {evidence.run.suite}",
        ("benchmark", "target", "optimizer", "reached", "evaluations", "seconds"),
        tuple(rows),
        (
            "gap-0.9: nine tenths of the way from the median configuration to the optimum",
            "evaluations spent by all studies until they got there or ended, over the studies that "
            "got there: the expected cost with restarts; seconds of the study's clock likewise",
            f"[low, high]: {evidence.percent} bootstrap interval over seeds",
        ),
        f"FROM ecdf WHERE run_id = '{evidence.run.run_id}'",
    )


def duplicates(evidence: Evidence) -> Answer:
    """Evaluations and proposals that were wasted."""
    sql = (
        "SELECT benchmark, optimizer, sum(evaluations) AS evaluations, sum(repeated) AS repeated, "
        "sum(library_duplicates) AS library_duplicates, sum(infeasible) AS infeasible "
        "FROM duplicates WHERE run_id = ? GROUP BY ALL"
    )
    rows: dict[str, dict[str, Any]] = {}
    for one in evidence.select(sql):
        row = rows.setdefault(
            one["optimizer"],
            {
                "optimizer": one["optimizer"], "evaluations": 0, "repeated": 0,
                "library duplicates": None, "infeasible": None,
            },
        )  # fmt: skip
        row["evaluations"] += int(one["evaluations"])
        row["repeated"] += int(one["repeated"])
        for head, name in (
            ("library duplicates", "library_duplicates"),
            ("infeasible", "infeasible"),
        ):
            if one[name] is not None:
                row[head] = (row[head] or 0) + int(one[name])
    for row in rows.values():
        for head in ("library duplicates", "infeasible"):
            if row[head] is not None:
                row[f"{head} per 100"] = 100 * row[head] / row["evaluations"]
    columns = (
        "optimizer", "evaluations", "repeated", "library duplicates", "infeasible",
        "library duplicates per 100", "infeasible per 100",
    )  # fmt: skip
    return Answer(
        "duplicates",
        f"Wasted proposals: {evidence.run.suite}",
        columns,
        tuple(sorted(rows.values(), key=lambda row: str(row["optimizer"]))),
        (
            "repeated: evaluations of a configuration that the study had measured before",
            "library duplicates, infeasible: proposals of the optimizer's library that were "
            "answered without an evaluation; empty: it does not say",
        ),
        sql.replace("?", f"'{evidence.run.run_id}'"),
    )


def suggestion_time(evidence: Evidence) -> Answer:
    """Seconds that an optimizer thinks per evaluation, by how much it has seen."""
    sql = (
        "SELECT benchmark, optimizer, first_evaluation, last_evaluation, median_s, p90_s, total_s "
        "FROM suggestion_time WHERE run_id = ? ORDER BY optimizer, first_evaluation"
    )
    found = evidence.select(sql)
    bins = sorted({(one["first_evaluation"], one["last_evaluation"] or 0) for one in found})
    heads = {first: f"{first}-{last}" if last else f"from {first}" for first, last in bins}
    rows = []
    for optimizer in dict.fromkeys(one["optimizer"] for one in found):
        own = [one for one in found if one["optimizer"] == optimizer]
        row: dict[str, Any] = {"optimizer": optimizer}
        for first, head in heads.items():
            cells = [one for one in own if one["first_evaluation"] == first]
            if cells:
                middle, high = (
                    1000 * sum(float(one[name]) for one in cells) / len(cells)
                    for name in ("median_s", "p90_s")
                )
                row[head] = f"{middle:.3g} ({high:.3g})"
        row["total s"] = sum(float(one["total_s"]) for one in own)
        rows.append(row)
    return Answer(
        "suggestion-time",
        f"Milliseconds per suggestion, by evaluation: {evidence.run.suite}",
        ("optimizer", *heads.values(), "total s"),
        tuple(sorted(rows, key=lambda row: float(row["total s"]))),
        (
            "median, in brackets the ninth decile, of asking and telling together; mean over "
            "benchmarks; real time on the machine of the run",
        ),
        sql.replace("?", f"'{evidence.run.run_id}'"),
    )


def failures(evidence: Evidence) -> Answer:
    """How many evaluations failed, and why."""
    sql = (
        "SELECT benchmark, optimizer, failure_kind, failures, trials FROM failures WHERE run_id = ?"
    )
    found = evidence.select(sql)
    spent: dict[str, int] = {}
    counted = evidence.select(
        "SELECT benchmark, optimizer, count(*) AS n FROM evaluations WHERE run_id = ? GROUP BY ALL"
    )
    for one in counted:
        spent[one["optimizer"]] = spent.get(one["optimizer"], 0) + int(one["n"])
    kinds = sorted({str(one["failure_kind"] or "unknown") for one in found})
    rows = []
    for optimizer, evaluations in sorted(spent.items()):
        row: dict[str, Any] = {"optimizer": optimizer, "evaluations": evaluations}
        own = [one for one in found if one["optimizer"] == optimizer]
        for kind in kinds:
            row[kind] = sum(
                int(one["failures"]) for one in own if (one["failure_kind"] or "unknown") == kind
            )
        failed = sum(int(one["failures"]) for one in own if one["failure_kind"] != "cancelled")
        row["per 100"] = 100 * failed / evaluations
        rows.append(row)
    return Answer(
        "failures",
        f"Failed evaluations: {evidence.run.suite}",
        ("optimizer", "evaluations", *kinds, "per 100"),
        tuple(sorted(rows, key=lambda row: float(row["per 100"]))),
        ("a failed evaluation counts against the budget as any other",),
        sql.replace("?", f"'{evidence.run.run_id}'"),
    )
