"""Sections on training runs: why one entry is quicker than another, and at what cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from daybreak.analysis.answers import Answer, Estimate
from daybreak.analysis.answers import causes as answers
from daybreak.analysis.training.runs import Timing
from daybreak.errors import UserError
from daybreak.report.bands import Band
from daybreak.report.figures.compromises import Cloud, Point, draw_clouds
from daybreak.report.figures.lines import Panel, draw_panels
from daybreak.report.figures.marks import Rows, draw_rows
from daybreak.report.sections.learning import CLOCK_WORDS
from daybreak.report.sections.shape import LINES, PANELS, Body, Material, Nothing, by, topic
from daybreak.report.sections.training import marked

__all__ = ["factors", "generalisation", "rates", "scaling", "spending", "variation"]

# points of one panel
_POINTS = 400


@topic("variation", "Why runs differ")
def variation(material: Material) -> Body:
    """Progress needed against seconds for it, run by run."""
    evidence = material.evidence
    found = answers.variation(evidence)
    if not found.rows:
        raise Nothing("no run that reached a target counted its epochs, steps or evaluations")
    clock = evidence.seconds_clock
    reached: dict[tuple[str, str], list[tuple[str, float, float]]] = {}
    counts: dict[tuple[str, str], str] = {}
    for row in found.rows:
        counts[row["benchmark"], row["target"]] = row["counted in"]
    for one in evidence.timings.on(clock).rows:
        key = (one.benchmark, one.target)
        point = _progress(one, clock, counts.get(key))
        if point is not None:
            reached.setdefault(key, []).append((one.entry, *point))
    _, labels, notes = material.shown((), [entry for own in reached.values() for entry, *_ in own])
    clouds = []
    for (benchmark, target), runs in sorted(reached.items())[:PANELS]:
        points = [run for run in runs if run[0] in labels]
        every = math.ceil(len(points) / _POINTS) or 1
        if every > 1:
            notes += (f"{benchmark}: every {every}th of {len(points)} runs is drawn",)
        count = counts[benchmark, target]
        clouds.append(
            Cloud(
                f"{benchmark}: {target}",
                [Point(*point) for point in points[::every]],
                f"seconds per {_one(count)}",
                f"{count} to target",
            )
        )
    return Body(
        "Every run that got there: how much progress it needed (upwards) at what pace (to the "
        "right); time is the product. A cloud that is tall scatters by luck of learning, one that "
        "is broad by the machine. Entries side by side differ in system speed, one above the other "
        "in statistical efficiency. The table has both shares of the variance.",
        draw_clouds(
            clouds,
            "Why runs differ",
            "A point per run: progress needed to the target against seconds for each unit of it.",
        )
        if clouds
        else None,
        found,
        found.sql,
        notes=notes,
    )


def _one(count: str) -> str:
    return count.removesuffix("s")


def _progress(one: Timing, clock: str, count: str | None) -> tuple[float, float] | None:
    """Return seconds per unit of progress, and how much was needed; None if it did not get there."""
    if count is None or not one.reached or count not in one.upper or clock not in one.upper:
        return None
    needed = one.upper[count]
    if not (0 < needed < math.inf) or not math.isfinite(one.upper[clock]):
        return None
    return one.upper[clock] / needed, needed


@topic("factors", "Speed-up = system x statistical")
def factors(material: Material) -> Body:
    """Why an entry is quicker than another."""
    found = answers.factors(material.evidence)
    against = found.rows[0]["against"]
    count = next(
        (name for one in material.evidence.timings.rows if (name := one.count())), "epochs"
    )
    panels, notes = [], []
    problems = by([row for row in found.rows if _known(row["speed-up"])], "benchmark", "target")
    for (benchmark, target), rows in list(problems.items())[:PANELS]:
        for column, words in (
            ("speed-up", "speed-up (times)"),
            ("system", f"system: seconds per {_one(count)}"),
            ("statistical", f"statistical: {count}"),
        ):
            marks = [marked(row["entry"], row[column]) for row in rows[:LINES]]
            title = f"{benchmark}: {target}" if column == "speed-up" else ""
            like = f"{benchmark} {target}"
            panels.append(Rows(title, marks, words, log=True, line=1.0, wide=1.0, like=like))
    if len(problems) > PANELS:
        notes.append(f"{PANELS} of {len(problems)} targets are drawn; the data hold all")
    return Body(
        f"By what factor entries are quicker than {against}: the speed-up is the product of what the "
        f"machine does faster (seconds per {_one(count)}) and what is needed less of ({count} to "
        "the target). Above 1, to the right of the line, is better; the three scales are the same and "
        "logarithmic, so that lengths add up. A low-precision or asynchronous "
        "method often wins the one and loses some of the other: look whether the product still "
        "pays. No bar: too few runs got there for an interval. Entries that never got there have no row.",
        draw_rows(
            panels,
            "Speed-up and its two factors",
            "Three panels per target: speed-up, system factor and statistical factor of each entry.",
            columns=3,
        )
        if panels
        else None,
        found,
        found.sql,
        notes=tuple(notes),
    )


@topic("scaling", "What more threads or machines give")
def scaling(material: Material) -> Body:
    """Speed-up over a parameter such as threads."""
    import numpy as np

    try:
        found = answers.scaling(material.evidence)
    except UserError as error:
        if "which parameter" not in error.message:
            raise
        raise Nothing(
            "no number of threads, nodes or the like differs between runs; for another parameter: "
            "`daybreak analyze scaling --parameter NAME`"
        ) from error
    grouped = by(found.rows, "benchmark", "target")
    lines_of = {
        key: {entry: rows for entry, rows in by(own, "entry").items() if len(rows) > 1}
        for key, own in grouped.items()
    }
    shown = {key: entries for key, entries in lines_of.items() if entries}
    if not shown:
        raise Nothing("no entry ran with two values of threads, nodes or the like")
    parameter = found.title.partition(" over ")[2].partition(" (")[0]
    panels = []
    for (benchmark, target), entries in list(shown.items())[:PANELS]:
        lines = []
        for entry, rows in list(entries.items())[:LINES]:
            x = np.asarray([row["value"] for row in rows], dtype=float)
            values = [_ends(row["speed-up"]) for row in rows]
            middle, low, high = (
                np.asarray(column, dtype=float) for column in zip(*values, strict=True)
            )
            empty = np.full(len(x), np.nan)
            lines.append(Band(entry, x, middle, low, high, empty, empty, np.zeros(len(x), int)))
        panels.append(
            Panel(f"{benchmark}: {target}", lines, parameter, "speed-up", steps=False, dots=True)
        )
    return Body(
        f"Speed-up in time to target over the smallest {parameter}. Where a line bends down, find out "
        "why: in the table, `system efficiency` falls when the machine does, `statistical` when "
        "learning needs more epochs, and `communication` is the share of time that went there.",
        draw_panels(
            panels,
            "Scaling",
            f"A panel per target, a line per entry: speed-up over {parameter}.",
            order=material.labels,
        ),
        found,
        found.sql,
    )


def _ends(one: Estimate | None) -> tuple[float, float, float]:
    values = (None, None, None) if one is None else (one.value, one.low, one.high)
    middle, low, high = (float("nan") if value is None else value for value in values)
    return middle, low, high


@topic("rates", "How fast it trains")
def rates(material: Material) -> Body:
    """Epochs and steps in a second."""
    found = answers.rates(material.evidence)
    kept = tuple(
        column for column in found.columns if any(_known(row.get(column)) for row in found.rows)
    )
    return Body(
        "Throughput, whatever the target: what the hardware and the system give. It says nothing on "
        "how much progress an epoch makes.",
        table=Answer(found.name, found.title, kept, found.rows, found.notes, found.sql),
        sql=found.sql,
    )


def _known(value: Any) -> bool:
    if isinstance(value, Estimate):
        return value.value is not None
    return value is not None


@topic("spending", "Time against cost")
def spending(material: Material) -> Body:
    """Expected time against expected dollars, or joules."""
    evidence = material.evidence
    found = answers.cost(evidence)
    kind = next(
        (name for name in ("dollars", "joules") if any(_known(row[name]) for row in found.rows)),
        None,
    )
    if kind is None:
        raise Nothing("the suite gives no price, and no run counted energy")
    clouds, notes = [], []
    problems = by(found.rows, "benchmark", "target")
    for (benchmark, target), rows in list(problems.items())[:PANELS]:
        points = [point for row in rows if (point := _priced(row, kind)) is not None]
        if points:
            clouds.append(
                Cloud(
                    f"{benchmark}: {target}", points[:_POINTS],
                    f"expected {CLOCK_WORDS[evidence.training_clock]}",
                    f"expected {CLOCK_WORDS[kind]} to target",
                )
            )  # fmt: skip
    if len(problems) > PANELS:
        notes.append(f"{PANELS} of {len(problems)} targets are drawn; the data hold all")
    if not clouds:
        raise Nothing("no run reached a target")
    if kind == "dollars" and _proportional(found.rows):
        return Body(
            "What it costs on average to reach the target, misses paid for. All runs have one price, "
            "so cost is time by another name, and there is no picture: it would tell something new "
            "where machines, prices or power differ.",
            table=found,
            sql=found.sql,
        )
    return Body(
        "What it costs on average to reach the target, misses paid for. Filled: no other entry is "
        "both quicker and cheaper; the line joins these. Bars are intervals. Look for entries that "
        "are cheap without being quick, and the other way round.",
        draw_clouds(clouds, "Time against cost", "A point per entry: expected time and cost."),
        found,
        found.sql,
        notes=tuple(notes),
    )


def _proportional(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a second costs everybody the same."""
    prices = [
        row["dollars"].value / row["time"].value
        for row in rows
        if _known(row["dollars"]) and row["time"].value and math.isfinite(row["time"].value)
    ]
    return not prices or max(prices) <= min(prices) * (1 + 1e-9)


def _priced(row: Mapping[str, Any], kind: str) -> Point | None:
    time, cost = row["time"], row[kind]
    if not _known(time) or not _known(cost) or math.isinf(time.value) or math.isinf(cost.value):
        return None
    return Point(
        row["entry"], time.value, cost.value, _bar(time), _bar(cost), front=row["front"] == "yes"
    )


def _bar(one: Estimate) -> tuple[float, float] | None:
    if one.low is None and one.high is None:
        return None
    middle = one.value if one.value is not None else 0.0
    return (middle if one.low is None else one.low, middle if one.high is None else one.high)


@topic("generalisation", "On unseen data")
def generalisation(material: Material) -> Body:
    """By how much the result is worse where neither training nor the stop rule looked."""
    found = answers.generalisation(material.evidence)
    panels = _gaps(found.rows)
    return Body(
        "How much worse the result is on data that neither training nor the stop rule saw than the "
        "curve said. Zero: the curve told the truth. What all entries share comes with the data; an "
        "entry whose gap is clearly larger than the others' may have bought its speed with it.",
        draw_rows(
            panels,
            "On unseen data",
            "A panel per benchmark, a row per entry: gap between the curve and unseen data.",
        ),
        found,
        found.sql,
    )


def _gaps(rows: Sequence[Mapping[str, Any]]) -> list[Rows]:
    return [
        Rows(
            benchmark,
            [marked(row["entry"], row["gap"], words=f"{row['runs']} runs") for row in own[:LINES]],
            f"gap in {own[0]['metric']}",
            line=0.0,
        )
        for benchmark, own in list(by(rows, "benchmark").items())[:PANELS]
    ]
