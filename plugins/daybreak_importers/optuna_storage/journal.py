"""Reads Optuna's journal files: one operation a line, in JSON, replayed here.

The operations and their effects: ``optuna/storages/journal/_storage.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from daybreak import UserError, nearest
from daybreak_importers.findings import Findings
from daybreak_importers.optuna_storage.found import FINISHED, FoundStudy, FoundTrial
from daybreak_importers.text import find_number, load_json

__all__ = ["is_journal", "read_journal", "replay"]

_STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")


def is_journal(first: bytes) -> bool:
    """Return whether a file that begins so is a journal."""
    line = first.lstrip().split(b"\n", 1)[0]
    return line.startswith(b"{") and b'"op_code"' in line


def read_journal(path: Path, only: str | None, findings: Findings) -> Iterator[FoundStudy]:
    """Yield the studies of a journal.

    Lines that cannot be read, as a crashed writer leaves them, are reported and passed over.

    Raises:
        UserError: the file cannot be read, or has no study called `only`.
    """
    try:
        with path.open("rb") as file:
            studies = replay(file, path.name, findings)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=path) from error
    names = [study.name for study in studies]
    if only is not None and only not in names:
        raise UserError(
            f"there is no study '{only}'",
            file=path,
            field="study",
            expected="one of " + ", ".join(names[:10]) if names else "an empty storage",
            nearest=nearest(only, names),
        )
    yield from (study for study in studies if only is None or study.name == only)


def replay(lines: Iterator[bytes] | Any, file: str, findings: Findings) -> list[FoundStudy]:
    """Return the studies after all operations; never raises, whatever the lines are."""
    replayed = _Replayed()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            operation = load_json(line.decode("utf-8", "replace"))
        except ValueError as error:
            end = "" if line.endswith(b"\n") else "cut in the middle: "
            findings.leave_out(file, f"{end}damaged line".strip(), str(error), line=number)
            continue
        problem = replayed.apply(operation)
        if problem is not None:
            findings.leave_out(file, "operation that makes no sense", problem, line=number)
    return list(replayed.studies.values())


class _Replayed:
    """The storage as it is after some operations."""

    def __init__(self) -> None:
        self.studies: dict[int, FoundStudy] = {}
        self._next_study = 0
        self._trials: list[FoundTrial] = []
        self._of: list[FoundStudy] = []
        self._operations: dict[int, Callable[[Mapping[str, Any]], None]] = {
            0: self._create_study,
            1: self._delete_study,
            2: self._study_user_attr,
            3: self._study_system_attr,
            4: self._create_trial,
            5: self._param,
            6: self._state,
            7: self._intermediate,
            8: self._user_attr,
            9: self._system_attr,
            10: lambda _: None,
        }

    def apply(self, operation: Any) -> str | None:
        """Apply one operation; return what is wrong with it, if anything."""
        if not isinstance(operation, dict):
            return "no JSON object"
        code = operation.get("op_code")
        apply = self._operations.get(code) if isinstance(code, int) else None
        if apply is None:
            return f"unknown op_code {str(code)[:20]}"
        try:
            apply(operation)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            return f"op_code {code}: {type(error).__name__} {str(error)[:80]}"
        return None

    def _create_study(self, given: Mapping[str, Any]) -> None:
        name = str(given["study_name"])
        if any(study.name == name for study in self.studies.values()):
            return  # two workers created it; the first one counts
        minimize = tuple(direction != 2 for direction in given["directions"]) or (True,)
        self.studies[self._next_study] = FoundStudy(name, minimize, {}, {})
        self._next_study += 1

    def _delete_study(self, given: Mapping[str, Any]) -> None:
        self.studies.pop(given["study_id"], None)

    def _study_user_attr(self, given: Mapping[str, Any]) -> None:
        study = self.studies.get(given["study_id"])
        if study is not None:
            study.user_attrs = {**study.user_attrs, **given["user_attr"]}

    def _study_system_attr(self, given: Mapping[str, Any]) -> None:
        study = self.studies.get(given["study_id"])
        if study is not None:
            study.system_attrs = {**study.system_attrs, **given["system_attr"]}

    def _create_trial(self, given: Mapping[str, Any]) -> None:
        study = self.studies.get(given["study_id"])
        if study is None:
            return
        values = given.get("values")
        if values is None and given.get("value") is not None:
            values = [given["value"]]
        trial = FoundTrial(
            number=len(study.trials),
            state=_STATES[given.get("state", 0)],
            distributions={str(k): str(v) for k, v in (given.get("distributions") or {}).items()},
            params={str(k): float(v) for k, v in (given.get("params") or {}).items()},
            values=None if values is None else [_real(value) for value in values],
            intermediate={
                int(step): _real(value)
                for step, value in (given.get("intermediate_values") or {}).items()
            },
            user_attrs=dict(given.get("user_attrs") or {}),
            system_attrs=dict(given.get("system_attrs") or {}),
            began=given.get("datetime_start"),
            ended=given.get("datetime_complete"),
        )
        study.trials.append(trial)
        self._trials.append(trial)
        self._of.append(study)

    def _open_trial(self, given: Mapping[str, Any]) -> FoundTrial | None:
        """Return the trial, None where it has finished or never was: such operations do nothing."""
        place = given["trial_id"]
        if not isinstance(place, int) or not 0 <= place < len(self._trials):
            return None
        trial = self._trials[place]
        return None if trial.state in FINISHED else trial

    def _param(self, given: Mapping[str, Any]) -> None:
        trial = self._open_trial(given)
        if trial is not None:
            value = find_number(given["param_value_internal"])
            if value is None:
                raise ValueError("the parameter is no number")
            name = str(given["param_name"])
            trial.params[name], trial.distributions[name] = value, str(given["distribution"])

    def _state(self, given: Mapping[str, Any]) -> None:
        trial = self._open_trial(given)
        if trial is None:
            return
        state = _STATES[given["state"]]
        if state == trial.state == "RUNNING":
            return
        if state == "RUNNING":
            trial.began = given.get("datetime_start")
        elif state in FINISHED:
            trial.ended = given.get("datetime_complete")
        trial.state = state
        if given.get("values") is not None:
            trial.values = [_real(value) for value in given["values"]]

    def _intermediate(self, given: Mapping[str, Any]) -> None:
        trial = self._open_trial(given)
        if trial is not None:
            trial.intermediate[int(given["step"])] = _real(given["intermediate_value"])

    def _user_attr(self, given: Mapping[str, Any]) -> None:
        trial = self._open_trial(given)
        if trial is not None:
            trial.user_attrs.update(given["user_attr"])

    def _system_attr(self, given: Mapping[str, Any]) -> None:
        trial = self._open_trial(given)
        if trial is not None:
            trial.system_attrs.update(given["system_attr"])


def _real(value: Any) -> float:
    """Return a number that may be infinite or NaN, as Python's JSON writes them."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    return float(value)
