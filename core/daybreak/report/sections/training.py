"""Sections on time to target: how long, at which threshold, who has not got there yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from daybreak.analysis.answers import Estimate
from daybreak.analysis.answers import training as answers
from daybreak.analysis.training.survival import Survival, survival
from daybreak.report.bands import Band
from daybreak.report.figures.lines import Panel, draw_panels
from daybreak.report.figures.marks import Mark, Rows, draw_rows
from daybreak.report.sections.learning import CLOCK_WORDS
from daybreak.report.sections.shape import LINES, PANELS, Body, Data, Material, Nothing, by, topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["marked", "still_on_the_way", "thresholds", "time_to_target"]

# single values of a row that are drawn as ticks
_TICKS = 60


@topic("time-to-target", "Time to target")
def time_to_target(material: Material) -> Body:
    """Median and interval per entry, misses as infinite."""
    evidence = material.evidence
    found = answers.time_to_accuracy(evidence)
    timings, clock = evidence.timings, evidence.training_clock
    singles: dict[tuple[str, str, str], list[float]] = {}
    for timing in timings.on(clock).rows:
        if timing.reached:
            key = (timing.benchmark, timing.target, timing.entry)
            singles.setdefault(key, []).append(timing.upper[clock])
    panels, notes = [], []
    problems = by(found.rows, "benchmark", "target")
    for (benchmark, target), rows in list(problems.items())[:PANELS]:
        marks = []
        for row in rows[:LINES]:
            own = singles.get((benchmark, target, row["entry"]), [])
            marks.append(
                marked(
                    row["entry"], row["median"], tuple(own) if len(own) <= _TICKS else (),
                    f"{row['reached']}/{row['runs']}",
                )
            )  # fmt: skip
        if len(rows) > LINES:
            notes.append(f"{benchmark}: the {LINES} quickest of {len(rows)} entries are drawn")
        panels.append(Rows(f"{benchmark}: {target}", marks, CLOCK_WORDS[clock], log=True, wide=8.0))
    if len(problems) > PANELS:
        notes.append(f"{PANELS} of {len(problems)} targets are drawn; the data hold all")
    told = material.find(
        "SELECT benchmark, metric FROM metrics WHERE {run} AND objective IS NOT NULL "
        "ORDER BY benchmark, objective"
    )
    several = [rows for rows in by(told.rows, "benchmark").values() if len(rows) > 1]
    if several and timings.of != "runs":
        firsts = ", ".join(sorted({rows[0]["metric"] for rows in several}))
        notes.insert(0, f"where there are several objectives, targets are of the first ({firsts})")
    what = "training runs" if timings.of == "runs" else "studies"
    return Body(
        f"When {what} first reached a target. Dot: the median, where a run that never got there "
        "counts as infinite; a hollow arrow at the edge: most never got there; bar: its interval, open "
        "to the right where it is unbounded; ticks: single runs that got there; at the end: how many "
        "did. An entry that is quick when it "
        "arrives, and often does not, is judged by `expected`: what it takes on average if it is "
        "begun anew after each miss.",
        draw_rows(
            panels,
            "Time to target",
            "A panel per benchmark and target, a row per entry: median time with its interval.",
        ),
        found,
        found.sql,
        notes=tuple(notes[:6]),
    )


@topic("thresholds", "Time against threshold")
def thresholds(material: Material) -> Body:
    """Would another threshold say the same?"""
    import numpy as np

    found = answers.thresholds(material.evidence)
    grouped = by(found.rows, "benchmark")
    if all(len({row["threshold"] for row in rows}) < 2 for rows in grouped.values()):
        raise Nothing("the curves pass no threshold but one")
    named = {
        points.benchmark: (
            points.metric, points.unit, points.targets, material.evidence.curve_clock(points),
        )
        for points in material.evidence.points
    }  # fmt: skip
    # which way thresholds get harder
    directions = {points.benchmark: -points.sign for points in material.evidence.points}
    benchmarks, labels, notes = material.shown(
        sorted(grouped), [row["entry"] for row in found.rows]
    )
    panels = []
    for benchmark in benchmarks:
        metric, unit, _, clock = named[benchmark]
        entries = by(grouped[benchmark], "entry")
        lines = []
        for entry in [label for label in labels if label in entries]:
            rows = sorted(entries[entry], key=lambda row: float(row["threshold"]))
            x, middle, low, high = (
                np.asarray(column, dtype=float)
                for column in zip(*(_point(row) for row in rows), strict=True)
            )
            empty = np.full(len(x), np.nan)
            counts = np.asarray([row["runs"] for row in rows])
            lines.append(Band(entry, x, middle, low, high, empty, empty, counts))
        words = f"threshold: {metric}" + (f" ({unit})" if unit not in (None, "", "1") else "")
        panels.append(
            Panel(
                benchmark,
                lines,
                words,
                CLOCK_WORDS[clock],
                log_x=directions[benchmark] < 0,
                log_y=True,
                one_x=directions[benchmark] > 0,
                turned=directions[benchmark] < 0,
                steps=False,
                dots=True,
            )
        )
    return Body(
        "The median time to reach each value of the progress metric, with its interval; harder values "
        "are to the right. A line ends where half of the runs no longer get there. Look for lines that cross: then the verdict "
        "depends on the threshold that somebody chose; and for lines that shoot up at the very end: "
        "there the target lies where learning stops.",
        draw_panels(
            panels,
            "Time against threshold",
            "A panel per benchmark, a line per entry: median time to each threshold.",
            order=labels,
        ),
        found,
        found.sql,
        notes=notes,
    )


def _point(row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return threshold, median, and the ends of its interval; NaN where there is none."""
    one: Estimate = row["median"]
    nan = float("nan")
    value = one.value if one.value is not None and math.isfinite(one.value) else nan
    # an interval without an upper end goes on for ever, none at all does not
    ends = (one.low, float("inf") if one.high is None and one.low is not None else one.high)
    return (row["threshold"], value, *(nan if end is None else end for end in ends))


def marked(
    label: str, estimate: Estimate, singles: tuple[float, ...] = (), words: str = ""
) -> Mark:
    """Return a row of a figure: an infinite value has no dot, an open end reaches the edge."""
    value = estimate.value
    never = value is not None and math.isinf(value)
    if never:
        value = None
    low, high = estimate.low, estimate.high
    if low is None and high is None:  # no interval is not an interval open at both ends
        low = high = value
    return Mark(label, value, low, high, singles, words, never)


@topic("survival", "Who has not got there yet")
def still_on_the_way(material: Material) -> Body:
    """Kaplan-Meier curves."""
    import numpy as np

    timings, clock = material.evidence.timings, material.evidence.training_clock
    found = survival(timings, clock, level=material.evidence.asked.level)
    problems: dict[tuple[str, str], list[Survival]] = {}
    for one in found:
        problems.setdefault((one.benchmark, one.target), []).append(one)
    places = {label: i for i, label in enumerate(material.labels)}
    panels: list[Panel] = []
    notes: tuple[str, ...] = ()
    if len(problems) > PANELS:
        notes = (f"{PANELS} of {len(problems)} targets are drawn; the data hold all",)
    for (benchmark, target), entries in list(problems.items())[:PANELS]:
        kept = sorted(entries, key=lambda one: (places.get(one.entry, len(places)), one.entry))
        lines = [_survivors(one) for one in kept[:LINES]]
        last = max((float(line.x[-1]) for line in lines), default=0.0)
        panels.append(
            Panel(
                f"{benchmark}: {target}", [_until(line, last) for line in lines],
                CLOCK_WORDS[clock], "share not there yet", share=True,
                log_x=True,
            )
        )  # fmt: skip
    rows = [
        (one.benchmark, one.target, one.entry, *values)
        for one in found
        for values in zip(
            *(
                np.asarray(column).tolist()
                for column in (one.moments, one.share, one.low, one.high, one.least, one.at_risk)
            ),
            strict=True,
        )
    ]
    what = "studies" if timings.of == "studies" else "training runs"
    return Body(
        f"Share of {what} that have not reached the target by each moment (Kaplan and Meier): "
        "steep and early is quick and sure; a line that levels off above zero belongs to an entry "
        "some of whose runs never arrive. Bands are 95 % intervals, moment by moment. Where a line "
        "ends, so did the last run.",
        draw_panels(
            panels,
            "Who has not got there yet",
            "A panel per benchmark and target, a line per entry: share of runs still on the way.",
            order=list(material.labels),
        ),
        sql=answers.timed_sql(material.evidence, clock),
        data=Data(
            ("benchmark", "target", "entry", clock, "share", "low", "high", "at least", "at risk"),
            rows,
        ),
        notes=notes,
    )  # fmt: skip


def _survivors(one: Survival) -> Band:
    """Return a survival curve as a band, which goes on to where its last run ended."""
    import numpy as np

    last = float(max([*one.moments.tolist()[-1:], *one.censored.tolist()[-1:]]))
    columns = [one.moments, one.share, one.low, one.high]
    if last > one.moments[-1]:
        columns = [np.append(one.moments, last), *(np.append(c, c[-1]) for c in columns[1:])]
    elif len(one.moments) > 1 and one.share[-1] == 0:
        # the band ends where all are there, not at the moment before
        columns = [
            np.insert(one.moments, -1, one.moments[-1]),
            *(np.insert(c, -1, c[-2]) for c in columns[1:]),
        ]
    x, share, low, high = columns
    if len(x) > 400:  # steps finer than any screen
        kept = np.unique(np.linspace(0, len(x) - 1, 400).round().astype(int))
        x, share, low, high = (column[kept] for column in (x, share, low, high))
    empty = np.full(len(x), np.nan)
    return Band(one.entry, x, share, low, high, empty, empty, np.full(len(x), one.runs))


def _until(line: Band, last: float) -> Band:
    """Return a line that has arrived for good drawn on to the end of its panel."""
    import numpy as np

    if line.middle[-1] > 0 or line.x[-1] >= last:
        return line

    def grown(values: NDArray[Any]) -> NDArray[Any]:
        return np.append(values, values[-1])

    return replace(
        line,
        x=np.append(line.x, last),
        middle=grown(line.middle),
        low=grown(line.low),
        high=grown(line.high),
        outer_low=grown(line.outer_low),
        outer_high=grown(line.outer_high),
        count=grown(line.count),
    )
