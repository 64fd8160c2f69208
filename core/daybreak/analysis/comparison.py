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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Comparison", "compare_differences", "compare_pairs", "fewest_pairs"]

#: up to this many pairs all sign flips are enumerated; beyond, `_DRAWS` of them are drawn
_ENUMERATED = 14
_DRAWS = 20_000
#: signs held in memory at a time
_SIGNS = 4_000_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        pairs: number of pairs that both sides completed.
        ratio: geometric mean of B's result over A's, oriented so that above 1 A is better; None
            without any pair, or if differences were compared.
        low: lower bound of the interval of `ratio` or `difference` at confidence ``1 - level``;
            None if refused.
        high: upper bound; None if refused.
        p: two-sided p-value of the sign-flip test; None if refused.
        level: the significance level.
        verdict: `a` better, `b` better, `undecided`, or `refused` for lack of pairs.
        reason: one sentence.
        difference: mean of A's result less B's, oriented so that above 0 A is better; None if
            ratios were compared.
    """

    pairs: int
    ratio: float | None
    low: float | None
    high: float | None
    p: float | None
    level: float
    verdict: str
    reason: str
    difference: float | None = None


def fewest_pairs(level: float) -> int:
    """Return the number of pairs below which no outcome whatever could be significant.

    With n pairs the smallest two-sided p-value of the sign-flip test is ``2 / 2**n``.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    return math.ceil(math.log2(2 / level))


def compare_pairs(
    a: Sequence[float],
    b: Sequence[float],
    *,
    minimize: bool = True,
    level: float = 0.05,
    strata: Sequence[str] | None = None,
    what: str = "pairs",
) -> Comparison:
    """Compare paired positive results of A and B by their ratios.

    Args:
        a: A's results, one per pair; positive and finite.
        b: B's results for the same pairs.
        minimize: whether smaller is better.
        level: significance level of the test, and 1 minus the confidence of the interval.
        strata: the stratum (benchmark) of each pair; each stratum counts alike, however many pairs
            it has. None: all pairs are alike.
        what: what the pairs are, in the plural, for the reason.

    Raises:
        ValueError: lengths differ, or a result is not positive and finite.
    """
    import numpy as np

    if len(a) != len(b):
        raise ValueError(f"{len(a)} results of A cannot be paired with {len(b)} of B")
    if not all(math.isfinite(x) and x > 0 for x in (*a, *b)):
        raise ValueError("ratios need positive, finite results")
    logs = np.log(np.asarray(b, float)) - np.log(np.asarray(a, float))
    found = compare_differences(logs if minimize else -logs, level=level, strata=strata, what=what)
    return replace(
        found,
        ratio=None if found.difference is None else math.exp(found.difference),
        low=None if found.low is None else math.exp(found.low),
        high=None if found.high is None else math.exp(found.high),
        difference=None,
    )


def compare_differences(
    differences: Sequence[float] | NDArray[np.float64],
    *,
    level: float = 0.05,
    strata: Sequence[str] | None = None,
    what: str = "pairs",
) -> Comparison:
    """Test whether paired differences, A's result less B's, favour one side.

    Arguments as for `compare_pairs`. Signs are flipped pair by pair within the strata, so that the
    conclusion is about these strata and other seeds; whether it holds for other benchmarks, a test
    of the strata's means says.

    Raises:
        ValueError: a difference is not finite.
    """
    import numpy as np

    values = np.asarray(differences, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("differences must be finite")
    n, needed = len(values), fewest_pairs(level)
    weights = _weights(n, strata)
    mean = float(weights @ values) if n else None
    if n < needed:
        reason = f"{n} {what} are too few: below {needed} nothing could be significant at {level:g}"
        return Comparison(n, None, None, None, None, level, "refused", reason, mean)
    flips = _Flips(values, weights)
    p = flips.p_value(0.0)
    low, high = flips.interval(level)
    if p > level:
        verdict, reason = "undecided", f"no difference shown (p = {p:.3g}, {n} {what})"
    else:
        verdict = "a" if (mean or 0.0) > 0 else "b"
        reason = f"better at level {level:g} (p = {p:.3g}, {n} {what})"
    return Comparison(n, None, low, high, p, level, verdict, reason, mean)


def _weights(n: int, strata: Sequence[str] | None) -> NDArray[np.float64]:
    """Return weights that sum to 1, the same for every stratum."""
    import numpy as np

    if strata is None:
        return np.full(n, 1 / max(n, 1))
    if len(strata) != n:
        raise ValueError(f"{len(strata)} strata for {n} pairs")
    names, inverse, counts = np.unique(
        np.asarray(strata, dtype=str), return_inverse=True, return_counts=True
    )
    return np.asarray(1.0 / (len(names) * counts[inverse]), dtype=np.float64)


class _Flips:
    """Weighted sums of the values under sign flips, the identity first.

    A sum is linear in a shift of all values, so two numbers per flip answer for every shift.
    """

    def __init__(self, values: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        import numpy as np

        self._values, self._centre = values, float(weights @ values)
        both = np.stack([weights * values, weights], axis=1)
        parts = [signs @ both for signs in _signs(len(values))]
        self._sums, self._units = np.concatenate(parts).T

    def p_value(self, shift: float) -> float:
        """Return the two-sided p-value of the hypothesis that values lie around `shift`."""
        import numpy as np

        sums = np.abs(self._sums - shift * self._units)
        # ties within rounding count as at least as extreme
        return float((sums >= sums[0] * (1 - 1e-9) - 1e-15).mean())

    def interval(self, level: float) -> tuple[float, float]:
        """Return the shifts that the test does not reject, found by bisection on either side."""
        width = float(max(abs(self._values - self._centre).max(), 1e-12)) * 2 + 1e-12

        def edge(direction: int) -> float:
            inside, outside = 0.0, width
            for _ in range(40):
                middle = (inside + outside) / 2
                if self.p_value(self._centre + direction * middle) > level:
                    inside = middle
                else:
                    outside = middle
            return self._centre + direction * outside

        return edge(-1), edge(1)


def _signs(n: int) -> Iterator[NDArray[np.float64]]:
    """Yield sign flips, shape (flips, n) each: all 2**n, or the identity and random ones."""
    import numpy as np

    if n <= _ENUMERATED:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
        yield np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
        return
    rng, left = np.random.default_rng(0), _DRAWS
    while left:
        rows = min(left, max(1, _SIGNS // n))
        drawn = np.asarray(rng.integers(0, 2, size=(rows, n)) * 2.0 - 1.0, dtype=np.float64)
        if left == _DRAWS:
            drawn[0] = 1.0  # the observed outcome counts, which keeps the p-value valid
        yield drawn
        left -= rows
