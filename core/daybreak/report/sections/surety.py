"""How surely: how much results scatter, and from which source."""

from __future__ import annotations

from daybreak.analysis.answers import Answer
from daybreak.report.figures.marks import Mark, Rows, draw_rows
from daybreak.report.sections.shape import LINES, Body, Data, Material, Nothing, by, topic

__all__ = ["scatter"]

_LEVELS = {
    "samples": "repeats within a trial (noise of the measurement)",
    "references": "the same reference again (drift of the machine; the seed's luck, where seeds decide)",
    "studies": "the best of studies that differ in their seed (luck of the search)",
}


@topic("scatter", "How much results scatter")
def scatter(material: Material) -> Body:
    """Relative spread, by source."""
    found = material.find(
        "SELECT benchmark, optimizer, level, n, median, spread, objective_unit\n"
        "FROM variation WHERE {run} AND spread IS NOT NULL ORDER BY level, benchmark, optimizer"
    )
    if not found.rows:
        raise Nothing("nothing was measured twice: no repeats, one seed")
    grouped = by(found.rows, "level")
    ranked = {label: i for i, label in enumerate(material.labels)}
    panels: list[Rows] = []
    notes: tuple[str, ...] = ()
    for level, words in _LEVELS.items():
        labels = by(grouped.get(level, ()), "optimizer")
        kept = sorted(labels, key=lambda name: (ranked.get(name, len(ranked)), name))[:LINES]
        if len(labels) > LINES:
            notes = (f"{LINES} of {len(labels)} labels are drawn; the data hold all",)
        marks = []
        for label in kept:
            spreads = sorted(100 * row["spread"] for row in labels[label])
            middle = spreads[len(spreads) // 2] if len(spreads) % 2 else (
                spreads[len(spreads) // 2 - 1] + spreads[len(spreads) // 2]
            ) / 2  # fmt: skip
            several = len(spreads) > 1
            marks.append(
                Mark(
                    label, middle, spreads[0] if several else middle,
                    spreads[-1] if several else middle, tuple(spreads) if several else (),
                )
            )  # fmt: skip
        if marks:
            panels.append(
                Rows(words, marks, "interquartile range, per cent of the median", log=True)
            )
    rows = [
        {
            "source": row["level"],
            "benchmark": row["benchmark"],
            "of": row["optimizer"],
            "n": row["n"],
            "median": row["median"],
            "unit": row["objective_unit"],
            "spread": f"{100 * row['spread']:.3g} %",
        }
        for row in found.rows
    ]
    told = (
        "spread: interquartile range over the median; n: trials, measurements or studies with a result",
    )
    return Body(
        "Three sources of scatter told apart: the dot is the median over benchmarks, the bar goes "
        "from the steadiest to the least steady, ticks are single benchmarks. Single results that "
        "differ by less than the same reference measured again tell nothing apart; medians over many "
        "studies may.",
        draw_rows(
            panels,
            "How much results scatter",
            "A panel per source of scatter, a row per label: relative interquartile range.",
        ),
        Answer("scatter", "Scatter", tuple(rows[0]), tuple(rows), told),
        found.sql,
        Data(found.columns, [tuple(row.values()) for row in found.rows]),
        notes,
    )
