"""Why times to target differ: progress needed, and seconds for it.

The time to target of a run is what it needed (epochs, say) times the seconds for each, T = E s. On
the logarithmic scale the two add up, so over the repeated runs of an entry

    var(log T) = var(log E) + var(log s) + 2 cov(log E, log s)

and between entries the ratio of geometric means is a product,

    T_b / T_a = (s_b / s_a) (E_b / E_a) = system x statistical.

(C. Coleman and others, "Analysis of DAWNBench, a time-to-accuracy machine learning performance
benchmark", 2018, find that time to accuracy joins the two; hardware moves the first factor, the
optimizer and the batch size move the second, often against each other.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.resampling import (
    DRAWS,
    Interval,
    affordable,
    bootstrap,
    expanded,
    percentile_interval,
)
from daybreak.analysis.training.ranksum import RankSum, rank_sum
from daybreak.analysis.training.runs import COUNTS, TIMES, Timing, Timings
from daybreak.analysis.training.times import expected_times, missing_runs
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Decomposition", "Factors", "decompose", "factors", "split"]

#: with fewer runs a share of variance is no estimate at all, and its bootstrap none of its error:
#: draws of a few runs again and again have next to no variance to divide by
_FEWEST_SHARES, _FEWEST_FOR_INTERVALS = 5, 10


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Where the scatter of an entry's times to a target comes from, over the runs that got there.

    Attributes:
        benchmark: full name.
        target: name of the threshold.
        entry: what is compared.
        clock: the clock of times.
        count: what progress is counted in: epochs, steps or evaluations.
        runs: runs that got there and counted their progress.
        spread: standard deviation of log T, which is about the relative one; None with one run.
        progress: geometric mean of E.
        seconds: geometric mean of s.
        progress_share: var(log E) over var(log T); None with fewer than five runs or no scatter.
        seconds_share: var(log s) over var(log T).
        covariance_share: 2 cov over var(log T); the three sum to 1. Below 0 where runs that need more
            progress make it quicker; the other two are then above 1 together.
        progress_interval: of `progress_share`, by the bootstrap over runs, from ten runs on.
        seconds_interval: of `seconds_share`.
        same: spread of runs that needed the same E, pooled over such groups; None without any.
        missing: runs that are missing for intervals.
    """

    benchmark: str
    target: str
    entry: str
    clock: str
    count: str
    runs: int
    spread: float | None
    progress: float
    seconds: float
    progress_share: float | None
    seconds_share: float | None
    covariance_share: float | None
    progress_interval: Interval
    seconds_interval: Interval
    same: float | None
    missing: int


@dataclass(frozen=True, slots=True)
class Factors:
    """By what factor an entry is quicker than another, and why; above 1 it is.

    Attributes:
        benchmark: full name.
        target: name of the threshold.
        entry: what is compared.
        against: what with: an entry, or ``benchmark: entry`` on another benchmark.
        clock: the clock of times.
        count: what progress is counted in.
        runs: runs of `entry`, of `against`.
        reached: how many of them got there.
        speedup: ratio of the geometric means of the times of runs that got there; None if none of
            either did.
        system: ratio of the seconds per epoch.
        statistical: ratio of the epochs needed; system x statistical = speedup.
        intervals: of the three, by the bootstrap over runs.
        expected: ratio of the expected running times, in which misses count; None if `entry`
            or `against` never got there.
        expected_interval: likewise.
        test: rank test on the times, in which misses count.
        paired: whether the two were drawn together, since they ran with the same seeds.
        missing: runs that get there that the side with fewer lacks for intervals of the three.
    """

    benchmark: str
    target: str
    entry: str
    against: str
    clock: str
    count: str
    runs: tuple[int, int]
    reached: tuple[int, int]
    speedup: float | None
    system: float | None
    statistical: float | None
    intervals: tuple[Interval, Interval, Interval]
    expected: float | None
    expected_interval: Interval
    test: RankSum
    paired: bool
    missing: int


def split(
    rows: Sequence[Timing], clock: str, count: str | None = None
) -> tuple[str, NDArray[np.float64], NDArray[np.float64], list[Timing]]:
    """Return what progress is counted in, log E and log s of the runs that got there, and these.

    Runs that were there before training began (no progress was needed) are left out.

    Args:
        rows: runs of one entry, or of entries to be compared.
        clock: a clock in seconds.
        count: epochs, steps or evaluations; None: the first of these that all runs counted.

    Raises:
        UserError: the clock is none of time, or progress was not counted.
    """
    import numpy as np

    if clock not in TIMES:
        raise UserError(
            f"'{clock}' is no clock in seconds: there is nothing to be split",
            expected=f"one of {', '.join(TIMES)}",
        )
    there = [one for one in rows if one.reached and clock in one.upper and one.upper[clock] > 0]
    known = [c for c in COUNTS if all(c in one.upper for one in there)]
    if count is None:
        count = known[0] if known else "evaluations"
    there = [one for one in there if one.upper.get(count, 0.0) > 0]
    progress = np.log(np.asarray([one.upper[count] for one in there], dtype=np.float64))
    times = np.log(np.asarray([one.upper[clock] for one in there], dtype=np.float64))
    return count, progress, times - progress, there


def decompose(
    timings: Timings, clock: str | None = None, *, level: float = 0.05, draws: int = DRAWS
) -> list[Decomposition]:
    """Return where the scatter of every entry's times comes from.

    Args:
        timings: from `load_timings`.
        clock: a clock in seconds; the usual one if None.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run recorded the clock, or it does not count seconds.
    """
    clock = timings.clock(clock)
    found = []
    for entries in timings.on(clock).problems().values():
        for rows in entries.values():
            count, progress, seconds, there = split(rows, clock)
            if there:
                found.append(_decomposed(there, clock, count, progress, seconds, level, draws))
    return found


def _decomposed(
    rows: Sequence[Timing],
    clock: str,
    count: str,
    progress: NDArray[np.float64],
    seconds: NDArray[np.float64],
    level: float,
    draws: int,
) -> Decomposition:
    import numpy as np

    n = len(rows)
    total = progress + seconds
    shares = _shares(progress[None], seconds[None])[0] if n >= _FEWEST_SHARES else None
    if shares is not None and bool(np.isnan(shares).any()):
        shares = None
    missing = missing_runs(n, _FEWEST_FOR_INTERVALS)
    intervals = [Interval(None, None)] * 2
    if shares is not None and not missing:
        drawn = bootstrap(
            n,
            lambda picked: _shares(progress[picked], seconds[picked]),
            draws=affordable(n, draws),
        )
        drawn = drawn[~np.isnan(drawn).any(axis=1)]  # the same run n times has no scatter
        intervals = [percentile_interval(drawn[:, i], level) for i in range(2)]
    first = rows[0]
    return Decomposition(
        benchmark=first.benchmark,
        target=first.target,
        entry=first.entry,
        clock=clock,
        count=count,
        runs=n,
        spread=float(total.std(ddof=1)) if n > 1 else None,
        progress=math.exp(float(progress.mean())),
        seconds=math.exp(float(seconds.mean())),
        progress_share=None if shares is None else float(shares[0]),
        seconds_share=None if shares is None else float(shares[1]),
        covariance_share=None if shares is None else float(shares[2]),
        progress_interval=intervals[0],
        seconds_interval=intervals[1],
        same=_within(progress, total),
        missing=missing,
    )


def _shares(progress: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the three shares, shape (draws, 3) of (draws, runs); NaN without any scatter."""
    import numpy as np

    total = (progress + seconds).var(axis=1, ddof=1)
    parts = [progress.var(axis=1, ddof=1), seconds.var(axis=1, ddof=1)]
    # rounding is no scatter
    scale = np.maximum(1.0, np.abs(progress + seconds).max(axis=1))
    total = np.where(total > (1e-12 * scale) ** 2, total, np.nan)
    found: NDArray[np.float64] = np.stack(
        [parts[0] / total, parts[1] / total, (total - parts[0] - parts[1]) / total], axis=1
    )
    return found


def _within(progress: NDArray[np.float64], total: NDArray[np.float64]) -> float | None:
    """Return the pooled standard deviation of log T among runs with equal progress."""
    import numpy as np

    squares, freedom = 0.0, 0
    for value in np.unique(progress):
        own = total[progress == value]
        squares += float(((own - own.mean()) ** 2).sum())
        freedom += len(own) - 1
    return math.sqrt(squares / freedom) if freedom else None


def factors(
    timings: Timings,
    against: str,
    clock: str | None = None,
    *,
    level: float = 0.05,
    draws: int = DRAWS,
) -> list[Factors]:
    """Return by what factors every entry is quicker than `against` on each target.

    Args:
        timings: from `load_timings`.
        against: an entry on the same benchmark; or a benchmark's full name: each entry is then
            compared with itself there, or with the only entry there is, on targets of one name.
        clock: a clock in seconds; the usual one if None.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: there is no such entry or benchmark, or the clock is unfit.
    """
    clock = timings.clock(clock)
    problems = timings.on(clock).problems()
    entries = sorted({one.entry for one in timings.rows})
    benchmarks = sorted({one.benchmark for one in timings.rows})
    if against not in entries and against not in benchmarks:
        raise UserError(
            f"run '{timings.run_id}' has no entry or benchmark '{against}'",
            expected=f"one of {', '.join([*entries, *benchmarks])}",
            nearest=nearest(against, [*entries, *benchmarks]),
        )
    found = []
    for (benchmark, target), rows in problems.items():
        other, prefix = rows, ""
        if against not in entries:
            if benchmark == against:
                continue
            other, prefix = problems.get((against, target), {}), f"{against}: "
        for entry, own in rows.items():
            name = against if not prefix else entry if entry in other else _only(other)
            if name is None or name not in other or (not prefix and name == entry):
                continue
            found.append(_factors(own, other[name], prefix + name, clock, level, draws))
    return found


def _only(entries: dict[str, list[Timing]]) -> str | None:
    return next(iter(entries)) if len(entries) == 1 else None


def _factors(
    own: Sequence[Timing],
    other: Sequence[Timing],
    against: str,
    clock: str,
    level: float,
    draws: int,
) -> Factors:
    import numpy as np

    count, *_ = split([*own, *other], clock)
    keys = [[(one.seed, one.number) for one in rows] for rows in (own, other)]
    paired = sorted(keys[0]) == sorted(keys[1]) and len(set(keys[0])) == len(own)
    sides = []
    for rows in (own, other):
        rows = sorted(rows, key=lambda one: (one.seed, one.number))
        sides.append(_logs(rows, clock, count))
    point = [_means(side, np.arange(side.shape[1])[None]) for side in sides]
    with np.errstate(invalid="ignore", over="ignore"):
        # neither of them ever got there: inf less inf
        ratios = np.exp(point[1] - point[0])[0]
    known = not bool(np.isnan(ratios[:3]).any())
    reached = min(int((~np.isnan(side[0])).sum()) for side in sides)
    missing = missing_runs(reached)
    intervals = [Interval(None, None)] * 4
    if not missing_runs(min(len(own), len(other))):
        count_drawn = affordable(max(len(own), len(other)), draws)
        first_drawn, second_drawn = (
            bootstrap(
                side.shape[1],
                lambda picked, side=side: _means(side, picked),  # type: ignore[misc]
                draws=count_drawn,
                seed=seed,
            )
            for side, seed in zip(sides, (0, 0 if paired else 1), strict=True)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            resampled = np.exp(second_drawn - first_drawn)
        whole = resampled[~np.isnan(resampled[:, :3]).any(axis=1)]
        if not missing and len(whole) >= 0.95 * count_drawn:
            wider = expanded(level, reached)
            intervals[:3] = [percentile_interval(whole[:, i], wider) for i in range(3)]
        wider = expanded(level, min(len(own), len(other)))
        intervals[3] = percentile_interval(resampled[:, 3], wider)
    first = own[0]
    return Factors(
        benchmark=first.benchmark,
        target=first.target,
        entry=first.entry,
        against=against,
        clock=clock,
        count=count,
        runs=(len(own), len(other)),
        reached=(sum(one.reached for one in own), sum(one.reached for one in other)),
        speedup=float(ratios[0]) if known else None,
        system=float(ratios[1]) if known else None,
        statistical=float(ratios[2]) if known else None,
        intervals=(intervals[0], intervals[1], intervals[2]),
        expected=float(ratios[3]) if bool(np.isfinite(ratios[3])) and ratios[3] > 0 else None,
        expected_interval=intervals[3],
        test=rank_sum([o.upper[clock] for o in own], [o.upper[clock] for o in other], level),
        paired=paired,
        missing=missing,
    )


def _logs(rows: Sequence[Timing], clock: str, count: str) -> NDArray[np.float64]:
    """Return log T, log s, log E (NaN where it was missed), T and spent, shape (5, runs)."""
    import numpy as np

    found = np.full((5, len(rows)), np.nan)
    for i, one in enumerate(rows):
        found[3:, i] = one.upper[clock], one.spent[clock]
        if one.reached and one.upper[clock] > 0 and one.upper.get(count, 0.0) > 0:
            time, progress = math.log(one.upper[clock]), math.log(one.upper[count])
            found[:3, i] = time, time - progress, progress
    return found


def _means(side: NDArray[np.float64], picked: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return mean logs of those that got there and the log of the expected time, (draws, 4)."""
    import numpy as np

    there = ~np.isnan(side[0])[picked]
    counts = there.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [np.where(there, side[i][picked], 0.0).sum(axis=1) / counts for i in range(3)]
        means = [np.where(counts > 0, mean, np.nan) for mean in means]
        expected = np.log(expected_times(side[3][picked], side[4][picked]))
    return np.stack([*means, expected], axis=1)
