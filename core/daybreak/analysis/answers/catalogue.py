"""Every question that `daybreak analyze` answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from daybreak.analysis.answers import cost, quality
from daybreak.analysis.answers.shape import Answer, Asked, Evidence
from daybreak.errors import UserError, nearest

__all__ = ["QUESTIONS", "SHOOTOUT", "Question", "answer", "standing"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question by `name`: what it asks, and what answers it."""

    name: str
    summary: str
    answers: Callable[[Evidence], Answer]


QUESTIONS = {
    question.name: question
    for question in (
        Question("score", "how good after so many evaluations: 0 random, 1 optimum", quality.score),
        Question("score-by-benchmark", "the same on each benchmark", quality.score_by_benchmark),
        Question("ranks", "who is ahead of whom, and how surely", quality.ranking),
        Question("speedup", "by how much fewer evaluations to get as far", quality.speedup),
        Question("ecdf", "share of targets reached", quality.ecdf),
        Question("profile", "how often within a factor of the quickest", quality.profile),
        Question("time-to-target", "expected evaluations to a target", cost.time_to_target),
        Question("suggestion-time", "thinking time per evaluation", cost.suggestion_time),
        Question("duplicates", "wasted evaluations and proposals", cost.duplicates),
        Question("failures", "failed evaluations by kind", cost.failures),
    )
}

#: Asks all of them.
SHOOTOUT = "shootout"


def answer(name: str, results: str | Path = "results", asked: Asked | None = None) -> list[Answer]:
    """Answer question `name`, or all of them (`shootout`).

    Args:
        name: a key of `QUESTIONS`, or `SHOOTOUT`.
        results: the results folder.
        asked: which run and benchmarks, at which budgets.

    Raises:
        UserError: there is no such question, or the run cannot answer it.
        StoreError: there is no such run, or no results at all.
    """
    names = [*QUESTIONS, SHOOTOUT]
    if name not in names:
        raise UserError(
            f"there is no analysis '{name}'",
            expected=f"one of {', '.join(names)}",
            nearest=nearest(name, names),
        )
    with Evidence(Path(results), asked or Asked()) as evidence:
        if name != SHOOTOUT:
            return [QUESTIONS[name].answers(evidence)]
        return _all(evidence)


def _all(evidence: Evidence) -> list[Answer]:
    """Answer what the run can answer: without a known landscape there is no score, say."""
    found, refused = [], []
    for question in QUESTIONS.values():
        try:
            found.append(question.answers(evidence))
        except UserError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found


def standing(results: str | Path, run: str) -> Answer | None:
    """Return the mean scores of run `run`; None where no landscape is known or nobody competes.

    Raises:
        StoreError: there is no such run, or no results at all.
    """
    with Evidence(Path(results), Asked(run=run)) as evidence:
        known = evidence.index.execute(
            "SELECT count(DISTINCT optimizer) FROM score WHERE run_id = ?", [evidence.run.run_id]
        ).fetchone()
        if known is None or known[0] < 2:
            return None
        return quality.score(evidence)
