"""Why training is faster, and at what cost: variation, factors, scaling, rates, cost, unseen data."""

from __future__ import annotations

import collections
from typing import Any

from daybreak.analysis.answers.shape import Answer, Estimate, Evidence
from daybreak.analysis.answers.training import lacking, missed, mixtures, timed_sql
from daybreak.analysis.resampling import Interval
from daybreak.analysis.training import outcomes
from daybreak.analysis.training.reasons import decompose
from daybreak.analysis.training.reasons import factors as compared
from daybreak.analysis.training.runs import Timings
from daybreak.analysis.training.scaling import known_parameters
from daybreak.analysis.training.scaling import scaling as scaled
from daybreak.analysis.training.spending import costs
from daybreak.errors import UserError

__all__ = ["cost", "factors", "generalisation", "rates", "scaling", "variation"]

#: parameters that `scaling` looks for by itself
_USUAL = ("threads", "nodes", "workers", "gpus", "chips", "accelerators", "processors")


def variation(evidence: Evidence) -> Answer:
    """Whether runs differ in the progress that they need or in the seconds for it."""
    clock = evidence.seconds_clock
    found = decompose(evidence.timings, clock, level=evidence.asked.level)
    rows = [
        {
            "benchmark": one.benchmark,
            "target": one.target,
            "entry": one.entry,
            "runs": one.runs,
            "spread": one.spread,
            "same epochs": one.same,
            "epochs share": Estimate.of(one.progress_share, one.progress_interval),
            "seconds share": Estimate.of(one.seconds_share, one.seconds_interval),
            "covariance share": one.covariance_share,
            "epochs": one.progress,
            "seconds per epoch": one.seconds,
            "counted in": one.count,
        }
        for one in found
    ]
    return Answer(
        "variation",
        f"Why runs differ ({clock}): {evidence.run.suite or evidence.run.run_id}",
        (
            "benchmark", "target", "entry", "runs", "spread", "same epochs", "epochs share",
            "seconds share", "covariance share", "epochs", "seconds per epoch", "counted in",
        ),
        tuple(rows),
        (
            "var(log time) = var(log epochs) + var(log seconds per epoch) + 2 cov, over the runs that "
            "reached the target; shares need five of them, their intervals ten; a covariance below 0: "
            "runs that needed more epochs made them quicker",
            "spread: standard deviation of log time, about the relative one; same epochs: the same "
            "among runs that needed equally many; epochs, seconds per epoch: geometric means",
            "counted in: epochs, else steps, else evaluations, as recorded: `epochs` stands for them",
            f"[low, high]: {evidence.percent} bootstrap interval over runs",
            *lacking(found, ("run that reaches it", "runs that reach it")),
            *mixtures(evidence.timings, clock),
        ),
        timed_sql(evidence, clock),
    )  # fmt: skip


def factors(evidence: Evidence) -> Answer:
    """Speed-up over one entry: system x statistical."""
    timings, clock = evidence.timings, evidence.seconds_clock
    against = evidence.asked.against or _default(timings)
    found = compared(timings, against, clock, level=evidence.asked.level)
    rows = [
        {
            "benchmark": one.benchmark,
            "target": one.target,
            "entry": one.entry,
            "against": one.against,
            "runs": f"{one.reached[0]}/{one.runs[0]}, {one.reached[1]}/{one.runs[1]}",
            "speed-up": Estimate.of(one.speedup, one.intervals[0]),
            "system": Estimate.of(one.system, one.intervals[1]),
            "statistical": Estimate.of(one.statistical, one.intervals[2]),
            "with misses": Estimate.of(one.expected, one.expected_interval),
            "p": one.test.p,
        }
        for one in found
    ]
    if not rows:
        raise UserError(
            f"there is nothing to compare with '{against}' in run '{timings.run_id}'",
            expected="another entry on the same benchmark, or another benchmark with the target",
            remedy="name it: --against LABEL",
        )
    tests = sum(one.test.p is not None for one in found)
    untested = {one.test.missing for one in found if one.test.missing}
    return Answer(
        "factors",
        f"Why it is faster than {against} ({clock}): {evidence.run.suite or evidence.run.run_id}",
        (
            "benchmark", "target", "entry", "against", "runs", "speed-up", "system",
            "statistical", "with misses", "p",
        ),
        tuple(rows),
        (
            "speed-up = system (seconds per epoch) x statistical (epochs to target), ratios of "
            "geometric means over the runs that got there; above 1: better than what it is against",
            "with misses: ratio of expected running times; runs: reached/tried of either side",
            "p: two-sided rank test (Mann-Whitney) in which a miss is the longest time of all"
            + (
                f"; empty: {max(untested)} more runs are needed to tell anything at "
                f"{evidence.asked.level:g}"
                if untested
                else ""
            )
            + (
                f"; none is corrected for how many there are: of {tests} tests without any difference "
                f"{evidence.asked.level * tests:.2g} come out below {evidence.asked.level:g}"
                if tests > 1
                else ""
            ),
            f"[low, high]: {evidence.percent} bootstrap interval over runs",
            *lacking(found, ("run that reaches it", "runs that reach it")),
            *mixtures(timings, clock),
        ),
        timed_sql(evidence, clock),
    )  # fmt: skip


def _default(timings: Timings) -> str:
    """Return what everything is compared with: the default reference, else the slowest entry."""
    entries = {one.entry for one in timings.rows}
    for name in ("default", "reference", "sequential"):
        if name in entries:
            return name
    if len(entries) < 2:
        benchmarks = {one.benchmark for one in timings.rows}
        if len(benchmarks) < 2:
            raise UserError(
                f"run '{timings.run_id}' has one entry: there is nothing to compare it with",
                expected="two optimizers, references, configurations (--by configuration) or entries",
            )
        return sorted(benchmarks)[0]
    from daybreak.analysis.training.times import times_to_target

    found = [one for one in times_to_target(timings, draws=1) if one.expected is not None]
    totals: dict[str, list[float]] = {}
    for one in found:
        totals.setdefault(one.entry, []).append(one.expected or 0.0)
    most = max((len(own) for own in totals.values()), default=0)
    slow = {name: sum(own) for name, own in totals.items() if len(own) == most}
    return max(slow or {min(entries): 0.0}, key=lambda name: slow.get(name, 0.0))


def scaling(evidence: Evidence) -> Answer:
    """What a larger value of a parameter gives."""
    timings, clock = evidence.timings, evidence.seconds_clock
    parameter = evidence.asked.parameter
    if parameter is None:
        known = known_parameters(timings)
        usual = [name for name in _USUAL if name in known]
        if not usual:
            raise UserError(
                "scaling over which parameter?",
                expected=f"one of {', '.join(known)}" if known else "a number that differs",
                remedy="name it: --parameter NAME",
            )
        parameter = usual[0]
    shares: dict[str, float | None] = {}
    if timings.of == "runs":
        rows = outcomes.read_outcomes(evidence.index, timings.run_id)
        shares = {str(row["trial_id"]): row["communication_share"] for row in rows}
    found = scaled(timings, parameter, clock, communication=shares, level=evidence.asked.level)
    several = collections.Counter((one.benchmark, one.target, one.entry) for one in found)
    found = [one for one in found if several[one.benchmark, one.target, one.entry] > 1]
    if not found:
        raise UserError(
            f"no entry of run '{timings.run_id}' has two values of {parameter} and else the same "
            "configuration",
            expected="runs that differ in that parameter alone",
        )
    none = Interval(None, None)
    cells = [
        {
            "benchmark": one.benchmark,
            "target": one.target,
            "entry": one.entry,
            "value": one.value,
            "runs": f"{one.reached}/{one.runs}",
            "time": one.time,
            "seconds per epoch": one.seconds,
            "epochs": one.progress,
            "speed-up": Estimate.of(one.speedup, one.speedup_interval),
            "efficiency": Estimate.of(one.efficiency, one.efficiency_interval),
            "system efficiency": Estimate.of(one.system_efficiency, one.system_interval),
            "statistical": Estimate.of(one.statistical, none),
            "communication": one.communication,
        }
        for one in found
    ]
    return Answer(
        "scaling",
        f"Scaling over {parameter} ({clock}): {evidence.run.suite or evidence.run.run_id}",
        (
            "benchmark", "target", "entry", "value", "runs", "time", "seconds per epoch", "epochs",
            "speed-up", "efficiency", "system efficiency", "statistical", "communication",
        ),
        tuple(cells),
        (
            f"against the smallest {parameter}: speed-up in time to target; efficiency: speed-up over "
            f"how many times the {parameter}; 1 is perfect; system: in seconds per epoch alone; "
            "statistical: epochs there over epochs here",
            "time, seconds per epoch, epochs: geometric means of the runs that got there; "
            "communication: share of the clock, where it was recorded",
            f"[low, high]: {evidence.percent} bootstrap interval over runs",
            *lacking(
                (one for one in found if one.value != one.base),
                ("run that reaches it", "runs that reach it"),
            ),
        ),
        timed_sql(evidence, clock),
    )  # fmt: skip


def rates(evidence: Evidence) -> Answer:
    """How fast entries train, whatever their targets."""
    rows = outcomes.read_outcomes(evidence.index, evidence.run.run_id, evidence.asked.benchmark)
    found = outcomes.rates(rows, level=evidence.asked.level)

    def cell(one: outcomes.Rates, name: str) -> Estimate:
        return Estimate.of(one.values[name], one.intervals[name])

    return Answer(
        "rates",
        f"How fast it trains: {evidence.run.suite or evidence.run.run_id}",
        (
            "benchmark", "entry", "runs", "epochs per s", "steps per s", "seconds per epoch",
            "evaluation", "communication", "watts",
        ),
        tuple(
            {
                "benchmark": one.benchmark,
                "entry": one.entry,
                "runs": one.runs,
                "epochs per s": cell(one, "epochs_per_s"),
                "steps per s": cell(one, "steps_per_s"),
                "seconds per epoch": cell(one, "seconds_per_epoch"),
                "evaluation": cell(one, "evaluation_share"),
                "communication": cell(one, "communication_share"),
                "watts": cell(one, "watts"),
            }
            for one in found
        ),
        (
            "medians over runs, of the training clock; evaluation: share of the wall clock that was "
            "no training; communication: share of the training clock; empty: not recorded",
            f"[low, high]: {evidence.percent} bootstrap interval over runs",
            *lacking(found),
        ),
        f"FROM training_runs WHERE run_id = '{evidence.run.run_id}' ORDER BY benchmark, entry",
    )  # fmt: skip


def cost(evidence: Evidence) -> Answer:
    """Time against dollars and joules."""
    timings, clock = evidence.timings, evidence.training_clock
    found = costs(timings, clock, level=evidence.asked.level)
    rows = [
        {
            "benchmark": one.benchmark,
            "target": one.target,
            "entry": one.entry,
            "runs": one.runs,
            "reached": one.reached,
            "time": missed(one.time, one.time_interval),
            "dollars": Estimate.of(one.dollars, one.dollars_interval),
            "joules": Estimate.of(one.joules, one.joules_interval),
            "front": None if one.front is None else "yes" if one.front else "no",
        }
        for one in found
    ]
    notes = [
        f"expected {clock}, dollars and joules until the target: spent by all runs until they got "
        "there or ended, over those that did",
        "front: no other entry is as quick and as cheap (in dollars; in joules where nothing has a "
        "price)",
        f"[low, high]: {evidence.percent} bootstrap interval over runs",
    ]
    if all(one.dollars is None for one in found):
        notes.append("no price: give the suite one, price: {dollars_per_hour: 3.06}")
    if all(one.joules is None for one in found):
        notes.append("no energy: the machine of the run had no counters for it")
    return Answer(
        "cost",
        f"Cost to target: {evidence.run.suite or evidence.run.run_id}",
        (
            "benchmark", "target", "entry", "runs", "reached", "time", "dollars", "joules", "front",
        ),
        tuple(rows),
        (*notes, *lacking(found)),
        timed_sql(evidence, clock),
    )  # fmt: skip


def generalisation(evidence: Evidence) -> Answer:
    """How entries do on unseen data."""
    rows = outcomes.read_outcomes(evidence.index, evidence.run.run_id, evidence.asked.benchmark)
    found = outcomes.generalisation(rows, level=evidence.asked.level)
    if not found:
        raise UserError(
            f"no training run of '{evidence.run.run_id}' was judged on unseen data",
            expected="a metric test_... measured when the curve has ended",
        )
    cells: list[dict[str, Any]] = [
        {
            "benchmark": one.benchmark,
            "entry": one.entry,
            "runs": one.runs,
            "metric": one.metric,
            "on the curve": one.curve,
            "held out": one.test,
            "gap": Estimate.of(one.gap, one.gap_interval),
            "worse": f"{one.worse}/{one.runs}",
        }
        for one in found
    ]
    return Answer(
        "generalisation",
        f"On unseen data: {evidence.run.suite or evidence.run.run_id}",
        ("benchmark", "entry", "runs", "metric", "on the curve", "held out", "gap", "worse"),
        tuple(cells),
        (
            "on the curve: last value that training saw; held out: the same measure on data that "
            "neither training nor the stop rule saw; gap: by how much it is worse, median over runs",
            f"[low, high]: {evidence.percent} bootstrap interval over runs",
            *lacking(found),
        ),
        "SELECT benchmark, entry, last, test_value, gap FROM training_runs "  # noqa: S608
        f"WHERE run_id = '{evidence.run.run_id}' AND gap IS NOT NULL ORDER BY ALL",
    )
