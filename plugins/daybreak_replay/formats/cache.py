"""Reads Kernel Tuner's cache files: a header and one entry per configuration.

`cache` maps ``"16,4,1"`` to the parameters, what was measured (`time`, `times`, `GFLOP/s`, ...)
and how long it took (`compile_time`, `verification_time`, `benchmark_time`, `framework_time`), all
times in milliseconds. A failed configuration has the name of an error class in the place of the
objective, newer files also in `__error__`.

Source: Kernel Tuner 1.5.0 `util.py`, `process_cache`, `store_cache`, `read_cache`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybreak import FailureKind, UserError, nearest
from daybreak_replay.formats.json_items import Document
from daybreak_replay.formats.kernel_tuner import (
    OUTSIDE,
    choose_metrics,
    failure_of,
    is_time,
    known_version,
    marks_failure,
    samples_of,
)
from daybreak_replay.recording import Recording, Row, nothing_measured
from daybreak_replay.units import seconds_per, time_unit

__all__ = ["is_cache", "read_cache"]

_PHASES = {
    "compile_time": "build",
    "verification_time": "verify",
    "benchmark_time": "measure",
    "framework_time": "framework",
}
_ERROR = "__error__"
#: What entries hold besides parameters and measurements.
_OTHER = frozenset({*_PHASES, _ERROR, "strategy_time", "timestamp", "times", "optimal"})
_HEADER = frozenset({"tune_params_keys", "tune_params", "cache", "kernel_name", "device_name"})


def is_cache(document: Document) -> bool:
    """Say whether the file looks like a cache of Kernel Tuner."""
    return document.name == "cache" or "tune_params_keys" in document.members


def read_cache(
    file: str,
    document: Document,
    *,
    unit: str | None = None,
    described: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recording:
    """Return what a cache file holds.

    Args:
        file: for messages.
        document: read item by item, the long member being `cache`.
        unit: the unit of the file's times; milliseconds unless given.
        described: the user's description of objectives: `unit`, `direction` by name.

    Raises:
        UserError: not such a file, an unknown version, or an entry that contradicts its key;
            names file and entry.
    """
    header = document.members
    version = header.get("schema_version")
    if not known_version(version):
        raise UserError(
            f"a cache of version {version} is not known",
            file=file,
            field="schema_version",
            expected="1.0.0, 1.1.0 or another 1.x",
        )
    if document.name != "cache" or not document.items:
        raise UserError("this cache has no entries", file=file, field="cache")
    if document.items[0][0] is None:
        raise UserError(
            "`cache` is a list",
            file=file,
            field="cache",
            expected='an object with an entry for each configuration, {"16,4,1": {...}}',
        )
    keys = _keys(file, document)
    factor = seconds_per(unit or "ms", field="time_unit", file=file)
    reader = _Reader(file, keys, factor)
    rows = [reader.row(n, key or "", entry) for n, (key, entry) in enumerate(document.items)]
    chosen = time_unit(unit or "ms") or "ms"
    stated = header.get("objective")
    listed = stated if isinstance(stated, list) else [stated]
    objectives = [one for one in listed if isinstance(one, str) and one] or ["time"]
    if all(row.failure is not None or row.outside for row in rows):
        raise nothing_measured(file, "entries", rows)
    found = {name: (chosen if is_time(name) else "") for name in reader.found}
    metrics, objectives_, notes = choose_metrics(file, found, objectives, chosen, described or {})
    known = {metric.name for metric in metrics}
    for row in rows:
        row.samples = {name: row.samples[name] for name in row.samples if name in known}
    if unit is None:
        notes.append("Times are taken as milliseconds, as Kernel Tuner writes them.")
    if document.cut:
        notes.append(
            f"The file was cut short: it is read up to its last whole entry ({len(rows)})."
        )
    facts = {"format": "Kernel Tuner cache", "time_unit": chosen}
    for name in ("device_name", "kernel_name", "problem_size"):
        if header.get(name) is not None:
            facts[name] = str(header[name])
    declared = header.get("tune_params")
    return Recording(
        file=file,
        unit="entry",
        parameters=keys,
        rows=rows,
        metrics=metrics,
        objectives=objectives_,
        declared=_declared(file, keys, declared) if isinstance(declared, Mapping) else {},
        notes=[*notes, *reader.notes()],
        facts=facts,
    )


def _keys(file: str, document: Document) -> tuple[str, ...]:
    keys = document.members.get("tune_params_keys")
    if keys is None and isinstance(document.members.get("tune_params"), Mapping):
        keys = list(document.members["tune_params"])
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise UserError(
            "this cache does not say what its parameters are",
            file=file,
            field="tune_params_keys",
            expected='a list of names, e.g. ["block_size_x", "tile_size"]',
        )
    return tuple(keys)


def _declared(
    file: str, keys: Sequence[str], values: Mapping[str, Any]
) -> dict[str, Sequence[Any]]:
    for key in keys:
        if not isinstance(values.get(key), list) or not values[key]:
            raise UserError(
                f"no values are declared for the parameter '{key}'",
                file=file,
                field="tune_params",
                expected="a list of values for each of " + ", ".join(keys),
                nearest=nearest(key, values),
            )
    return {key: values[key] for key in keys}


class _Reader:
    def __init__(self, file: str, keys: tuple[str, ...], factor: float) -> None:
        self._file = file
        self._keys = keys
        self._other = _OTHER.union(keys)
        self._factor = factor
        self.found: dict[str, None] = {}
        self._marked = 0

    def notes(self) -> list[str]:
        if not self._marked:
            return []
        return [
            f"{self._marked} entries have a time of 1e20 or more, the mark of older versions for "
            "a failed configuration; they count as crashes."
        ]

    def _fail(self, number: int, key: str, message: str, **more: Any) -> UserError:
        return UserError(f'entry {number} ("{key}"): {message}', file=self._file, **more)

    def row(self, number: int, key: str, entry: Any) -> Row:
        if not isinstance(entry, Mapping):
            raise self._fail(number, key, f"this is no object but {entry!r}")
        missing = [name for name in self._keys if name not in entry]
        if missing:
            raise self._fail(
                number,
                key,
                f"it has no value for the parameter '{missing[0]}'",
                expected=", ".join(self._keys),
                nearest=nearest(missing[0], entry),
            )
        configuration = {name: entry[name] for name in self._keys}
        said = ",".join(str(value) for value in configuration.values())
        if said != key and _loosely(said) != _loosely(key):
            raise self._fail(
                number, key, f"its parameters are {said}", expected="the values in its key"
            )
        row = Row(number, configuration)
        for name, phase in _PHASES.items():
            samples = samples_of(entry.get(name)) if entry.get(name) is not None else None
            if samples is not None and len(samples) == 1:
                row.seconds[phase] = samples[0] * self._factor
        for name, value in entry.items():
            if name not in self._other:
                self._take(row, name, value)
        error = entry.get(_ERROR)
        if isinstance(error, str):
            self._mark(row, error)
        elif isinstance(error, Mapping) or error is True:
            self._mark(row, str(error.get("name", "ErrorConfig")) if error is not True else "")
        times = samples_of(entry.get("times") or [])
        main = next((name for name in self.found if is_time(name)), "time")
        if times and row.failure is None and not row.outside:
            row.samples[main] = times
            self.found.setdefault(main)
        if row.failure is not None or row.outside:
            row.samples = {}
        return row

    def _take(self, row: Row, name: str, value: Any) -> None:
        if isinstance(value, str):
            if value in OUTSIDE or failure_of(value) is not None:
                self.found.setdefault(name)
                self._mark(row, value)
            return
        samples = samples_of(value)
        if samples is None:
            return
        self.found.setdefault(name)
        if is_time(name) and any(map(marks_failure, samples)):
            self._marked += 1
            row.failure = FailureKind.CRASH
            row.message = f"recorded as failed: {name} {samples[0]:g}"
        else:
            row.samples[name] = samples

    def _mark(self, row: Row, word: str) -> None:
        if word in OUTSIDE:
            row.outside = True
            return
        row.failure = row.failure or failure_of(word) or FailureKind.CRASH
        row.message = f"recorded as failed: {word or 'error'}"


def _loosely(key: str) -> str:
    """Return a key without what different writers spell differently: spaces, 2.0 for 2, case."""
    parts = []
    for part in key.replace(" ", "").lower().split(","):
        try:
            parts.append(repr(float(part)))
        except ValueError:
            parts.append(part.strip("'\""))
    return ",".join(parts)
