"""Who has not got there yet: the survival curve of the time to target.

E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958, with
Greenwood's variance on the scale log(-log) (J. D. Kalbfleisch, R. L. Prentice, "The Statistical
Analysis of Failure Time Data", 2nd edition, 2002, section 1.4). A run that ended short of its target
is censored: it counts among those at risk as long as it went on, and as nothing after.

A time to target is known as an interval only, between two looks at the metric. The curve takes the
later end. `least` is the smallest value that the curve can have at a moment, wherever in their
intervals runs got there: those that might have been there by then were, just then (earlier, and the
weight of runs that ended short meanwhile would fall on others). B. W. Turnbull, JRSS B 38, 1976,
would estimate one curve from the intervals; with looks as regular as an epoch the bound says more,
since it shows what the grid of looks hides.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.training.runs import Timing, Timings
from daybreak.analysis.training.times import missing_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Survival", "kaplan_meier", "survival"]


@dataclass(frozen=True, slots=True)
class Survival:
    """The share of runs that is still on the way, a step function: `share[i]` holds from `moments[i]` on.

    Attributes:
        benchmark: full name.
        target: name of the threshold.
        entry: what is compared.
        clock: the clock of `moments`.
        runs: how many runs tried.
        reached: how many got there.
        moments: 0 and every moment at which a run got there, shape (m,).
        share: share still on the way from then on, shape (m,).
        low: lower end of its interval; NaN with too few runs.
        high: upper end.
        at_risk: runs still going on just before each moment, shape (m,).
        least: the smallest share that the looks leave possible at each moment, shape (m,): every
            run counts as there whose last look that found it short lies before.
        censored: when runs ended that did not get there.
        median: the first moment at which at most half of the runs are on the way; None if more are.
        missing: runs that are missing for an interval.
    """

    benchmark: str
    target: str
    entry: str
    clock: str
    runs: int
    reached: int
    moments: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    least: NDArray[np.float64]
    censored: NDArray[np.float64]
    median: float | None
    missing: int


def survival(timings: Timings, clock: str | None = None, *, level: float = 0.05) -> list[Survival]:
    """Return the survival curve of every entry on every target.

    Args:
        timings: from `load_timings`.
        clock: one of `CLOCKS`; the usual one if None.
        level: 1 minus the confidence of the intervals, which hold moment by moment.

    Raises:
        UserError: no run recorded the clock.
    """
    clock = timings.clock(clock)
    return [
        _curve(rows, clock, level)
        for entries in timings.on(clock).problems().values()
        for rows in entries.values()
    ]


def _curve(rows: Sequence[Timing], clock: str, level: float) -> Survival:
    import numpy as np

    reached = np.asarray([one.reached for one in rows])
    late = np.asarray([one.spent[clock] for one in rows])
    early = np.asarray([one.lower[clock] for one in rows])
    moments, share, at_risk, variance = kaplan_meier(late, reached)
    least = _least(moments, share, at_risk, early[reached], late[reached])
    moments = np.concatenate([[0.0], moments])
    share = np.concatenate([[1.0], share])
    at_risk = np.concatenate([[len(rows)], at_risk])
    missing = missing_runs(len(rows))
    low, high = np.full(len(share), np.nan), np.full(len(share), np.nan)
    if not missing:
        ends = _log_log(share[1:], variance, level)
        low, high = (np.concatenate([[1.0], end]) for end in ends)
    # products of fractions such as 23/24 miss a half by their rounding
    half = np.flatnonzero(share <= 0.5 + 1e-12)
    return Survival(
        benchmark=rows[0].benchmark,
        target=rows[0].target,
        entry=rows[0].entry,
        clock=clock,
        runs=len(rows),
        reached=int(reached.sum()),
        moments=moments,
        share=share,
        low=low,
        high=high,
        at_risk=at_risk.astype(np.int64),
        least=np.concatenate([[1.0], least]),
        censored=np.sort(late[~reached]),
        median=float(moments[half[0]]) if len(half) else None,
        missing=missing,
    )


def kaplan_meier(
    times: NDArray[np.float64], reached: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return moments, share from then on, runs at risk just before, and Greenwood's sum; shape (m,).

    Args:
        times: when each run got there or ended, shape (runs,).
        reached: whether it got there. A run that ended at a moment was at risk then.
    """
    import numpy as np

    moments, there = np.unique(times[reached], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), moments, side="left")
    share = np.cumprod(1 - there / np.maximum(at_risk, 1))
    with np.errstate(divide="ignore"):
        variance = np.cumsum(there / (at_risk * (at_risk - there)))
    return moments, np.asarray(share), at_risk.astype(np.int64), variance


def _least(
    moments: NDArray[np.float64],
    share: NDArray[np.float64],
    at_risk: NDArray[np.int64],
    early: NDArray[np.float64],
    late: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the smallest possible share at each moment, shape (m,).

    Args:
        moments: when runs got there at the latest, shape (m,).
        share: the curve there.
        at_risk: runs at risk just before.
        early: last look that found a run short, of those that got there, shape (reached,).
        late: first look that found it there, shape (reached,).
    """
    import numpy as np

    before = np.concatenate([[1.0], share[:-1]])
    # two looks at one moment leave an interval without any width
    early = np.minimum(early, np.nextafter(late, -np.inf))
    begun = np.searchsorted(np.sort(early), moments, side="left")
    gone = np.searchsorted(np.sort(late), moments, side="left")
    found: NDArray[np.float64] = before * (1 - np.minimum(begun - gone, at_risk) / at_risk)
    return found


def _log_log(
    share: NDArray[np.float64], variance: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    z = statistics.NormalDist().inv_cdf(1 - level / 2)
    with np.errstate(all="ignore"):
        logs = np.log(share)
        width = z * np.sqrt(variance) / np.abs(logs)
        low, high = share ** np.exp(width), share ** np.exp(-width)
    # where all have got there the variance is undefined: nothing is said of that end
    return np.where(share > 0, low, np.nan), np.where(share > 0, high, np.nan)
