"""What a question is about, and what an answer looks like."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from daybreak.analysis.curves import CLOCKS, Curves, read_curves
from daybreak.analysis.hits import Hits, read_hits
from daybreak.analysis.queries import open_index
from daybreak.analysis.resampling import Interval
from daybreak.analysis.scores import budgets
from daybreak.analysis.summary import RunSummaryRow, find_run
from daybreak.analysis.training.points import CurvePoints, read_points
from daybreak.analysis.training.runs import BY, OF, TIMES, Timings, read_timings
from daybreak.analysis.training.runs import CLOCKS as TRAINING_CLOCKS
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import duckdb

__all__ = ["Answer", "Asked", "Estimate", "Evidence"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; an end is None where it is open or not known.

    `bound` says that the value is only an upper bound (`<=`) or a lower one (`>=`).
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    bound: str = ""

    @classmethod
    def of(cls, value: float | None, interval: Interval) -> Estimate:
        """Return `value` with `interval`."""
        return cls(value, interval.low, interval.high)


@dataclass(frozen=True, slots=True)
class Answer:
    """One table.

    Attributes:
        name: the question that it answers.
        title: one line.
        columns: headings, in order; keys of `rows`.
        rows: by heading a text, a number, an `Estimate` or None.
        notes: what a reader must know to read it right, a sentence each.
        sql: a query over the views behind it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about.

    Attributes:
        run: a run's id, its beginning, or a suite's name; None: the newest run.
        benchmark: a full name or a shell pattern; None: all.
        at: numbers of evaluations; empty: 20, 60, 200 and the longest study's.
        clock: of a search, one of `daybreak.analysis.curves.CLOCKS`; of training, one of
            `daybreak.analysis.training.CLOCKS`; None: evaluations of a search, the usual clock of
            training.
        against: label of the optimizer or entry that others are measured against; None: a default.
        targets: names of targets of the view `ecdf`, or of thresholds; empty: a default.
        level: 1 minus the confidence of the intervals.
        of: what of training is timed: `runs`, or whole `studies`; None: runs if there are any.
        by: what is an entry: a `label`, or each `configuration` by itself.
        parameter: what scaling is over; None: threads, nodes or the like.
        thresholds: values of the progress metric; empty: those that the curves pass.
    """

    run: str | None = None
    benchmark: str | None = None
    at: tuple[int, ...] = ()
    clock: str | None = None
    against: str | None = None
    targets: tuple[str, ...] = ()
    level: float = 0.05
    of: str | None = None
    by: str = "label"
    parameter: str | None = None
    thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        clocks = tuple(dict.fromkeys((*CLOCKS, *TRAINING_CLOCKS)))
        for what, value, known in (
            ("clock", self.clock, clocks),
            ("thing to be timed", self.of, OF),
            ("kind of entry", self.by, BY),
        ):
            if value is not None and value not in known:
                raise UserError(
                    f"there is no {what} '{value}'",
                    expected=f"one of {', '.join(known)}",
                    nearest=nearest(value, known),
                )
        for number in self.at:
            if number < 1:
                raise UserError(f"{number} is no number of evaluations", expected="1 or more")

    @property
    def search_clock(self) -> str:
        """The clock that a search is asked about."""
        return self.clock or CLOCKS[0]


@dataclass
class Evidence(AbstractContextManager["Evidence"]):
    """An open index with what questions have read from it so far."""

    results: Path
    asked: Asked
    _opened: AbstractContextManager[duckdb.DuckDBPyConnection] | None = field(
        default=None, init=False
    )
    _index: duckdb.DuckDBPyConnection | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Open the index of the results."""
        self._opened = open_index(self.results)
        self._index = self._opened.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._opened is not None:
            self._opened.__exit__(kind, error, traceback)

    @property
    def index(self) -> duckdb.DuckDBPyConnection:
        """The open index."""
        if self._index is None:
            raise RuntimeError("evidence is read inside `with Evidence(...)`")
        return self._index

    @functools.cached_property
    def run(self) -> RunSummaryRow:
        """The run that is asked about."""
        return find_run(self.index, self.results, self.asked.run)

    @functools.cached_property
    def curves(self) -> Curves:
        """Its studies."""
        return read_curves(self.index, self.run.run_id, self.run.suite, self.asked.benchmark)

    @functools.cached_property
    def hits(self) -> Hits:
        """When they reached targets."""
        return read_hits(self.index, self.run.run_id, self.asked.benchmark)

    @functools.cached_property
    def timings(self) -> Timings:
        """How long its runs took to their targets."""
        asked = self.asked
        return read_timings(
            self.index,
            self.run.run_id,
            self.run.suite,
            asked.benchmark,
            targets=asked.targets,
            of=asked.of,
            by=asked.by,
        )

    @functools.cached_property
    def points(self) -> list[CurvePoints]:
        """Every look at its progress metrics."""
        return read_points(self.index, self.run.run_id, self.asked.benchmark)

    @property
    def training_clock(self) -> str:
        """The clock that training is timed with: what is asked for, else the usual one."""
        return self.timings.clock(self.asked.clock)

    @property
    def seconds_clock(self) -> str:
        """The same, if it is one in seconds; else the usual one of these."""
        clock = self.training_clock
        return clock if clock in TIMES else self.timings.clock()

    def curve_clock(self, points: CurvePoints) -> str:
        """The clock that the curves on a benchmark are timed with."""
        # whole studies have a clock of their own, which curves inside trials have not
        wanted = None if self.asked.clock == "seconds" else self.asked.clock
        return points.clock(wanted)

    @property
    def at(self) -> list[int]:
        """The numbers of evaluations to answer for."""
        return budgets(self.curves.evaluations, self.asked.at)

    @property
    def percent(self) -> str:
        """The confidence of the intervals in words."""
        return f"{100 * (1 - self.asked.level):g} %"

    def select(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query with one parameter: the run, its benchmarks picked out.

        The query must have a column `benchmark`.
        """
        chosen = set(self.curves.benchmarks)
        found = self.index.execute(sql, [self.run.run_id])
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return [row for row in rows if row["benchmark"] in chosen]
