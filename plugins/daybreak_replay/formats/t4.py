"""Reads the auto-tuning community's result format T4, as Kernel Tuner and its hub write it.

A file has `results`: for every configuration `configuration`, `times` (`compilation`,
`validation`, `framework`, `runtimes`, in newer files also `benchmark`), `invalidity`,
`correctness`, `measurements` (`name`, `value`, `unit`) and `objectives`.

Source: github.com/odgaard/TuningSchema, `results-schema.json` 1.0.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from daybreak import FailureKind, UserError, nearest
from daybreak_replay.formats.json_items import Document
from daybreak_replay.formats.kernel_tuner import (
    FAILURES,
    OUTSIDE,
    choose_metrics,
    failure_of,
    is_time,
    known_version,
    samples_of,
)
from daybreak_replay.recording import Recording, Row, nothing_measured
from daybreak_replay.units import TIME_UNITS, seconds_per, time_unit

__all__ = ["OWN", "is_t4", "read_t4"]

#: The member of a result in which Daybreak's exporter keeps what T4 has no word for.
OWN = "daybreak"

_VALID = "correct"
_WORDS = ("timeout", "compile", "runtime", "correctness", "constraints", _VALID)
#: Where the seconds of a phase are found: first name that is there. The schema says
#: `compilation_time`, all writers `compilation`.
_PHASES = {
    "build": ("compilation", "compilation_time", "compile"),
    "verify": ("validation", "verification"),
    "measure": ("benchmark",),
    "framework": ("framework",),
}


def is_t4(document: Document) -> bool:
    """Say whether the file looks like T4."""
    if document.name not in ("results", ""):
        return False
    return not document.items or isinstance(document.items[0][1], Mapping)


def read_t4(
    file: str,
    document: Document,
    *,
    unit: str | None = None,
    described: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recording:
    """Return what a T4 file holds.

    Args:
        file: for messages.
        document: read item by item, the long member being `results`.
        unit: the file's unit of time, where it states none or a wrong one.
        described: the user's description of objectives: `unit`, `direction` by name.

    Raises:
        UserError: an unknown version, unit or word; a result without a configuration; names file
            and result.
    """
    _check_version(file, document)
    results = [value for _, value in document.items]
    if not results:
        raise UserError("this file holds no results", file=file, field="results")
    chosen = unit or _stated_unit(file, document, results)
    factor = seconds_per(chosen, field="metadata.timeunit", file=file)
    own = _own(document)
    reader = _Reader(file, time_unit(chosen) or chosen, factor, own.get("runtimes"))
    rows = [reader.row(number, result) for number, result in enumerate(results)]
    if all(row.failure is not None or row.outside for row in rows):
        raise nothing_measured(file, "results", rows)
    metrics, objectives, notes = choose_metrics(
        file,
        reader.found,
        reader.objectives or ["time"],
        reader.unit,
        described or {},
        own["known"],
    )
    known = {metric.name for metric in metrics}
    for row in rows:
        row.samples = {name: row.samples[name] for name in row.samples if name in known}
    return Recording(
        file=file,
        unit="result",
        parameters=reader.parameters,
        rows=rows,
        metrics=metrics,
        objectives=objectives,
        notes=[*notes, *reader.notes()],
        facts={"format": "T4", "time_unit": reader.unit},
    )


def _check_version(file: str, document: Document) -> None:
    version = document.members.get("schema_version")
    if not known_version(version):
        raise UserError(
            f"T4 of version {version} is not known",
            file=file,
            field="schema_version",
            expected="1.0.0, or another 1.x",
        )


def _stated_unit(file: str, document: Document, results: Sequence[Any]) -> str:
    metadata = document.members.get("metadata")
    for holder in (metadata, document.members):
        if isinstance(holder, Mapping):
            for name in ("timeunit", "time_unit", "timeUnit", "TimeUnit"):
                if isinstance(holder.get(name), str):
                    return str(holder[name])
    for result in results[:100]:
        for one in _measurements(result):
            if is_time(str(one.get("name"))) and time_unit(str(one.get("unit", ""))):
                return str(one["unit"])
    raise UserError(
        "the file does not say in which unit its times are",
        file=file,
        field="metadata.timeunit",
        expected="one of " + ", ".join(TIME_UNITS),
        remedy="option `time_unit: ms` (what Kernel Tuner writes)",
    )


def _own(document: Document) -> dict[str, Any]:
    """Return what Daybreak's exporter adds: whose repetitions `runtimes` are, and the metrics."""
    metadata = document.members.get("metadata")
    own = metadata.get(OWN) if isinstance(metadata, Mapping) else None
    if not isinstance(own, Mapping):
        return {"known": {}}
    metrics = own.get("metrics")
    known = {
        str(one["name"]): {"unit": one.get("unit"), "direction": one.get("direction")}
        for one in (metrics if isinstance(metrics, list) else ())
        if isinstance(one, Mapping) and one.get("direction") in ("minimize", "maximize")
    }
    return {"runtimes": own.get("runtimes"), "known": known}


def _measurements(result: Any) -> list[Mapping[str, Any]]:
    listed = result.get("measurements") if isinstance(result, Mapping) else None
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _objectives(result: Mapping[str, Any]) -> list[str]:
    """Return the names of a result's objectives: a list of them, a mapping by them, or one name."""
    listed = result.get("objectives")
    if isinstance(listed, str):
        return [listed]
    if not isinstance(listed, list | Mapping):
        return []
    return [name for name in listed if isinstance(name, str)]


class _Reader:
    """Makes rows of results, and remembers what all of them have in common."""

    def __init__(self, file: str, unit: str, factor: float, main: str | None) -> None:
        self._file = file
        self._main = main
        self.unit = unit
        self._factor = factor
        self.parameters: tuple[str, ...] = ()
        self._names: frozenset[str] = frozenset()
        self.found: dict[str, str] = {}
        self.objectives: list[str] = []
        self._doubtful = 0
        self._differs = 0

    def notes(self) -> list[str]:
        notes = []
        if self._doubtful:
            notes.append(
                f"{self._doubtful} results have `invalidity: correct` and `correctness: 0`; they "
                "count as correct."
            )
        if self._differs:
            notes.append(
                f"In {self._differs} results the reported time lies outside its own repetitions; "
                "the repetitions count."
            )
        return notes

    def _fail(self, number: int, message: str, **more: Any) -> UserError:
        return UserError(f"result {number}: {message}", file=self._file, **more)

    def row(self, number: int, result: Any) -> Row:
        if not isinstance(result, Mapping) or not isinstance(result.get("configuration"), Mapping):
            raise self._fail(
                number,
                "this is no T4 result: it has no `configuration`",
                expected="an object with configuration, times, invalidity, measurements",
            )
        configuration = dict(result["configuration"])
        if not self.parameters:
            if not configuration:
                raise self._fail(
                    number,
                    "its configuration has no parameters",
                    expected='a configuration such as {"block_size_x": 32}',
                )
            self.parameters = tuple(configuration)
            self._names = frozenset(configuration)
        elif configuration.keys() != self._names:
            self._wrong_names(number, configuration)
        row = Row(number, configuration)
        times = result.get("times")
        if isinstance(times, Mapping):
            self._take_times(row, times)
        self._judge(row, result.get("invalidity", _VALID), result)
        self._take_measurements(row, result)
        self._take_own(row, result.get(OWN))
        for name in _objectives(result):
            if name not in self.objectives:
                self.objectives.append(name)
        return row

    def _wrong_names(self, number: int, configuration: Mapping[str, Any]) -> None:
        odd = sorted(configuration.keys() ^ self._names)
        extra = [name for name in odd if name in configuration]
        name = extra[0] if extra else odd[0]
        raise self._fail(
            number,
            f"its configuration has {'another' if extra else 'no'} parameter '{name}'",
            expected=", ".join(self.parameters),
            nearest=nearest(name, self._names) if extra else None,
        )

    def _take_times(self, row: Row, times: Mapping[str, Any]) -> None:
        for phase, names in _PHASES.items():
            value = next((times[name] for name in names if times.get(name) is not None), None)
            if value is None:
                continue
            samples = samples_of(value)
            if samples is None or len(samples) != 1:
                raise self._fail(row.place, f"its time of {names[0]} is {value!r}, no number")
            row.seconds[phase] = samples[0] * self._factor
        runtimes = samples_of(times.get("runtimes") or [])
        if runtimes is None:
            raise self._fail(row.place, "times.runtimes: not a list of numbers")
        if runtimes:
            row.samples["time"] = runtimes

    def _judge(self, row: Row, word: Any, result: Mapping[str, Any]) -> None:
        if word == _VALID:
            self._doubtful += result.get("correctness") == 0
        elif isinstance(word, str) and word in OUTSIDE:
            row.outside = True
        elif isinstance(word, str) and failure_of(word) is not None:
            row.failure = FAILURES.get(word) or failure_of(word)
            row.message = f"recorded as invalid: {word}"
        else:
            raise self._fail(
                row.place,
                f"invalidity is {word!r}",
                expected="one of " + ", ".join(_WORDS),
                nearest=nearest(str(word), _WORDS),
            )

    def _take_measurements(self, row: Row, result: Mapping[str, Any]) -> None:
        runtimes = row.samples.pop("time", None)
        main = self._main or next((name for name in _objectives(result) if is_time(name)), "time")
        for one in _measurements(result):
            name, value = str(one.get("name")), one.get("value")
            stated = str(one.get("unit") or "").strip()
            if isinstance(value, str):
                self._take_word(row, value)
                continue
            samples = samples_of(value)
            if samples is None:
                continue  # texts, devices, lists of lists: nothing that could be an objective
            if name == main and runtimes and len(samples) == 1:
                self._compare(samples[0], stated, runtimes)
                row.samples[name] = runtimes
                self.found[name] = self.unit
                continue
            if row.failure is None:
                row.samples[name] = samples
            if not self.found.get(name):
                self.found[name] = self.unit if is_time(name) and not stated else stated
        if runtimes and main not in row.samples:
            row.samples[main] = runtimes
            self.found[main] = self.unit
        if row.failure is not None:
            row.samples = {}

    def _take_own(self, row: Row, own: Any) -> None:
        """Take what Daybreak's own exporter adds: the kind of failure, finer than T4's."""
        if row.failure is not None and isinstance(own, Mapping):
            with suppress(ValueError):
                row.failure = FailureKind(str(own.get("failure_kind")))
                row.message = str(own.get("message") or row.message)

    def _take_word(self, row: Row, word: str) -> None:
        if word in OUTSIDE:
            row.outside = True
        elif failure_of(word) is not None:
            row.failure = row.failure or failure_of(word) or FailureKind.CRASH
            row.message = f"recorded as invalid: {word}"

    def _compare(self, value: float, stated: str, runtimes: Sequence[float]) -> None:
        unit = time_unit(stated) if stated else None
        scaled = value * (TIME_UNITS[unit] if unit else self._factor) / self._factor
        low, high = min(runtimes), max(runtimes)
        self._differs += not low - 1e-6 * abs(low) <= scaled <= high + 1e-6 * abs(high)
