"""The table: recorded measurements by configuration, in columns, ready to be looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from daybreak import Direction, FailureKind, Metric
from daybreak_replay.recording import PHASES
from daybreak_replay.units import TIME_UNITS, time_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Column", "Series", "Table"]


@dataclass(frozen=True, slots=True)
class Column:
    """A parameter's values by row: `domain[codes[row]]`."""

    domain: tuple[Any, ...]
    codes: NDArray[np.int32]

    def values(self) -> list[Any]:
        """Return the values of all rows."""
        domain = self.domain
        return [domain[code] for code in self.codes.tolist()]


@dataclass(frozen=True, slots=True)
class Series:
    """A metric's samples by row: `flat[offsets[row]:offsets[row + 1]]`, in the metric's unit."""

    flat: NDArray[np.float64]
    offsets: NDArray[np.int64]

    def of(self, row: int) -> list[float]:
        """Return the samples of one row."""
        return self.flat[self.offsets[row] : self.offsets[row + 1]].tolist()  # type: ignore[no-any-return]

    def medians(self) -> NDArray[np.float64]:
        """Return the median of every row's samples; NaN where there are none."""
        import numpy as np

        counts = np.diff(self.offsets)
        medians = np.full(len(counts), np.nan)
        for count in np.unique(counts[counts > 0]).tolist():
            rows = np.flatnonzero(counts == count)
            block = self.flat[self.offsets[rows][:, None] + np.arange(count)]
            medians[rows] = np.median(block, axis=1)
        return medians


@dataclass(eq=False)
class Table:
    """Recorded measurements; every configuration once.

    Attributes:
        digest: SHA-256 of the file (or of what was read from a database).
        parameters: a column each, in order.
        metrics: objectives first.
        objectives: names of the objectives; the first one ranks.
        series: samples by metric.
        failures: kind of failure by row; None: it succeeded.
        messages: a line about the failure by row.
        seconds: by phase and row; NaN where nothing is recorded.
        places: how the file counts each row.
        unit: what a row is called: `result`, `entry`, `line`, `row`.
        outside: configurations that the file says are not in its space.
        declared, space, references, notes, facts: see `Recording`.
    """

    digest: str
    file: str
    unit: str
    parameters: Mapping[str, Column]
    metrics: tuple[Metric, ...]
    objectives: tuple[str, ...]
    series: Mapping[str, Series]
    failures: Sequence[FailureKind | None]
    messages: Sequence[str]
    seconds: Mapping[str, NDArray[np.float64]]
    places: Sequence[int]
    outside: frozenset[tuple[Any, ...]] = frozenset()
    declared: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    space: Mapping[str, Any] | None = None
    references: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.failures)

    @cached_property
    def index(self) -> dict[tuple[Any, ...], int]:
        """Rows by their values in order of the parameters."""
        columns = [column.values() for column in self.parameters.values()]
        return {key: row for row, key in enumerate(zip(*columns, strict=True))}

    def configuration(self, row: int) -> dict[str, Any]:
        """Return a row's configuration."""
        return {
            name: column.domain[int(column.codes[row])] for name, column in self.parameters.items()
        }

    def metric(self, name: str) -> Metric:
        """Return the metric called `name`."""
        return next(metric for metric in self.metrics if metric.name == name)

    def best(self, objective: str, rows: Sequence[int] | None = None) -> int | None:
        """Return the row whose median is best, the first of equals; None if all failed."""
        import numpy as np

        medians = self.series[objective].medians()
        if rows is not None:
            kept = np.full(len(medians), np.nan)
            kept[list(rows)] = medians[list(rows)]
            medians = kept
        if np.isnan(medians).all():
            return None
        maximize = self.metric(objective).direction is Direction.MAXIMIZE
        return int(np.nanargmax(medians) if maximize else np.nanargmin(medians))

    def measure_seconds(self) -> NDArray[np.float64]:
        """Return the seconds that measuring took by row, all repetitions together; NaN: unknown.

        What the file says, else the sum of the repetitions of the first metric that is a time.
        """
        import numpy as np

        seconds = self.seconds["measure"].copy()
        metric = self.time_metric()
        if metric is not None:
            series = self.series[metric.name]
            sums = np.add.reduceat(np.append(series.flat, 0.0), series.offsets[:-1])
            sums = np.where(np.diff(series.offsets) > 0, sums, np.nan)
            unknown = np.isnan(seconds)
            seconds[unknown] = sums[unknown] * TIME_UNITS[time_unit(metric.unit) or "s"]
        return seconds

    def time_metric(self) -> Metric | None:
        """Return the first metric that is a time to be minimised, if there is one."""
        for metric in self.metrics:
            if time_unit(metric.unit) is not None and metric.direction is Direction.MINIMIZE:
                return metric
        return None

    def recorded_phases(self) -> list[str]:
        """Return the phases of which seconds are recorded for any row."""
        import numpy as np

        return [phase for phase in PHASES if not np.isnan(self.seconds[phase]).all()]
