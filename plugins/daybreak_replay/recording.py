"""What a reader takes out of a file, before it becomes a table: rows, metrics, declared values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daybreak import FailureKind, Metric, UserError

__all__ = ["PHASES", "Recording", "Row", "nothing_measured", "refusal", "show"]

#: The phases whose seconds a recording may have.
PHASES = ("build", "verify", "measure", "framework")


@dataclass(slots=True)
class Row:
    """One recorded measurement.

    Attributes:
        place: how the file counts it: the number of a result from 0, the line of a CSV file.
        configuration: a value for every parameter.
        samples: repetitions by metric, in the metric's unit.
        failure: why it failed; None: it succeeded, or `bad` says why that is not known.
        message: one line about the failure.
        seconds: by phase, as far as recorded.
        outside: the file says that the configuration is not in its space (a known constraint).
    """

    place: int
    configuration: dict[str, Any]
    samples: dict[str, list[float]] = field(default_factory=dict)
    failure: FailureKind | None = None
    message: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    outside: bool = False
    bad: str = ""


@dataclass(slots=True)
class Recording:
    """All that a reader found.

    Attributes:
        file: for messages.
        unit: what a row is called in messages: `result`, `line`, `row`.
        parameters: in order.
        rows: in the file's order.
        metrics: every metric that the rows may have samples of, objectives first.
        objectives: names of the objectives as the file states them; the first one ranks.
        declared: values that the file says each parameter may take.
        space: description of the search space (`Space.to_dict`) if the file has one.
        references: named configurations that the file has.
        notes: sentences for whoever uses the table.
        facts: what the file says of itself: device, kernel.
    """

    file: str
    unit: str
    parameters: tuple[str, ...]
    rows: list[Row]
    metrics: tuple[Metric, ...]
    objectives: tuple[str, ...]
    declared: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    space: Mapping[str, Any] | None = None
    references: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


def show(configuration: Mapping[str, Any]) -> str:
    """Write a configuration in one line."""
    return ", ".join(f"{name}={value}" for name, value in configuration.items())


def nothing_measured(file: str, unit: str, rows: Sequence[Row]) -> UserError:
    """Return the error for a file of failures only; `unit` is what its rows are called."""
    outside = sum(row.outside for row in rows)
    return UserError(
        f"none of its {len(rows)} {unit} was measured: {len(rows) - outside} failed, {outside} "
        "violate a constraint",
        file=file,
        expected="at least one successful measurement",
    )


def refusal(recording: Recording, row: Row, message: str, **more: Any) -> UserError:
    """Return the error for one row: names the file and how it counts the row."""
    if recording.unit == "line":
        return UserError(message, file=recording.file, line=row.place, **more)
    return UserError(f"{recording.unit} {row.place}: {message}", file=recording.file, **more)
