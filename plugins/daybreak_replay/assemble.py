"""From a recording to a table: bad rows, repeated rows, values outside what the file declares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak import FailureKind, UserError
from daybreak_replay.naming import parameter_names, renaming
from daybreak_replay.normalising import normalise
from daybreak_replay.recording import PHASES, Recording, Row, refusal, show
from daybreak_replay.table import Column, Series, Table
from daybreak_replay.units import time_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["assemble"]


def assemble(recording: Recording, digest: str, *, bad_rows: str = "refuse") -> Table:
    """Return the table of a recording.

    Args:
        recording: what a reader found.
        digest: SHA-256 of the file.
        bad_rows: what becomes of a row that neither succeeded nor failed, such as one with a time
            of NaN or zero: `refuse`, `drop`, or `failed` (kind `wrong_result`).

    Raises:
        UserError: a bad row, a value outside what the file declares, no rows, no successful row.
    """
    if not recording.rows:
        raise UserError("this file holds no rows", file=recording.file)
    notes = list(recording.notes)
    rows = _judged(recording, bad_rows, notes)
    declared = normalise(rows, recording, notes)
    _check_declared(rows, recording, declared)
    rows, outside = _parted(rows, recording, notes)
    merged = _merged(rows, recording, notes)
    if not any(row.failure is None for row in merged):
        raise UserError(
            f"none of the {len(recording.rows)} rows holds a successful measurement",
            file=recording.file,
        )
    names = parameter_names(recording.parameters)
    notes += renaming(names)
    return Table(
        digest=digest,
        file=recording.file,
        unit=recording.unit,
        parameters={
            names[name]: _column([row.configuration[name] for row in merged])
            for name in recording.parameters
        },
        metrics=recording.metrics,
        objectives=recording.objectives,
        series={metric.name: _series(merged, metric.name) for metric in recording.metrics},
        failures=[row.failure for row in merged],
        messages=[row.message for row in merged],
        seconds={phase: _seconds(merged, phase) for phase in PHASES},
        places=[row.place for row in merged],
        outside=outside,
        declared={names[name]: values for name, values in declared.items()},
        space=recording.space,
        references=recording.references,
        notes=tuple(notes),
        facts=recording.facts,
    )


def _judged(recording: Recording, bad_rows: str, notes: list[str]) -> list[Row]:
    """Find the rows that neither succeeded nor failed, and treat them as the user chose."""
    objectives = recording.objectives
    times = {m.name for m in recording.metrics if time_unit(m.unit) is not None}
    bad: list[Row] = []
    for row in recording.rows:
        if row.failure is None and not row.outside:
            row.bad = row.bad or _fault(row, objectives, times)
            if row.bad:
                bad.append(row)
    if not bad:
        return recording.rows
    first, count = bad[0], len(bad)
    if bad_rows == "refuse":
        raise refusal(
            recording,
            first,
            f"{first.bad} ({show(first.configuration)})"
            + (f"; so it is with {count - 1} more rows" if count > 1 else ""),
            expected="a valid measurement or a mark of failure in every row",
            remedy="to leave such rows out: option `bad_rows: drop`; to count them as failed: "
            "`bad_rows: failed`",
        )
    if bad_rows == "drop":
        notes.append(f"{count} rows are left out: neither valid nor failed ({first.bad}).")
        return [row for row in recording.rows if not row.bad]
    notes.append(f"{count} rows count as failed: neither valid nor failed ({first.bad}).")
    for row in bad:
        row.failure, row.message, row.samples = FailureKind.WRONG_RESULT, f"recorded: {row.bad}", {}
    return recording.rows


def _fault(row: Row, objectives: Sequence[str], times: set[str]) -> str:
    for name in objectives:
        if not row.samples.get(name):
            return f"there is no value of '{name}' and no mark of failure"
    for name, samples in row.samples.items():
        if name not in times and name not in objectives:
            continue
        total = sum(samples)
        if -math.inf < total < math.inf and (name not in times or min(samples) > 0.0):
            continue  # the usual case; a NaN or an infinity would be in the sum
        for i, value in enumerate(samples):
            which = f"'{name}'" if len(samples) == 1 else f"repetition {i} of '{name}'"
            if not math.isfinite(value):
                return f"{which} is {value}"
            if value <= 0.0 and name in times:
                return f"{which} is {value:g}, no duration"
    for phase, seconds in row.seconds.items():
        if not math.isfinite(seconds) or seconds < 0.0:
            return f"the time of {phase} is {seconds:g}"
    return ""


def _check_declared(
    rows: Sequence[Row], recording: Recording, declared: Mapping[str, Sequence[Any]]
) -> None:
    for name, values in declared.items():
        allowed = {*map(repr, values), *values}
        for row in rows:
            value = row.configuration[name]
            if value in allowed or repr(value) in allowed:
                continue
            numbers = [v for v in values if isinstance(v, int | float)]
            close = None
            if numbers and isinstance(value, int | float):
                close = repr(min(numbers, key=lambda v: abs(v - value)))
            raise refusal(
                recording,
                row,
                f"{name} = {value!r} is not among the values that the file declares",
                field=name,
                expected="one of " + ", ".join(map(repr, values[:20])),
                nearest=close,
            )


def _parted(
    rows: list[Row], recording: Recording, notes: list[str]
) -> tuple[list[Row], frozenset[tuple[Any, ...]]]:
    """Set aside what the file says is outside its space."""
    outside = frozenset(
        tuple(row.configuration[name] for name in recording.parameters)
        for row in rows
        if row.outside
    )
    if outside:
        notes.append(
            f"{len(outside)} configurations are recorded as violating a constraint: they are not "
            "part of the space."
        )
        rows = [row for row in rows if not row.outside]
        if not rows:
            raise UserError("every row is recorded as violating a constraint", file=recording.file)
    return rows, outside


def _merged(rows: Sequence[Row], recording: Recording, notes: list[str]) -> list[Row]:
    """Join rows of one configuration: their samples are its repetitions."""
    names = recording.parameters
    found: dict[tuple[Any, ...], Row] = {}
    repeated = contradicting = 0
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(map(row.configuration.__getitem__, names))
        first = found.setdefault(key, row)
        if first is not row:
            groups.setdefault(key, [first]).append(row)
            repeated += 1
    for key, same in groups.items():
        good = [row for row in same if row.failure is None]
        contradicting += 0 < len(good) < len(same)
        found[key] = _join(good or same)
    if repeated:
        notes.append(
            f"{repeated} rows repeat the configuration of another: merged as its repetitions."
        )
    if contradicting:
        notes.append(
            f"{contradicting} configurations both failed and succeeded in different rows: the "
            "successes count."
        )
    return list(found.values())


def _join(same: Sequence[Row]) -> Row:
    first = same[0]
    samples: dict[str, list[float]] = {}
    for row in same:
        for name, values in row.samples.items():
            samples.setdefault(name, []).extend(values)
    seconds: dict[str, float] = {}
    for phase in PHASES:
        known = [row.seconds[phase] for row in same if phase in row.seconds]
        if known:
            # every row was built once; what was measured is all repetitions together
            seconds[phase] = sum(known) if phase == "measure" else sum(known) / len(known)
    if len({"measure" in row.seconds for row in same}) > 1:
        seconds.pop("measure")
    return Row(
        first.place,
        first.configuration,
        samples=samples,
        failure=first.failure,
        message=first.message,
        seconds=seconds,
    )


def _column(values: Sequence[Any]) -> Column:
    import numpy as np

    # 1 and True are equal keys: told apart by their types
    table: dict[tuple[type, Any], int] = {}
    codes = [table.setdefault((type(value), value), len(table)) for value in values]
    return Column(tuple(value for _, value in table), np.array(codes, dtype=np.int32))


def _series(rows: Sequence[Row], name: str) -> Series:
    import numpy as np

    nothing: list[float] = []
    lists = [row.samples.get(name, nothing) for row in rows]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(samples) for samples in lists], out=offsets[1:])
    flat = np.fromiter(
        (value for samples in lists for value in samples), dtype=np.float64, count=int(offsets[-1])
    )
    return Series(flat, offsets)


def _seconds(rows: Sequence[Row], phase: str) -> NDArray[np.float64]:
    import numpy as np

    nan = math.nan
    return np.array([row.seconds.get(phase, nan) for row in rows])


def described(objectives: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return the option `objectives` as a mapping: a list of names has no further description."""
    if objectives is None:
        return {}
    if isinstance(objectives, Mapping):
        return {str(name): dict(value or {}) for name, value in objectives.items()}
    return {str(name): {} for name in objectives}
