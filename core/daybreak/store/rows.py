"""What the store takes and gives back besides trials: rows of studies, runs and whole run records.

Plain frozen data. Times of day are UTC ISO 8601 strings; everything else of JSON kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak.records import Trial

__all__ = ["RunInfo", "RunRecord", "StudyRecord", "StudyRow"]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One row of the table `studies`.

    Attributes:
        study_id: unique over all runs.
        study_key: hash that a resumed run finds the study by.
        run_id: the run it belongs to; `RunWriter.study` fills it in when empty.
        benchmark: full name `target/benchmark[:instance]`.
        target: the target's name.
        optimizer: the label shown to users, or the label of the reference study.
        component: the registered optimizer.
        seed: the seed.
        role: `optimizer`, or `reference`: its trials measure references and never count as an
            optimizer's evaluations.
        budget: JSON: `evaluations`, `seconds`, `dollars`, `tokens`.
        options: JSON: the optimizer's options.
        protocol: JSON: the measurement protocol.
        thresholds: JSON list: `name`, `value`, `relative_to`, `metric`, `unit` each.
        status: `pending`, `running`, `finished`, `failed`, `interrupted`.
        message: one line, e.g. why it failed.
        started_at: UTC time, if known.
        details: JSON: whatever else is known.
        dollars_per_hour: price of the machine; None: unpriced.
    """

    study_id: str
    study_key: str
    benchmark: str
    target: str
    optimizer: str
    component: str
    seed: int
    run_id: str = ""
    role: str = "optimizer"
    budget: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    thresholds: tuple[Mapping[str, Any], ...] = ()
    status: str = "running"
    message: str | None = None
    started_at: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    dollars_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as the spool knows it.

    `status` is `running`, `finished`, `failed` or `interrupted`; a run that says `running` though
    no process holds its lock was killed, and is given here as `interrupted`. `live` says whether a
    process is writing to it now. `row` holds what `RunWriter.create` was given.
    """

    run_id: str
    suite: str
    suite_key: str
    status: str
    started_at: str
    folder: Path
    finished_at: str | None = None
    machine_id: str | None = None
    environment_id: str | None = None
    live: bool = False
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study with its trials in the order in which they were recorded."""

    row: StudyRow
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """All of one run, for resuming.

    `studies` maps each study's key to its record, in the order of recording; `benchmarks` maps the
    full name to its row, and `landscapes` to what is known of the whole space; `histories`
    are the rows of `RunWriter.history`; `warnings` what the reader of the results must know,
    sentences of the readings. `problems` lists unreadable lines in the middle of a file, one sentence
    each; a torn last line is no problem and not listed.
    """

    info: RunInfo
    studies: Mapping[str, StudyRecord]
    machine: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[Mapping[str, Any], ...] = ()
    benchmarks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    landscapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    histories: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
