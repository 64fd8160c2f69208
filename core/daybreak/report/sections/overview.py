"""The run in brief: what ran, who is best, how each search came along."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.analysis.answers import Answer, Estimate
from daybreak.report.bands import MOMENTS, SINGLES, Band, at_moments, band, moments, split
from daybreak.report.figures.lines import Panel, draw_panels
from daybreak.report.sections.shape import Body, Data, Material, Nothing, by, topic
from daybreak.report.units import duration, readable_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BAND_COLUMNS",
    "band_data",
    "best_by_time",
    "best_so_far",
    "brief",
    "leaderboard",
    "together_note",
    "turned",
]

# rows of a table on the page; the data hold all
_ROWS = 300

_STATUS = {
    "running": "running: what follows is a look in between",
    "interrupted": "interrupted or killed; the same command goes on with it",
    "failed": "failed",
    "finished": "finished",
}


@topic("run", "The run")
def brief(material: Material) -> Body:
    """What ran."""
    found = material.find(
        """
        SELECT r.run_id, r.suite, r.status, r.message, r.started_at, r.finished_at,
               r.daybreak_version, count(DISTINCT s.benchmark) AS benchmarks,
               count(DISTINCT s.optimizer) FILTER (s.role = 'optimizer') AS optimizers,
               count(*) FILTER (s.role = 'optimizer') AS studies,
               count(*) FILTER (s.status = 'failed') AS failed_studies,
               count(*) FILTER (s.status IN ('pending', 'running', 'interrupted')) AS open_studies
        FROM runs r LEFT JOIN (SELECT * EXCLUDE run_id FROM studies WHERE {run}) s ON true
        WHERE r.run_id = {id} GROUP BY ALL
        """,
        id=material.evidence.run.run_id,
    )
    (counts,) = material.find(
        "SELECT count(*) AS evaluations, count(*) FILTER (status = 'failed') AS failures, "
        "count(*) FILTER (status = 'stopped') AS stopped FROM evaluations WHERE {run}"
    ).rows
    row = found.rows[0]
    facts: list[tuple[str, Any]] = [
        ("suite", row["suite"]),
        ("run", row["run_id"]),
        ("status", _STATUS.get(row["status"], row["status"])),
        ("message", row["message"]),
        ("began", _moment(row["started_at"])),
        ("took", _took(row)),
        ("benchmarks", row["benchmarks"]),
        ("optimizers", row["optimizers"]),
        ("studies", _with(row["studies"], failed=row["failed_studies"], open=row["open_studies"])),
        (
            "evaluations",
            _with(counts["evaluations"], failed=counts["failures"], stopped=counts["stopped"]),
        ),
        ("Daybreak", row["daybreak_version"]),
    ]
    return Body(
        "One execution of a suite on one machine. All numbers below are of this run alone.",
        table=_facts("run", facts),
        sql=found.sql,
    )


@topic("leaderboard", "Best results")
def leaderboard(material: Material) -> Body:
    """References and optimizers on each benchmark."""
    optimizers = material.find(
        "SELECT * FROM leaderboard_all WHERE {run} ORDER BY benchmark,\n"
        "         CASE WHEN direction = 'maximize' THEN -best_median ELSE best_median END "
        "NULLS LAST, optimizer"
    )
    references = material.find(
        "SELECT v.* FROM reference_values v JOIN (SELECT DISTINCT benchmark, objective FROM studies "
        "WHERE {run}) s ON s.benchmark = v.benchmark AND s.objective = v.metric "
        "WHERE v.run_id = {id} ORDER BY v.benchmark, v.reference = 'default' DESC, v.reference",
        id=material.evidence.run.run_id,
    )
    if not optimizers.rows and not references.rows:
        raise Nothing("nothing was evaluated")
    measured = by(references.rows, "benchmark")
    ranked = by(optimizers.rows, "benchmark")
    rows: list[dict[str, Any]] = []
    for benchmark in sorted({*measured, *ranked}):
        rows += _standing(benchmark, measured.get(benchmark, ()), ranked.get(benchmark, ()))
    columns = ["benchmark", "who", "n", "best", "unit", "vs expert", "evaluations", "failed"]
    if all(row.get("vs expert") is None for row in rows):
        columns.remove("vs expert")
    notes = [
        "n: measurements of a reference, studies (seeds) of an optimizer",
        "[low, high]: 95 % confidence interval of the median from six on, with fewer the smallest "
        "and the largest; a study without any valid result counts as the worst",
    ]
    if len(rows) > _ROWS:
        notes.append(f"the first {_ROWS} of {len(rows)} rows; the data hold more")
    return Body(
        "The median over studies of the best that each found, beside the references. Look at the "
        "intervals before the order: where they overlap, another set of seeds may turn it round.",
        table=Answer(
            "leaderboard", "Best results", tuple(columns), tuple(rows[:_ROWS]), tuple(notes)
        ),
        sql=optimizers.sql,
        data=Data(optimizers.columns, [tuple(row.values()) for row in optimizers.rows]),
    )


def _standing(
    benchmark: str, references: Sequence[Mapping[str, Any]], optimizers: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    unit = next((row["objective_unit"] for row in optimizers), None)
    unit = unit or next((row["unit"] for row in references), None)
    maximize = any(row["direction"] == "maximize" for row in optimizers)
    values = [row["median"] for row in references] + [row["best_median"] for row in optimizers]
    factor, shown = readable_unit(values, unit)
    found: list[dict[str, Any]] = [
        {
            "benchmark": benchmark,
            "who": f"{row['reference']} (reference)",
            "n": row["trials"],
            "best": _estimate(row["median"], row["lowest"], row["highest"], factor),
            "unit": shown,
            "failed": row["failures"] or None,
        }
        for row in references
    ]
    found += [
        {
            "benchmark": benchmark,
            "who": row["optimizer"],
            "n": row["studies"],
            "best": _estimate(row["best_median"], row["best_low"], row["best_high"], factor),
            "unit": f"{shown or ''} (more is better)".strip() if maximize else shown,
            "vs expert": None if row["versus_expert"] is None else f"{row['versus_expert']:.3g}x",
            "evaluations": row["evaluations"],
            "failed": row["failures"] or None,
        }
        for row in optimizers
    ]
    return found


def _estimate(
    value: float | None, low: float | None, high: float | None, factor: float
) -> Estimate:
    ends = [None if end is None else end * factor for end in (low, high)]
    if low == high:
        ends = [None, None]
    return Estimate(None if value is None else value * factor, *ends)


@topic("best-so-far", "Best so far, by evaluations")
def best_so_far(material: Material) -> Body:
    """How each search came along."""
    return _searched(
        material,
        "evaluation",
        "evaluations",
        "The best result after so many evaluations. A line is the median over studies (seeds), the "
        "dark band its 95 % interval, the light band (with few lines) holds eight studies of ten. "
        "Look for lines that still move at the right edge: those searches ended too early to be "
        "judged by their end. The first draws may be cut off.",
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
        "what an evaluation costs. Lines end where half of the studies have.",
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
        cut = split(rows["study_no"].astype(np.int64), rows[clock].astype(float), loss * factor)
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
                    settled=0.05 if clock == "evaluation" else 0.35,
                )
            )
            data += band_data(lines, (one["benchmark"],))
    if not panels:
        raise Nothing("nothing was evaluated")
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
    # who has nothing left to propose, or broke down, keeps what was found
    values = np.stack(
        [
            at_moments(x, y, at, held=status in ("exhausted", "failed"), before=np.inf)
            for status, x, y in bests
        ]
    )
    singles = [(x, y * sign) for _, x, y in bests] if len(bests) <= SINGLES else []
    return turned(band(label, at, values, singles=singles), sign)


def turned(one: Band, sign: float) -> Band:
    """Return a band of losses as one of values: negated where more is better; infinite is NaN."""
    import numpy as np

    def finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(np.isfinite(values), values * sign, np.nan)

    low, high = (one.low, one.high) if sign > 0 else (one.high, one.low)
    outer = (one.outer_low, one.outer_high) if sign > 0 else (one.outer_high, one.outer_low)
    return Band(
        one.label, one.x, finite(one.middle), finite(low), finite(high), finite(outer[0]),
        finite(outer[1]), one.count, one.singles,
    )  # fmt: skip


#: headings of `band_data` behind the moment
BAND_COLUMNS = ("median", "low", "high", "one of ten below", "one of ten above", "curves")


def band_data(lines: Sequence[Band], first: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return rows: `first`, label, moment, and `BAND_COLUMNS`; unknown values are None."""
    rows = []
    for line in lines:
        columns = (
            line.x, line.middle, line.low, line.high, line.outer_low, line.outer_high, line.count,
        )  # fmt: skip
        rows += [
            (*first, line.label, *(None if math.isnan(value) else value for value in row))
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ]
    return rows


def together_note(lines: int, what: str) -> tuple[str, ...]:
    """Say so where more than `SINGLES` curves of a label are drawn as a band alone."""
    if not lines:
        return ()
    return (
        f"where a line stands for more than {SINGLES} {what}, they are not drawn one by one: bands "
        f"at up to {MOMENTS} moments stand for them, and the data hold the bands",
    )


def _facts(name: str, facts: Sequence[tuple[str, Any]]) -> Answer:
    rows = tuple(
        {"what": what, "value": str(value)} for what, value in facts if value not in (None, "")
    )
    return Answer(name, "", ("what", "value"), rows)


def _with(count: int, **parts: int) -> str:
    words = [f"{number} {name}" for name, number in parts.items() if number]
    return f"{count} ({', '.join(words)})" if words else str(count)


def _moment(value: Any) -> str | None:
    return None if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def _took(row: Mapping[str, Any]) -> str | None:
    if row["started_at"] is None or row["finished_at"] is None:
        return None
    return duration((row["finished_at"] - row["started_at"]).total_seconds())
