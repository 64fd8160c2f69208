"""Are times of one entry shorter than another's? A rank test in which misses count.

H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically
larger than the other", Annals of Mathematical Statistics 18, 1947. A run that missed its target has
an infinite time, the largest of all, so nothing must be left out. Equal times share the mean of their
ranks; the p-value is exact given those ranks: every way to deal them out counts.
"""

from __future__ import annotations

import collections
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["RankSum", "fewest_runs", "rank_sum"]

#: up to this many steps the distribution is counted; beyond, it is taken as normal
_COUNTED = 4_000_000


@dataclass(frozen=True, slots=True)
class RankSum:
    """What the test found.

    Attributes:
        runs: runs of either side.
        u: pairs of runs in which A's time is longer; equal ones count half.
        share: share of pairs in which A is quicker, equal ones half; 0.5: no difference.
        p: two-sided p-value; None if refused.
        missing: runs that the smaller side lacks for the test to be able to say anything.
    """

    runs: tuple[int, int]
    u: float
    share: float | None
    p: float | None
    missing: int


def fewest_runs(level: float, other: int) -> int | None:
    """Return how many runs one side needs for any outcome to be significant, given the other's.

    The smallest two-sided p-value is ``2 / C(n + m, n)``. None: no number is enough.
    """
    if other < 1:
        return None
    for n in range(1, 200):
        if 2 / math.comb(n + other, n) <= level:
            return n
    return None


def rank_sum(a: Sequence[float], b: Sequence[float], level: float = 0.05) -> RankSum:
    """Compare the times of A with those of B; infinite times are misses.

    Args:
        a: times of A's runs.
        b: times of B's runs.
        level: significance level, which decides what is too few.
    """
    n, m = len(a), len(b)
    ranks = _ranks([*a, *b])
    u = sum(ranks[:n]) - n * (n + 1) / 2
    share = 1 - u / (n * m) if n and m else None
    missing = _missing(n, m, level)
    if missing:
        return RankSum((n, m), u, share, None, missing)
    # ranks of equals are halves: doubled, they are whole
    doubled = [round(2 * rank) for rank in ranks]
    if min(n, m) * (n + m) * sum(doubled) <= _COUNTED:
        # the shares of both sides are the same: the smaller one is counted
        smaller = doubled[:n] if n <= m else doubled[n:]
        return RankSum((n, m), u, share, _counted(doubled, smaller), 0)
    return RankSum((n, m), u, share, _normal(ranks, n, m, u), 0)


def _missing(n: int, m: int, level: float) -> int:
    """Return how many runs the smaller side lacks; both grow alike once they are equal."""
    small, large = min(n, m), max(n, m)
    lacking = 0
    while small < 1 or 2 / math.comb(small + large, small) > level:
        small += 1
        large = max(small, large)
        lacking += 1
    return lacking


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda i: values[i])
    ranks = [0.0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j < len(order) and values[order[j]] == values[order[i]]:
            j += 1
        for k in range(i, j):
            ranks[order[k]] = (i + j + 1) / 2
        i = j
    return ranks


def _counted(doubled: Sequence[int], chosen: Sequence[int]) -> float:
    """Return the share of all choices of so many ranks whose sum lies as far from the mean."""
    n = len(chosen)
    counts: list[dict[int, int]] = [{} for _ in range(n + 1)]
    counts[0][0] = 1
    for rank in doubled:
        for size in range(n, 0, -1):
            for total, ways in counts[size - 1].items():
                counts[size][total + rank] = counts[size].get(total + rank, 0) + ways
    mean = n * sum(doubled) / len(doubled)
    seen = abs(sum(chosen) - mean)
    extreme = sum(w for total, w in counts[n].items() if abs(total - mean) >= seen - 1e-9)
    return extreme / math.comb(len(doubled), n)


def _normal(ranks: Sequence[float], n: int, m: int, u: float) -> float:
    """Return the p-value of the normal approximation, corrected for ties and continuity."""
    size = n + m
    ties = collections.Counter(ranks)
    correction = sum(t**3 - t for t in ties.values()) / (size * (size - 1))
    variance = n * m / 12 * (size + 1 - correction)
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(u - n * m / 2) - 0.5) / math.sqrt(variance)
    return min(1.0, 2 * (1 - statistics.NormalDist().cdf(z)))
