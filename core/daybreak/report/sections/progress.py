"""How each search came along: the best so far, by evaluations and by time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybreak.report.bands import (
    BAND_COLUMNS,
    MOMENTS,
    SINGLES,
    Band,
    at_moments,
    band,
    band_rows,
    moments,
    split,
    turned,
)
from daybreak.report.figures.lines import Panel, draw_panels
from daybreak.report.sections.shape import Body, Data, Material, Nothing, topic
from daybreak.report.units import readable_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["best_by_time", "best_so_far", "together_note"]


@topic("best-so-far", "Best so far, by evaluations")
def best_so_far(material: Material) -> Body:
    """How each search came along."""
    return _searched(
        material,
        "evaluation",
        "evaluations",
        "The best result after so many evaluations. A line is the median over studies (seeds), the "
        "dark band its 95 % interval, the light band (with few lines) holds eight studies of ten, "
        "thin lines (with few studies) are single ones. Where most studies have found nothing valid "
        "yet there is no median, and the band is open. Look for lines that still move at the right edge: those searches "
        "ended too early to be judged by their end. The first draws may be cut off.",
    )


@topic("best-by-time", "Best so far, by time")
def best_by_time(material: Material) -> Body:
    """The same by the studies' own clocks."""
    (found,) = material.find(
        "SELECT coalesce(max(elapsed_s), 0) AS longest FROM evaluations WHERE {run}"
    ).rows
    if not found["longest"]:
        raise Nothing("no study's clock ran")
    return _searched(
        material,
        "elapsed_s",
        "seconds of the study's clock",
        "The same by the clock of each study, which counts thinking, building and measuring, failed "
        "attempts too. An optimizer that is ahead by evaluations and not here thinks too long for "
        "what an evaluation costs. A study that has ended keeps its best; lines end where half of the "
        "studies have.",
    )


def _searched(material: Material, clock: str, words: str, caption: str) -> Body:
    import numpy as np

    listed = material.find(
        "SELECT benchmark, any_value(objective) AS objective, any_value(objective_unit) AS unit, "
        "any_value(direction) AS direction FROM studies WHERE {run} AND role = 'optimizer' "
        "GROUP BY benchmark ORDER BY benchmark"
    ).rows
    (longest,) = material.find(
        "SELECT coalesce(max(n), 0) AS n FROM (SELECT count(*) AS n FROM evaluations WHERE {run} "
        "GROUP BY study_id)"
    ).rows
    if longest["n"] < 2:
        raise Nothing("no study has more than one evaluation: nothing was searched for")
    benchmarks, labels, notes = material.shown(
        [row["benchmark"] for row in listed], material.labels
    )
    panels, data, together = [], [], 0
    for one in [row for row in listed if row["benchmark"] in benchmarks]:
        sign = -1.0 if one["direction"] == "maximize" else 1.0
        studies = material.find(
            "SELECT study_no, optimizer, status FROM studies WHERE {run} "
            "AND benchmark = {benchmark} AND role = 'optimizer'",
            benchmark=one["benchmark"],
        ).rows
        # the view best_so_far would look at all benchmarks each time
        rows, _ = material.arrays(
            "SELECT s.study_no, row_number() OVER (PARTITION BY s.study_no ORDER BY e.number) "
            "AS evaluation, e.elapsed_s, e.loss\nFROM (FROM evaluations WHERE {run} "
            "AND benchmark = {benchmark}) e JOIN studies s ON s.study_id = e.study_id\n"
            "ORDER BY s.study_no, e.number",
            benchmark=one["benchmark"],
        )
        loss = rows["loss"].astype(float)
        factor, shown = readable_unit(loss[np.isfinite(loss)].tolist()[:5000], one["unit"])
        if not np.isfinite(loss).any():
            continue
        with np.errstate(over="ignore"):
            loss = loss * factor
        cut = split(rows["study_no"].astype(np.int64), rows[clock].astype(float), loss)
        lines = []
        for label in labels:
            own = {row["study_no"]: row["status"] for row in studies if row["optimizer"] == label}
            found = [(own[key], x, y) for key, (x, y) in cut if key in own]
            if found:
                lines.append(_label_band(label, found, sign, log=clock != "evaluation"))
                together += len(found) > SINGLES
        if lines:
            named = f"{one['objective']} ({shown})" if shown else str(one["objective"])
            panels.append(
                Panel(
                    one["benchmark"],
                    lines,
                    words,
                    named,
                    log_x=clock != "evaluation",
                    log_y=True,
                    whole=clock == "evaluation",
                    settled=0.05 if clock == "evaluation" else 0.35,
                )
            )
            data += band_rows(lines, (one["benchmark"],))
    if not panels:
        raise Nothing("no study found anything valid")
    return Body(
        caption,
        draw_panels(
            panels,
            "Best so far",
            "A panel per benchmark, a line per optimizer with bands over its studies.",
            order=labels,
        ),
        sql=material.written(
            "SELECT benchmark, optimizer, seed, evaluation, elapsed_s, best, objective_unit\n"
            "FROM best_so_far WHERE {run} ORDER BY ALL"
        ),
        data=Data(("benchmark", "label", words, *BAND_COLUMNS), data),
        notes=(*notes, *together_note(together, "studies")),
    )


def _label_band(
    label: str,
    studies: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
    sign: float,
    *,
    log: bool,
) -> Band:
    """Return the band of one label's studies, (status, clock, loss) each.

    Before its first success a study counts as worse than any number.
    """
    import numpy as np

    bests = [
        (status, x, np.minimum.accumulate(np.where(np.isnan(loss), np.inf, loss)))
        for status, x, loss in studies
    ]
    at = moments([x for _, x, _ in bests], log=log)
    values = np.stack([at_moments(x, y, at, held=True, before=np.inf) for _, x, y in bests])
    # who has nothing left to propose, or broke down, never goes on
    running = np.stack(
        [(at <= x[-1]) | (status in ("exhausted", "failed")) for status, x, _ in bests]
    )
    singles = [(x, y * sign) for _, x, y in bests] if len(bests) <= SINGLES else []
    return turned(band(label, at, values, singles=singles, running=running), sign)


def together_note(lines: int, what: str) -> tuple[str, ...]:
    """Say so where more than `SINGLES` curves of a label are drawn as a band alone."""
    if not lines:
        return ()
    return (
        f"where a line stands for more than {SINGLES} {what}, they are not drawn one by one: bands "
        f"at up to {MOMENTS} moments stand for them, and the data hold the bands",
    )
