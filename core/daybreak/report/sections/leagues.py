"""Sections on training runs over many problems, and by the rules of published leagues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import daybreak.analysis.answers.leagues as answers
from daybreak.analysis.answers.training import rank_stability
from daybreak.analysis.training.profiles import TAU_MAX, clock_profiles
from daybreak.report.bands import Band
from daybreak.report.figures.lines import Panel, draw_panels
from daybreak.report.sections.shape import LINES, Body, Data, Material, Nothing, topic

if TYPE_CHECKING:
    from daybreak.analysis.training.profiles import ClockProfile

__all__ = ["by_the_rules", "clock_profile", "stability"]


@topic("clock-profile", "Performance profile over time")
def clock_profile(material: Material) -> Body:
    """Who is quickest over all problems."""
    evidence = material.evidence
    table = answers.clock_profile(evidence)
    if len(table.rows) < 2:
        raise Nothing("there is one entry, so nobody to be quicker than")
    problems = evidence.timings.on(evidence.training_clock).problems()
    if all(len(entries) < 2 for entries in problems.values()):
        raise Nothing("no two entries ran on one benchmark, so nobody was quicker than another")
    found = clock_profiles(
        evidence.timings, evidence.training_clock, level=evidence.asked.level, draws=1
    )
    lines = [_line(one) for one in found[:LINES]]
    notes = (
        (f"the {LINES} of {len(found)} entries with the best scores are drawn",)
        if len(found) > LINES
        else ()
    )
    return Body(
        "For which share of problems (a target on a benchmark) an entry takes at most so many times "
        "what the quickest takes. At 1: how often it is the quickest; on the right: how often it "
        "gets there at all. `score` is the area under the line up to "
        f"{TAU_MAX:g} times, as AlgoPerf has it; its interval is in the table.",
        draw_panels(
            [Panel("", lines, "times the quickest entry's time", "share of problems", share=True)],
            "Performance profile over time",
            "A line per entry: share of problems solved within a factor of the quickest.",
            order=[one.entry for one in found],
        ),
        table,
        table.sql,
        Data(
            ("entry", "factor", "share of problems"),
            [
                (one.entry, tau, share)
                for one in found
                for tau, share in zip(one.taus.tolist(), one.share.tolist(), strict=True)
            ],
        ),
        notes,
    )


def _line(one: ClockProfile) -> Band:
    import numpy as np

    inside = one.taus <= TAU_MAX
    x = np.append(one.taus[inside], TAU_MAX)
    share = one.share[inside]
    y = np.append(share, share[-1] if len(share) else 0.0)
    empty = np.full(len(x), np.nan)
    return Band(one.entry, x, y, empty, empty, empty, empty, np.full(len(x), one.problems))


@topic("rank-stability", "Is the order the same at other thresholds")
def stability(material: Material) -> Body:
    """Kendall's tau of orders over thresholds."""
    found = rank_stability(material.evidence)
    return Body(
        "The order of entries by expected time at each threshold, and how it agrees with that at the "
        "benchmark's own. Where tau falls, or its interval reaches down, the verdict belongs to one "
        "threshold, not to the entries.",
        table=found,
        sql=found.sql
        or material.written(
            "SELECT benchmark, entry, trial_id, metric, value, train_s, wall_s, epoch\n"
            "FROM curves WHERE {run} ORDER BY trial_id, seq"
        ),
    )


@topic("mlperf", "By MLPerf's rules")
def by_the_rules(material: Material) -> Body:
    """Olympic mean, and the check against a reference's convergence."""
    if material.evidence.timings.of != "runs":
        raise Nothing("the run has no training runs, which MLPerf's rules are about")
    found = answers.mlperf(material.evidence)
    return Body(
        "The mean without the best and the worst run, and whether an entry needs about as many "
        "epochs as its reference, as the rules of MLPerf Training ask. By their rules the mean has "
        "no interval: see the time to target above for one.",
        table=found,
        sql=found.sql,
    )
