"""Who is quickest over many problems: performance profiles with the clock.

E. Dolan, J. Moré, "Benchmarking optimization software with performance profiles", Mathematical
Programming 91, 2002; as scored by G. Dahl and others, "Benchmarking neural network training
algorithms", 2023 (AlgoPerf), section 4.3: the time of an entry on a problem is the median over its
studies of the quickest trial in each, infinite if that never got there; the score is the integral of
the profile from 1 to tau_max = 4, over its length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.resampling import Interval, affordable, bootstrap, percentile_interval
from daybreak.analysis.training.runs import Timing, Timings
from daybreak.analysis.training.times import medians, missing_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TAU_MAX", "ClockProfile", "clock_profiles"]

#: Where AlgoPerf's score ends: an entry four times slower than the quickest counts as missing.
TAU_MAX = 4.0


@dataclass(frozen=True, slots=True)
class ClockProfile:
    """For which share of problems an entry takes at most tau times what the quickest takes.

    Attributes:
        entry: what is compared.
        clock: the clock.
        taus: where the profile is given, from 1 on, shape (m,).
        share: the share of problems at each, shape (m,).
        score: integral from 1 to `TAU_MAX` over its length; 1: quickest on every problem.
        interval: of the score, by the bootstrap over studies.
        solved: the share of problems that it solves at all.
        problems: problems (a target on a benchmark) that any entry solves.
        tried: how many of them it has runs on.
        missing: studies that are missing for an interval, on the problem with the fewest.
    """

    entry: str
    clock: str
    taus: NDArray[np.float64]
    share: NDArray[np.float64]
    score: float
    interval: Interval
    solved: float
    problems: int
    tried: int
    missing: int


def clock_profiles(
    timings: Timings,
    clock: str | None = None,
    *,
    taus: Sequence[float] = (),
    level: float = 0.05,
    draws: int = 1000,
) -> list[ClockProfile]:
    """Return the profile of every entry, the best score first.

    Args:
        timings: from `load_timings`.
        clock: one of `CLOCKS`; the usual one if None.
        taus: factors from 1 on; if empty, every factor at which a profile steps.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run recorded the clock.
    """
    import numpy as np

    clock = timings.clock(clock)
    problems = timings.on(clock).problems()
    names = sorted({entry for entries in problems.values() for entry in entries})
    # the quickest trial of every study, by entry and problem
    quickest: list[list[NDArray[np.float64]]] = [
        [_per_study(entries.get(name, []), clock) for entries in problems.values()]
        for name in names
    ]
    times = np.asarray([[_median(own) for own in row] for row in quickest])
    solved = np.isfinite(times).any(axis=0)
    times = times[:, solved]
    ratios = _ratios(times)
    steps = np.unique(ratios[np.isfinite(ratios)])
    at = np.asarray(taus, dtype=np.float64) if len(taus) else np.unique(np.append(steps, 1.0))
    scores = _scores(ratios)
    sizes = [
        [len(own) for own, kept in zip(row, solved, strict=True) if kept and len(own)]
        for row in quickest
    ]
    missing = [missing_runs(min(row, default=0)) for row in sizes]
    drawn = _drawn(quickest, solved, draws) if not max(missing, default=1) else None
    found = [
        ClockProfile(
            entry=name,
            clock=clock,
            taus=at,
            # rounding must not cost the quickest its 1
            share=(ratios[i][:, None] <= at * (1 + 1e-12)).mean(axis=0)
            if solved.any()
            else np.zeros(len(at)),
            score=float(scores[i]),
            interval=Interval(None, None)
            if drawn is None
            else percentile_interval(drawn[:, i], level),
            solved=float(np.isfinite(ratios[i]).mean()) if solved.any() else 0.0,
            problems=int(solved.sum()),
            tried=len(sizes[i]),
            missing=missing[i],
        )
        for i, name in enumerate(names)
    ]
    return sorted(found, key=lambda one: (-one.score, one.entry))


def _per_study(rows: Sequence[Timing], clock: str) -> NDArray[np.float64]:
    import numpy as np

    best: dict[str, float] = {}
    for one in rows:
        best[one.study] = min(best.get(one.study, math.inf), one.upper[clock])
    return np.asarray(list(best.values()), dtype=np.float64)


def _median(times: NDArray[np.float64]) -> float:
    return float(medians(times[None])[0]) if len(times) else math.inf


def _ratios(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return times over the shortest, along the last but one axis (entries)."""
    import numpy as np

    best = times.min(axis=-2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(best > 0, times / best, np.where(times > 0, np.inf, 1.0))
    return np.where(np.isfinite(times), found, np.inf)


def _scores(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the integrals over the last axis (problems).

    The profile is a step function, so its integral is the mean of what is left of the range after
    each ratio.
    """
    import numpy as np

    if not ratios.shape[-1]:
        return np.zeros(ratios.shape[:-1])
    left = np.clip(TAU_MAX - ratios, 0.0, TAU_MAX - 1.0) / (TAU_MAX - 1.0)
    found: NDArray[np.float64] = left.mean(axis=-1)
    return found


def _drawn(
    quickest: Sequence[Sequence[NDArray[np.float64]]], solved: NDArray[np.bool_], draws: int
) -> NDArray[np.float64]:
    """Return scores with studies drawn anew on every problem, shape (draws, entries)."""
    import numpy as np

    largest = max((len(own) for row in quickest for own in row), default=1)
    draws = affordable(largest, draws)
    times = np.full((draws, len(quickest), int(solved.sum())), np.inf)
    for p, problem in enumerate(np.flatnonzero(solved)):
        for i, row in enumerate(quickest):
            own = row[int(problem)]
            if len(own):
                times[:, i, p] = bootstrap(
                    len(own),
                    lambda picked, own=own: medians(own[picked]),  # type: ignore[misc]
                    draws=draws,
                    seed=i + len(quickest) * p,
                )
    return _scores(_ratios(times))
