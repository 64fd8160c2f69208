"""Making a run's report: its chapters with their sections, not yet a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daybreak.analysis.answers import Asked
from daybreak.analysis.answers.shape import Evidence
from daybreak.errors import UserError
from daybreak.report.figures.style import assigned_strokes
from daybreak.report.sections import CHAPTERS, Absent, Material, Section, make

__all__ = ["Part", "Report", "make_report"]


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter of a report: its anchor, the question that it answers, and what is in it."""

    name: str
    title: str
    sections: tuple[Section, ...]
    absent: tuple[Absent, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run's report.

    Attributes:
        title: one line.
        summary: what ran and how much of it, one line.
        parts: its chapters.
        live: whether the run was going on when it was made.
    """

    title: str
    summary: str
    parts: tuple[Part, ...]
    live: bool = False

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections, in the order of the page."""
        return tuple(section for part in self.parts for section in part.sections)


def make_report(
    results: str | Path = "results", asked: Asked | None = None, study: str | None = None
) -> Report:
    """Make the report of a run.

    Args:
        results: the results folder.
        asked: which run and benchmarks, at which budgets.
        study: id of the study whose model to look into; the first that said something if None.

    Raises:
        UserError: there is no such study, or no benchmark fits.
        StoreError: there is no such run.
        RequirementError: matplotlib is not installed.
    """
    with Evidence(Path(results), asked or Asked()) as evidence:
        run = evidence.run
        if study is not None:
            _check_study(evidence, study)
        material = Material(evidence, study)
        if evidence.asked.benchmark is not None and not material.benchmarks:
            raise UserError(
                f"run '{run.run_id}' has no benchmark '{evidence.asked.benchmark}'",
                expected=f"one of {', '.join(material.all_benchmarks()[:8])}",
            )
        parts = []
        for chapter in CHAPTERS:
            with assigned_strokes(material.entries):
                found = [make(topic, material) for topic in chapter.topics]
            parts.append(
                Part(
                    chapter.name,
                    chapter.title,
                    tuple(one for one in found if isinstance(one, Section)),
                    tuple(one for one in found if isinstance(one, Absent)),
                )
            )
        named = run.suite or run.run_id
        return Report(
            f"{named}: {run.counts}",
            f"run {run.run_id}, {run.status}",
            tuple(parts),
            live=run.status == "running",
        )


def _check_study(evidence: Evidence, study: str) -> None:
    told = evidence.index.execute("SELECT count(*) FROM beliefs WHERE study_id = ?", [study])
    if not (told.fetchone() or (0,))[0]:
        raise UserError(
            f"nothing is recorded of what a model believed in study '{study}'",
            expected="a study of an optimizer that explains itself",
            remedy='daybreak sql "SELECT DISTINCT study_id FROM beliefs"',
        )
