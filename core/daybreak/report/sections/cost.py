"""What it costs: where the time went, and the best compromises between objectives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from daybreak.measure.statistics import sorted_interval
from daybreak.report.figures.bars import Stack, draw_stacks
from daybreak.report.figures.compromises import Cloud, Point, draw_clouds
from daybreak.report.figures.marks import Mark, Rows, draw_rows
from daybreak.report.sections.shape import Body, Data, Material, Nothing, by, topic
from daybreak.report.units import duration, readable_unit

__all__ = ["compromises", "peak", "where_time_went"]

_PARTS = {
    "ask_s": "ask",
    "build_s": "build",
    "verify_s": "verify",
    "measure_s": "measure",
    "tell_s": "tell",
    "other_s": "other",
}
_BARS = 40
# points of one panel
_POINTS = 400


@topic("time", "Where the time went")
def where_time_went(material: Material) -> Body:
    """Share of the clocks."""
    found = material.find(
        "SELECT benchmark, optimizer, evaluations, ask_s, build_s, verify_s, measure_s, tell_s, "
        "other_s, total_s, overhead_share, median_overhead_s\n"
        "FROM overhead WHERE {run} ORDER BY benchmark, optimizer"
    )
    rows = [row for row in found.rows if (row["total_s"] or 0) > 0]
    if not rows:
        raise Nothing("no trial's clock ran")
    grouped = by(rows, "optimizer")
    ranked = {label: i for i, label in enumerate(material.labels)}
    stacks = []
    for label in sorted(grouped, key=lambda name: (ranked.get(name, len(ranked)), name)):
        own = grouped[label]
        total = sum(row["total_s"] for row in own)
        count = sum(row["evaluations"] for row in own)
        parts = {
            name: 100 * max(0.0, sum(row[column] or 0.0 for row in own)) / total
            for column, name in _PARTS.items()
        }
        stacks.append(Stack(label, parts, f"{duration(total / max(1, count))} each"))
    notes = (f"{_BARS} of {len(stacks)} labels are drawn",) if len(stacks) > _BARS else ()
    return Body(
        "Where the time of an evaluation went, over all benchmarks: the optimizer's ask and tell, "
        "building, verifying, measuring, and the rest (starting workers, loading data, recording). "
        "What is neither build, verify nor measure is the price of tuning. Behind each bar: mean "
        "time of an evaluation.",
        draw_stacks(
            stacks[:_BARS],
            [name for name in _PARTS.values() if any(s.parts[name] >= 0.05 for s in stacks)],
            x="per cent of the time of evaluations",
            title="Where the time went",
            description="A bar per optimizer: shares of asking, building, verifying, measuring.",
        ),
        sql=found.sql,
        data=Data(found.columns, [tuple(row.values()) for row in found.rows]),
        notes=notes,
    )


@topic("pareto", "Best compromises")
def compromises(material: Material) -> Body:
    """Trials that no other beats, in the first two objectives."""
    found = material.find(
        "SELECT benchmark, optimizer, study_id, number, objectives::JSON::VARCHAR AS objectives\n"
        "FROM pareto WHERE {run} ORDER BY benchmark, optimizer, study_id, number"
    )
    if not found.rows:
        raise Nothing("every benchmark has one objective, so there is nothing to weigh against it")
    told = material.find(
        "SELECT benchmark, metric, unit, direction FROM metrics WHERE {run} "
        "AND objective IS NOT NULL ORDER BY benchmark, objective"
    )
    axes = by(told.rows, "benchmark")
    fronts = by(found.rows, "benchmark")
    benchmarks, labels, notes = material.shown(
        sorted(fronts), [row["optimizer"] for row in found.rows]
    )
    clouds, data = [], []
    for benchmark in benchmarks:
        first, second = axes[benchmark][:2]
        points = [(row["optimizer"], json.loads(row["objectives"])) for row in fronts[benchmark]]
        data += [
            (benchmark, label, one["metric"], one["unit"], values.get(one["metric"]))
            for label, values in points
            for one in axes[benchmark]
        ]
        (wide, x), (high, y) = (
            _axis(one, [values[one["metric"]] for _, values in points]) for one in (first, second)
        )
        clouds.append(
            Cloud(
                benchmark,
                [
                    Point(
                        label,
                        wide * values[first["metric"]],
                        high * values[second["metric"]],
                        front=True,
                    )
                    for label, values in points[:_POINTS]
                    if label in labels
                ],
                x,
                y,
            )
        )
        if len(points) > _POINTS:
            notes += (f"{benchmark}: {_POINTS} of {len(points)} points are drawn",)
        if len(axes[benchmark]) > 2:
            notes += (
                f"{benchmark} has {len(axes[benchmark])} objectives: the first two are drawn, so "
                "that a point may look beaten which is ahead in another",
            )
    return Body(
        "Trials that no other trial beats in all objectives at once. Look for bends: there a little "
        "of one objective buys much of another.",
        draw_clouds(
            clouds, "Best compromises", "A point per trial on the front, coloured by optimizer."
        ),
        sql=found.sql,
        data=Data(("benchmark", "label", "metric", "unit", "value"), data),
        notes=notes,
    )


def _axis(metric: Mapping[str, Any], values: Iterable[float]) -> tuple[float, str]:
    """Return what values are drawn times, and the axis' words with that unit."""
    better = "more" if metric["direction"] == "maximize" else "less"
    factor, name = readable_unit(values, metric["unit"])
    unit = f"{name}, " if name else ""
    return factor, f"{metric['metric']} ({unit}{better} is better)"


@topic("peak", "How near the peak")
def peak(material: Material) -> Body:
    """Per cent of what the hardware can do."""
    found = material.find(
        "SELECT benchmark, optimizer, study_id, seed, source, best, peak, percent_of_peak, "
        "objective_unit\nFROM percent_of_peak WHERE {run} ORDER BY benchmark, optimizer, seed"
    )
    if not found.rows:
        raise Nothing("no benchmark says what the hardware could do (roofline)")
    benchmarks, labels, notes = material.shown(
        sorted({row["benchmark"] for row in found.rows}),
        [row["optimizer"] for row in found.rows],
    )
    panels = []
    rows = []
    for benchmark in benchmarks:
        marks = []
        for label in labels:
            values = sorted(
                row["percent_of_peak"]
                for row in found.rows
                if row["benchmark"] == benchmark and row["optimizer"] == label
            )
            if values:
                middle, low, high = sorted_interval(values)
                marks.append(Mark(label, middle, low, high, tuple(values[:60])))
                rows.append((benchmark, label, len(values), middle, low, high))
        panels.append(Rows(benchmark, marks, "per cent of peak"))
    return Body(
        "The best of each study against the floor that no honest result can beat on this hardware "
        "(roofline), or as the target measured it. Dot: median over studies, bar: its 95 % "
        "interval, ticks: studies. Far below: look for what else bounds it before tuning on.",
        draw_rows(panels, "Per cent of peak", "A row per optimizer, a panel per benchmark."),
        sql=found.sql,
        data=Data(("benchmark", "label", "studies", "median", "low", "high"), rows),
        notes=notes,
    )
