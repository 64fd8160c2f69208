"""The run in brief: what ran, and who is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybreak.analysis.answers import Answer, Estimate
from daybreak.analysis.summary import BenchmarkSummary, summarize_benchmarks
from daybreak.report.sections.shape import Body, Data, Material, Nothing, by, topic
from daybreak.report.units import duration, readable_unit

__all__ = ["brief", "leaderboard"]

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
        "SELECT count(*) AS evaluations, count(*) FILTER (status = 'failed' "
        "AND failure_kind IS DISTINCT FROM 'not_reached') AS failures, "
        "count(*) FILTER (failure_kind = 'not_reached') AS missed, "
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
            _with(
                counts["evaluations"],
                failed=counts["failures"],
                stopped=counts["stopped"],
                not_reached=counts["missed"],
            ),
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
    found = material.find(
        """
        WITH missed AS (
            SELECT s.benchmark, coalesce(t.reference, s.optimizer) AS who,
                   t.reference IS NOT NULL AS reference, count(*) AS missed
            FROM trials t JOIN (FROM studies WHERE {run}) s ON s.study_id = t.study_id
            WHERE t.failure_kind = 'not_reached' GROUP BY ALL
        ),
        units AS (
            SELECT benchmark, any_value(objective) AS objective,
                   any_value(objective_unit) AS unit, any_value(direction) AS direction
            FROM studies WHERE {run} GROUP BY benchmark
        ),
        listed AS (
            SELECT benchmark, optimizer AS who, false AS reference, studies AS n,
                   best_median AS median, best_low AS low, best_high AS high, versus_expert,
                   evaluations, failures, share_median, share_low, share_high
            FROM leaderboard_all WHERE {run}
            UNION ALL
            SELECT v.benchmark, v.reference, true, v.trials, v.median, v.lowest, v.highest,
                   CASE WHEN x.median > 0 AND v.median > 0
                        THEN CASE WHEN u.direction = 'maximize' THEN v.median / x.median
                                  ELSE x.median / v.median END END, NULL, v.failures,
                   NULL, NULL, NULL
            FROM reference_values v
            JOIN units u ON u.benchmark = v.benchmark AND u.objective = v.metric
            LEFT JOIN reference_values x
              ON x.run_id = v.run_id AND x.benchmark = v.benchmark AND x.metric = v.metric
             AND x.reference = 'expert'
            WHERE v.run_id = {id}
        )
        SELECT l.benchmark, l.who, l.reference, l.n, l.median, l.low, l.high, u.unit, u.direction,
               l.versus_expert, l.evaluations, l.failures - coalesce(m.missed, 0) AS failed,
               coalesce(m.missed, 0) AS not_reached, l.share_median, l.share_low, l.share_high
        FROM listed l JOIN units u ON u.benchmark = l.benchmark
        LEFT JOIN missed m
          ON m.benchmark = l.benchmark AND m.who = l.who AND m.reference = l.reference
        ORDER BY l.benchmark, l.reference DESC, l.reference AND l.who <> 'default',
                 -l.share_median NULLS LAST,
                 CASE WHEN NOT l.reference THEN
                     CASE WHEN u.direction = 'maximize' THEN -l.median ELSE l.median END END
                     NULLS LAST, l.who
        """,
        id=material.evidence.run.run_id,
    )
    if not found.rows:
        raise Nothing("nothing was evaluated")
    fronts = _fronts(material)
    rows = [
        row
        for name, own in by(found.rows, "benchmark").items()
        for row in (_compromises(own, fronts[name]) if name in fronts else _standing(own))
    ]
    columns: tuple[str, ...] = (
        "benchmark", "who", "n", "best", "unit", "vs expert", "evaluations", "failed",
        "not reached",
    )  # fmt: skip
    notes: tuple[str, ...] = (
        "n: measurements of a reference, studies (seeds) of an optimizer",
        "[low, high]: of an optimizer the 95 % confidence interval of the median from six studies on; "
        "with fewer, and of a reference, the smallest and the largest; a study without any valid "
        "result counts as the worst, and where most have none there is no median",
    )
    words = (
        "The median over studies of the best that each found, beside the references. Look at the "
        "intervals before the order: where they overlap, another set of seeds may turn it round."
    )
    if fronts:
        words += (
            " Where a benchmark has several objectives, the order is by the share of the joint "
            "front's hypervolume that a study covers at its end; of a reference it is what this one "
            "point covers, above 1 if that is more than all trials together."
        )
        notes = (
            *notes,
            "beats: in so many studies a trial is nowhere worse than the expert and somewhere "
            "better; a reference is beaten if that is so of any trial of the run",
        )
    return Body(
        words,
        table=Answer("leaderboard", "Best results", columns, tuple(rows), notes),
        sql=found.sql,
        data=Data(found.columns, [tuple(row.values()) for row in found.rows]),
    )


def _fronts(material: Material) -> dict[str, BenchmarkSummary]:
    """Return the benchmarks with several objectives and a front, by name."""
    evidence = material.evidence
    return {
        one.benchmark: one
        for one in summarize_benchmarks(evidence.index, evidence.run.run_id)
        if one.front
    }


def _compromises(
    own: Sequence[Mapping[str, Any]], benchmark: BenchmarkSummary
) -> list[dict[str, Any]]:
    """Return the rows of a benchmark with several objectives."""
    references = {one.name: one for one in benchmark.references}
    optimizers = {one.optimizer: one for one in benchmark.optimizers}
    rows = []
    for row in own:
        beats: str | None
        if row["reference"]:
            standing = references[row["who"]]
            share: Estimate | None = None if standing.share is None else Estimate(standing.share)
            beats = {True: "beaten", False: "not beaten", None: None}[standing.beaten]
        else:
            share = _estimate(row["share_median"], row["share_low"], row["share_high"], 1.0)
            count = optimizers[row["who"]].beats.get("expert")
            beats = None if count is None else f"beats it {count}/{row['n']}"
        rows.append({**_counted(row), "best": share, "unit": "of the front", "vs expert": beats})
    return rows


def _standing(own: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of one benchmark in a unit in which they are easily read."""
    factor, unit = readable_unit([row["median"] for row in own], own[0]["unit"])
    if own[0]["direction"] == "maximize":
        unit = f"{unit or ''} (more is better)".strip()
    return [
        {
            **_counted(row),
            "best": _estimate(row["median"], row["low"], row["high"], factor),
            "unit": unit,
            "vs expert": None if row["versus_expert"] is None else f"{row['versus_expert']:.3g}x",
        }
        for row in own
    ]


def _counted(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "benchmark": row["benchmark"],
        "who": f"{row['who']} (reference)" if row["reference"] else row["who"],
        "n": row["n"],
        "evaluations": row["evaluations"],
        "failed": row["failed"] or None,
        "not reached": row["not_reached"] or None,
    }


def _estimate(
    value: float | None, low: float | None, high: float | None, factor: float
) -> Estimate:
    def scaled(number: float | None) -> float | None:
        return None if number is None else number * factor

    if low == high:
        return Estimate(scaled(value))
    return Estimate(scaled(value), scaled(low), scaled(high))


def _facts(name: str, facts: Sequence[tuple[str, Any]]) -> Answer:
    rows = tuple(
        {"what": what, "value": str(value)} for what, value in facts if value not in (None, "")
    )
    return Answer(name, "", ("what", "value"), rows)


def _with(count: int, **parts: int) -> str:
    words = [f"{number} {name.replace('_', ' ')}" for name, number in parts.items() if number]
    return f"{count} ({', '.join(words)})" if words else str(count)


def _moment(value: Any) -> str | None:
    return None if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def _took(row: Mapping[str, Any]) -> str | None:
    if row["started_at"] is None or row["finished_at"] is None:
        return None
    return duration((row["finished_at"] - row["started_at"]).total_seconds())
