"""Is A better than B? A paired test that refuses to conclude from too little.

Two optimizers that ran with the same seeds on the same benchmarks took turns on the same machine,
so their best results are paired. Under the hypothesis that they do not differ, the two names of a
pair might as well be swapped: the sign-flip (Fisher-Pitman) permutation test on the logarithms of
the ratios is then exact, whatever the distribution of the results (R. A. Fisher, "The Design of
Experiments", 1935, section 21; E. J. G. Pitman, "Significance tests which may be applied to
samples from any populations", 1937).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Comparison", "compare_pairs", "fewest_pairs"]

#: up to this many pairs all sign flips are enumerated; beyond, `_DRAWS` of them are drawn
_ENUMERATED = 14
_DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        pairs: number of pairs that both sides completed.
        ratio: geometric mean of B's result over A's, oriented so that above 1 A is better; None
            without any pair.
        low: lower bound of the interval of `ratio` at confidence ``1 - level``; None if refused.
        high: upper bound; None if refused.
        p: two-sided p-value of the sign-flip test; None if refused.
        level: the significance level.
        verdict: `a` better, `b` better, `undecided`, or `refused` for lack of pairs.
        reason: one sentence.
    """

    pairs: int
    ratio: float | None
    low: float | None
    high: float | None
    p: float | None
    level: float
    verdict: str
    reason: str


def fewest_pairs(level: float) -> int:
    """Return the number of pairs below which no outcome whatever could be significant.

    With n pairs the smallest two-sided p-value of the sign-flip test is ``2 / 2**n``.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    return math.ceil(math.log2(2 / level))


def compare_pairs(
    a: Sequence[float], b: Sequence[float], *, minimize: bool = True, level: float = 0.05
) -> Comparison:
    """Compare paired positive results of A and B.

    Args:
        a: A's results, one per pair; positive and finite.
        b: B's results for the same pairs.
        minimize: whether smaller is better.
        level: significance level of the test, and 1 minus the confidence of the interval.

    Raises:
        ValueError: lengths differ, or a result is not positive and finite.
    """
    import numpy as np

    if len(a) != len(b):
        raise ValueError(f"{len(a)} results of A cannot be paired with {len(b)} of B")
    if not all(math.isfinite(x) and x > 0 for x in (*a, *b)):
        raise ValueError("ratios need positive, finite results")
    n, needed = len(a), fewest_pairs(level)
    logs = np.log(np.asarray(b, float)) - np.log(np.asarray(a, float))
    if not minimize:
        logs = -logs
    ratio = float(np.exp(logs.mean())) if n else None
    if n < needed:
        reason = f"{n} pairs are too few: below {needed} nothing could be significant at {level:g}"
        return Comparison(n, ratio, None, None, None, level, "refused", reason)
    signs = _signs(n)
    p = _p_value(logs, signs)
    low, high = (math.exp(x) for x in _interval(logs, signs, level))
    if p > level:
        verdict, reason = "undecided", f"no difference shown (p = {p:.3g}, {n} pairs)"
    else:
        verdict = "a" if logs.mean() > 0 else "b"
        reason = f"better at level {level:g} (p = {p:.3g}, {n} pairs)"
    return Comparison(n, ratio, low, high, p, level, verdict, reason)


def _signs(n: int) -> NDArray[np.float64]:
    """Return sign flips, shape (flips, n): all 2**n, or the identity and random ones."""
    import numpy as np

    if n <= _ENUMERATED:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
        return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
    bits = np.random.default_rng(0).integers(0, 2, size=(_DRAWS, n))
    drawn: NDArray[np.float64] = (bits * 2.0 - 1.0).astype(np.float64)
    drawn[0] = 1.0  # the observed outcome counts, which keeps the p-value valid
    return drawn


def _p_value(logs: NDArray[np.float64], signs: NDArray[Any]) -> float:
    import numpy as np

    sums = np.abs(signs @ logs)
    # ties within rounding count as at least as extreme
    observed = abs(float(logs.sum())) * (1 - 1e-9) - 1e-15
    return float((sums >= observed).mean())


def _interval(logs: NDArray[np.float64], signs: NDArray[Any], level: float) -> tuple[float, float]:
    """Return the shifts that the test does not reject, found by bisection on either side."""
    centre = float(logs.mean())
    width = float(max(abs(logs - centre).max(), 1e-12)) * 2 + 1e-12

    def edge(direction: int) -> float:
        inside, outside = 0.0, width
        for _ in range(40):
            middle = (inside + outside) / 2
            if _p_value(logs - (centre + direction * middle), signs) > level:
                inside = middle
            else:
                outside = middle
        return centre + direction * outside

    return edge(-1), edge(1)
