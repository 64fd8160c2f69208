"""What training runs came to, as the view `training_runs` has it, in numbers per entry."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.analysis.resampling import (
    DRAWS,
    Interval,
    affordable,
    bootstrap,
    percentile_interval,
)
from daybreak.analysis.training.runs import fits
from daybreak.analysis.training.times import missing_runs
from daybreak.errors import UserError

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Generalisation",
    "Rates",
    "generalisation",
    "median_of",
    "rates",
    "read_outcomes",
]


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast an entry trains, medians over its runs; None where it was not recorded.

    Attributes:
        benchmark: full name.
        entry: what is compared.
        runs: its training runs.
        values: by column of the view `training_runs` (epochs_per_s, steps_per_s, seconds_per_epoch,
            evaluation_share, communication_share, watts) the median.
        intervals: of each, by the bootstrap over runs.
        missing: runs that are missing for intervals.
    """

    benchmark: str
    entry: str
    runs: int
    values: Mapping[str, float | None]
    intervals: Mapping[str, Interval]
    missing: int


@dataclass(frozen=True, slots=True)
class Generalisation:
    """How much worse an entry is on unseen data than on its progress curve.

    Attributes:
        benchmark: full name.
        entry: what is compared.
        metric: the progress metric.
        test_metric: the metric on unseen data.
        unit: unit of both.
        runs: runs that were judged and ended in a number.
        curve: median of the last value on the curve.
        test: median on unseen data.
        gap: median over runs of how much worse the latter is; below 0: better.
        gap_interval: by the bootstrap over runs.
        worse: runs in which it is worse.
        missing: runs that are missing for an interval.
    """

    benchmark: str
    entry: str
    metric: str
    test_metric: str
    unit: str | None
    runs: int
    curve: float
    test: float
    gap: float
    gap_interval: Interval
    worse: int
    missing: int


RATES = (
    "epochs_per_s",
    "steps_per_s",
    "seconds_per_epoch",
    "evaluation_share",
    "communication_share",
    "watts",
)


def read_outcomes(
    index: duckdb.DuckDBPyConnection, run_id: str, benchmark: str | None = None
) -> list[dict[str, Any]]:
    """Return the rows of `training_runs` of run `run_id`, by benchmark and entry.

    Raises:
        UserError: no training run streamed anything.
    """
    found = index.execute(
        "SELECT r.* FROM training_runs r JOIN training_repeats k ON k.trial_id = r.trial_id "
        "AND k.kept WHERE r.run_id = ? ORDER BY r.benchmark, r.entry, r.seed, r.trial_id",
        [run_id],
    )
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    rows = [row for row in rows if fits(row["benchmark"], benchmark)]
    if not rows:
        raise UserError(
            f"no training run of '{run_id}' streamed a progress curve",
            expected="benchmarks with a curve, e.g. those of the target `train`, or imported logs",
        )
    return rows


def median_of(
    values: Iterable[float | None], level: float = 0.05, draws: int = DRAWS
) -> tuple[float | None, Interval, int]:
    """Return the median of what is known, its bootstrap interval, and how many are missing for it."""
    import numpy as np

    known = np.asarray([x for x in values if x is not None], dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return None, Interval(None, None), missing_runs(0)
    missing = missing_runs(len(known))
    interval = Interval(None, None)
    if not missing:
        drawn = bootstrap(
            len(known),
            lambda picked: np.median(known[picked], axis=1),
            draws=affordable(len(known), draws),
        )
        interval = percentile_interval(drawn, level)
    return float(np.median(known)), interval, missing


def rates(rows: Sequence[Mapping[str, Any]], *, level: float = 0.05) -> list[Rates]:
    """Return how fast every entry trains.

    Args:
        rows: from `read_outcomes`.
        level: 1 minus the confidence of the intervals.
    """
    found = []
    for (benchmark, entry), own in _by_entry(rows).items():
        told = {name: median_of((row[name] for row in own), level) for name in RATES}
        found.append(
            Rates(
                benchmark=benchmark,
                entry=entry,
                runs=len(own),
                values={name: told[name][0] for name in RATES},
                intervals={name: told[name][1] for name in RATES},
                missing=missing_runs(len(own)),
            )
        )
    return found


def generalisation(
    rows: Sequence[Mapping[str, Any]], *, level: float = 0.05
) -> list[Generalisation]:
    """Return how every entry does on unseen data; entries that were not judged have no row.

    A run whose curve ended in NaN or an infinity has no gap and is left out.

    Args:
        rows: from `read_outcomes`.
        level: 1 minus the confidence of the intervals.
    """
    found = []
    judged = (row for row in rows if row["gap"] is not None and math.isfinite(row["gap"]))
    for (benchmark, entry), own in _by_entry(judged).items():
        gap, interval, missing = median_of((row["gap"] for row in own), level)
        if gap is None:
            continue
        found.append(
            Generalisation(
                benchmark=benchmark,
                entry=entry,
                metric=own[0]["metric"],
                test_metric=own[0]["test_metric"],
                unit=own[0]["unit"],
                runs=len(own),
                curve=statistics.median(row["last"] for row in own),
                test=statistics.median(row["test_value"] for row in own),
                gap=gap,
                gap_interval=interval,
                worse=sum(row["gap"] > 0 for row in own),
                missing=missing,
            )
        )
    return found


def _by_entry(
    rows: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["benchmark"], row["entry"]), []).append(row)
    return found
