"""Sections on tuning studies: how good after how many evaluations, and what the model believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from daybreak.analysis import hits, ranking, scores
from daybreak.analysis.answers import cost, quality
from daybreak.report.figures import (
    draw_beliefs,
    draw_ecdf,
    draw_profile,
    draw_ranks,
    draw_score,
    draw_score_by_benchmark,
    draw_suggestion_time,
)
from daybreak.report.sections.shape import LINES, PANELS, Body, Data, Material, Nothing, topic

if TYPE_CHECKING:
    from daybreak.analysis.scores import ScoreCurve

__all__ = [
    "beliefs",
    "ecdf",
    "profile",
    "ranks",
    "score",
    "score_by_benchmark",
    "score_by_time",
    "speedup",
    "suggestion_time",
]

# a bootstrap over more cells than this takes too long to wait for
_RANKED = 400


@topic("score", "Mean score over the budget")
def score(material: Material) -> Body:
    """Mean over benchmarks, by evaluations."""
    _check_scored(material)
    drawn = scores.score_curves(material.curves, level=material.evidence.asked.level)
    return Body(
        "How far each optimizer has come from calculated random search (0) to the optimum (1), mean "
        "over benchmarks. Look where lines part: a lead at 20 evaluations may be gone at 100. Bands "
        "are bootstrap intervals over seeds: where they overlap, seeds do not tell the optimizers "
        "apart on these benchmarks. The axis is cut off below.",
        draw_score(_best(material, drawn)),
        quality.score(material.evidence),
        material.written(
            "SELECT optimizer, evaluation, avg(score) AS score\nFROM (SELECT optimizer, benchmark, "
            "evaluation, avg(score) AS score\n      FROM score WHERE {run} GROUP BY ALL)\n"
            "GROUP BY ALL ORDER BY ALL"
        ),
        _score_data([("", drawn)], "evaluation"),
        _more(material),
    )


@topic("score-by-benchmark", "Score on each benchmark")
def score_by_benchmark(material: Material) -> Body:
    """A panel for each benchmark."""
    _check_scored(material)
    curves = material.curves.scored()
    if len(curves.benchmarks) < 2:
        raise Nothing("the run has one benchmark: it is the mean score above")
    benchmarks, _, notes = material.shown(curves.benchmarks)
    level = material.evidence.asked.level
    drawn = {name: scores.score_curves(curves.benchmark(name), level=level) for name in benchmarks}
    return Body(
        "The same by benchmark. An optimizer that leads in the mean need not lead everywhere: look "
        "for panels in which the order changes.",
        draw_score_by_benchmark({name: _best(material, found) for name, found in drawn.items()}),
        quality.score_by_benchmark(material.evidence) if len(curves.benchmarks) <= PANELS else None,
        material.written(
            "SELECT benchmark, optimizer, evaluation, avg(score) AS score\n"
            "FROM score WHERE {run} GROUP BY ALL ORDER BY ALL"
        ),
        _score_data(list(drawn.items()), "evaluation"),
        (*notes, *_more(material)),
    )


@topic("score-by-time", "Mean score over time")
def score_by_time(material: Material) -> Body:
    """Mean over benchmarks, by the clock."""
    import numpy as np

    _check_scored(material)
    if bool(np.isnan(material.curves.score_by_time).all()):
        raise Nothing("no benchmark's recorded space says how long its evaluations take")
    level = material.evidence.asked.level
    drawn = scores.score_curves(material.curves, clock="seconds", level=level)
    return Body(
        "The same on the clock, which counts building, running and thinking: the axis is the time "
        "in which random search has so many evaluations. An optimizer that thinks long, or prefers "
        "configurations that take long to try, falls back here.",
        draw_score(_best(material, drawn), clock="seconds"),
        sql=material.written(
            "SELECT optimizer, random_evaluations, avg(score) AS score\n"
            "FROM score_by_time WHERE {run} GROUP BY ALL ORDER BY ALL"
        ),
        data=_score_data([("", drawn)], "evaluations of random search in that time"),
        notes=_more(material),
    )


@topic("ranks", "Ranks")
def ranks(material: Material) -> Body:
    """Mean ranks at the last budget."""
    import numpy as np

    evidence, curves = material.evidence, material.curves
    if len(curves.optimizers) < 2:
        raise Nothing("there is one optimizer, so nobody to rank")
    if len(curves.optimizers) * len(curves.benchmarks) > _RANKED:
        raise Nothing(
            f"{len(curves.optimizers)} labels on {len(curves.benchmarks)} benchmarks are too many "
            "for one figure; ask for some with --benchmark, or use: daybreak analyze ranks"
        )
    _check_searched(material)
    if not np.isfinite(curves.loss).any():
        raise Nothing("no study found anything valid")
    at, level = evidence.at[-1], evidence.asked.level
    means = ranking.mean_ranks(curves, at, level=level)
    if len(means) < 2:
        raise Nothing("fewer than two optimizers have studies on every benchmark")
    return Body(
        f"Ranks after {at} evaluations: the filled mark is the mean over benchmarks, its bar the "
        "bootstrap interval over seeds, hollow marks are single benchmarks. Ranks say who is ahead, "
        "not by how much; where bars overlap, the order may be chance.",
        draw_ranks(
            means,
            ranking.ranks(curves, at, level=level),
            ranking.critical_difference(curves, at, level=level),
        ),
        quality.ranking(evidence) if len(curves.benchmarks) <= PANELS else None,
        material.written("FROM best_so_far WHERE {run} AND evaluation = {at}", at=at),
        Data(
            ("optimizer", "mean rank", "low", "high"),
            [(one.optimizer, one.rank, one.interval.low, one.interval.high) for one in means],
        ),
    )


@topic("ecdf", "Targets reached")
def ecdf(material: Material) -> Body:
    """Empirical distribution over targets and studies."""
    _check_scored(material)
    evidence = material.evidence
    found = hits.distributions(evidence.hits, level=evidence.asked.level)
    kept = set(material.labels[:LINES])
    return Body(
        "Share of pairs of study and target that are reached, over evaluations. Targets are nine "
        "shares of the gap between the median configuration and the optimum, from a half to all of "
        "it. To the left: quick to something decent; high on the right: gets to the very best.",
        draw_ecdf([one for one in found if one.optimizer in kept]),
        sql=material.written("FROM ecdf WHERE {run}"),
        data=Data(
            ("optimizer", "evaluations", "share reached", "low", "high"),
            [
                (one.optimizer, *row)
                for one in found
                for row in zip(
                    *(a.tolist() for a in (one.moments, one.share, one.low, one.high)), strict=True
                )
            ],
        ),
        notes=_more(material),
    )


@topic("profile", "Performance profile over evaluations")
def profile(material: Material) -> Body:
    """How often within a factor of the quickest."""
    _check_scored(material)
    evidence = material.evidence
    if len(evidence.hits.optimizers) < 2:
        raise Nothing("there is one optimizer, so nobody to be quicker than")
    found = hits.profiles(evidence.hits)
    kept = set(material.labels[:LINES])
    return Body(
        "For which share of problems (a target on a benchmark) an optimizer's expected evaluations "
        "are within a factor of the quickest optimizer's. At 1x: how often it is the quickest. On "
        "the right: how often it gets there at all; one that never drops far behind is safe.",
        draw_profile([one for one in found if one.optimizer in kept]),
        sql=material.written("FROM ecdf WHERE {run}"),
        data=Data(
            ("optimizer", "factor", "share of problems"),
            [
                (one.optimizer, *row)
                for one in found
                for row in zip(one.taus.tolist(), one.share.tolist(), strict=True)
            ],
        ),
        notes=_more(material),
    )


@topic("speedup", "Fewer evaluations to get as far")
def speedup(material: Material) -> Body:
    """By what factor fewer evaluations are needed than by random search."""
    if not {"random", "baco-paper", material.evidence.asked.against} & {*material.labels}:
        raise Nothing("no optimizer is called `random`, which others are compared with")
    _check_searched(material)
    found = quality.speedup(material.evidence)
    if not found.rows:
        raise Nothing("there is one optimizer, so nobody to compare it with")
    return Body(
        "By what factor an optimizer needs fewer evaluations than another to get where that one is. "
        "Above 1 it is ahead; an interval that holds 1 says that it may be chance.",
        table=found,
        sql=found.sql or material.written("FROM best_so_far WHERE {run}"),
    )


@topic("suggestion-time", "Time per suggestion")
def suggestion_time(material: Material) -> Body:
    """How long optimizers think."""
    found = material.find(
        "FROM suggestion_time WHERE {run} ORDER BY benchmark, optimizer, first_evaluation"
    )
    if not found.rows:
        raise Nothing("nothing was evaluated")
    if not any(row["p90_s"] for row in found.rows):
        raise Nothing("no optimizer was asked for anything, as in results that were imported")
    kept = set(material.labels[:LINES])
    several = len({row["first_evaluation"] for row in found.rows}) > 1
    return Body(
        "Real time to ask for and learn from one evaluation, over the observations so far; marks "
        "are medians, bars reach to the ninth decile. Measured on the run's machine, mean over "
        "benchmarks. Compare it with what an evaluation costs."
        if several
        else "Real time to ask for and learn from one evaluation, measured on the run's machine. Compare "
        "it with what an evaluation costs. The studies are too short for it to grow.",
        draw_suggestion_time([row for row in found.rows if row["optimizer"] in kept])
        if several
        else None,
        None if several else cost.suggestion_time(material.evidence),
        found.sql,
        Data(found.columns, [tuple(row.values()) for row in found.rows]),
        _more(material) if several else (),
    )


@topic("beliefs", "What the model believed")
def beliefs(material: Material) -> Body:
    """One study's predictions beside what was measured."""
    study = material.study or _told(material)
    if study is None:
        raise Nothing("no optimizer of the run said what its model believed")
    found = material.find(
        "SELECT b.*, s.objective_unit, s.direction\nFROM beliefs b "
        "JOIN studies s ON s.study_id = b.study_id\nWHERE b.study_id = {study} "
        "ORDER BY b.evaluation",
        study=study,
    )
    rows = found.rows
    if not any(row["mean"] is not None or row["importance"] is not None for row in rows):
        raise Nothing("no optimizer of the run said what its model believed")
    one = rows[0]
    return Body(
        f"{one['optimizer']} on {one['benchmark']}, seed {one['seed']} ({study}). Left: predictions "
        "with one standard deviation, beside what was then measured. Right: a model that knows what "
        "it does not know has most bars crossing the line. Below: what it thought of the risk of "
        "failing, what the next evaluation was worth, and which parameters it found to matter.",
        draw_beliefs(rows, unit=one["objective_unit"], direction=one["direction"]),
        sql=found.sql,
        data=Data(found.columns, [tuple(row.values()) for row in rows]),
    )


def _check_scored(material: Material) -> None:
    found = material.find(
        "SELECT count(*) AS n FROM landscapes WHERE {run} AND optimum IS NOT NULL"
    )
    if not found.rows[0]["n"]:
        raise Nothing(
            "needs benchmarks whose whole space is known, such as those of the target `replay`"
        )


def _check_searched(material: Material) -> None:
    if material.curves.evaluations < 2:
        raise Nothing("no study has more than one evaluation: nothing was searched for")


def _best(material: Material, found: Sequence[ScoreCurve]) -> list[ScoreCurve]:
    kept = set(material.labels[:LINES])
    return [one for one in found if one.optimizer in kept]


def _more(material: Material) -> tuple[str, ...]:
    return material.shown((), material.labels)[2]


def _score_data(found: Sequence[tuple[str, Sequence[ScoreCurve]]], moment: str) -> Data:
    rows = [
        (name, one.optimizer, i + 1, *values)
        for name, drawn in found
        for one in drawn
        for i, values in enumerate(
            zip(one.mean.tolist(), one.low.tolist(), one.high.tolist(), strict=True)
        )
    ]
    columns = ("benchmark", "optimizer", moment, "score", "low", "high")
    alone = all(not name for name, _ in found)
    return Data(columns[1:], [row[1:] for row in rows]) if alone else Data(columns, rows)


def _told(material: Material) -> str | None:
    """Return the study about which most was said: the first seed of a model-based optimizer."""
    found: list[dict[str, Any]] = material.find(
        "SELECT study_id FROM beliefs WHERE {run} AND mean IS NOT NULL "
        "GROUP BY study_id, optimizer, benchmark, seed "
        "ORDER BY optimizer = 'baco' DESC, optimizer, benchmark, seed LIMIT 1"
    ).rows
    return None if not found else str(found[0]["study_id"])
