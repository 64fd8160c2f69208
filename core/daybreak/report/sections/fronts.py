"""How searches with several objectives came along: share of the joint front's hypervolume."""

from __future__ import annotations

from daybreak.analysis.answers import fronts
from daybreak.analysis.hypervolume import Coverage, read_coverage
from daybreak.report.bands import (
    BAND_COLUMNS,
    SINGLES,
    Band,
    at_moments,
    band,
    band_rows,
    moments,
)
from daybreak.report.figures.lines import Panel, draw_panels
from daybreak.report.sections.progress import together_note
from daybreak.report.sections.shape import Body, Data, Material, Nothing, topic

__all__ = ["hypervolume"]


@topic("hypervolume", "How much of the front, by evaluations")
def hypervolume(material: Material) -> Body:
    """Share of the joint front's hypervolume over the budget."""
    import numpy as np

    listed = material.find(
        "SELECT benchmark FROM metrics WHERE {run} AND objective IS NOT NULL "
        "GROUP BY benchmark HAVING count(*) > 1 ORDER BY benchmark"
    ).rows
    if not listed:
        raise Nothing("every benchmark has one objective: its best so far says it all")
    benchmarks, labels, notes = material.shown(
        [row["benchmark"] for row in listed], material.labels
    )
    found = read_coverage(material.evidence.index, material.evidence.run.run_id, benchmarks)
    if max(len(study.share) for one in found for study in one.studies) < 2:
        raise Nothing("no study has more than one evaluation: nothing was searched for")
    panels, data, together = [], [], 0
    for one in found:
        lines = []
        for label in labels:
            line = _band(one, label)
            if line is not None:
                lines.append(line)
                together += int(np.nanmax(line.count, initial=0)) > SINGLES
        panels.append(
            Panel(
                one.benchmark,
                lines,
                "evaluations",
                "share of hypervolume",
                share=True,
            )
        )
        data += band_rows(lines, (one.benchmark,))
    return Body(
        "How much of what all studies found together a study dominates after so many evaluations: 1 "
        "is their joint front. A line is the median over studies (seeds), the dark band its 95 % "
        "interval. It grows with every new compromise, at the ends of the front too, where the best "
        "value of one objective alone says nothing. Lines that still rise at the right edge ended "
        "too early.",
        draw_panels(
            panels,
            "Share of the joint front",
            "A panel per benchmark, a line per optimizer with bands over its studies.",
            order=labels,
        ),
        fronts.hypervolume(material.evidence),
        material.written(
            "SELECT benchmark, optimizer, study_id, number, objectives FROM pareto "
            "WHERE {run} ORDER BY ALL"
        ),
        Data(("benchmark", "label", "evaluations", *BAND_COLUMNS), data),
        (*notes, *together_note(together, "studies")),
    )


def _band(one: Coverage, label: str) -> Band | None:
    """Return the band of one label's studies; None: it has none here."""
    import numpy as np

    studies = [study for study in one.studies if study.optimizer == label]
    if not studies:
        return None
    clocks = [np.arange(1.0, len(study.share) + 1) for study in studies]
    at = moments(clocks)
    values = np.stack(
        [
            at_moments(
                clock, study.share, at, held=study.status in ("exhausted", "failed"), before=0.0
            )
            for clock, study in zip(clocks, studies, strict=True)
        ]
    )
    shares = [study.share for study in studies]
    singles = list(zip(clocks, shares, strict=True)) if len(studies) <= SINGLES else []
    return band(label, at, values, singles=singles)
