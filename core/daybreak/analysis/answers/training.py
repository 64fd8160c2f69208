"""How long training takes and how surely: times to target, survival, other thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from daybreak.analysis.answers.shape import Answer, Estimate, Evidence
from daybreak.analysis.resampling import Interval
from daybreak.analysis.training.runs import Timings
from daybreak.analysis.training.stability import rank_stability as agreements
from daybreak.analysis.training.survival import Survival
from daybreak.analysis.training.survival import survival as survival_curves
from daybreak.analysis.training.thresholds import times_at
from daybreak.analysis.training.times import times_to_target
from daybreak.errors import UserError

__all__ = [
    "lacking",
    "mixtures",
    "rank_stability",
    "survival",
    "thresholds",
    "time_to_accuracy",
    "timed_sql",
]


class _Counted(Protocol):
    @property
    def benchmark(self) -> str: ...
    @property
    def entry(self) -> str: ...
    @property
    def missing(self) -> int: ...


def lacking(
    found: Iterable[_Counted], runs: tuple[str, str] = ("run", "runs"), of: str = "an interval"
) -> list[str]:
    """Return a sentence for each number of runs that is missing, with who lacks them.

    `runs` is what is missing, one of it and several.
    """
    missing: dict[int, list[str]] = {}
    for one in found:
        name = f"{one.entry} on {one.benchmark}"
        if one.missing and name not in missing.get(one.missing, ()):
            missing.setdefault(one.missing, []).append(name)
    return [
        f"no interval: {n} more {runs[n > 1]} would give {of} for "
        + ", ".join(names[:4])
        + (f" and {len(names) - 4} others" if len(names) > 4 else "")
        for n, names in sorted(missing.items())
    ]


def mixtures(timings: Timings, clock: str) -> list[str]:
    """Return sentences if runs were left out, and if entries mix configurations."""
    found = []
    if without := timings.without(clock):
        found.append(
            f"{without} run{'s' if without > 1 else ''} did not record {clock} and "
            f"{'are' if without > 1 else 'is'} left out"
        )
    if timings.repeats:
        found.append(
            f"{timings.repeats} runs with the seed and configuration of another are left out: they "
            "train the very same and say nothing of other seeds; see the view training_repeats"
        )
    if not timings.mixed:
        return found
    names = sorted({f"{entry} ({n})" for (_, entry), n in timings.mixed.items()})
    return [
        *found,
        "entries mix configurations, whose differences add to the spread: "
        + ", ".join(names[:6])
        + (" and others" if len(names) > 6 else "")
        + "; --by configuration tells them apart",
    ]


def timed_sql(evidence: Evidence, clock: str) -> str:
    """Return the query behind times to target."""
    view = "trial_time_to_target" if evidence.timings.of == "runs" else "time_to_target"
    return f"FROM {view} WHERE run_id = '{evidence.run.run_id}' AND clock = '{clock}' ORDER BY ALL"


def missed(value: float | None, interval: Interval) -> Estimate:
    """Return a time as a cell: `inf` where most missed."""
    return Estimate.of(float("inf") if value is None else value, interval)


def time_to_accuracy(evidence: Evidence) -> Answer:
    """How long, how surely, by how much, and whether it lasts."""
    timings, clock = evidence.timings, evidence.training_clock
    found = times_to_target(timings, clock, level=evidence.asked.level)
    rows = [
        {
            "benchmark": one.benchmark,
            "target": one.target,
            "entry": one.entry,
            "runs": one.runs,
            "reached": one.reached,
            "success": Estimate.of(one.reached / one.runs, one.success),
            "median": missed(one.median, one.median_interval),
            "expected": missed(one.expected, one.expected_interval),
            "spread": one.spread,
            "grid": one.grid,
            "margin": one.margin,
            "falls back": f"{one.fallen}/{one.later}" if one.later else None,
        }
        for one in found
    ]
    what = "a run is a training run" if timings.of == "runs" else "a run is a whole study"
    notes = [
        f"times are in {clock}; {what}; inf: not reached",
        "success: share of runs that reach the target, Wilson's interval; median: misses count as "
        "infinite; expected: spent by all runs until they got there or ended, over those that did",
        "spread: standard deviation over mean of the runs that got there; grid: width of the "
        "interval between the last look below and the first at or above, over its upper end: a "
        "spread below it means nothing",
        "margin: how far beyond the threshold; falls back: of the runs that looked again after the "
        "target, how many were short of it",
        f"[low, high]: {evidence.percent} bootstrap interval over runs",
        *lacking(found),
        *mixtures(timings, clock),
    ]
    columns = (
        "benchmark", "target", "entry", "runs", "reached", "success", "median", "expected",
        "spread", "grid", "margin", "falls back",
    )  # fmt: skip
    return Answer(
        "time-to-accuracy",
        f"Time to target ({clock}): {evidence.run.suite or evidence.run.run_id}",
        columns,
        tuple(rows),
        tuple(notes),
        timed_sql(evidence, clock),
    )


def survival(evidence: Evidence) -> Answer:
    """The share of runs that has not got there yet."""
    clock = evidence.training_clock
    found = survival_curves(evidence.timings, clock, level=evidence.asked.level)
    rows = [row for one in found for row in _moments(one)]
    return Answer(
        "survival",
        f"Not there yet ({clock}): {evidence.run.suite or evidence.run.run_id}",
        ("benchmark", "target", "entry", "runs", "moment", "at risk", "still training", "at least"),
        tuple(rows),
        (
            "Kaplan-Meier: runs that ended short of the target count as long as they went on; "
            f"[low, high]: {evidence.percent} interval by Greenwood's formula (log-log)",
            "at least: the smallest share that the looks leave possible, if every run was there by then "
            "whose last look short of it lies before; the truth is not below",
            "up to ten moments of each curve; all of them: daybreak.analysis.training.survival",
            *lacking(found),
        ),
        timed_sql(evidence, clock),
    )


def _moments(one: Survival) -> list[dict[str, Any]]:
    """Return at most ten steps of a curve, the first and the last among them."""
    last = len(one.moments) - 1
    chosen = sorted({round(i * last / 9) for i in range(10)}) if last > 9 else range(last + 1)
    rows = []
    for i in chosen:
        low, high = float(one.low[i]), float(one.high[i])
        rows.append(
            {
                "benchmark": one.benchmark,
                "target": one.target,
                "entry": one.entry,
                "runs": one.runs,
                "moment": float(one.moments[i]),
                "at risk": int(one.at_risk[i]),
                "still training": Estimate(
                    float(one.share[i]),
                    low if low == low else None,  # not NaN
                    high if high == high else None,
                ),
                "at least": float(one.least[i]),
            }
        )
    return rows


def thresholds(evidence: Evidence) -> Answer:
    """Time against the threshold."""
    rows, notes, clocks = [], [], []
    for points in evidence.points:
        clock = evidence.curve_clock(points)
        clocks.append(clock)
        found = times_at(points, evidence.asked.thresholds, clock, level=evidence.asked.level)
        rows += [
            {
                "benchmark": one.benchmark,
                "entry": one.entry,
                "threshold": one.threshold,
                "name": one.named,
                "runs": one.runs,
                "reached": one.reached,
                "median": missed(one.median, one.median_interval),
                "expected": missed(one.expected, one.expected_interval),
            }
            for one in found
        ]
        notes += lacking(found)
    clock = ", ".join(dict.fromkeys(clocks))
    return Answer(
        "thresholds",
        f"Time against threshold ({clock}): {evidence.run.suite or evidence.run.run_id}",
        ("benchmark", "entry", "threshold", "name", "runs", "reached", "median", "expected"),
        tuple(rows),
        (
            "thresholds are those of the suite and values that the curves pass; --thresholds sets "
            "others; columns as in time-to-accuracy",
            "runs that stop at their target say nothing beyond it: to see more, train on "
            "(stop: {at: null, train: 60s})",
            *dict.fromkeys(notes),
        ),
        "SELECT benchmark, entry, trial_id, metric, value, train_s, wall_s, epoch FROM curves "  # noqa: S608
        f"WHERE run_id = '{evidence.run.run_id}' ORDER BY trial_id, seq",
    )


def rank_stability(evidence: Evidence) -> Answer:
    """Whether the order of entries depends on the threshold."""
    rows, notes, clocks = [], [], []
    for points in evidence.points:
        if len(set(points.entries)) < 2:
            notes.append(f"{points.benchmark} has one entry: there is no order")
            continue
        clock = evidence.curve_clock(points)
        clocks.append(clock)
        found = agreements(points, evidence.asked.thresholds, clock, level=evidence.asked.level)
        rows += [
            {
                "benchmark": one.benchmark,
                "threshold": one.threshold,
                "entries": len(one.order),
                "order": _order(one.order, one.never),
                "tau": Estimate.of(one.tau, one.interval),
                "swapped": ", ".join("/".join(pair) for pair in one.swapped[:3])
                + (f" and {len(one.swapped) - 3} more" if len(one.swapped) > 3 else ""),
            }
            for one in found
        ]
        notes.append(f"{points.benchmark}: tau is against the order at {found[0].against:g}")
        if found[0].missing:
            notes.append(
                f"{points.benchmark}: no interval: the entry with the fewest runs needs "
                f"{found[0].missing} more"
            )
    if not rows:
        raise UserError(
            f"run '{evidence.run.run_id}' has no benchmark with two entries: there is no order",
            expected="two optimizers, references or imported entries on one benchmark",
        )
    clock = ", ".join(dict.fromkeys(clocks))
    return Answer(
        "rank-stability",
        f"Order of entries over thresholds ({clock}): {evidence.run.suite or evidence.run.run_id}",
        ("benchmark", "threshold", "entries", "order", "tau", "swapped"),
        tuple(rows),
        (
            "order: by expected running time, quickest first; those in brackets never got there; "
            "tau: Kendall's tau-b, 1 is the same order, -1 the reverse",
            f"[low, high]: {evidence.percent} bootstrap interval over runs",
            *notes,
        ),
    )


def _order(names: Sequence[str], never: int) -> str:
    there = list(names[: len(names) - never])
    if never:
        there.append(f"({', '.join(names[len(names) - never :])})")
    return ", ".join(there)
