"""What Kernel Tuner's formats have in common: marks of failure, known objectives, values.

Sources: Kernel Tuner 1.5.0 `util.py` (`ErrorConfig` and its subclasses, `objective_default_map`),
`file_utils.py` (`get_configuration_validity`), `schema/T4/1.0.0/results-schema.json`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from daybreak import Direction, FailureKind, Metric, UserError, nearest

__all__ = [
    "FAILURES",
    "OUTSIDE",
    "as_float",
    "choose_metrics",
    "failure_of",
    "is_time",
    "known_version",
    "marks_failure",
    "number",
    "samples_of",
]

#: Texts in the place of a value, and `invalidity` of T4.
FAILURES = {
    "compile": FailureKind.BUILD,
    "runtime": FailureKind.CRASH,
    "timeout": FailureKind.TIMEOUT,
    "correctness": FailureKind.WRONG_RESULT,
    "CompilationFailedConfig": FailureKind.BUILD,
    "RuntimeFailedConfig": FailureKind.CRASH,
    "ErrorConfig": FailureKind.CRASH,
}
#: Those that say that the configuration is not in the space at all.
OUTSIDE = frozenset({"constraints", "InvalidConfig"})

# parts of error names that tools derived from Kernel Tuner use
_PARTS = (
    ("compil", FailureKind.BUILD),
    ("build", FailureKind.BUILD),
    ("timeout", FailureKind.TIMEOUT),
    ("timedout", FailureKind.TIMEOUT),
    ("correct", FailureKind.WRONG_RESULT),
    ("verif", FailureKind.WRONG_RESULT),
    ("validation", FailureKind.WRONG_RESULT),
    ("memory", FailureKind.MEMORY),
    ("resource", FailureKind.RESOURCE),
    ("runtime", FailureKind.CRASH),
    ("launch", FailureKind.CRASH),
    ("crash", FailureKind.CRASH),
)

#: Older versions of Kernel Tuner put this, and the largest float, for the time of a failure.
_LARGE = 1e20

_NUMBERS = {int, float}

_MINIMIZE, _MAXIMIZE = Direction.MINIMIZE, Direction.MAXIMIZE
#: Unit and direction of what Kernel Tuner measures under these names; times are in the file's unit.
_KNOWN = {
    "energy": ("J", _MINIMIZE),
    "fitness": ("1", _MAXIMIZE),
    "cost": ("1", _MINIMIZE),
    "loss": ("1", _MINIMIZE),
    "GFLOP/s": ("GFLOP/s", _MAXIMIZE),
    "TFLOP/s": ("TFLOP/s", _MAXIMIZE),
    "GB/s": ("GB/s", _MAXIMIZE),
    "TB/s": ("TB/s", _MAXIMIZE),
    "GFLOPS/W": ("GFLOPS/W", _MAXIMIZE),
    "TFLOPS/W": ("TFLOPS/W", _MAXIMIZE),
    "GFLOP/J": ("GFLOP/J", _MAXIMIZE),
    "TFLOP/J": ("TFLOP/J", _MAXIMIZE),
}
_TIMES = frozenset({"time", "runtime", "run_time", "kernel_time", "duration", "execution_time"})


def is_time(name: str) -> bool:
    """Say whether a measurement of this name is the kernel's time, whose repetitions are kept."""
    return name.lower() in _TIMES


def failure_of(text: str) -> FailureKind | None:
    """Return the kind of failure that the name of an error stands for; None: no error's name."""
    if text in FAILURES:
        return FAILURES[text]
    if not text.endswith(("Config", "Error", "Exception", "Failed", "Failure")):
        return None
    lowered = text.lower()
    return next((kind for part, kind in _PARTS if part in lowered), FailureKind.CRASH)


def number(value: Any) -> float | None:
    """Return a JSON number as a float; None if it is something else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return as_float(value)


def as_float(value: float) -> float:
    """Return a JSON number as a float; a whole number too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def known_version(version: Any) -> bool:
    """Say whether a file of this `schema_version` is read: 1, however it is written, or none."""
    if isinstance(version, bool):
        return False
    return version is None or str(version).partition(".")[0] == "1"


def samples_of(value: Any) -> list[float] | None:
    """Return a number or a list of numbers as samples; None if it is something else."""
    single = number(value)
    if single is not None:
        return [single]
    if isinstance(value, list):
        kinds = set(map(type, value))
        if kinds <= _NUMBERS:
            return list(map(as_float, value)) if int in kinds else value
    return None


def marks_failure(value: float) -> bool:
    """Say whether a time is the mark that older versions put for a failed configuration."""
    return math.isfinite(value) and value >= _LARGE


def choose_metrics(
    file: str,
    found: Mapping[str, str],
    stated: Sequence[str],
    unit: str,
    described: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[tuple[Metric, ...], tuple[str, ...], list[str]]:
    """Return the metrics of a file, objectives first; the objectives; and notes.

    Args:
        file: for messages.
        found: names that the rows have values of, with the unit that the file states ("" if none).
        stated: objectives as the file states them.
        unit: the file's unit of time.
        described: the user's description of metrics: `unit`, `direction` by name; its names are
            the objectives if there are any.
        known: unit and direction by name as the file itself states them.

    Raises:
        UserError: an objective that the rows have no values of, or whose direction is not known.
    """
    objectives = tuple(described) or tuple(stated)
    for name in objectives:
        if name not in found:
            raise UserError(
                f"no row has a value of the objective '{name}'",
                file=file,
                field="objectives",
                expected="one of " + ", ".join(found) if found else None,
                nearest=nearest(name, found),
            )
    metrics: list[Metric] = []
    unknown: list[str] = []
    for name in (*objectives, *(other for other in found if other not in objectives)):
        one = {**(known or {}).get(name, {}), **described.get(name, {})}
        metric = _metric(name, found[name], unit, one)
        if metric is not None:
            metrics.append(metric)
        elif name in objectives:
            raise UserError(
                f"the file does not say whether the objective '{name}' is better high or low",
                file=file,
                field="objectives",
                expected="unit and direction of every objective",
                remedy=f"option `objectives: {{{name}: {{unit: UNIT, direction: maximize}}}}`",
            )
        else:
            unknown.append(name)
    notes = []
    if unknown:
        notes.append(
            "Left out, since unit or direction are not known (name them in `objectives`): "
            + ", ".join(unknown)
            + "."
        )
    return tuple(metrics), objectives, notes


def _metric(name: str, stated: str, unit: str, given: Mapping[str, Any]) -> Metric | None:
    known_unit, direction = _KNOWN.get(name, (None, None))
    if direction is None and is_time(name):
        known_unit, direction = unit, _MINIMIZE
    if given.get("direction") is not None:
        direction = Direction(given["direction"])
    chosen = given.get("unit") or stated or known_unit
    return None if direction is None or not chosen else Metric(name, chosen, direction)
