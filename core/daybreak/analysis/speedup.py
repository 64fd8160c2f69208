"""How many evaluations one optimizer needs to get where another is after n of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.analysis.curves import Curves
from daybreak.analysis.resampling import FEWEST_SEEDS, Interval, percentile_interval
from daybreak.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ALL_MEDIANS", "ALL_SCORES", "Speedup", "speedup_at"]

#: the row about the geometric mean of the benchmarks' factors
ALL_MEDIANS = "(geometric mean)"
#: the row about the mean score over all benchmarks
ALL_SCORES = "(mean score)"

#: numbers held in memory at a time
_HELD = 4_000_000


@dataclass(frozen=True, slots=True)
class Speedup:
    """A reaches B's value at `at` evaluations with `evaluations` of its own.

    Attributes:
        benchmark: full name, `ALL_MEDIANS` or `ALL_SCORES`.
        at: evaluations of B.
        evaluations: evaluations of A; None on the `ALL_MEDIANS` row, or if not reached.
        factor: ``at / evaluations``: above 1, A needs fewer. If A did not get there, what it would
            be at best: ``at / budget``.
        bound: whether `factor` is only such an upper bound (A did not get there).
        interval: over seeds drawn anew, for both alike.
        studies: studies of A and of B.
    """

    benchmark: str
    at: int
    evaluations: float | None
    factor: float | None
    bound: bool
    interval: Interval
    studies: tuple[int, int]


def speedup_at(
    curves: Curves, a: str, b: str, at: int, *, level: float = 0.05, draws: int = 1000
) -> list[Speedup]:
    """Return by what factor A needs fewer evaluations than B to reach B's value at `at`.

    On a benchmark the value is the median over seeds of the best so far. Two rows speak of all
    benchmarks: the geometric mean of their factors, and, where landscapes are known, the evaluations
    after which A's mean result reaches B's mean score at `at`. For that, A's results are put on the
    scale of B's scores: 0 is random search after `at` evaluations, whatever A has spent.

    Args:
        curves: the studies.
        a: label of an optimizer.
        b: label of another.
        at: evaluations of B, from 1.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: an optimizer is unknown, or B never ran for so long.
    """
    import numpy as np

    first, second = curves.index(a), curves.index(b)
    if not 1 <= at <= curves.evaluations:
        raise UserError(
            f"no study of run '{curves.run_id}' has {at} evaluations",
            expected=f"a number from 1 to {curves.evaluations}",
        )
    rng = np.random.default_rng(0)
    found: list[Speedup] = []
    logs, points = np.zeros(draws), []
    totals_a, totals_b = np.zeros((draws + 1, curves.evaluations)), np.zeros(draws + 1)
    enough = True
    for n, benchmark in enumerate(curves.benchmarks):
        rows_a, rows_b = _studies(curves.loss[first, n]), _studies(curves.loss[second, n])
        rows_b = [r for r in rows_b if not np.isnan(curves.loss[second, n, r, at - 1])]
        if not rows_a or not rows_b:
            continue
        picked_a, picked_b = _draw(rng, rows_a, rows_b, draws)
        need = _first_at_least(
            -_medians(curves.loss[first, n], picked_a),
            -_medians(curves.loss[second, n, :, at - 1 : at], picked_b)[:, 0],
        )
        longest = int((~np.isnan(curves.loss[first, n, rows_a])).all(axis=0).sum())
        few = min(len(rows_a), len(rows_b)) < FEWEST_SEEDS
        enough = enough and not few
        one = _speedup(benchmark, at, need, longest, few, level, (len(rows_a), len(rows_b)))
        found.append(one)
        points.append(one)
        logs += np.log(at / np.where(np.isfinite(need[1:]), need[1:], longest))
        if benchmark in curves.landscapes:
            scale = _scale(curves, benchmark, at)
            totals_a += _means(scale(curves.loss[first, n]), picked_a)
            totals_b += _means(scale(curves.loss[second, n, :, at - 1 : at]), picked_b)[:, 0]
    if len(points) > 1:
        found.append(_geometric(points, logs, at, enough, level))
    if points and all(one.benchmark in curves.landscapes for one in points):
        need = _first_at_least(totals_a, totals_b)
        longest = int((~np.isnan(totals_a[0])).sum())
        studies = (sum(one.studies[0] for one in points), sum(one.studies[1] for one in points))
        found.append(_speedup(ALL_SCORES, at, need, longest, not enough, level, studies))
    return found


def _scale(
    curves: Curves, benchmark: str, at: int
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what turns losses into scores against random search after `at` evaluations."""
    import numpy as np

    optimum, worst = curves.landscapes[benchmark]
    baseline = float(curves.baseline[curves.benchmarks.index(benchmark), at - 1])
    # random search is sure of the optimum by then: the whole range is the next best scale
    gap = baseline - optimum if baseline > optimum else max(worst - optimum, 1e-300)

    def scaled(loss: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((baseline - np.where(np.isposinf(loss), worst, loss)) / gap)

    return scaled


def _studies(loss: NDArray[np.float64]) -> list[int]:
    import numpy as np

    return [int(i) for i in np.flatnonzero(~np.isnan(loss[:, 0]))]


def _draw(
    rng: np.random.Generator, rows_a: list[int], rows_b: list[int], draws: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return seeds, shape (draws + 1, studies), all of them first; the same for both if paired."""
    import numpy as np

    a, b = np.asarray(rows_a), np.asarray(rows_b)
    picked_a = np.vstack([a, a[rng.integers(0, len(a), size=(draws, len(a)))]])
    if rows_a == rows_b:
        return picked_a, picked_a
    return picked_a, np.vstack([b, b[rng.integers(0, len(b), size=(draws, len(b)))]])


def _medians(loss: NDArray[np.float64], picked: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return medians over drawn studies, shape (draws, evaluations) of (studies, evaluations)."""
    import numpy as np

    # a part of the draws at a time: all of them can outgrow the memory
    rows = max(1, _HELD // (picked.shape[1] * loss.shape[1]))
    parts = [np.median(loss[picked[i : i + rows]], axis=1) for i in range(0, len(picked), rows)]
    return np.concatenate(parts)


def _means(values: NDArray[np.float64], picked: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return means over drawn studies; an evaluation that any of them lacks is NaN in all draws."""
    import numpy as np

    studies = picked[0]
    counts = np.stack([np.bincount(draw, minlength=len(values))[studies] for draw in picked])
    whole = ~np.isnan(values[studies]).any(axis=0)
    found = np.full((len(picked), values.shape[1]), np.nan)
    found[:, whole] = counts @ values[studies][:, whole] / picked.shape[1]
    return found


def _first_at_least(curve: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first evaluation at which ``curve >= value``, row by row; inf if there is none.

    A value of -inf (nothing succeeded) is reached by the first evaluation. NaN ends a curve.
    """
    import numpy as np

    # rounding of means must not cost an evaluation
    slack = 1e-12 * np.abs(np.where(np.isfinite(value), value, 0.0))
    there = curve >= (value - slack)[:, None]
    found: NDArray[np.float64] = np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, np.inf)
    return found


def _speedup(
    name: str,
    at: int,
    need: NDArray[np.float64],
    longest: int,
    few: bool,
    level: float,
    studies: tuple[int, int],
) -> Speedup:
    import numpy as np

    reached = bool(np.isfinite(need[0]))
    interval = Interval(None, None)
    if not few:
        # not reached: anything up to at / longest, so the lower end is open
        drawn = percentile_interval(np.where(np.isfinite(need[1:]), at / need[1:], -np.inf), level)
        interval = Interval(drawn.low, drawn.high)
    return Speedup(
        benchmark=name,
        at=at,
        evaluations=float(need[0]) if reached else None,
        factor=at / (float(need[0]) if reached else longest) if longest else None,
        bound=not reached,
        interval=interval,
        studies=studies,
    )


def _geometric(
    points: list[Speedup], logs: NDArray[np.float64], at: int, enough: bool, level: float
) -> Speedup:
    import numpy as np

    factors = [one.factor for one in points if one.factor]
    factor = math.exp(sum(math.log(x) for x in factors) / len(points))
    bound = any(one.bound for one in points)
    interval = Interval(None, None)
    if enough:
        drawn = percentile_interval(np.exp(logs / len(points)), level)
        # draws in which A did not get there count as if it had at its end: no lower end from them
        interval = Interval(None if bound else drawn.low, drawn.high)
    return Speedup(
        benchmark=ALL_MEDIANS,
        at=at,
        evaluations=None,
        factor=factor,
        bound=bound,
        interval=interval,
        studies=(sum(p.studies[0] for p in points), sum(p.studies[1] for p in points)),
    )
