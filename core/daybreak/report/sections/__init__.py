"""The sections of a report, by chapter: each a figure or a table with words on what to look for.

A section is a `Topic`; where a run has nothing to say there, the page says why in one line.
`CHAPTERS` lists them in the order of the page.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from daybreak.errors import RequirementError, UserError
from daybreak.report.sections import (
    causes,
    cost,
    failing,
    fronts,
    leagues,
    learning,
    overview,
    progress,
    provenance,
    search,
    surety,
    training,
)
from daybreak.report.sections.shape import (
    Absent,
    Body,
    Data,
    Material,
    Nothing,
    Section,
    Topic,
    topic,
)

__all__ = [
    "CHAPTERS",
    "Absent",
    "Body",
    "Chapter",
    "Data",
    "Material",
    "Nothing",
    "Section",
    "Topic",
    "make",
    "topic",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter: its name (of its anchor), the question that it answers, and its topics."""

    name: str
    title: str
    topics: tuple[Topic, ...]


#: every section, in the order of the page
CHAPTERS = (
    Chapter("brief", "In brief", (overview.brief, overview.leaderboard, failing.warnings)),
    Chapter(
        "how-long",
        "How long?",
        (
            training.time_to_target,
            learning.learning_curves,
            training.thresholds,
            training.still_on_the_way,
            leagues.clock_profile,
            progress.best_so_far,
            progress.best_by_time,
            fronts.hypervolume,
            search.score,
            search.score_by_benchmark,
            search.score_by_time,
            search.ecdf,
            search.profile,
        ),
    ),
    Chapter(
        "how-surely",
        "How surely?",
        (
            causes.variation,
            leagues.stability,
            causes.generalisation,
            leagues.by_the_rules,
            search.ranks,
            surety.scatter,
        ),
    ),
    Chapter(
        "why",
        "Why faster?",
        (
            causes.factors,
            causes.scaling,
            causes.rates,
            search.speedup,
            cost.peak,
            search.beliefs,
        ),
    ),
    Chapter(
        "cost",
        "At what cost?",
        (causes.spending, cost.compromises, cost.where_time_went, search.suggestion_time),
    ),
    Chapter("failed", "What failed?", (failing.failures,)),
    Chapter(
        "setting",
        "On what, and with what?",
        (
            provenance.problems,
            provenance.machine,
            provenance.environment,
            provenance.plugins,
            provenance.suite,
        ),
    ),
)


def make(topic: Topic, material: Material) -> Section | Absent:
    """Make a section; where that is not possible, say why in one line.

    A fault in one section never takes the others: it is logged and named on the page.
    """
    try:
        return Section(topic.name, topic.title, topic.make(material))
    except Nothing as reason:
        return Absent(topic.name, topic.title, str(reason))
    except RequirementError:
        raise
    except UserError as error:
        return Absent(topic.name, topic.title, error.message)
    except Exception as error:
        _log.exception("section '%s' of the report could not be made", topic.name)
        return Absent(
            topic.name,
            topic.title,
            f"could not be made, a fault of Daybreak's: {type(error).__name__}: {error}",
        )
