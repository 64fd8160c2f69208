"""The run in brief: what ran, and who is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybreak.analysis.answers import Answer, Estimate
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
    return Body(
        "The median over studies of the best that each found, beside the references. Look at the "
        "intervals before the order: where they overlap, another set of seeds may turn it round.",
        table=Answer("leaderboard", "Best results", tuple(columns), tuple(rows), tuple(notes)),
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
