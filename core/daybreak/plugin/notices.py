"""What observers are given: which run, which study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daybreak.records import StudyPlan

__all__ = ["RunNotice", "StudyNotice"]


@dataclass(frozen=True, slots=True)
class RunNotice:
    """A run, as observers see it.

    Attributes:
        run_id: unique name of the run.
        suite: name of the suite.
        suite_key: hash of what makes runs of the suite comparable.
        results: the results folder.
        studies: number of studies planned.
        status: `running`, or how it ended.
        resumed: whether it goes on after an interruption.
    """

    run_id: str
    suite: str
    suite_key: str
    results: Path
    studies: int
    status: str = "running"
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class StudyNotice:
    """A study, as observers see it.

    Attributes:
        study_id: unique name of the study.
        run_id: the run that it belongs to.
        plan: what was asked for.
        status: `running`, or how it ended.
        message: more about how it ended.
        trials: finished trials so far.
        best: best value of the first objective so far, in its unit.
    """

    study_id: str
    run_id: str
    plan: StudyPlan
    status: str = "running"
    message: str = ""
    trials: int = 0
    best: float | None = None
