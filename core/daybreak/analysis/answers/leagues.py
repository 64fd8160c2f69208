"""As published leagues would score it: MLPerf's olympic mean, AlgoPerf's profiles."""

from __future__ import annotations

import math

from daybreak.analysis.answers.shape import Answer, Estimate, Evidence
from daybreak.analysis.answers.training import timed_sql
from daybreak.analysis.training.convergence import (
    Convergence,
    check_convergence,
    olympic_mean,
    required_runs,
)
from daybreak.analysis.training.profiles import TAU_MAX, clock_profiles
from daybreak.analysis.training.runs import Timing
from daybreak.errors import UserError, nearest

__all__ = ["clock_profile", "mlperf"]

_TAUS = (1.0, 1.5, 2.0, 4.0)


def mlperf(evidence: Evidence) -> Answer:
    """Olympic means, and whether entries converge as their reference does."""
    # MLPerf's clock is the wall's, from the start of the run to its end
    timings = evidence.timings
    clock = evidence.training_clock
    if evidence.asked.clock is None and any("wall_s" in o.spent for o in timings.rows):
        clock = "wall_s"
    against = evidence.asked.against
    entries = sorted({one.entry for one in timings.rows})
    if against is not None and against not in entries:
        raise UserError(
            f"run '{timings.run_id}' has no entry '{against}'",
            expected=f"one of {', '.join(entries)}",
            nearest=nearest(against, entries),
        )
    if against is None and "reference" in entries:
        against = "reference"
    rows = []
    for (benchmark, target), problem in timings.on(clock).problems().items():
        required = required_runs(benchmark)
        for entry, own in problem.items():
            row: dict[str, object] = {
                "benchmark": benchmark, "target": target, "entry": entry, "runs": len(own),
            }  # fmt: skip
            rejected = max(1, required // 10)
            mean = olympic_mean([one.upper[clock] for one in own], rejected)
            enough = len(own) >= required
            row["olympic mean"] = mean if enough else None
            row["verdict"] = "" if enough else f"needs {required - len(own)} more runs"
            if against is not None and entry != against and against in problem and enough:
                found = _checked(own, problem[against], required, evidence.asked.level)
                row |= {
                    "epochs": found.mean,
                    "reference epochs": found.reference,
                    "p": found.p,
                    "normalized": None
                    if found.factor is None or mean is None or math.isinf(mean)
                    else mean * found.factor,
                    "verdict": f"{found.verdict}: {found.reason}",
                }
            rows.append(row)
    return Answer(
        "mlperf",
        f"As MLPerf would score it ({clock}): {evidence.run.suite or evidence.run.run_id}",
        (
            "benchmark", "target", "entry", "runs", "olympic mean", "epochs", "reference epochs",
            "p", "normalized", "verdict",
        ),
        tuple(rows),
        (
            "olympic mean: without the best and the worst run (four of either where the rules ask for "
            "forty); a miss is infinite, so one is forgiven; it has no interval by its rules, see "
            "time-to-accuracy for one",
            "epochs: the same mean of the epochs to target; p: one-sided t-test of needing fewer than "
            "the reference, which needs twice the runs; normalized: the mean times reference epochs "
            "over epochs, where the entry converges quicker",
            "reference: "
            + (f"the entry {against}" if against else "none; name one with --against LABEL"),
        ),
        timed_sql(evidence, clock),
    )  # fmt: skip


def _checked(
    own: list[Timing], reference: list[Timing], required: int, level: float
) -> Convergence:
    count = next(
        (
            name
            for name in ("epochs", "steps", "evaluations")
            if all(name in one.upper for one in (*own, *reference))
        ),
        None,
    )
    if count is None:
        none = (len(own), len(reference))
        return Convergence(
            none, None, None, None, None, None, "refused", "epochs were not recorded"
        )
    return check_convergence(
        [one.upper[count] for one in own],
        [one.upper[count] for one in reference],
        required=required,
        level=level,
    )


def clock_profile(evidence: Evidence) -> Answer:
    """Performance profiles with the clock, scored as AlgoPerf does."""
    clock = evidence.training_clock
    found = clock_profiles(evidence.timings, clock, taus=_TAUS, level=evidence.asked.level)
    problems = found[0].problems if found else 0
    if not problems:
        raise UserError(
            f"no entry of run '{evidence.run.run_id}' reached any target: there is no profile",
            remedy="see how far they came: daybreak analyze thresholds",
        )
    heads = ["quickest", *(f"within {tau:g}x" for tau in _TAUS[1:])]
    rows = [
        {
            "entry": one.entry,
            "score": Estimate.of(one.score, one.interval),
            **{head: float(share) for head, share in zip(heads, one.share, strict=True)},
            "ever": one.solved,
            "tried": f"{one.tried}/{problems}",
        }
        for one in found
    ]
    partial = [one.entry for one in found if one.tried < problems]
    missing = max((one.missing for one in found), default=0)
    notes = [
        f"share of {problems} problems (a target on a benchmark) solved within a factor of the "
        f"quickest; the time is the median over studies of the quickest trial ({clock}), infinite "
        "for a miss",
        f"score: integral of the profile from 1 to {TAU_MAX:g}, over its length; 1: quickest on "
        "every problem",
    ]
    if partial:
        notes.append(
            f"{', '.join(partial)} did not run on every problem, which counts as not solved: "
            "compare only entries that did"
        )
    if missing:
        notes.append(f"no interval: the entry with the fewest needs {missing} more studies")
    else:
        notes.append(f"[low, high]: {evidence.percent} bootstrap interval over studies")
    return Answer(
        "clock-profile",
        f"Performance profile with the clock: {evidence.run.suite or evidence.run.run_id}",
        ("entry", "score", *heads, "ever", "tried"),
        tuple(rows),
        tuple(notes),
        timed_sql(evidence, clock),
    )
