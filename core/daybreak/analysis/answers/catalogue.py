"""Every question that `daybreak analyze` answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from daybreak.analysis.answers import causes, cost, fronts, leagues, quality, training
from daybreak.analysis.answers.shape import Answer, Asked, Evidence
from daybreak.analysis.curves import CLOCKS
from daybreak.errors import UserError, nearest

__all__ = ["GROUPS", "QUESTIONS", "SHOOTOUT", "TRAINING", "Question", "answer", "standing"]

#: Asks all questions about searches.
SHOOTOUT = "shootout"
#: Asks all questions about training runs.
TRAINING = "training"
#: What each of them asks.
GROUPS = {SHOOTOUT: "all of a search", TRAINING: "all of training runs"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question by `name`: what it asks, what answers it, and the one of `GROUPS` that it is in."""

    name: str
    summary: str
    answers: Callable[[Evidence], Answer]
    group: str = SHOOTOUT


def _of_training(name: str, summary: str, answers: Callable[[Evidence], Answer]) -> Question:
    return Question(name, summary, answers, TRAINING)


QUESTIONS = {
    question.name: question
    for question in (
        Question("score", "how good after so many evaluations: 0 random, 1 optimum", quality.score),
        Question("score-by-benchmark", "the same on each benchmark", quality.score_by_benchmark),
        Question("ranks", "who is ahead of whom, and how surely", quality.ranking),
        Question("speedup", "by how much fewer evaluations to get as far", quality.speedup),
        Question("ecdf", "share of targets reached", quality.ecdf),
        Question("profile", "how often within a factor of the quickest", quality.profile),
        Question("hypervolume", "share of the front, with several objectives", fronts.hypervolume),
        Question("time-to-target", "expected evaluations to a target", cost.time_to_target),
        Question("suggestion-time", "thinking time per evaluation", cost.suggestion_time),
        Question("duplicates", "wasted evaluations and proposals", cost.duplicates),
        Question("failures", "failed evaluations by kind", cost.failures),
        _of_training(
            "time-to-accuracy", "how long training takes, how surely", training.time_to_accuracy
        ),
        _of_training("survival", "who has not got there yet", training.survival),
        _of_training("thresholds", "time against the threshold", training.thresholds),
        _of_training("rank-stability", "the order at other thresholds", training.rank_stability),
        _of_training("variation", "why runs differ: epochs or seconds", causes.variation),
        _of_training("factors", "why it is faster: system x statistical", causes.factors),
        _of_training("scaling", "what more threads or machines give", causes.scaling),
        _of_training("cost", "dollars and joules to target, against time", causes.cost),
        _of_training("rates", "epochs and steps per second, shares of time", causes.rates),
        _of_training("generalisation", "on unseen data", causes.generalisation),
        _of_training("mlperf", "olympic mean, reference convergence", leagues.mlperf),
        _of_training("clock-profile", "who is quickest over all problems", leagues.clock_profile),
    )
}


def answer(name: str, results: str | Path = "results", asked: Asked | None = None) -> list[Answer]:
    """Answer question `name`, or all of a group.

    Args:
        name: a key of `QUESTIONS` or of `GROUPS`.
        results: the results folder.
        asked: which run and benchmarks, at which budgets.

    Raises:
        UserError: there is no such question, or the run cannot answer it.
        StoreError: there is no such run, or no results at all.
    """
    names = [*QUESTIONS, *GROUPS]
    if name not in names:
        raise UserError(
            f"there is no analysis '{name}'",
            expected=f"one of {', '.join(names)}",
            nearest=nearest(name, names),
        )
    asked = asked or Asked()
    group = name if name in GROUPS else QUESTIONS[name].group
    if group == SHOOTOUT and asked.search_clock not in CLOCKS:
        raise UserError(
            f"a search has no clock '{asked.search_clock}'",
            expected=f"one of {', '.join(CLOCKS)}",
            nearest=nearest(asked.search_clock, CLOCKS),
        )
    with Evidence(Path(results), asked) as evidence:
        if name not in GROUPS:
            return [QUESTIONS[name].answers(evidence)]
        return _all(evidence, name)


def _all(evidence: Evidence, group: str) -> list[Answer]:
    """Answer what the run can answer: without a known landscape there is no score, say."""
    found, refused = [], []
    for question in QUESTIONS.values():
        if question.group != group:
            continue
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
