"""A recorded benchmark opened: looks configurations up and replays what was measured."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from daybreak import (
    BuildFailed,
    Configuration,
    Event,
    FailureKind,
    Landscape,
    MeasurementProtocol,
    Metric,
    NotRecorded,
    Sample,
    Space,
    TrialFailed,
    Verdict,
)
from daybreak_replay.spaces import Coverage
from daybreak_replay.table import Table
from daybreak_replay.units import TIME_UNITS, time_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Opened", "RecordedSession"]

#: Failures that were found by verifying, not by building or running.
_VERIFIED = frozenset({FailureKind.WRONG_RESULT})


@dataclass(frozen=True, slots=True)
class Opened:
    """What a session needs: the table, how the space covers it, and what to replay.

    `declared` is the space before it was narrowed to the rows, if it was. `values` are references of which only a value is known, by name, in the first objective's unit.
    """

    table: Table
    declared: Space
    coverage: Coverage
    objectives: tuple[Metric, ...]
    metrics: tuple[Metric, ...]
    seed: int | None
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An artifact: a row of the table, or a reference's value."""

    row: int
    facts: Mapping[str, Any]
    value: float | None = None


class RecordedSession:
    """Answers trials out of a table. Nothing is drawn but the order of recorded repetitions.

    That order depends on the configuration and the option `seed` only, so a study that is resumed
    sees the same samples, and so do all optimizers.
    """

    floors: Mapping[str, float] = {}

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._table = opened.table
        self.identity: Mapping[str, str] = {"table": opened.table.digest}
        self._names = tuple(opened.table.parameters)
        self._failures = opened.table.failures
        self._index: dict[tuple[Any, ...], int] = {}
        self._orders: dict[int, dict[str, list[float]]] = {}
        self._facts: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._index = self._table.index
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._orders.clear()

    # -- a trial ----------------------------------------------------------------------------------

    def build(self, configuration: Configuration) -> Recorded:
        """Look `configuration` up.

        Raises:
            NotRecorded: the table lacks it.
            BuildFailed: it is recorded as one that does not build.
        """
        row = self._find(configuration)
        if row is None:
            return self._reference(configuration)
        facts = self._facts.get(row)
        if facts is None:
            facts = self._facts[row] = {f"recorded_{self._table.unit}": self._table.places[row]}
        if self._failures[row] is FailureKind.BUILD:
            raise BuildFailed(self._table.messages[row] or "recorded as failed to build")
        return Recorded(row, facts)

    def verify(self, artifact: Recorded) -> Verdict:
        """Say whether the row is recorded as correct."""
        if artifact.value is None and self._failures[artifact.row] in _VERIFIED:
            return Verdict(
                False, message=self._table.messages[artifact.row] or "recorded as a wrong result"
            )
        return Verdict(True)

    def measure(
        self, artifact: Recorded, protocol: MeasurementProtocol
    ) -> Iterator[Sample | Event]:
        """Replay the recorded repetitions, at most as many as the protocol takes.

        Raises:
            TrialFailed: with the recorded kind of failure.
        """
        first = self._opened.objectives[0]
        if artifact.value is not None:
            yield Sample(first.name, artifact.value)
            return
        failure = self._failures[artifact.row]
        if failure is not None:
            message = self._table.messages[artifact.row]
            raise TrialFailed(message or f"recorded as failed: {failure.value}", kind=failure)
        replayed = self._replayed(artifact.row)
        others = [metric.name for metric in self._opened.metrics if replayed[metric.name]]
        names = [metric.name for metric in self._opened.objectives]
        most = min(max(map(len, (replayed[name] for name in names))), protocol.repeats.max)
        for i in range(most):
            # a repetition is complete with its objectives, so other metrics come first
            for name in (*others, *names):
                samples = replayed[name]
                if i < len(samples):
                    yield Sample(name, samples[i], i)

    def _find(self, configuration: Configuration) -> int | None:
        try:
            return self._index.get(tuple([configuration[name] for name in self._names]))
        except (KeyError, TypeError):
            return None

    def _reference(self, configuration: Configuration) -> Recorded:
        name = configuration.get("reference")
        value = self._opened.values.get(str(name)) if len(configuration) == 1 else None
        if value is None:
            raise NotRecorded("the table has no such configuration")
        return Recorded(-1, {"recorded_reference": name}, value)

    def _replayed(self, row: int) -> dict[str, list[float]]:
        """Return the samples of a row in the order of their replay; repetitions stay together."""
        found = self._orders.get(row)
        if found is None:
            found = {name: series.of(row) for name, series in self._table.series.items()}
            if self._opened.seed is not None:
                told = self._told(row)
                counts = {len(samples) for samples in found.values()}
                orders = {count: _shuffled(count, told) for count in counts}
                found = {
                    name: [samples[i] for i in orders[len(samples)]]
                    for name, samples in found.items()
                }
            self._orders[row] = found
        return found

    def _told(self, row: int) -> bytes:
        """Return a text of seed and configuration, whatever the row's place in the file."""
        values = sorted(self._table.configuration(row).items())
        told = [self._opened.seed, [(name, _plain(value)) for name, value in values]]
        return repr(told).encode()

    # -- simulated time -----------------------------------------------------------------------------

    def simulated_phases(
        self, configuration: Configuration, repetitions: int
    ) -> Mapping[str, float]:
        """Return the recorded seconds by phase; measuring takes its share of the repetitions.

        Raises:
            NotRecorded: nothing is recorded of `configuration`.
        """
        row = self._find(configuration)
        if row is None:
            self._reference(configuration)
            return {}
        table = self._table
        phases: dict[str, float] = {}
        for phase in ("build", "verify", "framework"):
            seconds = float(table.seconds[phase][row])
            if not math.isnan(seconds):
                phases[phase] = seconds
        measured = self._measured(row, repetitions)
        if measured is not None:
            phases["measure"] = measured
        return phases

    def _measured(self, row: int, repetitions: int) -> float | None:
        """Return the seconds of measuring: of a failed row what is recorded, else a share."""
        recorded = float(self._table.seconds["measure"][row])
        samples = self._replayed(row)
        metric = self._table.time_metric()
        series = [] if metric is None else samples[metric.name]
        taken = min(repetitions, len(series)) if series else repetitions
        if not math.isnan(recorded):
            first = samples[self._opened.objectives[0].name]
            if not first:
                return recorded
            return recorded * min(1.0, repetitions / len(first))
        if metric is None or not series:
            return None
        return sum(series[:taken]) * TIME_UNITS[time_unit(metric.unit) or "s"]

    # -- the whole space -----------------------------------------------------------------------------

    def landscape(self) -> Landscape | None:
        """Return what the table says of the whole space; None where that cannot be counted."""
        import numpy as np

        missing = self._opened.coverage.missing
        if missing is None:
            return None
        rows = self._opened.coverage.rows
        medians = self._table.series[self._opened.objectives[0].name].medians()[rows]
        failed = np.array([self._failures[row] is not None for row in rows.tolist()])
        values = medians[~failed]
        return Landscape(
            values=values.tolist(),
            failures=int(failed.sum()) + missing,
            seconds=self._mean_seconds(rows, missing),
        )

    def _mean_seconds(self, rows: NDArray[np.intp], missing: int) -> float | None:
        """Return the mean seconds of an evaluation, all recorded repetitions taken."""
        import numpy as np

        parts: Sequence[Any] = [
            self._table.seconds[phase][rows] for phase in ("build", "verify", "framework")
        ] + [self._table.measure_seconds()[rows]]
        known = ~np.isnan(parts)
        if not known.any():
            return None
        return float(np.nansum(parts)) / (len(rows) + missing)


def _shuffled(count: int, told: bytes) -> list[int]:
    """Return 0 .. count - 1 in an order drawn from a hash of `told`, all orders equally likely.

    Sorting by 64 hashed bits each is a shuffle that is the same in every version of Python.
    """
    if count < 2:
        return list(range(count))
    bits = hashlib.shake_128(told + b"/%d" % count).digest(8 * count)
    keys = struct.unpack(f"<{count}Q", bits)
    return sorted(range(count), key=keys.__getitem__)


def _plain(value: Any) -> Any:
    """Write 2.0 as 2: whether a file has whole numbers as floats does not matter."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
