"""Learning curves: the progress metric against the training clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daybreak.report.bands import (
    BAND_COLUMNS,
    SINGLES,
    Band,
    at_moments,
    band,
    band_rows,
    moments,
    split,
)
from daybreak.report.figures.lines import Level, Panel, draw_panels
from daybreak.report.sections.progress import together_note
from daybreak.report.sections.shape import LINES, Body, Data, Material, Nothing, by, topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOCK_WORDS", "learning_curves"]

#: what the clocks of `daybreak.analysis.training` are called on an axis
CLOCK_WORDS: Mapping[str, str] = {
    "train_s": "training clock (s)",
    "wall_s": "wall clock (s)",
    "seconds": "clock of the study (s)",
    "epochs": "epochs",
    "steps": "steps",
    "evaluations": "evaluations",
    "dollars": "dollars",
    "joules": "energy (J)",
}
# events that are read at most; beyond, every so many of a curve
_EVENTS = 2_000_000


@topic("learning-curves", "Learning curves")
def learning_curves(material: Material) -> Body:
    """The progress metric against the training clock."""
    told = material.find(
        "SELECT p.*, c.events, c.train_s, c.wall_s, c.epoch, c.step\nFROM (FROM progress_metrics "
        "WHERE {run}) p JOIN (SELECT run_id, benchmark, metric, count(*) AS events, "
        "count(train_s) AS train_s, count(wall_s) AS wall_s, count(epoch) AS epoch, "
        "count(step) AS step FROM curves WHERE {run} GROUP BY ALL) c\n"
        "ON c.run_id = p.run_id AND c.benchmark = p.benchmark AND c.metric = p.metric "
        "ORDER BY p.benchmark"
    )
    if not told.rows:
        raise Nothing("no benchmark of the run streamed a progress curve")
    targets = by(
        material.find(
            "SELECT DISTINCT benchmark, metric, target_name, threshold FROM curve_targets "
            "WHERE {run} AND threshold IS NOT NULL ORDER BY ALL"
        ).rows,
        "benchmark",
        "metric",
    )
    benchmarks, _, notes = material.shown([row["benchmark"] for row in told.rows])
    panels: list[Panel] = []
    data: list[tuple[Any, ...]] = []
    order: list[str] = []
    together, left_out = 0, 0
    for one in [row for row in told.rows if row["benchmark"] in benchmarks]:
        clock, words = _curve_clock(one)
        every = math.ceil(one["events"] / _EVENTS)
        if every > 1:
            notes += (f"{one['benchmark']}: every {every}th event of a curve is drawn",)
        lines, dropped = _entries(material, one["benchmark"], one["metric"], clock, every)
        left_out = max(left_out, dropped)
        together += sum(not line.singles for line in lines)
        order += [line.label for line in lines if line.label not in order]
        unit = f" ({one['unit']})" if one["unit"] not in (None, "", "1") else ""
        levels = [
            Level(row["target_name"], row["threshold"])
            for row in targets.get((one["benchmark"], one["metric"]), ())
        ]
        panels.append(
            Panel(
                one["benchmark"], lines, words, f"{one['metric']}{unit}", levels[:4],
                log_y=one["direction"] == "minimize", one_y=one["direction"] == "maximize",
                steps=False, cut=True,
            )
        )  # fmt: skip
        data += band_rows(lines, (one["benchmark"], one["metric"], words))
    if left_out:
        notes += (f"{LINES} entries are drawn, the first by name; {left_out} are not",)
    return Body(
        "The progress metric as training goes on; evaluation and checkpoints do not count on the "
        "training clock. A line is the median over runs, the dark band its 95 % interval, the light "
        "band holds eight runs of ten, thin lines are single runs, which may go on beyond the right "
        "edge; dashed lines are targets. A run that has ended keeps its last value; lines end where "
        "half of the runs have. Look where curves cross: who is ahead depends on the threshold. A "
        "curve that goes flat just below a target makes its time to it a matter of luck.",
        draw_panels(
            panels,
            "Learning curves",
            "A panel per benchmark, a line per entry: the progress metric over the training clock.",
            order=order,
        ),
        sql=material.written(
            "SELECT benchmark, entry, seed, number, metric, value, epoch, step, train_s, wall_s\n"
            "FROM curves WHERE {run} ORDER BY benchmark, entry, seed, trial_id, seq"
        ),
        data=Data(("benchmark", "metric", "clock", "entry", "moment", *BAND_COLUMNS), data),
        notes=(*notes, *together_note(together, "runs")),
    )


def _curve_clock(counts: Mapping[str, Any]) -> tuple[str, str]:
    """Return the column of the clock that all events have, and what it is called."""
    for column, words in (
        ("train_s", CLOCK_WORDS["train_s"]),
        ("wall_s", CLOCK_WORDS["wall_s"]),
        ("epoch", "epochs"),
        ("step", "steps"),
    ):
        if counts[column] == counts["events"]:
            return column, words
    return "seq", "looks at the metric"


def _entries(
    material: Material, benchmark: str, metric: str, clock: str, every: int
) -> tuple[list[Band], int]:
    """Return a band per entry of a benchmark, and how many entries are left out."""
    import numpy as np

    runs = material.find(
        "SELECT trial_id, any_value(entry) AS entry FROM curves WHERE {run} "
        "AND benchmark = {benchmark} AND metric = {metric} GROUP BY trial_id",
        benchmark=benchmark,
        metric=metric,
    ).rows
    names = {row["trial_id"]: row["entry"] for row in runs}
    columns, _ = material.arrays(
        "SELECT trial_id, {clock}::DOUBLE AS at, value FROM curves WHERE {run} "
        "AND benchmark = {benchmark} AND metric = {metric} AND seq % {every} = 0\n"
        "ORDER BY trial_id, seq".replace("{clock}", clock),
        benchmark=benchmark,
        metric=metric,
        every=every,
    )
    found: dict[str, list[tuple[NDArray[Any], NDArray[Any]]]] = {}
    for key, (x, y) in split(
        columns["trial_id"].astype(np.int64), columns["at"], columns["value"].astype(float)
    ):
        found.setdefault(names[key], []).append((x, y))
    places = {label: i for i, label in enumerate(material.labels)}
    ordered = sorted(found, key=lambda name: (places.get(name, len(places)), name))
    lines = []
    for entry in ordered[:LINES]:
        curves = found[entry]
        at = moments([x for x, _ in curves])
        values = np.stack([at_moments(x, y, at, joined=True, held=True) for x, y in curves])
        running = np.stack([at <= x[-1] for x, _ in curves])
        singles = curves if len(curves) <= SINGLES else ()
        lines.append(band(entry, at, values, singles=singles, running=running))
    return lines, len(ordered) - len(lines)
