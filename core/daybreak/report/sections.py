"""The sections of a report: each a figure or a table with words on what to look for.

A section is a function from `Material` to `Section`, or None if the run has nothing to say there;
`SECTIONS` lists them in the order of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from daybreak.analysis.answers import Answer
from daybreak.analysis.answers.quality import score, score_by_benchmark
from daybreak.analysis.answers.shape import Evidence
from daybreak.analysis.hits import distributions, profiles
from daybreak.analysis.ranking import critical_difference, mean_ranks, ranks
from daybreak.analysis.scores import score_curves
from daybreak.report.figures import (
    draw_beliefs,
    draw_ecdf,
    draw_profile,
    draw_ranks,
    draw_score,
    draw_score_by_benchmark,
    draw_suggestion_time,
)

__all__ = ["SECTIONS", "Material", "Section"]


@dataclass(frozen=True, slots=True)
class Material:
    """What sections are made from: the evidence of a run, and a study to look into."""

    evidence: Evidence
    study: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One section.

    Attributes:
        name: lower case with hyphens; names the figure's file.
        title: its heading.
        caption: what it shows and what to look for.
        svg: the figure, or None.
        table: a table below it, or None.
        sql: the query behind it.
    """

    name: str
    title: str
    caption: str
    svg: str | None = None
    table: Answer | None = None
    sql: str = ""


def _score(material: Material) -> Section | None:
    evidence = material.evidence
    if not _scored(evidence):
        return None
    return Section(
        "score",
        "Mean score over the budget",
        "How far each optimizer has come from calculated random search (0) to the optimum (1), mean "
        "over benchmarks. Look where lines part: a lead at 20 evaluations may be gone at 100. Bands "
        "are bootstrap intervals over seeds: where they overlap, seeds do not tell the optimizers "
        "apart on these benchmarks. The axis is cut off below.",
        draw_score(score_curves(evidence.curves, level=evidence.asked.level)),
        score(evidence),
        "SELECT optimizer, evaluation, avg(score) AS score FROM (SELECT optimizer, benchmark, "  # noqa: S608
        f"evaluation, avg(score) AS score FROM score WHERE run_id = '{evidence.run.run_id}' "
        "GROUP BY ALL) GROUP BY ALL ORDER BY ALL",
    )


def _score_by_benchmark(material: Material) -> Section | None:
    evidence = material.evidence
    if not _scored(evidence) or len(evidence.curves.scored().benchmarks) < 2:
        return None
    curves = evidence.curves.scored()
    return Section(
        "score-by-benchmark",
        "Score on each benchmark",
        "The same by benchmark. An optimizer that leads in the mean need not lead everywhere: look "
        "for panels in which the order changes.",
        draw_score_by_benchmark(
            {
                name: score_curves(curves.benchmark(name), level=evidence.asked.level)
                for name in curves.benchmarks
            }
        ),
        score_by_benchmark(evidence),
        "SELECT benchmark, optimizer, evaluation, avg(score) AS score FROM score "  # noqa: S608
        f"WHERE run_id = '{evidence.run.run_id}' GROUP BY ALL ORDER BY ALL",
    )


def _score_by_time(material: Material) -> Section | None:
    evidence = material.evidence
    if not _scored(evidence) or not _clocked(evidence):
        return None
    return Section(
        "score-by-time",
        "Mean score over time",
        "The same on the clock, which counts building, running and thinking: the axis is the time "
        "in which random search has so many evaluations. An optimizer that thinks long, or prefers "
        "configurations that take long to try, falls back here.",
        draw_score(
            score_curves(evidence.curves, clock="seconds", level=evidence.asked.level),
            clock="seconds",
        ),
        sql="SELECT optimizer, random_evaluations, avg(score) AS score FROM score_by_time "  # noqa: S608
        f"WHERE run_id = '{evidence.run.run_id}' GROUP BY ALL ORDER BY ALL",
    )


def _ranks(material: Material) -> Section | None:
    evidence = material.evidence
    at = evidence.at[-1]
    means = mean_ranks(evidence.curves, at, level=evidence.asked.level)
    if len(means) < 2:
        return None
    return Section(
        "ranks",
        "Ranks",
        f"Ranks after {at} evaluations: the filled mark is the mean over benchmarks, its bar the "
        "bootstrap interval over seeds, hollow marks are single benchmarks. Ranks say who is ahead, "
        "not by how much; where bars overlap, the order may be chance.",
        draw_ranks(
            means,
            ranks(evidence.curves, at, level=evidence.asked.level),
            critical_difference(evidence.curves, at, level=evidence.asked.level),
        ),
        sql=f"FROM best_so_far WHERE run_id = '{evidence.run.run_id}' AND evaluation = {at}",
    )


def _ecdf(material: Material) -> Section | None:
    evidence = material.evidence
    if not _scored(evidence):
        return None
    return Section(
        "ecdf",
        "Targets reached",
        "Share of pairs of study and target that are reached, over evaluations. Targets are nine "
        "shares of the gap between the median configuration and the optimum, from a half to all of "
        "it. To the left: quick to something decent; high on the right: gets to the very best.",
        draw_ecdf(distributions(evidence.hits, level=evidence.asked.level)),
        sql=f"FROM ecdf WHERE run_id = '{evidence.run.run_id}'",
    )


def _profile(material: Material) -> Section | None:
    evidence = material.evidence
    if not _scored(evidence) or len(evidence.hits.optimizers) < 2:
        return None
    return Section(
        "profile",
        "Performance profile",
        "For which share of problems (a target on a benchmark) an optimizer's expected evaluations "
        "are within a factor of the quickest optimizer's. At 1x: how often it is the quickest. On "
        "the right: how often it gets there at all; one that never drops far behind is safe.",
        draw_profile(profiles(evidence.hits)),
        sql=f"FROM ecdf WHERE run_id = '{evidence.run.run_id}'",
    )


def _suggestion_time(material: Material) -> Section | None:
    evidence = material.evidence
    sql = "SELECT * FROM suggestion_time WHERE run_id = ?"
    rows = evidence.select(sql)
    if not rows:
        return None
    return Section(
        "suggestion-time",
        "Time per suggestion",
        "Real time to ask for and learn from one evaluation, over the observations so far; marks "
        "are medians, bars reach to the ninth decile. Measured on the run's machine, mean over "
        "benchmarks. Compare it with what an evaluation costs.",
        draw_suggestion_time(rows),
        sql=sql.replace("?", f"'{evidence.run.run_id}'"),
    )


def _beliefs(material: Material) -> Section | None:
    evidence = material.evidence
    study = material.study or _told(evidence)
    if study is None:
        return None
    rows = _rows(
        evidence,
        "SELECT b.*, s.objective_unit, s.direction FROM beliefs b "
        "JOIN studies s ON s.study_id = b.study_id WHERE b.study_id = ? ORDER BY b.evaluation",
        study,
    )
    if not any(row["mean"] is not None or row["importance"] is not None for row in rows):
        return None
    one = rows[0]
    return Section(
        "beliefs",
        "What the model believed",
        f"{one['optimizer']} on {one['benchmark']}, seed {one['seed']} ({study}). Left: predictions "
        "with one standard deviation, beside what was then measured. Right: a model that knows what "
        "it does not know has most bars crossing the line. Below: what it thought of the risk of "
        "failing, what the next evaluation was worth, and which parameters it found to matter.",
        draw_beliefs(rows, unit=one["objective_unit"], direction=one["direction"]),
        sql=f"FROM beliefs WHERE study_id = '{study}' ORDER BY evaluation",
    )


def _scored(evidence: Evidence) -> bool:
    return any(name in evidence.curves.landscapes for name in evidence.curves.benchmarks)


def _clocked(evidence: Evidence) -> bool:
    import numpy as np

    return not bool(np.isnan(evidence.curves.score_by_time).all())


def _told(evidence: Evidence) -> str | None:
    """Return the study about which most was said: the first seed of a model-based optimizer."""
    found = evidence.index.execute(
        "SELECT study_id FROM beliefs WHERE run_id = ? AND mean IS NOT NULL "
        "GROUP BY study_id, optimizer, benchmark, seed "
        "ORDER BY optimizer = 'baco' DESC, optimizer, benchmark, seed LIMIT 1",
        [evidence.run.run_id],
    ).fetchone()
    return None if found is None else str(found[0])


def _rows(evidence: Evidence, sql: str, parameter: str) -> list[Mapping[str, Any]]:
    found = evidence.index.execute(sql, [parameter])
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


#: every section, in the order of the page
SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
    _score,
    _score_by_benchmark,
    _score_by_time,
    _ranks,
    _ecdf,
    _profile,
    _suggestion_time,
    _beliefs,
)
