"""Mean scores of optimizers after a number of evaluations, with intervals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

__all__ = ["MeanScore", "ScoreCurve", "budgets", "mean_scores", "score_curves"]

_USUAL = (20, 60, 200)


@dataclass(frozen=True, slots=True)
class MeanScore:
    """The mean score of an optimizer: of benchmarks' means over their studies.

    Attributes:
        optimizer: its label.
        at: evaluations (or moments of random search's clock) that it is about.
        benchmarks: benchmarks that it has studies on. Means over different benchmarks must not be
            compared.
        studies: studies that the mean is over.
        missing: studies of it that did not get so far and are left out.
        mean: the mean; None without any study.
        seeds: interval for these benchmarks and other seeds.
        spaces: interval for other benchmarks like these; with a handful of them it is too narrow.
    """

    optimizer: str
    at: int
    benchmarks: int
    studies: int
    missing: int
    mean: float | None
    seeds: Interval
    spaces: Interval


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """An optimizer's mean score over evaluations 1 to n, arrays of shape (n,).

    `low` and `high` bound the interval over seeds; NaN where there are too few.
    """

    optimizer: str
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def budgets(longest: int, wanted: Sequence[int] = ()) -> list[int]:
    """Return the numbers of evaluations to answer for: `wanted`, else 20, 60, 200 and the longest."""
    if wanted:
        return sorted(set(wanted))
    return sorted({n for n in _USUAL if n < longest} | {longest})


def mean_scores(
    curves: Curves,
    at: Sequence[int],
    *,
    clock: str = "evaluations",
    level: float = 0.05,
    draws: int = DRAWS,
) -> list[MeanScore]:
    """Return the mean score of every optimizer at each of `at`, best first at the largest of them.

    Args:
        curves: the studies; benchmarks without a known landscape are left out.
        at: numbers of evaluations, from 1; for the clock `seconds`, the time in which random search
            has so many.
        clock: one of `CLOCKS`.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no benchmark's landscape is known.
    """
    curves = curves.scored()
    scores = curves.scores(clock)
    found: list[MeanScore] = []
    for moment in at:
        inside = 1 <= moment <= scores.shape[-1]
        found += _at(curves, scores[..., moment - 1] if inside else None, moment, level, draws)
    # the last budget that anybody had decides
    last = max((one.at for one in found if one.mean is not None), default=at[-1])
    order = {one.optimizer: _standing(one) for one in found if one.at == last}
    return sorted(found, key=lambda one: (*order[one.optimizer], one.optimizer, one.at))


def _standing(one: MeanScore) -> tuple[int, float]:
    """Return what sorts best first: optimizers on more benchmarks before those on fewer."""
    return (-one.benchmarks, -one.mean if one.mean is not None else 0.0)


def _at(
    curves: Curves, values: NDArray[np.float64] | None, moment: int, level: float, draws: int
) -> list[MeanScore]:
    import numpy as np

    if values is None:
        values = np.full(curves.loss.shape[:3], np.nan)
    studies = ~np.isnan(curves.loss[..., 0])
    within = resampled(values, draws=draws)
    across = resampled(values, benchmarks=True, draws=draws, seed=1)
    found = []
    for o, optimizer in enumerate(curves.optimizers):
        there = ~np.isnan(values[o])
        used = there.any(axis=1)
        mean = float(_benchmark_means(values[o])[used].mean()) if used.any() else None
        enough = bool(used.any()) and int(there[used].sum(axis=1).min()) >= FEWEST_SEEDS
        found.append(
            MeanScore(
                optimizer=optimizer,
                at=moment,
                benchmarks=int(used.sum()),
                studies=int(there.sum()),
                missing=int((studies[o] & ~there).sum()),
                mean=mean,
                seeds=_interval(within[:, o, used], level) if enough else Interval(None, None),
                spaces=_interval(across[:, o], level)
                if enough and used.sum() > 1
                else Interval(None, None),
            )
        )
    return found


def _benchmark_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means over seeds, shape (benchmarks,) of (benchmarks, seeds); NaN without any."""
    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=1), dtype=np.float64)


def _interval(draws: NDArray[np.float64], level: float) -> Interval:
    """Return the interval of the mean over benchmarks; draws of shape (draws, benchmarks)."""
    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        means = np.nanmean(draws, axis=1)
    return percentile_interval(means[~np.isnan(means)], level)


def score_curves(
    curves: Curves, *, clock: str = "evaluations", level: float = 0.05, draws: int = 500
) -> list[ScoreCurve]:
    """Return every optimizer's mean score at every moment, with the interval over seeds.

    The mean ends where the first benchmark or study of the optimizer does.

    Raises:
        UserError: no benchmark's landscape is known.
    """
    import numpy as np

    curves = curves.scored()
    scores = curves.scores(clock)
    found = []
    for o, optimizer in enumerate(curves.optimizers):
        rng = np.random.default_rng(0)
        total = np.zeros(scores.shape[-1])
        sums = np.zeros((draws, scores.shape[-1]))
        used, fewest = 0, 0
        for b in range(len(curves.benchmarks)):
            rows = scores[o, b][~np.isnan(curves.loss[o, b, :, 0])]
            if not len(rows):
                continue
            total += rows.mean(axis=0)
            picked = rng.integers(0, len(rows), size=(draws, len(rows)))
            weights = np.stack([np.bincount(pick, minlength=len(rows)) for pick in picked])
            sums += _weighted(weights / len(rows), rows)
            used, fewest = used + 1, min(fewest or len(rows), len(rows))
        if used:
            low, high = np.quantile(sums / used, [level / 2, 1 - level / 2], axis=0)
            if fewest < FEWEST_SEEDS:
                low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
            found.append(ScoreCurve(optimizer, total / used, low, high))
    return found


def _weighted(weights: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``weights @ rows``, where a column with any NaN is NaN in all rows."""
    import numpy as np

    broken = np.isnan(rows).any(axis=0)
    found: NDArray[np.float64] = weights @ np.where(broken, 0.0, rows)
    found[:, broken] = np.nan
    return found
