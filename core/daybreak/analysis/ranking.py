"""Ranks of optimizers per benchmark, how sure they are, and whether mean ranks differ at all.

Demšar ("Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006) ranks within
each data set and calls two methods different if their mean ranks lie further apart than the critical
difference of Nemenyi's test, which holds for many data sets only. Here the same difference comes
from the permutation distribution: under the hypothesis that all optimizers are alike, the ranks
within a benchmark might as well be dealt anew. That is valid for few benchmarks too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.comparison import fewest_pairs
from daybreak.analysis.curves import Curves
from daybreak.analysis.resampling import (
    DRAWS,
    FEWEST_SEEDS,
    Interval,
    percentile_interval,
    resampled,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CriticalDifference", "Rank", "critical_difference", "mean_ranks", "ranks", "ranks_of"]

_PERMUTATIONS = 20_000


@dataclass(frozen=True, slots=True)
class Rank:
    """The rank of an optimizer on a benchmark: 1 is best, equals share the mean of their ranks.

    Attributes:
        benchmark: full name, or `(all)` for the mean over benchmarks.
        optimizer: its label.
        at: evaluations that it is about.
        rank: its rank.
        interval: over seeds drawn anew; unknown where any optimizer has fewer than five studies.
        first: in how many of these draws it is first, shared or alone, 0 to 1; None likewise.
        studies: studies behind it.
    """

    benchmark: str
    optimizer: str
    at: int
    rank: float
    interval: Interval
    first: float | None
    studies: int


@dataclass(frozen=True, slots=True)
class CriticalDifference:
    """By how much mean ranks must differ to tell two optimizers apart.

    `difference` is None and `reason` says why if that cannot be concluded. `p` is the probability
    of mean ranks lying as far apart as seen, were all optimizers alike.
    """

    benchmarks: int
    optimizers: int
    difference: float | None
    p: float | None
    reason: str


def ranks_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks along the last axis, smallest first, ties sharing their mean; NaN stays NaN."""
    import numpy as np

    # a value's rank is 1 + those below it + half of those equal to it; small axes, any shape
    below = (values[..., None, :] < values[..., :, None]).sum(axis=-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    found: NDArray[np.float64] = np.where(np.isnan(values), np.nan, below + (equal + 1) / 2)
    return found


def ranks(curves: Curves, at: int, *, level: float = 0.05, draws: int = DRAWS) -> list[Rank]:
    """Return the rank of every optimizer on every benchmark after `at` evaluations.

    Ranked by mean score where the landscape is known, else by the median of the best results; with
    several objectives by the median share of the joint front's hypervolume.

    Args:
        curves: the studies.
        at: number of evaluations, from 1.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.
    """
    import numpy as np

    found: list[Rank] = []
    for b, benchmark in enumerate(curves.benchmarks):
        values, statistic = _losses(curves, b, at)
        drawn = resampled(values[:, None, :], statistic=statistic, draws=draws)[:, :, 0]
        point = _centre(values, statistic)
        order, each = ranks_of(point), ranks_of(drawn)
        enough = _enough(values)
        for o, optimizer in enumerate(curves.optimizers):
            if np.isnan(order[o]):
                continue
            seen = each[:, o][~np.isnan(each[:, o])]
            leading = np.nanmin(drawn, axis=1) == drawn[:, o]
            found.append(
                Rank(
                    benchmark=benchmark,
                    optimizer=optimizer,
                    at=at,
                    rank=float(order[o]),
                    interval=percentile_interval(seen, level) if enough else Interval(None, None),
                    first=float(leading.mean()) if enough else None,
                    studies=int((~np.isnan(values[o])).sum()),
                )
            )
    return sorted(found, key=lambda one: (one.benchmark, one.rank, one.optimizer))


def mean_ranks(curves: Curves, at: int, *, level: float = 0.05, draws: int = DRAWS) -> list[Rank]:
    """Return the mean over benchmarks of every optimizer's ranks, smallest first.

    Only optimizers with studies on every benchmark take part. The interval is over seeds, thus for
    these benchmarks. Arguments as for `ranks`.
    """
    import numpy as np

    table, complete = _rank_table(curves, at)
    if not complete:
        return []
    drawn, enough = [], True
    for b in range(len(curves.benchmarks)):
        values, statistic = _losses(curves, b, at)
        enough = enough and _enough(values[complete])
        taken = resampled(values[complete][:, None], statistic=statistic, draws=draws, seed=b)
        drawn.append(ranks_of(taken[:, :, 0]))
    means = np.mean(drawn, axis=0)
    leading = means == np.nanmin(means, axis=1, keepdims=True)
    found = [
        Rank(
            benchmark="(all)",
            optimizer=curves.optimizers[o],
            at=at,
            rank=float(table[:, i].mean()),
            interval=percentile_interval(means[:, i], level) if enough else Interval(None, None),
            first=float(leading[:, i].mean()) if enough else None,
            studies=sum(
                int((~np.isnan(_losses(curves, b, at)[0][o])).sum())
                for b in range(len(curves.benchmarks))
            ),
        )
        for i, o in enumerate(complete)
    ]
    return sorted(found, key=lambda one: (one.rank, one.optimizer))


def critical_difference(
    curves: Curves, at: int, *, level: float = 0.05, permutations: int = _PERMUTATIONS
) -> CriticalDifference:
    """Return the difference of mean ranks from which on two optimizers are told apart.

    Refused below the number of benchmarks at which two optimizers that always came out in the same
    order would be told apart (six at 5 per cent). All pairs are judged at once: the chance of any
    false difference is `level`.
    """
    table, complete = _rank_table(curves, at)
    count, optimizers = len(curves.benchmarks), len(complete)
    needed = fewest_pairs(level)
    if optimizers < 2:
        reason = "fewer than two optimizers have studies on every benchmark"
        return CriticalDifference(count, optimizers, None, None, reason)
    if count < needed:
        reason = (
            f"{count} benchmark{'s are' if count > 1 else ' is'} too few to conclude for others: at least "
            f"{needed} are needed "
            f"at level {level:g}"
        )
        return CriticalDifference(count, optimizers, None, None, reason)
    spread = _permuted_spread(table, permutations)
    observed = float(table.mean(axis=0).max() - table.mean(axis=0).min())
    p = float((spread >= observed - 1e-12).mean())
    # the smallest difference that no more than `level` of the permutations reach
    ordered = sorted(set(spread.tolist()))
    difference = next((x for x in ordered if float((spread >= x).mean()) <= level), None)
    reason = (
        "mean ranks differ" if p <= level else "no difference between any two optimizers is shown"
    )
    return CriticalDifference(count, optimizers, difference, p, f"{reason} (p = {p:.3g})")


def _permuted_spread(table: NDArray[np.float64], permutations: int) -> NDArray[np.float64]:
    """Return max - min of mean ranks with ranks dealt anew in each row; the observed one is first."""
    import numpy as np

    rng = np.random.default_rng(0)
    sums = np.zeros((permutations, table.shape[1]))
    for row in table:
        dealt = rng.permuted(np.broadcast_to(row, (permutations, len(row))), axis=1)
        dealt[0] = row
        sums += dealt
    spread: NDArray[np.float64] = np.round((sums.max(axis=1) - sums.min(axis=1)) / len(table), 9)
    return spread


def _rank_table(curves: Curves, at: int) -> tuple[NDArray[np.float64], list[int]]:
    """Return ranks, shape (benchmarks, complete), and the optimizers with studies everywhere."""
    import numpy as np

    points = []
    for b in range(len(curves.benchmarks)):
        values, statistic = _losses(curves, b, at)
        points.append(_centre(values, statistic))
    table = np.asarray(points)
    complete = np.flatnonzero(~np.isnan(table).any(axis=0)).tolist()
    return ranks_of(table[:, complete]), [int(o) for o in complete]


def _losses(curves: Curves, b: int, at: int) -> tuple[NDArray[np.float64], str]:
    """Return what to rank by on benchmark `b`, smaller is better, and how to sum up over seeds."""
    import numpy as np

    if not 1 <= at <= curves.evaluations:
        return np.full((len(curves.optimizers), len(curves.seeds)), np.nan), "mean"
    if curves.benchmarks[b] in curves.landscapes:
        return -curves.score[:, b, :, at - 1], "mean"
    return curves.loss[:, b, :, at - 1], "median"


def _enough(values: NDArray[np.float64]) -> bool:
    """Return whether all who have studies, shape (optimizers, seeds), have enough for an interval."""
    import numpy as np

    counts = (~np.isnan(values)).sum(axis=-1)
    return int(counts[counts > 0].min(initial=FEWEST_SEEDS)) >= FEWEST_SEEDS


def _centre(values: NDArray[np.float64], statistic: str) -> NDArray[np.float64]:
    """Return mean or median over seeds, shape (optimizers,); NaN without any study."""
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        summary = np.nanmedian if statistic == "median" else np.nanmean
        return np.asarray(summary(values, axis=-1), dtype=np.float64)
