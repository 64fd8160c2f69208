"""Reads Optuna's SQLite storages, of any schema since 1.0, without a write or a lock left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from daybreak import UserError, nearest
from daybreak_importers.findings import Findings
from daybreak_importers.optuna_storage.found import FoundStudy, FoundTrial
from daybreak_importers.text import find_number, load_json

__all__ = ["MAGIC", "read_sqlite"]

#: What an SQLite file begins with.
MAGIC = b"SQLite format 3\x00"

_INFINITY = float("inf")
_SPECIAL = {"INF_POS": _INFINITY, "INF_NEG": -_INFINITY, "NAN": float("nan")}


def read_sqlite(path: Path, only: str | None, findings: Findings) -> Iterator[FoundStudy]:
    """Yield the studies of a storage, one at a time with its trials.

    Raises:
        UserError: the file is damaged or no storage of Optuna's, or has no study called `only`.
    """
    # without journals beside it nobody is writing, and no lock is needed (nor a file made for it)
    busy = any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal"))
    mode = "mode=ro" if busy else "mode=ro&immutable=1"
    uri = f"file:{quote(str(path.absolute()))}?{mode}"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            yield from _Storage(connection, path, findings).studies(only)
    except sqlite3.Error as error:
        raise UserError(
            f"the database cannot be read: {error}",
            file=path,
            expected="an SQLite storage of Optuna's",
        ) from error


class _Storage:
    def __init__(self, connection: sqlite3.Connection, path: Path, findings: Findings) -> None:
        self._connection = connection
        self._path = path
        self._findings = findings
        tables = {row[0] for row in self._all("SELECT name FROM sqlite_master WHERE type='table'")}
        if not {"studies", "trials"} <= tables:
            raise UserError(
                "the database is no storage of Optuna's",
                file=path,
                expected="tables studies and trials; there are "
                + (", ".join(sorted(tables)[:8]) or "none"),
            )
        self._columns = {
            table: {row[1] for row in self._all(f"PRAGMA table_info({table})")}
            for table in (
                "studies",
                "study_directions",
                "study_user_attributes",
                "study_system_attributes",
                "trials",
                "trial_values",
                "trial_params",
                "trial_intermediate_values",
                "trial_user_attributes",
                "trial_system_attributes",
            )
        }

    def studies(self, only: str | None) -> Iterator[FoundStudy]:
        rows = self._all("SELECT study_id, study_name FROM studies ORDER BY study_id")
        names = [str(name) for _, name in rows]
        if only is not None and only not in names:
            raise UserError(
                f"there is no study '{only}'",
                file=self._path,
                field="study",
                expected="one of " + ", ".join(names[:10]) if names else "an empty storage",
                nearest=nearest(only, names),
            )
        for study_id, name in rows:
            if only is None or name == only:
                yield self._study(study_id, str(name))

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def _study(self, study_id: int, name: str) -> FoundStudy:
        trials: dict[int, FoundTrial] = {}
        columns = self._columns["trials"]
        number = "number" if "number" in columns else "NULL"
        for trial_id, given, state, began, ended in self._all(
            f"SELECT trial_id, {number}, state, datetime_start, datetime_complete FROM trials "  # noqa: S608
            "WHERE study_id = ? ORDER BY trial_id",
            study_id,
        ):
            place = given if isinstance(given, int) and given >= 0 else len(trials)
            trials[trial_id] = FoundTrial(place, str(state), began=began, ended=ended)
        of_study = "FROM trials t JOIN {} v ON v.trial_id = t.trial_id WHERE t.study_id = ?"
        self._params(study_id, trials, of_study)
        self._values(study_id, trials, of_study)
        self._intermediate(study_id, trials, of_study)
        for table, attribute in (
            ("trial_user_attributes", "user_attrs"),
            ("trial_system_attributes", "system_attrs"),
        ):
            if self._columns[table]:
                query = 'SELECT v.trial_id, v."key", v.value_json ' + of_study.format(table)
                for trial_id, key, value in self._all(query, study_id):
                    getattr(trials[trial_id], attribute)[str(key)] = self._json(value)
        return FoundStudy(
            name,
            self._minimize(study_id),
            self._attributes("study_user_attributes", study_id),
            self._attributes("study_system_attributes", study_id),
            sorted(trials.values(), key=lambda trial: trial.number),
        )

    def _minimize(self, study_id: int) -> tuple[bool, ...]:
        if self._columns["study_directions"]:
            rows = self._all(
                "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective",
                study_id,
            )
        elif "direction" in self._columns["studies"]:
            rows = self._all("SELECT direction FROM studies WHERE study_id = ?", study_id)
        else:
            rows = []
        return tuple(str(row[0]) != "MAXIMIZE" for row in rows) or (True,)

    def _attributes(self, table: str, study_id: int) -> dict[str, Any]:
        if not self._columns[table]:
            return {}
        query = f'SELECT "key", value_json FROM {table} WHERE study_id = ?'  # noqa: S608
        return {str(key): self._json(value) for key, value in self._all(query, study_id)}

    def _json(self, text: Any) -> Any:
        try:
            return load_json(str(text))
        except ValueError:
            return text

    def _params(self, study_id: int, trials: dict[int, FoundTrial], of_study: str) -> None:
        query = "SELECT v.trial_id, v.param_name, v.param_value, v.distribution_json "
        query += of_study.format("trial_params") + " ORDER BY v.param_id"
        for trial_id, name, value, distribution in self._all(query, study_id):
            trial = trials[trial_id]
            number = find_number(value)
            if number is None:
                self._odd(trial, f"no number: parameter {name}")
                continue
            trial.params[str(name)] = number
            trial.distributions[str(name)] = str(distribution)

    def _values(self, study_id: int, trials: dict[int, FoundTrial], of_study: str) -> None:
        columns = self._columns["trial_values"]
        if not columns:
            if "value" in self._columns["trials"]:  # before Optuna 2.2
                query = "SELECT trial_id, value FROM trials WHERE study_id = ?"
                for trial_id, value in self._all(query, study_id):
                    trials[trial_id].values = None if value is None else [value]
            return
        objective = "v.objective" if "objective" in columns else "0"
        kind = "v.value_type" if "value_type" in columns else "'FINITE'"
        query = f"SELECT v.trial_id, {objective}, v.value, {kind} "
        found: dict[int, dict[int, float | None]] = {}
        for trial_id, place, value, special in self._all(
            query + of_study.format("trial_values"), study_id
        ):
            found.setdefault(trial_id, {})[int(place)] = _SPECIAL.get(str(special), value)
        for trial_id, values in found.items():
            trials[trial_id].values = [values.get(i) for i in range(max(values) + 1)]

    def _intermediate(self, study_id: int, trials: dict[int, FoundTrial], of_study: str) -> None:
        columns = self._columns["trial_intermediate_values"]
        if not columns:
            return
        has_kind = "intermediate_value_type" in columns
        kind = "v.intermediate_value_type" if has_kind else "'FINITE'"
        query = f"SELECT v.trial_id, v.step, v.intermediate_value, {kind} "
        for trial_id, step, value, special in self._all(
            query + of_study.format("trial_intermediate_values") + " ORDER BY v.step", study_id
        ):
            number = _SPECIAL.get(str(special), value)
            if number is None:
                number = float("nan")
            trials[trial_id].intermediate[int(step)] = float(number)

    def _odd(self, trial: FoundTrial, what: str) -> None:
        self._findings.remark(self._path.name, f"{what} of trial {trial.number}")
